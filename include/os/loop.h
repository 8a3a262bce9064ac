#ifndef OS_LOOP_H
#define OS_LOOP_H

/*
 * The event loop: epoll, timers, signals, wake-ups from other threads. One thread owns a loop and
 * all state that its callbacks touch; only loop_wake_send may be called from elsewhere.
 *
 * Registering returns a handle. After a handle is cancelled its callback never runs, also when the
 * event had already been taken from the kernel in the same round. Callbacks never run inside the
 * call that registered them. Handles carry file:line; loop_free reports the ones left over.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/def.h"

struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;
struct loop_wake;

/* NULL when the kernel refuses an epoll fd, with a negative errno in *ret_error. The clock is
 * borrowed. */
struct loop *loop_new(const struct clock *clock, int *ret_error);

/* Frees everything still registered and returns how many handles were left over, each reported by
 * a debug line with its file:line. Tests assert 0. */
unsigned loop_free(struct loop **l);

const struct clock *loop_clock(const struct loop *l);
/* Monotonic ms of the current round: read once after epoll_wait. */
int64_t loop_now_ms(const struct loop *l);
/* Wall ns of the current round, read at most once a round. */
int64_t loop_wall_ns(struct loop *l);

typedef void (*loop_io_fn)(void *ctx, uint32_t events);
typedef void (*loop_fn)(void *ctx);
typedef void (*loop_signal_fn)(void *ctx, int signo);

/* events: EPOLLIN, EPOLLOUT, level-triggered. The fd stays the caller's, who cancels before closing
 * it. NULL when epoll refuses the fd (EPERM: a regular file) or the system is out of watches. */
#define loop_io_add(l, fd, events, fn, ctx)                                                        \
    loop_io_add_at((l), (fd), (events), (fn), (ctx), __FILE__, __LINE__)
struct loop_io *loop_io_add_at(struct loop *l, int fd, uint32_t events, loop_io_fn fn, void *ctx,
                               const char *file, int line) MUST_CHECK;
/* NULL is allowed; sets *h to NULL. The same holds for every cancel below. */
void loop_io_cancel(struct loop_io **h);

/* A timer is made once, idle, and set as often as wanted. */
#define loop_timer_new(l, fn, ctx) loop_timer_new_at((l), (fn), (ctx), __FILE__, __LINE__)
struct loop_timer *loop_timer_new_at(struct loop *l, loop_fn fn, void *ctx, const char *file,
                                     int line) MUST_CHECK;
/* Fires once, delay_ms (>= 0) from now; a later call replaces an earlier one. Set by a callback, it
 * fires in a later round, also with delay 0. */
void loop_timer_set(struct loop_timer *t, int64_t delay_ms);
/* Fires once at monotonic time at_ms. */
void loop_timer_set_at(struct loop_timer *t, int64_t at_ms);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_is_set(const struct loop_timer *t);
void loop_timer_cancel(struct loop_timer **t);

/* Blocks signo for the process (call before threads start) and delivers it by signalfd. One handler
 * per signal: NULL for a second one. Cancelling drops what is pending and unblocks signo, if it was
 * not blocked before. */
#define loop_signal_add(l, signo, fn, ctx)                                                         \
    loop_signal_add_at((l), (signo), (fn), (ctx), __FILE__, __LINE__)
struct loop_signal *loop_signal_add_at(struct loop *l, int signo, loop_signal_fn fn, void *ctx,
                                       const char *file, int line) MUST_CHECK;
void loop_signal_cancel(struct loop_signal **h);

/* A wake-up that other threads may send: fn runs in the loop's thread, once for any number of
 * sends before it ran. */
#define loop_wake_new(l, fn, ctx) loop_wake_new_at((l), (fn), (ctx), __FILE__, __LINE__)
struct loop_wake *loop_wake_new_at(struct loop *l, loop_fn fn, void *ctx, const char *file,
                                   int line) MUST_CHECK;
void loop_wake_send(struct loop_wake *w);
void loop_wake_cancel(struct loop_wake **w);

/* Runs until loop_stop. Returns the code given to it. */
int loop_run(struct loop *l);
/* One round: waits at most timeout_ms (-1 = until something happens), runs what is due.
 * For tests. */
void loop_once(struct loop *l, int timeout_ms);
void loop_stop(struct loop *l, int code);

/* Rounds of epoll_wait so far: the wake-ups of the agent. */
uint64_t loop_rounds(const struct loop *l);

#endif
