/*
 * sink: a fast stand-in for Elasticsearch that verifies what it gets. One thread, epoll.
 *
 * usage: sink [--address A] [--port P] [--port-file F] [--version V] [--verify seq|nginx|json|cri]
 *             [--expect N] [--stamps F] [--tls-cert F --tls-key F] [--defer BYTES]
 *             [--fault NAME=VALUE]...
 *
 * It answers what a shipper asks (/, /_nodes/_local, /_cluster/health, templates, privileges) and
 * takes `_bulk`: 201 for a new id, 409 for a held one, 400 for a document that is not JSON. With
 * filter_path the items are reduced to status and error. With --verify each `message` (but for
 * metrics-*) is compared with what loggen writes. A bad action line is answered with 400 for the
 * whole request, though the documents before it have been taken, as Elasticsearch 9 may do. A body
 * that is not gzip though it says so closes the connection without an answer, as all servers do.
 *
 * Own paths: GET /_sink/stats, GET /_sink/missing?writer=W&from=A&to=B, POST /_sink/faults with a
 * flat JSON object, POST /_sink/reset (forgets documents, faults stay).
 * Faults: item429, item400, item403, item500 (chance of an item, decided by `seed`; item400: of
 * a message, which is refused each time it comes), cut_every (each n-th bulk is taken, then the
 * connection closes without an answer), drop_every (the same without taking it), status and
 * status_for (answer of the next n bulks, nothing taken), delay_ms.
 *
 * --expect prints a line at the first bulk, one when that many documents (with --verify: lines of
 * loggen) are held but for a twentieth, and one when all of them are, and ends the program when the
 * last connection has closed after that.
 * --defer answers bulks with filter_path as if all of them were good, keeps so many bytes of them,
 * and looks at them when the stats are asked for, at the end, or when no more can be kept.
 * --stamps writes when each line of loggen was taken, at its number: nanoseconds of
 * CLOCK_MONOTONIC, eight bytes; for one writer. SIGTERM and SIGINT end it too; the last line of
 * stdout is the stats then.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/def.h"
#include "sink_bulk.h"
#include "sink_control.h"
#include "sink_tls.h"

/* answers one whole request; false when the connection shall close without an answer */
static bool handle(struct conn *c, struct text body)
{
    const struct text target = {c->in.ptr + c->target_at, c->target_len};
    const char *mark = memchr(target.ptr, '?', target.len);
    const size_t path_len = mark ? (size_t)(mark - target.ptr) : target.len;
    const struct text path = {target.ptr, path_len};
    const struct text query = mark ? (struct text){mark + 1, target.len - path_len - 1} : NO_TEXT;

    sink.counts.requests++;
    sink.counts.wire_bytes += body.len;
    if (c->gzip) {
        if (!http_gunzip(sink.inflater, body, &sink.plain))
            return false;
        body = (struct text){sink.plain.ptr, sink.plain.len};
    }
    if (path.len >= 6 && memcmp(path.ptr + path.len - 6, "/_bulk", 6) == 0)
        return answer_bulk(c, path, query, body);
    answer_other(c, path, query, body);
    return true;
}

/* closes and forgets a connection */
static void conn_close(struct conn *c)
{
    for (unsigned i = 0; i < sink.conn_count; i++) {
        if (sink.conns[i] == c)
            sink.conns[i] = sink.conns[--sink.conn_count];
    }
    SSL_free(c->tls);
    (void)close(c->fd); /* the peer sees the end either way */
    free(c->in.ptr);
    free(c->out.ptr);
    free(c->body.ptr);
    free(c);
}

/* asks epoll for what the connection can do now */
static void conn_watch(struct conn *c)
{
    const bool waiting = c->due_ms != 0;
    const uint32_t wanted = waiting ? 0u : c->out.len > 0 ? (uint32_t)EPOLLOUT : (uint32_t)EPOLLIN;
    struct epoll_event e = {.events = wanted, .data.ptr = c};

    if (wanted == c->wanted)
        return;
    c->wanted = wanted;
    if (epoll_ctl(sink.epoll, EPOLL_CTL_MOD, c->fd, &e) != 0)
        die(1, "epoll_ctl: %s", strerror(errno));
}

/* writes what it can of the answer; false when the connection is done */
static bool conn_write(struct conn *c)
{
    while (c->written < c->out.len) {
        const ssize_t n = conn_send(c, c->out.ptr + c->written, c->out.len - c->written);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        c->written += (size_t)n;
    }
    c->out.len = c->written = 0;
    return !c->closing;
}

/* answers the requests that are whole, one at a time; false when the connection is done */
static bool conn_work(struct conn *c)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct text body = NO_TEXT;
    int rc;

    while (c->out.len == 0 && c->due_ms == 0 && (rc = http_request(c, &body)) != 0) {
        if (rc < 0) {
            c->keep_alive = false;
            answer_error(c, 413, "too_large", "not HTTP/1.1, or over a limit");
        } else if (!handle(c, body)) {
            return false;
        } else {
            http_drop(c);
        }
        if (c->due_ms == 0 && !conn_write(c))
            return false;
    }
    if (c->head_len != 0 && c->expects_continue) {
        c->expects_continue = false;
        bytes_add(&c->out, go_on, sizeof(go_on) - 1);
        return conn_write(c);
    }
    return true;
}

/* reads once and works; false when the connection is done */
static bool conn_read(struct conn *c)
{
    const size_t room = http_read_room(c);
    ssize_t n;

    do
        n = conn_recv(c, c->in.ptr + c->in.len, room);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN;
    if (n == 0)
        return false;
    c->in.len += (size_t)n;
    c->in.ptr[c->in.len] = 0; /* strtoull stops there */
    return conn_work(c) && (!conn_holds(c) || conn_read(c));
}

/* takes new connections */
static void accept_all(int listener)
{
    const int on = 1;

    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct conn *c = sink.conn_count < CONNS_MAX ? calloc(1, sizeof(*c)) : NULL;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        if (c == NULL) {
            (void)close(fd);
            continue;
        }
        c->fd = fd;
        c->wanted = EPOLLIN;
        if (!tls_begin(c, sink.tls))
            die(1, "no TLS for a connection");
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* only slower without */
        if (epoll_ctl(sink.epoll, EPOLL_CTL_ADD, fd, &e) != 0)
            die(1, "epoll_ctl: %s", strerror(errno));
        sink.conns[sink.conn_count++] = c;
        sink.counts.connections++;
    }
}

/* sends answers whose delay is over; returns how long epoll may wait */
static int work_off_delays(void)
{
    int64_t next = -1;
    int64_t now = 0;

    for (unsigned i = sink.conn_count; i-- > 0;) {
        struct conn *c = sink.conns[i];
        if (c->due_ms == 0)
            continue;
        if (now == 0)
            now = now_ms();
        if (c->due_ms <= now) {
            c->due_ms = 0;
            if (!conn_write(c) || !conn_work(c)) {
                conn_close(c);
                continue;
            }
            conn_watch(c);
        }
        if (c->due_ms != 0 && (next < 0 || c->due_ms - now < next))
            next = c->due_ms - now;
    }
    return (int)next;
}

/* serves until a signal or the expected end */
static void serve(int listener, int signals)
{
    struct epoll_event events[64];
    struct epoll_event own[2] = {{.events = EPOLLIN, .data.ptr = &sink.epoll},
                                 {.events = EPOLLIN, .data.ptr = NULL}};

    if (epoll_ctl(sink.epoll, EPOLL_CTL_ADD, listener, &own[0]) != 0 ||
        epoll_ctl(sink.epoll, EPOLL_CTL_ADD, signals, &own[1]) != 0)
        die(1, "epoll_ctl: %s", strerror(errno));
    while (!sink.reached || sink.conn_count > 0) {
        const int n = epoll_wait(sink.epoll, events, ARRAY_LEN(events), work_off_delays());
        if (n < 0 && errno != EINTR)
            die(1, "epoll_wait: %s", strerror(errno));
        for (int i = 0; i < n; i++) {
            struct conn *c = events[i].data.ptr;
            if (c == NULL)
                return;
            if (events[i].data.ptr == &sink.epoll) {
                accept_all(listener);
                continue;
            }
            const bool broken = (events[i].events & (EPOLLERR | EPOLLHUP)) != 0;
            const bool writes = (events[i].events & EPOLLOUT) != 0;
            if (broken || !(writes ? conn_write(c) && conn_work(c) : conn_read(c)))
                conn_close(c);
            else
                conn_watch(c);
        }
    }
}

/* opens the port, and tells which one it is */
static int listen_on(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(sink.port)};
    socklen_t len = sizeof(at);
    const int on = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (inet_pton(AF_INET, sink.address, &at.sin_addr) != 1)
        die(2, "--address: \"%s\" is no IPv4 address", sink.address);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)(void *)&at, sizeof(at)) != 0 || listen(fd, 256) != 0 ||
        getsockname(fd, (struct sockaddr *)(void *)&at, &len) != 0)
        die(1, "port %u: %s", sink.port, strerror(errno));
    sink.port = ntohs(at.sin_port);
    (void)printf("listening on %s://%s:%u\n", sink.tls ? "https" : "http", sink.address, sink.port);
    (void)fflush(stdout);
    if (sink.port_file != NULL) {
        struct bytes part = {0};
        bytes_print(&part, "%s.part%c", sink.port_file, 0);
        FILE *f = fopen(part.ptr, "w");
        if (f == NULL || fprintf(f, "%u\n", sink.port) < 0 || fclose(f) != 0 ||
            rename(part.ptr, sink.port_file) != 0)
            die(1, "%s: %s", sink.port_file, strerror(errno));
        free(part.ptr);
    }
    return fd;
}

/* sets NAME=VALUE, or ends the program */
static void parse_fault(char *arg)
{
    char *equals = strchr(arg, '=');
    char *rest = NULL;

    if (equals == NULL)
        die(2, "--fault: \"%s\" is not NAME=VALUE", arg);
    const double v = strtod(equals + 1, &rest);
    if (rest == equals + 1 || *rest != 0 ||
        !fault_set((struct text){arg, (size_t)(equals - arg)}, v))
        die(2, "--fault: \"%s\" is not known", arg);
}

/* arguments to settings */
static void parse(int argc, char **argv)
{
    static const struct option known[] = {
        {"port", 1, NULL, 'p'},    {"port-file", 1, NULL, 'f'}, {"address", 1, NULL, 'a'},
        {"version", 1, NULL, 'v'}, {"verify", 1, NULL, 'V'},    {"expect", 1, NULL, 'e'},
        {"fault", 1, NULL, 'F'},   {"stamps", 1, NULL, 's'},    {"tls-cert", 1, NULL, 'c'},
        {"tls-key", 1, NULL, 'k'}, {"defer", 1, NULL, 'd'},     {NULL, 0, NULL, 0},
    };
    const char *certificate = NULL;
    const char *key = NULL;
    int c;

    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 'p':
            sink.port = (uint16_t)strtoul(optarg, NULL, 10);
            break;
        case 'f':
            sink.port_file = optarg;
            break;
        case 'a':
            sink.address = optarg;
            break;
        case 'v':
            sink.version = optarg;
            break;
        case 'V':
            if (!seq_format_parse(optarg, &sink.format))
                die(2, "--verify: \"%s\" is not known", optarg);
            sink.verify = true;
            break;
        case 'e':
            sink.expect = strtoull(optarg, NULL, 10);
            break;
        case 'F':
            parse_fault(optarg);
            break;
        case 's':
            sink.stamps = open(optarg, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
            if (sink.stamps < 0)
                die(1, "%s: %s", optarg, strerror(errno));
            break;
        case 'c':
            certificate = optarg;
            break;
        case 'k':
            key = optarg;
            break;
        case 'd':
            if (!defer_init(&sink.defer, strtoull(optarg, NULL, 10)))
                die(1, "--defer %s: %s", optarg, strerror(errno));
            break;
        default:
            exit(2);
        }
    }
    if (optind != argc)
        die(2, "unexpected argument \"%s\"", argv[optind]);
    if (certificate != NULL && (sink.tls = tls_context(certificate, key ? key : "")) == NULL)
        die(1, "%s, %s: cannot be used", certificate, key ? key : "no --tls-key");
}

/* starts, serves, prints the stats */
int main(int argc, char **argv)
{
    struct bytes stats = {0};
    sigset_t mask;

    parse(argc, argv);
    (void)sigemptyset(&mask);
    (void)sigaddset(&mask, SIGTERM);
    (void)sigaddset(&mask, SIGINT);
    sink.epoll = epoll_create1(EPOLL_CLOEXEC);
    sink.inflater = libdeflate_alloc_decompressor();
    const int signals = sigprocmask(SIG_BLOCK, &mask, NULL) == 0
                            ? signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC)
                            : -1;
    if (sink.epoll < 0 || signals < 0 || sink.inflater == NULL)
        die(1, "start: %s", strerror(errno));
    serve(listen_on(), signals);
    print_stats(&stats);
    (void)printf("%s\n", stats.ptr);
    free(stats.ptr);
    while (sink.conn_count > 0)
        conn_close(sink.conns[0]);
    reset();
    free(sink.defer.bodies.ptr);
    free(sink.defer.answers.ptr);
    free(sink.plain.ptr);
    free(sink.items.ptr);
    free(sink.message.ptr);
    free(sink.scratch.ptr);
    libdeflate_free_decompressor(sink.inflater);
    SSL_CTX_free(sink.tls);
    return fflush(stdout) == 0 ? 0 : 1;
}
