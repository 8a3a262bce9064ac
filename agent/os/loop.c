/*
 * os/loop - the event loop
 *
 * A round: wait in epoll (as long as the nearest timer allows), read the clock, take the timers
 * that are due out of the heap, run the callbacks of ready fds, run those timers, free what was
 * cancelled. A timer that is set while the round runs goes into the heap and so waits for the next
 * round, also with delay 0: no callback can starve the others.
 *
 * What epoll points at is a struct handle. Cancelling marks it dead, takes it out of epoll and puts
 * it on a list that is freed at the end of the round, because events of it may be in the array
 * that the round still walks.
 *
 * Invariants:
 * 1. A handle is on exactly one of the lists `live` and `dead`; only live ones run.
 * 2. A timer is in the heap, on the list of due ones, or idle; never in two of them.
 *
 * Failures: registering returns NULL when the kernel refuses. A failure of epoll_wait other than
 * EINTR means that the epoll fd was closed by mistake; loop_run then returns its negative errno.
 *
 * Limits: an fd must be cancelled before it is closed, or a duplicate of it keeps it in epoll.
 */
#include "os/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/log.h"
#include "base/mem.h"
#include "os/loop_internal.h"

#define EVENTS_PER_ROUND 64

struct loop_io {
    struct handle handle;
    int fd;
    loop_io_fn fn;
    void *ctx;
};

struct loop_timer {
    struct handle handle;
    struct heap_node heap_node;
    struct list due_node;
    loop_fn fn;
    void *ctx;
};

struct loop_wake {
    struct handle handle;
    int fd; /* eventfd */
    loop_fn fn;
    void *ctx;
};

/* epoll, empty lists */
struct loop *loop_new(const struct clock *clock, int *ret_error)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) {
        *ret_error = -errno;
        return NULL;
    }
    struct loop *l = mem_zalloc(sizeof(*l));
    l->clock = clock;
    l->epoll_fd = fd;
    l->now_ms = clock_mono_ms(clock);
    l->signal_fd = -1;
    heap_init(&l->timers);
    list_init(&l->due);
    list_init(&l->live);
    list_init(&l->dead);
    return l;
}

/* frees the cancelled handles; what they registered was undone when they were cancelled */
static void bury(struct loop *l)
{
    for (struct list *node; (node = list_pop_front(&l->dead)) != NULL;)
        mem_free(LIST_ENTRY(node, struct handle, node));
}

/* undoes the registration; the memory stays until the round is over */
void loop_retire(struct handle *h)
{
    h->is_dead = true;
    h->release(h);
    list_remove(&h->node);
    list_push_back(&h->loop->dead, &h->node);
}

/* leftovers are a bug of their owner: told with the place that made them */
unsigned loop_free(struct loop **l)
{
    if (*l == NULL)
        return 0;
    struct loop *loop = *l;
    unsigned leftovers = 0;
    LIST_EACH(node, &loop->live) {
        struct handle *h = LIST_ENTRY(node, struct handle, node);
        log_debug("loop: the handle registered at %s:%d was left over", h->file, h->line);
        leftovers++;
        loop_retire(h);
    }
    bury(loop);
    heap_clear(&loop->timers);
    if (loop->signal_fd >= 0)
        (void)close(loop->signal_fd); /* nothing to lose in a signalfd */
    (void)close(loop->epoll_fd);
    mem_free(loop);
    *l = NULL;
    return leftovers;
}

/* borrowed from loop_new */
const struct clock *loop_clock(const struct loop *l)
{
    return l->clock;
}

/* of the round */
int64_t loop_now_ms(const struct loop *l)
{
    return l->now_ms;
}

/* read when first asked for in a round */
int64_t loop_wall_ns(struct loop *l)
{
    if (!l->has_wall) {
        l->wall_ns = l->clock->wall_ns(l->clock);
        l->has_wall = true;
    }
    return l->wall_ns;
}

/* a zeroed registration of `size` bytes that begins with a handle */
struct handle *loop_make_handle(struct loop *l, size_t size, const char *file, int line)
{
    struct handle *h = mem_zalloc(size);
    h->loop = l;
    h->file = file;
    h->line = line;
    list_init(&h->node);
    return h;
}

/* adds fd to epoll with h behind it */
int loop_epoll_add(struct loop *l, int fd, uint32_t events, struct handle *h)
{
    struct epoll_event ev = {.events = events, .data.ptr = h};
    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

/* takes fd out of epoll; an fd that its owner has closed already has left by itself */
static void epoll_remove(struct loop *l, int fd)
{
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

/* passes the events on */
static void io_run(struct handle *h, uint32_t events)
{
    struct loop_io *io = CONTAINER_OF(h, struct loop_io, handle);
    io->fn(io->ctx, events);
}

/* out of epoll; the fd is the caller's */
static void io_release(struct handle *h)
{
    epoll_remove(h->loop, CONTAINER_OF(h, struct loop_io, handle)->fd);
}

/* nothing is left behind when epoll refuses */
struct loop_io *loop_io_add_at(struct loop *l, int fd, uint32_t events, loop_io_fn fn, void *ctx,
                               const char *file, int line)
{
    struct handle *h = loop_make_handle(l, sizeof(struct loop_io), file, line);
    struct loop_io *io = CONTAINER_OF(h, struct loop_io, handle);
    io->fd = fd;
    io->fn = fn;
    io->ctx = ctx;
    h->run = io_run;
    h->release = io_release;
    if (loop_epoll_add(l, fd, events, h) < 0) {
        mem_free(io);
        return NULL;
    }
    list_push_back(&l->live, &h->node);
    return io;
}

/* the caller's pointer is gone at once, the memory at the end of the round */
void loop_io_cancel(struct loop_io **h)
{
    if (*h != NULL)
        loop_retire(&(*h)->handle);
    *h = NULL;
}

/* out of the heap and of the due ones */
static void timer_release(struct handle *h)
{
    loop_timer_stop(CONTAINER_OF(h, struct loop_timer, handle));
}

/* idle */
struct loop_timer *loop_timer_new_at(struct loop *l, loop_fn fn, void *ctx, const char *file,
                                     int line)
{
    struct handle *h = loop_make_handle(l, sizeof(struct loop_timer), file, line);
    struct loop_timer *t = CONTAINER_OF(h, struct loop_timer, handle);
    list_init(&t->due_node);
    t->fn = fn;
    t->ctx = ctx;
    h->release = timer_release;
    list_push_back(&l->live, &h->node);
    return t;
}

/* counts from the clock, not from the start of the round: a slow callback shortens no delay */
void loop_timer_set(struct loop_timer *t, int64_t delay_ms)
{
    assert(delay_ms >= 0);
    int64_t now = clock_mono_ms(t->handle.loop->clock);
    loop_timer_set_at(t, delay_ms > INT64_MAX - now ? INT64_MAX : now + delay_ms);
}

/* replaces an earlier setting, also one that was due in this round */
void loop_timer_set_at(struct loop_timer *t, int64_t at_ms)
{
    loop_timer_stop(t);
    heap_push(&t->handle.loop->timers, &t->heap_node, at_ms);
}

/* harmless when idle */
void loop_timer_stop(struct loop_timer *t)
{
    heap_remove(&t->handle.loop->timers, &t->heap_node);
    list_remove(&t->due_node);
}

/* whether it will fire */
bool loop_timer_is_set(const struct loop_timer *t)
{
    return heap_has(&t->heap_node) || !list_is_empty(&t->due_node);
}

/* stops and frees */
void loop_timer_cancel(struct loop_timer **t)
{
    if (*t != NULL)
        loop_retire(&(*t)->handle);
    *t = NULL;
}

/* empties the counter first: a send that comes while fn runs makes another round */
static void wake_run(struct handle *h, uint32_t events)
{
    (void)events;
    struct loop_wake *w = CONTAINER_OF(h, struct loop_wake, handle);
    uint64_t count;
    if (read(w->fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
        return;
    w->fn(w->ctx);
}

/* the eventfd is ours */
static void wake_release(struct handle *h)
{
    struct loop_wake *w = CONTAINER_OF(h, struct loop_wake, handle);
    epoll_remove(h->loop, w->fd);
    (void)close(w->fd);
    w->fd = -1;
}

/* an eventfd of its own */
struct loop_wake *loop_wake_new_at(struct loop *l, loop_fn fn, void *ctx, const char *file,
                                   int line)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct handle *h = loop_make_handle(l, sizeof(struct loop_wake), file, line);
    struct loop_wake *w = CONTAINER_OF(h, struct loop_wake, handle);
    w->fd = fd;
    w->fn = fn;
    w->ctx = ctx;
    h->run = wake_run;
    h->release = wake_release;
    if (loop_epoll_add(l, fd, EPOLLIN, h) < 0) {
        (void)close(fd);
        mem_free(w);
        return NULL;
    }
    list_push_back(&l->live, &h->node);
    return w;
}

/* any thread; a full counter (EAGAIN) is a wake-up that is under way already */
void loop_wake_send(struct loop_wake *w)
{
    const uint64_t one = 1;
    ssize_t r;
    do {
        r = write(w->fd, &one, sizeof(one));
    } while (r < 0 && errno == EINTR);
}

/* the senders are gone by now: that is their owner's duty */
void loop_wake_cancel(struct loop_wake **w)
{
    if (*w != NULL)
        loop_retire(&(*w)->handle);
    *w = NULL;
}

/* ms that epoll may wait: the caller's limit or the nearest timer, -1 = for ever */
static int wait_limit(const struct loop *l, int timeout_ms)
{
    const struct heap_node *first = heap_peek(&l->timers);
    if (first == NULL)
        return timeout_ms;
    int64_t now = clock_mono_ms(l->clock);
    if (first->key <= now)
        return 0;
    /* a key may be anywhere in the type, so the difference is taken with care */
    int64_t left;
    if (__builtin_sub_overflow(first->key, now, &left) || left > INT_MAX)
        left = INT_MAX;
    return timeout_ms >= 0 && timeout_ms < left ? timeout_ms : (int)left;
}

/* moves the timers that are due out of the heap, in their order */
static void collect_due(struct loop *l)
{
    struct heap_node *first;
    while ((first = heap_peek(&l->timers)) != NULL && first->key <= l->now_ms) {
        heap_remove(&l->timers, first);
        list_push_back(&l->due, &CONTAINER_OF(first, struct loop_timer, heap_node)->due_node);
    }
}

/* runs what collect_due found and nobody stopped since */
static void run_due(struct loop *l)
{
    for (struct list *node; (node = list_pop_front(&l->due)) != NULL;) {
        struct loop_timer *t = LIST_ENTRY(node, struct loop_timer, due_node);
        t->fn(t->ctx);
    }
}

/* one round */
void loop_once(struct loop *l, int timeout_ms)
{
    struct epoll_event events[EVENTS_PER_ROUND];
    int n = epoll_wait(l->epoll_fd, events, EVENTS_PER_ROUND, wait_limit(l, timeout_ms));
    if (n < 0) {
        if (errno != EINTR)
            loop_stop(l, -errno);
        n = 0;
    }
    l->rounds++;
    l->now_ms = clock_mono_ms(l->clock);
    l->has_wall = false;
    collect_due(l);
    for (int i = 0; i < n; i++) {
        struct handle *h = events[i].data.ptr;
        if (!h->is_dead)
            h->run(h, events[i].events);
    }
    run_due(l);
    bury(l);
}

/* a stop that was asked for before the start counts too */
int loop_run(struct loop *l)
{
    while (!l->is_stopped)
        loop_once(l, -1);
    l->is_stopped = false;
    return l->code;
}

/* the round ends first */
void loop_stop(struct loop *l, int code)
{
    l->is_stopped = true;
    l->code = code;
}

/* wake-ups so far */
uint64_t loop_rounds(const struct loop *l)
{
    return l->rounds;
}
