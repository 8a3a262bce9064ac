/*
 * os/reach_link - the helper of one mount
 *
 *   idle --asked--> busy --answered in time--> idle
 *                     +--not in time--> busy, late --answered--> left alone --> back is told
 *
 * One question is under way at most. Who asks waits for its answer, or for that of an earlier
 * question first, but no longer than the patience from the time at which that was asked: so a mount
 * that is dead is waited for once. A helper that ends takes its files with it; the next question
 * starts another one.
 *
 * Waiting goes by the kernel's clock, since it is really waited; the loop's timers tell what is
 * away.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "helper_internal.h"
#include "reach_internal.h"

#define START_MS   1000 /* a helper's first answer may take so long */
#define ALONE      10   /* times the time that was waited in vain */
#define ALONE_MAX  60000
#define ENDING_MAX 64
#define TEXT_BYTES 512

static pid_t ending[ENDING_MAX]; /* killed, not reaped; 0 = none */

/* real time */
static int64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

/* see reach_internal.h */
void reach_reap(void)
{
    for (size_t i = 0; i < ENDING_MAX; i++)
        if (ending[i] != 0 && waitpid(ending[i], NULL, WNOHANG) != 0)
            ending[i] = 0;
}

/* tells and counts a change of what is away */
static void set_away(struct reach_mount *m, bool away)
{
    struct reach *r = &reach_now;
    char text[TEXT_BYTES];
    if (m->away == away)
        return;
    m->away = away;
    r->away += away ? 1 : -1U;
    if (away)
        (void)snprintf(text, sizeof(text),
                       "mount point %.400s does not answer: files on it wait until it does",
                       m->point);
    else
        (void)snprintf(text, sizeof(text), "mount point %.400s %s after %lld s", m->point,
                       m->present ? "answers again" : "is gone",
                       (long long)(now_ms() - m->asked_ms) / 1000);
    r->hooks.message(r->hooks.ctx, away ? LOG_WARN : LOG_INFO, text);
    if (away)
        r->hooks.away(r->hooks.ctx, m->point);
    if (away || r->away == 0)
        r->hooks.health(r->hooks.ctx, away ? text : NULL);
}

/* ends the helper; what was asked has no answer */
static void end_helper(struct reach_mount *m)
{
    if (m->fd < 0)
        return;
    loop_io_cancel(&m->io);
    (void)close(m->fd); /* a socket: nothing can be lost */
    (void)munmap(m->shared, REACH_SHARED);
    (void)kill(m->pid, SIGKILL); /* not reaped yet: it is there */
    reach_reap();
    for (size_t i = 0; i < ENDING_MAX; i++) {
        if (ending[i] == 0) {
            ending[i] = m->pid;
            break;
        }
    }
    reach_reap();
    m->fd = -1;
    m->busy = m->kept = m->answered = false;
    m->closing_count = 0;
    m->life++;
    m->files = 0;
}

/* takes the answer that waits; false = there is none */
static bool receive(struct reach_mount *m)
{
    ssize_t n = recv(m->fd, &m->answer, sizeof(m->answer), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    loop_timer_stop(m->timer);
    if (n != (ssize_t)sizeof(m->answer)) {
        end_helper(m); /* it has died: what it held is gone */
        m->answer = (struct reach_answer){.result = -ESTALE};
    }
    m->busy = false;
    m->answered = true;
    return true;
}

/* an answer that nobody waited for */
static void take_late(struct reach_mount *m)
{
    int64_t took = now_ms() - m->asked_ms;
    int64_t alone = m->waited_ms * ALONE < ALONE_MAX ? m->waited_ms * ALONE : ALONE_MAX;
    uint32_t op = m->last.op;
    if (took < REACH_AWAY_MS && took * 2 > m->patience_ms)
        m->patience_ms = took * 2 < REACH_PATIENCE_MAX_MS ? took * 2 : REACH_PATIENCE_MAX_MS;
    m->kept = op == REACH_READ && m->answer.result >= 0;
    if ((op == REACH_OPEN || op == REACH_PLACE || op == REACH_REOPEN) && m->answer.result >= 0)
        reach_drop(m, (int32_t)m->answer.result);
    m->alone_until_ms = op == REACH_READ ? 0 : now_ms() + alone;
    set_away(m, false);
    if (m->owed)
        loop_timer_set(m->timer, m->look && op != REACH_READ ? alone : 0);
}

/* the helper has answered, or ended */
static void on_socket(void *ctx, uint32_t events)
{
    struct reach_mount *m = ctx;
    bool late = m->busy;
    (void)events; /* an error is read, too */
    if (receive(m) && late)
        take_late(m);
}

/* time is up for an answer, or over in which it was left alone */
static void on_timer(void *ctx)
{
    struct reach_mount *m = ctx;
    if (m->busy) {
        if (receive(m))
            take_late(m);
        else
            set_away(m, true);
        return;
    }
    bool look = m->look;
    m->owed = m->look = false;
    reach_now.hooks.back(reach_now.hooks.ctx, look);
}

/* see reach_internal.h */
struct reach_mount *reach_mount_new(const char *point, uint64_t id)
{
    struct reach_mount *m = mem_zalloc(sizeof(*m));
    m->point = mem_strdup(point);
    m->id = id;
    m->present = true;
    m->fd = -1;
    m->patience_ms = REACH_PATIENCE_MS;
    m->timer = loop_timer_new(reach_now.loop, on_timer, m);
    return m;
}

/* see reach_internal.h */
void reach_mount_free(struct reach_mount **mp)
{
    struct reach_mount *m = *mp;
    end_helper(m);
    set_away(m, false);
    loop_timer_cancel(&m->timer);
    mem_free(m->point);
    mem_free(m);
    *mp = NULL;
}

/* starts the helper: 0 or the negative errno */
static int start_helper(struct reach_mount *m)
{
    int ends[2];
    int memory = memfd_create("wherry", MFD_CLOEXEC);
    if (memory < 0)
        return -errno;
    int r = ftruncate(memory, REACH_SHARED) < 0 ? -errno : 0;
    m->shared = r < 0 ? MAP_FAILED
                      : mmap(NULL, REACH_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (r == 0 && m->shared == MAP_FAILED)
        r = -errno;
    if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        r = -errno;
    if (r == 0) {
        r = helper_spawn(REACH_COMMAND, ends[1], memory, &m->pid);
        (void)close(ends[1]); /* the helper's */
        if (r < 0)
            (void)close(ends[0]);
    }
    (void)close(memory); /* mapped, and the helper's */
    if (r < 0) {
        if (m->shared != MAP_FAILED)
            (void)munmap(m->shared, REACH_SHARED);
        return r;
    }
    m->fd = ends[0];
    m->io = loop_io_add(reach_now.loop, m->fd, EPOLLIN, on_socket, m);
    if (m->io != NULL)
        return 0;
    end_helper(m);
    return -ENOSPC;
}

/* the call is not made now */
static int refuse(struct reach_mount *m, const struct reach_question *q)
{
    m->owed = true;
    if (q->op != REACH_READ || !reach_now.hurry) {
        m->refused = m->look = true;
        m->refusals++;
    }
    if (!m->busy && !loop_timer_is_set(m->timer)) {
        int64_t rest = m->alone_until_ms - now_ms();
        loop_timer_set(m->timer, rest > 0 ? rest : 0);
    }
    return -EBUSY;
}

/* how long an answer is waited for, from the question on */
static int64_t patience_of(const struct reach_mount *m)
{
    if (!m->answered)
        return START_MS;
    return reach_now.hurry && m->last.op == REACH_READ ? REACH_HURRY_MS : m->patience_ms;
}

/* waits for the answer of the question under way; false = it is late */
static bool await(struct reach_mount *m)
{
    int64_t began = now_ms(), now = began;
    int64_t until = m->asked_ms + patience_of(m);
    bool there = receive(m);
    while (!there && now < until) {
        struct pollfd p = {.fd = m->fd, .events = POLLIN};
        (void)poll(&p, 1, (int)(until - now)); /* a signal: looked at again */
        there = receive(m);
        now = now_ms();
    }
    m->waited_ms += now - began;
    return there;
}

/* sends what is to be closed */
static bool send_closing(struct reach_mount *m)
{
    struct reach_question q;
    memset(&q, 0, offsetof(struct reach_question, u));
    q.op = REACH_CLOSE;
    q.count = m->closing_count;
    size_t bytes = m->closing_count * sizeof(m->closing[0]);
    memcpy(q.u.closing, m->closing, bytes);
    size_t n = offsetof(struct reach_question, u) + bytes;
    if (send(m->fd, &q, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n)
        return false;
    m->closing_count = 0;
    return true;
}

/* see reach_internal.h: what finds no room stays open in the helper until that ends */
void reach_drop(struct reach_mount *m, int32_t file)
{
    if (m->fd < 0)
        return;
    if (m->closing_count == REACH_CLOSE_MAX && !send_closing(m))
        return;
    m->closing[m->closing_count++] = file;
    if (!m->busy)
        (void)send_closing(m); /* else with the next question */
}

/* puts the question; false = the helper is gone */
static bool put(struct reach_mount *m, struct reach_question *q, const char *path)
{
    size_t n = offsetof(struct reach_question, u);
    if (m->closing_count > 0)
        (void)send_closing(m); /* else with the next question */
    if (path != NULL) {
        size_t bytes = strlen(path) + 1; /* fits: the caller has looked */
        memcpy(q->u.path, path, bytes);
        n += bytes;
    }
    if (send(m->fd, q, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n)
        return false;
    m->last = (struct reach_question){.op = q->op, .file = q->file, .at = q->at, .count = q->count};
    m->busy = true;
    m->kept = false;
    m->asked_ms = now_ms();
    m->waited_ms = 0;
    loop_timer_set(m->timer, REACH_AWAY_MS);
    return true;
}

/* whether a late read is the one that is asked for */
static bool is_kept(struct reach_mount *m, const struct reach_question *q)
{
    const struct reach_question *last = &m->last;
    bool kept = m->kept && q->op == REACH_READ && q->file == last->file && q->at == last->at &&
                q->count == last->count;
    m->kept = m->kept && !kept;
    return kept;
}

/* see reach_internal.h */
int reach_ask(struct reach_mount *m, struct reach_question *q, const char *path)
{
    if (path != NULL && strlen(path) >= PATH_MAX) {
        m->answer = (struct reach_answer){.result = -ENAMETOOLONG};
        return 0;
    }
    if (m->busy) {
        if (!await(m))
            return refuse(m, q);
        take_late(m);
    }
    if (is_kept(m, q))
        return 0;
    if (now_ms() < m->alone_until_ms)
        return refuse(m, q);
    bool was = m->fd >= 0;
    if ((!was && start_helper(m) < 0) || !put(m, q, path)) {
        end_helper(m);
        m->alone_until_ms = now_ms() + REACH_AWAY_MS;
        return refuse(m, q);
    }
    if (!await(m))
        return refuse(m, q);
    if (m->patience_ms > REACH_PATIENCE_MS)
        m->patience_ms--;
    return 0;
}
