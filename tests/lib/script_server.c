/*
 * tests/script_server - plays scripted HTTP replies over blocking sockets
 *
 * One thread accepts and serves; it owns the sockets. What it has read is published under the lock
 * before the reply is sent, so a client that has its reply finds its request there.
 */
#include "script_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/num.h"

#define BODY_MAX (16 * MIB)

/* bounds every blocking call of the server */
static void set_deadline(int fd)
{
    struct timeval tv = {.tv_sec = SCRIPT_DEADLINE_S};
    int one = 1;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* length of the body that the head announces */
static size_t announced(struct buf *head)
{
    uint64_t n = 0;
    const char *at = strcasestr(buf_cstr(head), "\r\nContent-Length: ");
    if (at != NULL) {
        at += strlen("\r\nContent-Length: ");
        if (num_u64(slice_of(at, strcspn(at, "\r")), &n) < 0)
            n = 0;
    }
    return (size_t)n;
}

/* reads one request as far as the step wants; false at the client's end */
static bool read_request(int fd, enum script_reading how, struct buf *head, struct buf *body)
{
    static char piece[64 * 1024];
    buf_reset(head);
    buf_reset(body);
    size_t want = 0;
    const char *end = NULL;
    for (;;) {
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        if (n <= 0)
            return false;
        if (buf_add(end == NULL ? head : body, piece, (size_t)n) < 0)
            return false;
        if (how == READ_ANY)
            return true;
        if (end == NULL && (end = strstr(buf_cstr(head), "\r\n\r\n")) != NULL) {
            size_t len = (size_t)(end - head->ptr) + 4;
            if (buf_add(body, head->ptr + len, head->len - len) < 0)
                return false;
            buf_cut(head, len);
            want = announced(head);
        }
        if (end != NULL && (how == READ_HEAD || body->len >= want))
            return true;
    }
}

/* sends the reply of a step; a client that has gone is no error */
static void send_reply(int fd, const struct script_step *step)
{
    size_t len = step->reply != NULL ? strlen(step->reply) : 0;
    size_t piece = step->bytewise ? 1 : len;
    for (size_t i = 0; i < len; i += piece) {
        if (send(fd, step->reply + i, piece, MSG_NOSIGNAL) < 0)
            return;
    }
}

/* ends a connection as the step says */
static void end_connection(int fd, enum script_ending how)
{
    static char junk[64 * 1024];
    struct linger hard = {.l_onoff = 1};
    if (how == END_RESET)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    if (how == END_DRAIN)
        (void)shutdown(fd, SHUT_WR);
    while ((how == END_DRAIN || how == END_HANG) && recv(fd, junk, sizeof(junk), 0) > 0)
        ;
    close(fd);
}

/* plays steps on one connection from *at on */
static void serve(struct script_server *s, int fd, size_t *at)
{
    struct buf head, body;
    buf_init(&head, MIB);
    buf_init(&body, BODY_MAX);
    enum script_ending ending = END_KEEP;
    while (ending == END_KEEP && *at < s->step_count) {
        const struct script_step *step = &s->steps[*at];
        if (!read_request(fd, step->reading, &head, &body))
            break;
        (*at)++;
        pthread_mutex_lock(&s->lock);
        s->requests++;
        buf_reset(&s->head);
        buf_reset(&s->body);
        assert_int_equal(buf_add_slice(&s->head, buf_slice(&head)), 0);
        assert_int_equal(buf_add_slice(&s->body, buf_slice(&body)), 0);
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
        send_reply(fd, step);
        ending = step->ending;
    }
    end_connection(fd, ending);
    buf_clear(&head);
    buf_clear(&body);
}

/* accepts until the script is played or the listener is shut down */
static void *run_server(void *arg)
{
    struct script_server *s = arg;
    size_t at = 0;
    while (at < s->step_count) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0)
            break;
        set_deadline(fd);
        pthread_mutex_lock(&s->lock);
        s->connections++;
        pthread_mutex_unlock(&s->lock);
        serve(s, fd, &at);
    }
    return NULL;
}

/* a socket on a free port of the loopback */
int script_bind(unsigned *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

/* listens, then starts the thread */
void script_server_start(struct script_server *s, const struct script_step *steps, size_t count)
{
    *s = (struct script_server){.step_count = count};
    assert_in_range(count, 1, SCRIPT_STEPS_MAX);
    memcpy(s->steps, steps, count * sizeof(*steps));
    buf_init(&s->head, MIB);
    buf_init(&s->body, BODY_MAX);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->listener = script_bind(&s->port);
    assert_int_equal(listen(s->listener, 8), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, run_server, s), 0);
}

/* ends the accepting loop */
void script_server_stop(struct script_server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
}

/* frees what the last request left */
void script_server_clear(struct script_server *s)
{
    buf_clear(&s->head);
    buf_clear(&s->body);
}

/* waits until n requests have come */
void script_server_wait(struct script_server *s, unsigned n)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += SCRIPT_DEADLINE_S;
    pthread_mutex_lock(&s->lock);
    while (s->requests < n)
        assert_int_equal(pthread_cond_timedwait(&s->changed, &s->lock, &end), 0);
    pthread_mutex_unlock(&s->lock);
}
