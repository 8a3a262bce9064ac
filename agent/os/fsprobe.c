/*
 * os/fsprobe - who is asked, and what hangs
 *
 *   none -> ready <-> busy -> stuck -> ready, or ending where another one has taken over
 *             |         |
 *             +---------+--> ending -> none        idle, killed or dead; none once it was reaped
 *
 * At most one helper is ready or busy: it works off the batches. `hung` names the mounts that do
 * not answer, by a hash of id and path; a mount is told once when it comes in and once when it
 * leaves. Whether a helper waits for it or its helper had to be killed, says retry_ms.
 *
 * A helper that dies is replaced by the next question; one that dies without ever having answered
 * would do so again, so that its batch is given up.
 */
#include "os/fsprobe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "fsprobe_internal.h"
#include "helper_internal.h"

#define HELPERS_MAX 4
#define STUCK_MAX   (HELPERS_MAX - 1) /* before those that may hang are asked no more */
#define HUNG_MAX    64

#define ANSWER_MS   3000
#define START_MS    10000 /* a helper's first answer may take so much longer */
#define IDLE_MS     1000
#define RETRY_MS    600000
#define PATIENCE    20
#define REAP_MIN_MS 100
#define REAP_MAX_MS 60000

#define MESSAGE_BYTES 512

enum helper_state { HELPER_NONE, HELPER_READY, HELPER_BUSY, HELPER_STUCK, HELPER_ENDING };

struct helper {
    struct fsprobe *probe;
    enum helper_state state;
    pid_t pid;
    int fd; /* our end of the socket */
    struct loop_io *io;
    bool has_answered;
    uint64_t key; /* of the mount that it was asked for last */
    char *path;   /* owned, of a stuck one: for the message */
};

struct hung {
    uint64_t key;
    int64_t retry_ms; /* INT64_MAX: a helper waits for it */
};

struct fsprobe {
    struct loop *loop;
    struct fsprobe_opts opts;
    char *prefix;
    struct helper helpers[HELPERS_MAX];
    struct hung hung[HUNG_MAX];
    size_t hung_count;
    struct list batches;
    struct loop_timer *kick, *deadline, *idle, *reap;
    int64_t reap_ms;
    unsigned patience; /* how often to look again for the end of one that was killed */
    bool is_short;     /* no helper could be had, told */
    bool is_reserved;  /* mounts that may hang are not asked, told */
};

/* ---- what hangs ---- */

/* names a mount */
static uint64_t key_of(const struct fsprobe_item *item)
{
    return hash64(item->path.ptr, item->path.len) ^ hash64_u64(item->id);
}

/* NULL when it does not hang */
static struct hung *find_hung(struct fsprobe *p, uint64_t key)
{
    for (size_t i = 0; i < p->hung_count; i++)
        if (p->hung[i].key == key)
            return &p->hung[i];
    return NULL;
}

/* false when it was none */
static bool remove_hung(struct fsprobe *p, uint64_t key)
{
    struct hung *h = find_hung(p, key);
    if (h == NULL)
        return false;
    *h = p->hung[--p->hung_count];
    return true;
}

/* false when it was one already; the one to be asked again first makes room */
static bool add_hung(struct fsprobe *p, uint64_t key, int64_t retry_ms)
{
    struct hung *h = find_hung(p, key);
    bool is_new = h == NULL;
    if (is_new && p->hung_count < HUNG_MAX)
        h = &p->hung[p->hung_count++];
    for (size_t i = 0; is_new && p->hung_count == HUNG_MAX && i < HUNG_MAX; i++)
        if (h == NULL || p->hung[i].retry_ms < h->retry_ms)
            h = &p->hung[i];
    *h = (struct hung){key, retry_ms};
    return is_new;
}

/* to the operator */
static void tell(const struct fsprobe *p, enum log_level level, struct slice path, const char *what)
{
    char text[MESSAGE_BYTES];
    if (p->opts.message == NULL)
        return;
    (void)snprintf(text, sizeof(text), "mount point %s%.*s %s", p->prefix,
                   (int)(path.len < MESSAGE_BYTES / 2 ? path.len : MESSAGE_BYTES / 2), path.ptr,
                   what); /* cut at worst */
    p->opts.message(p->opts.ctx, level, text);
}

/* ---- helpers ---- */

/* forgets helpers that have ended; asks again later for those that have not */
static void reap(struct fsprobe *p)
{
    bool left = false;
    for (size_t i = 0; i < HELPERS_MAX; i++) {
        struct helper *h = &p->helpers[i];
        if (h->state != HELPER_ENDING)
            continue;
        if (waitpid(h->pid, NULL, WNOHANG) == 0)
            left = true;
        else
            h->state = HELPER_NONE;
    }
    if (!left) {
        p->reap_ms = REAP_MIN_MS;
    } else if (!loop_timer_is_set(p->reap)) {
        loop_timer_set(p->reap, p->reap_ms);
        p->reap_ms = p->reap_ms < REAP_MAX_MS / 2 ? p->reap_ms * 2 : REAP_MAX_MS;
    }
}

/* time to look again */
static void on_reap(void *ctx)
{
    reap(ctx);
}

/* lets a helper end: its socket is closed */
static void end_helper(struct helper *h)
{
    loop_io_cancel(&h->io);
    (void)close(h->fd); /* a socket: nothing can be lost */
    mem_free(h->path);
    h->path = NULL;
    h->state = HELPER_ENDING;
    reap(h->probe);
}

/* the one that works or could, or NULL */
static struct helper *worker(struct fsprobe *p)
{
    for (size_t i = 0; i < HELPERS_MAX; i++)
        if (p->helpers[i].state == HELPER_READY || p->helpers[i].state == HELPER_BUSY)
            return &p->helpers[i];
    return NULL;
}

/* room for one more, or NULL */
static struct helper *free_helper(struct fsprobe *p)
{
    reap(p);
    for (size_t i = 0; i < HELPERS_MAX; i++)
        if (p->helpers[i].state == HELPER_NONE)
            return &p->helpers[i];
    return NULL;
}

static void on_socket(void *ctx, uint32_t events);

/* 0, or the negative errno */
static int start_helper(struct helper *h)
{
    struct fsprobe *p = h->probe;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    int r = helper_spawn(FSPROBE_COMMAND, ends[1], -1, &h->pid);
    (void)close(ends[1]); /* the helper's */
    if (r < 0) {
        (void)close(ends[0]);
        return r;
    }
    h->fd = ends[0];
    h->state = HELPER_READY;
    h->has_answered = false;
    h->io = loop_io_add(p->loop, h->fd, EPOLLIN, on_socket, h);
    if (h->io != NULL)
        return 0;
    end_helper(h);
    return -ENOSPC;
}

/* whether room for a helper is to be expected: waits for one that was killed, for a while */
static bool is_expected(struct fsprobe *p)
{
    if (p->patience == 0 || worker(p) != NULL || free_helper(p) != NULL)
        return false;
    p->patience--;
    loop_timer_set(p->kick, REAP_MIN_MS);
    return true;
}

/* a helper that can be asked; NULL when there is none, told once until there is */
static struct helper *want_worker(struct fsprobe *p)
{
    struct helper *h = worker(p);
    if (h != NULL)
        return h;
    h = free_helper(p);
    int r = h == NULL ? -EBUSY : start_helper(h);
    if (r < 0 && !p->is_short && p->opts.message != NULL) {
        char text[MESSAGE_BYTES];
        (void)snprintf(text, sizeof(text), "no process can ask mounts for their size: %s",
                       h == NULL ? "all of them hang" : strerror(-r)); /* fits */
        p->opts.message(p->opts.ctx, LOG_WARN, text);
    }
    p->is_short = r < 0;
    return r < 0 ? NULL : h;
}

/* ---- questions ---- */

/* the first batch, or NULL */
static struct fsprobe_batch *front(struct fsprobe *p)
{
    return list_is_empty(&p->batches) ? NULL
                                      : LIST_ENTRY(p->batches.next, struct fsprobe_batch, link);
}

/* the rest of a batch gets no answers */
static void give_up(struct fsprobe_batch *b)
{
    while (b->next < b->count)
        b->items[b->next++].answer.error = -EIO;
}

/* sends the path; false when the helper is gone */
static bool put_question(struct helper *h, const struct fsprobe_item *item)
{
    struct fsprobe *p = h->probe;
    struct iovec parts[] = {{p->prefix, strlen(p->prefix)},
                            {(void *)(uintptr_t)item->path.ptr, item->path.len}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = ARRAY_LEN(parts)};
    if (sendmsg(h->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return false;
    h->state = HELPER_BUSY;
    h->key = key_of(item);
    loop_timer_stop(p->idle);
    loop_timer_set(p->deadline, ANSWER_MS + (h->has_answered ? 0 : START_MS));
    return true;
}

/* whether the last helper is kept for mounts that do not hang; told once until it is not */
static bool is_reserved(struct fsprobe *p)
{
    unsigned stuck = 0;
    for (size_t i = 0; i < HELPERS_MAX; i++)
        stuck += p->helpers[i].state == HELPER_STUCK;
    bool was = p->is_reserved;
    p->is_reserved = stuck >= STUCK_MAX;
    if (p->is_reserved && !was && p->opts.message != NULL)
        p->opts.message(p->opts.ctx, LOG_WARN,
                        "too many mounts do not answer: no network or FUSE mount is asked for its "
                        "size until one of them does");
    return p->is_reserved;
}

/* asks for the next item of a batch, or will; false when it was settled without */
static bool ask_next(struct fsprobe *p, struct fsprobe_batch *b)
{
    struct fsprobe_item *item = &b->items[b->next];
    const struct hung *hung = find_hung(p, key_of(item));
    int error = 0;
    if (hung != NULL && hung->retry_ms > loop_now_ms(p->loop))
        error = -EAGAIN;
    else if (item->path.len == 0 || item->path.len + strlen(p->prefix) >= FSPROBE_PATH_MAX)
        error = -ENAMETOOLONG;
    else if (item->may_hang && is_reserved(p))
        error = -EAGAIN;
    if (error < 0) {
        item->answer.error = error;
        b->next++;
        return false;
    }
    if (is_expected(p))
        return true;
    struct helper *h = want_worker(p);
    if (h == NULL) {
        give_up(b);
        return false;
    }
    if (put_question(h, item))
        return true;
    if (!h->has_answered)
        give_up(b);
    end_helper(h);
    return false;
}

/* goes on until a helper has something to do, or nothing is left */
static void pump(struct fsprobe *p)
{
    struct fsprobe_batch *b;
    const struct helper *h = worker(p);
    if (h != NULL && h->state == HELPER_BUSY)
        return;
    while ((b = front(p)) != NULL) {
        if (b->next == b->count) {
            list_remove(&b->link);
            b->done(b->ctx);
        } else if (ask_next(p, b)) {
            return;
        }
    }
    if (worker(p) != NULL)
        loop_timer_set(p->idle, IDLE_MS);
}

/* a batch has come, or there may be room for a helper */
static void on_kick(void *ctx)
{
    pump(ctx);
}

/* nothing to do for a while */
static void on_idle(void *ctx)
{
    struct helper *h = worker(ctx);
    if (h != NULL && h->state == HELPER_READY)
        end_helper(h);
}

/* what the mount said that was asked for; is_whole: false when the helper died instead */
static void settle(struct helper *h, const struct fsprobe_answer *a, bool is_whole)
{
    struct fsprobe *p = h->probe;
    struct fsprobe_batch *b = front(p);
    if (b == NULL)
        return; /* a busy helper has a batch */
    struct fsprobe_item *item = &b->items[b->next];
    loop_timer_stop(p->deadline);
    if (is_whole) {
        h->state = HELPER_READY;
        h->has_answered = true;
        item->answer = *a;
        b->next++;
        if (remove_hung(p, h->key))
            tell(p, LOG_INFO, item->path, "answers again");
    } else {
        item->answer.error = -EIO;
        b->next++;
        if (!h->has_answered)
            give_up(b);
        end_helper(h);
    }
    pump(p);
}

/* a mount that hung has answered, or its helper has died */
static void release(struct helper *h, bool is_whole)
{
    struct fsprobe *p = h->probe;
    (void)remove_hung(p, h->key); /* it was one, or had to make room */
    if (is_whole)
        tell(p, LOG_INFO, slice_str(h->path), "answers again");
    end_helper(h);
}

/* takes what a helper sent; false when that is nothing yet */
static bool take_answer(struct helper *h)
{
    struct fsprobe_answer a;
    ssize_t n = recv(h->fd, &a, sizeof(a), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    bool is_whole = n == (ssize_t)sizeof(a);
    if (h->state == HELPER_BUSY)
        settle(h, &a, is_whole);
    else if (h->state == HELPER_STUCK)
        release(h, is_whole);
    else
        end_helper(h); /* it was not asked */
    return true;
}

/* a helper has answered, or ended */
static void on_socket(void *ctx, uint32_t events)
{
    (void)events; /* an error is read, too */
    (void)take_answer(ctx);
}

/* the mount that was asked for hangs, unless its answer lies there already */
static void on_deadline(void *ctx)
{
    struct fsprobe *p = ctx;
    struct helper *h = worker(p);
    struct fsprobe_batch *b = front(p);
    if (h == NULL || b == NULL || h->state != HELPER_BUSY || take_answer(h))
        return;
    struct fsprobe_item *item = &b->items[b->next++];
    item->answer.error = -ETIMEDOUT;
    bool waits = free_helper(p) != NULL;
    if (add_hung(p, h->key, waits ? INT64_MAX : loop_now_ms(p->loop) + RETRY_MS))
        tell(p, LOG_WARN, item->path, "does not answer: left out until it does");
    if (waits) {
        h->state = HELPER_STUCK;
        h->path = mem_strndup(item->path.ptr, item->path.len);
    } else {
        (void)kill(h->pid, SIGKILL); /* not reaped yet: it is there */
        end_helper(h);
        p->patience = PATIENCE;
    }
    pump(p);
}

/* ---- life ---- */

/* see header */
struct fsprobe *fsprobe_new(struct loop *loop, const struct fsprobe_opts *opts)
{
    struct fsprobe *p = mem_zalloc(sizeof(*p));
    p->loop = loop;
    p->opts = *opts;
    p->prefix = mem_strdup(opts->prefix);
    p->reap_ms = REAP_MIN_MS;
    list_init(&p->batches);
    for (size_t i = 0; i < HELPERS_MAX; i++)
        p->helpers[i].probe = p;
    if (loop == NULL)
        return p;
    p->kick = loop_timer_new(loop, on_kick, p);
    p->deadline = loop_timer_new(loop, on_deadline, p);
    p->idle = loop_timer_new(loop, on_idle, p);
    p->reap = loop_timer_new(loop, on_reap, p);
    return p;
}

/* A helper that cannot be killed is left to the kernel. */
void fsprobe_free(struct fsprobe **pp)
{
    struct fsprobe *p = *pp;
    if (p == NULL)
        return;
    for (size_t i = 0; i < HELPERS_MAX; i++) {
        struct helper *h = &p->helpers[i];
        if (h->state == HELPER_NONE)
            continue;
        (void)kill(h->pid, SIGKILL); /* not reaped yet: it is there */
        if (h->state != HELPER_ENDING)
            end_helper(h);
    }
    loop_timer_cancel(&p->kick);
    loop_timer_cancel(&p->deadline);
    loop_timer_cancel(&p->idle);
    loop_timer_cancel(&p->reap);
    mem_free(p->prefix);
    mem_free(p);
    *pp = NULL;
}

/* without a helper */
static void answer_here(const struct fsprobe *p, struct fsprobe_item *item)
{
    char path[FSPROBE_PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s%.*s", p->prefix, (int)item->path.len, item->path.ptr);
    if (p->opts.answer != NULL)
        p->opts.answer(item->path, &item->answer);
    else if (n <= 0 || (size_t)n >= sizeof(path))
        item->answer.error = -ENAMETOOLONG;
    else
        fsprobe_ask_kernel(path, &item->answer);
}

/* see header */
bool fsprobe_ask(struct fsprobe *p, struct fsprobe_batch *batch)
{
    bool here = batch->at_once || p->opts.answer != NULL;
    for (size_t i = 0; i < batch->count; i++) {
        batch->items[i].answer = (struct fsprobe_answer){0};
        if (here)
            answer_here(p, &batch->items[i]);
    }
    if (batch->count == 0 || here)
        return true;
    batch->next = 0;
    list_push_back(&p->batches, &batch->link);
    loop_timer_set(p->kick, 0);
    return false;
}
