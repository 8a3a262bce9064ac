/*
 * os/loop_signal - signals of the event loop
 *
 * One signalfd per loop, made when the first signal is added; a table finds the handler.
 *
 * Invariant: signals[n] of the loop is the live handler of signal n, and the signalfd's mask holds
 * exactly those that have one.
 *
 * Failures: adding returns NULL for a signal that has a handler or cannot be blocked, and when the
 * kernel refuses the signalfd; the block mask is as before then.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/loop_internal.h"

#define SIGNALS_PER_READ 8

struct loop_signal {
    struct handle handle;
    int signo;
    bool was_blocked; /* before we blocked it */
    loop_signal_fn fn;
    void *ctx;
};

/* makes the signalfd's mask what `signals` says */
static int update_signal_mask(struct loop *l)
{
    sigset_t mask;
    sigemptyset(&mask);
    for (int n = 1; n < NSIG; n++) {
        if (l->signals[n] != NULL)
            sigaddset(&mask, n);
    }
    int fd = signalfd(l->signal_fd, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* one read a round; what is left makes the fd ready again */
static void signals_run(struct handle *h, uint32_t events)
{
    (void)events;
    struct loop *l = h->loop;
    struct signalfd_siginfo info[SIGNALS_PER_READ];
    ssize_t n = read(l->signal_fd, info, sizeof(info));
    if (n < 0)
        return; /* EAGAIN: cancelled since; EINTR: the fd stays ready */
    for (size_t i = 0; i < (size_t)n / sizeof(info[0]); i++) {
        uint32_t signo = info[i].ssi_signo;
        struct loop_signal *s = signo < NSIG ? l->signals[signo] : NULL;
        if (s != NULL)
            s->fn(s->ctx, s->signo);
    }
}

/* puts the signalfd into epoll when the first signal is added */
static int open_signal_fd(struct loop *l)
{
    int fd = update_signal_mask(l);
    if (fd < 0 || l->signal_fd >= 0)
        return fd < 0 ? fd : 0;
    l->signal_handle = (struct handle){.loop = l, .run = signals_run};
    int r = loop_epoll_add(l, fd, EPOLLIN, &l->signal_handle);
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    l->signal_fd = fd;
    return 0;
}

/* Drops what is pending, so that giving the signal back cannot kill us by one that came for the
 * handler, then restores the block mask. */
static void signal_release(struct handle *h)
{
    struct loop_signal *s = CONTAINER_OF(h, struct loop_signal, handle);
    h->loop->signals[s->signo] = NULL;
    (void)update_signal_mask(h->loop); /* the fd exists: only its mask changes, which cannot fail */
    if (s->was_blocked)
        return;
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, s->signo);
    const struct timespec at_once = {0};
    int r;
    do {
        r = sigtimedwait(&one, NULL, &at_once);
    } while (r > 0 || errno == EINTR);
    (void)pthread_sigmask(SIG_UNBLOCK, &one, NULL); /* a valid set: no failure */
}

/* one handler for a signal; a second one, or a signal that cannot be blocked, gives NULL */
struct loop_signal *loop_signal_add_at(struct loop *l, int signo, loop_signal_fn fn, void *ctx,
                                       const char *file, int line)
{
    sigset_t one;
    sigset_t before;
    sigemptyset(&one);
    if (signo == SIGKILL || signo == SIGSTOP || sigaddset(&one, signo) < 0 ||
        l->signals[signo] != NULL || pthread_sigmask(SIG_BLOCK, &one, &before) != 0)
        return NULL;
    struct handle *h = loop_make_handle(l, sizeof(struct loop_signal), file, line);
    struct loop_signal *s = CONTAINER_OF(h, struct loop_signal, handle);
    s->signo = signo;
    s->was_blocked = sigismember(&before, signo) == 1;
    s->fn = fn;
    s->ctx = ctx;
    h->release = signal_release;
    l->signals[signo] = s;
    if (open_signal_fd(l) < 0) {
        l->signals[signo] = NULL;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        mem_free(s);
        return NULL;
    }
    list_push_back(&l->live, &h->node);
    return s;
}

/* the process's own handling of the signal is back */
void loop_signal_cancel(struct loop_signal **h)
{
    if (*h != NULL)
        loop_retire(&(*h)->handle);
    *h = NULL;
}
