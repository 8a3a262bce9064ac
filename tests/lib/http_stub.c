/*
 * tests/http_stub - a scripted HTTP server
 *
 * One thread accepts, one more for each connection reads requests and writes answers. Everything
 * that can go wrong here is a fault of the test's machine: it aborts.
 */
#include "http_stub.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define HEAD_MAX        (64 * KIB)
#define BODY_MAX        (64 * MIB)

struct connection {
    struct http_stub *stub;
    pthread_t thread;
    int fd;
};

struct http_stub {
    int fd;
    uint16_t port;
    char url[64];
    stub_fn fn;
    void *ctx;
    pthread_t thread;
    pthread_mutex_t mutex; /* the handler, the table below */
    struct connection connections[CONNECTIONS_MAX];
    unsigned count;
    unsigned requests;
    int stop_pipe[2]; /* readable: stop */
};

/* aborts unless ok */
static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

/* waits until fd is readable; false: stop */
static bool wait_readable(struct http_stub *s, int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
                            {.fd = s->stop_pipe[0], .events = POLLIN}};
    while (poll(fds, 2, -1) < 0)
        must(errno == EINTR, "poll");
    return fds[1].revents == 0;
}

/* more bytes; false at the end of the connection or the server */
static bool read_more(struct connection *c, struct buf *in)
{
    if (!wait_readable(c->stub, c->fd))
        return false;
    must(buf_reserve(in, 65536) == 0, "memory");
    ssize_t n = recv(c->fd, in->ptr + in->len, 65536, 0);
    if (n <= 0)
        return false;
    in->len += (size_t)n;
    return true;
}

/* writes all; the client may be gone */
static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* value of a header line, "" if there is none */
static void header(const char *head, const char *name, char *dst, size_t cap)
{
    size_t name_bytes = strlen(name);
    dst[0] = '\0';
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_bytes) != 0 || line[name_bytes] != ':')
            continue;
        const char *value = line + name_bytes + 1;
        value += strspn(value, " ");
        snprintf(dst, cap, "%.*s", (int)strcspn(value, "\r"), value);
        return;
    }
}

/* unpacks a gzip body */
static void unpack(struct buf *out, const char *p, size_t n)
{
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    size_t got = 0;
    must(buf_reserve(out, BODY_MAX) == 0, "memory");
    must(libdeflate_gzip_decompress(d, p, n, out->ptr, BODY_MAX - 1, &got) == LIBDEFLATE_SUCCESS,
         "gunzip");
    out->len = got;
    libdeflate_free_decompressor(d);
}

static const char *reason_of(int status)
{
    return status < 300 ? "OK" : "Refused";
}

/* sends what the handler wants; false: the connection ends */
static bool answer(struct connection *c, struct stub_reply *reply)
{
    char head[1024];
    if (reply->hang) {
        (void)wait_readable(c->stub, c->stub->stop_pipe[0]);
        return false;
    }
    if (reply->close)
        return false;
    int n = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n%s\r\n",
                     reply->status, reason_of(reply->status), reply->body.len, reply->headers);
    size_t body = reply->body.len < reply->cut_body ? reply->body.len : reply->cut_body;
    return write_all(c->fd, head, (size_t)n) && write_all(c->fd, reply->body.ptr, body) &&
           body == reply->body.len;
}

/* handles the request at the beginning of in; false: the connection ends */
static bool serve_one(struct connection *c, struct buf *in)
{
    const char *end;
    while ((end = in->len > 0 ? strstr(buf_cstr(in), "\r\n\r\n") : NULL) == NULL) {
        if (in->len > HEAD_MAX || !read_more(c, in))
            return false;
    }
    size_t head_bytes = (size_t)(end - in->ptr) + 4;
    char *head = strndup(in->ptr, head_bytes);
    char length[32];
    struct stub_request request = {0};
    must(sscanf(head, "%15s %2047s", request.method, request.path) == 2, "request line");
    header(head, "Content-Length", length, sizeof(length));
    header(head, "Content-Encoding", request.encoding, sizeof(request.encoding));
    header(head, "Content-Type", request.content_type, sizeof(request.content_type));
    header(head, "Authorization", request.authorization, sizeof(request.authorization));
    free(head);
    request.wire_bytes = strtoul(length, NULL, 10);
    while (in->len < head_bytes + request.wire_bytes) {
        if (!read_more(c, in))
            return false;
    }
    struct buf body;
    buf_init(&body, BODY_MAX);
    if (strcmp(request.encoding, "gzip") == 0)
        unpack(&body, in->ptr + head_bytes, request.wire_bytes);
    else
        must(buf_add(&body, in->ptr + head_bytes, request.wire_bytes) == 0, "memory");
    request.body = buf_cstr(&body);
    request.body_bytes = body.len;
    struct stub_reply reply = {.status = 200, .headers = "", .cut_body = SIZE_MAX};
    buf_init(&reply.body, BODY_MAX);
    pthread_mutex_lock(&c->stub->mutex);
    request.number = ++c->stub->requests;
    c->stub->fn(c->stub->ctx, &request, &reply);
    pthread_mutex_unlock(&c->stub->mutex);
    bool goes_on = answer(c, &reply);
    buf_clear(&body);
    buf_clear(&reply.body);
    buf_shift(in, head_bytes + request.wire_bytes);
    return goes_on;
}

/* a connection's thread */
static void *serve(void *arg)
{
    struct connection *c = arg;
    struct buf in;
    buf_init(&in, BODY_MAX + HEAD_MAX);
    while (serve_one(c, &in))
        ;
    buf_clear(&in);
    (void)shutdown(c->fd, SHUT_RDWR);
    return NULL;
}

/* the accepting thread */
static void *accept_all(void *arg)
{
    struct http_stub *s = arg;
    while (wait_readable(s, s->fd)) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        must(s->count < CONNECTIONS_MAX, "too many connections");
        struct connection *c = &s->connections[s->count++];
        c->stub = s;
        c->fd = fd;
        must(pthread_create(&c->thread, NULL, serve, c) == 0, "thread");
    }
    return NULL;
}

struct http_stub *http_stub_start(uint16_t port, stub_fn fn, void *ctx)
{
    struct http_stub *s = calloc(1, sizeof(*s));
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t at_bytes = sizeof(at);
    int one = 1;
    must(s != NULL, "memory");
    s->fn = fn;
    s->ctx = ctx;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    must(bind(s->fd, (struct sockaddr *)&at, at_bytes) == 0, "bind");
    must(listen(s->fd, 64) == 0, "listen");
    must(getsockname(s->fd, (struct sockaddr *)&at, &at_bytes) == 0, "getsockname");
    s->port = ntohs(at.sin_port);
    snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", s->port);
    must(pipe2(s->stop_pipe, O_CLOEXEC) == 0, "pipe");
    must(pthread_mutex_init(&s->mutex, NULL) == 0, "mutex");
    must(pthread_create(&s->thread, NULL, accept_all, s) == 0, "thread");
    return s;
}

void http_stub_stop(struct http_stub **sp)
{
    struct http_stub *s = *sp;
    if (s == NULL)
        return;
    must(write(s->stop_pipe[1], "x", 1) == 1, "stop");
    (void)pthread_join(s->thread, NULL);
    for (unsigned i = 0; i < s->count; i++)
        (void)shutdown(s->connections[i].fd, SHUT_RDWR);
    for (unsigned i = 0; i < s->count; i++) {
        (void)pthread_join(s->connections[i].thread, NULL);
        (void)close(s->connections[i].fd);
    }
    (void)close(s->fd);
    (void)close(s->stop_pipe[0]);
    (void)close(s->stop_pipe[1]);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s);
    *sp = NULL;
}

uint16_t http_stub_port(const struct http_stub *s)
{
    return s->port;
}

const char *http_stub_url(const struct http_stub *s)
{
    return s->url;
}

void http_stub_lock(struct http_stub *s)
{
    pthread_mutex_lock(&s->mutex);
}

void http_stub_unlock(struct http_stub *s)
{
    pthread_mutex_unlock(&s->mutex);
}
