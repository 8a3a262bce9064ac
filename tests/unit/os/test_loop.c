/* os/loop: timers, fds, signals, wake-ups, and what cancelling promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "os/loop.h"

#define START_MS  1000
#define GUARD_MS  10000
#define TRACE_MAX 64

/* A loop on a fake clock, and a trace of the callbacks that ran. */
struct bench {
    struct loop *loop;
    struct clock_fake clock;
    struct loop_timer *timers[4];
    struct loop_io *io[2];
    struct loop_signal *signal;
    struct loop_wake *wake;
    int pipes[2][2];
    char trace[TRACE_MAX];
    size_t trace_len;
};

static void note(struct bench *b, char c)
{
    assert_true(b->trace_len + 1 < TRACE_MAX);
    b->trace[b->trace_len++] = c;
    b->trace[b->trace_len] = '\0';
}

static struct bench *bench_of(void **state)
{
    return *state;
}

static int setup(void **state)
{
    static struct bench b;
    memset(&b, 0, sizeof(b));
    clock_fake_init(&b.clock, START_MS * 1000000LL, 5000000000LL);
    int error = 0;
    b.loop = loop_new(&b.clock.clock, &error);
    if (b.loop == NULL)
        return -1;
    for (int i = 0; i < 2; i++) {
        if (pipe2(b.pipes[i], O_NONBLOCK | O_CLOEXEC) != 0)
            return -1;
    }
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = bench_of(state);
    for (size_t i = 0; i < ARRAY_LEN(b->timers); i++)
        loop_timer_cancel(&b->timers[i]);
    for (size_t i = 0; i < ARRAY_LEN(b->io); i++)
        loop_io_cancel(&b->io[i]);
    loop_signal_cancel(&b->signal);
    loop_wake_cancel(&b->wake);
    unsigned leftovers = loop_free(&b->loop);
    for (int i = 0; i < 2; i++) {
        close(b->pipes[i][0]);
        close(b->pipes[i][1]);
    }
    return leftovers == 0 ? 0 : -1;
}

static void note_a(void *ctx)
{
    note(ctx, 'a');
}

static void note_b(void *ctx)
{
    note(ctx, 'b');
}

static void note_c(void *ctx)
{
    note(ctx, 'c');
}

static void test_timers_fire_in_order_when_due(void **state)
{
    struct bench *b = bench_of(state);
    b->timers[0] = loop_timer_new(b->loop, note_a, b);
    b->timers[1] = loop_timer_new(b->loop, note_b, b);
    b->timers[2] = loop_timer_new(b->loop, note_c, b);
    assert_false(loop_timer_is_set(b->timers[0]));
    loop_timer_set(b->timers[0], 30);
    loop_timer_set(b->timers[1], 10);
    loop_timer_set_at(b->timers[2], START_MS + 20);
    assert_true(loop_timer_is_set(b->timers[0]));

    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "");
    clock_fake_advance_ms(&b->clock, 9);
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "");
    clock_fake_advance_ms(&b->clock, 1);
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "b");
    assert_int_equal(loop_now_ms(b->loop), START_MS + 10);
    assert_false(loop_timer_is_set(b->timers[1]));
    clock_fake_advance_ms(&b->clock, 100);
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "bca");
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "bca");
    assert_int_equal(loop_rounds(b->loop), 5);
}

static void test_set_replaces_and_stop_silences(void **state)
{
    struct bench *b = bench_of(state);
    b->timers[0] = loop_timer_new(b->loop, note_a, b);
    loop_timer_set(b->timers[0], 10);
    loop_timer_set(b->timers[0], 50);
    clock_fake_advance_ms(&b->clock, 20);
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "");
    clock_fake_advance_ms(&b->clock, 30);
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "a");
    loop_timer_set(b->timers[0], 0);
    loop_timer_stop(b->timers[0]);
    loop_timer_stop(b->timers[0]);
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "a");
    assert_false(loop_timer_is_set(b->timers[0]));
}

static void test_far_times_do_not_overflow(void **state)
{
    struct bench *b = bench_of(state);
    b->timers[0] = loop_timer_new(b->loop, note_a, b);
    b->timers[1] = loop_timer_new(b->loop, note_b, b);
    loop_timer_set(b->timers[0], INT64_MAX);
    loop_once(b->loop, 0);
    loop_timer_set_at(b->timers[1], INT64_MIN);
    loop_once(b->loop, -1);
    assert_string_equal(b->trace, "b");
    assert_true(loop_timer_is_set(b->timers[0]));
}

static void again(void *ctx)
{
    struct bench *b = ctx;
    note(b, 'r');
    loop_timer_set(b->timers[0], 0);
}

static void test_delay_zero_waits_for_the_next_round(void **state)
{
    struct bench *b = bench_of(state);
    b->timers[0] = loop_timer_new(b->loop, again, b);
    loop_timer_set(b->timers[0], 0);
    assert_string_equal(b->trace, ""); /* not inside the call */
    for (int round = 1; round <= 3; round++) {
        loop_once(b->loop, -1);
        assert_int_equal(b->trace_len, round);
    }
}

static void on_read(void *ctx, uint32_t events)
{
    struct bench *b = ctx;
    assert_true((events & EPOLLIN) != 0);
    note(b, 'i');
    loop_timer_set(b->timers[0], 0);
}

static void test_timer_set_by_an_fd_waits_too(void **state)
{
    struct bench *b = bench_of(state);
    b->timers[0] = loop_timer_new(b->loop, note_a, b);
    b->io[0] = loop_io_add(b->loop, b->pipes[0][0], EPOLLIN, on_read, b);
    assert_non_null(b->io[0]);
    assert_int_equal(write(b->pipes[0][1], "x", 1), 1);
    loop_once(b->loop, -1);
    assert_string_equal(b->trace, "i");
    loop_io_cancel(&b->io[0]);
    loop_once(b->loop, -1);
    assert_string_equal(b->trace, "ia");
}

static void only_note_io(void *ctx, uint32_t events)
{
    (void)events;
    note(ctx, 'i');
}

static void test_fds_are_level_triggered(void **state)
{
    struct bench *b = bench_of(state);
    b->io[0] = loop_io_add(b->loop, b->pipes[0][0], EPOLLIN, only_note_io, b);
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "");
    assert_int_equal(write(b->pipes[0][1], "x", 1), 1);
    loop_once(b->loop, -1);
    loop_once(b->loop, -1);
    assert_string_equal(b->trace, "ii");
    char c;
    assert_int_equal(read(b->pipes[0][0], &c, 1), 1);
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "ii");
}

static void cancel_both(void *ctx, uint32_t events)
{
    (void)events;
    struct bench *b = ctx;
    note(b, 'x');
    loop_io_cancel(&b->io[0]);
    loop_io_cancel(&b->io[1]);
    loop_timer_cancel(&b->timers[0]);
    loop_timer_stop(b->timers[1]);
    assert_null(b->io[0]);
}

static void test_cancel_is_final_within_a_round(void **state)
{
    struct bench *b = bench_of(state);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(write(b->pipes[i][1], "x", 1), 1);
        b->io[i] = loop_io_add(b->loop, b->pipes[i][0], EPOLLIN, cancel_both, b);
    }
    b->timers[0] = loop_timer_new(b->loop, note_a, b);
    b->timers[1] = loop_timer_new(b->loop, note_b, b);
    loop_timer_set(b->timers[0], 0);
    loop_timer_set(b->timers[1], 0);
    loop_once(b->loop, -1); /* both fds are ready and both timers due: one callback only */
    assert_string_equal(b->trace, "x");
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "x");
    assert_false(loop_timer_is_set(b->timers[1]));
}

static void timer_cancels_all(void *ctx)
{
    struct bench *b = ctx;
    note(b, 't');
    for (size_t i = 0; i < ARRAY_LEN(b->timers); i++)
        loop_timer_cancel(&b->timers[i]);
}

static void test_timers_cancel_each_other_and_themselves(void **state)
{
    struct bench *b = bench_of(state);
    for (size_t i = 0; i < ARRAY_LEN(b->timers); i++) {
        b->timers[i] = loop_timer_new(b->loop, timer_cancels_all, b);
        loop_timer_set(b->timers[i], 0);
    }
    loop_once(b->loop, -1);
    assert_string_equal(b->trace, "t");
}

static void resets_other(void *ctx)
{
    struct bench *b = ctx;
    note(b, 'o');
    loop_timer_set(b->timers[1], 5);
}

static void test_a_due_timer_can_be_set_anew(void **state)
{
    struct bench *b = bench_of(state);
    b->timers[0] = loop_timer_new(b->loop, resets_other, b);
    b->timers[1] = loop_timer_new(b->loop, note_b, b);
    loop_timer_set(b->timers[0], 0);
    clock_fake_advance_ms(&b->clock, 10);
    loop_timer_set(b->timers[1], 0); /* due in the same round, later */
    loop_once(b->loop, -1);
    assert_string_equal(b->trace, "o");
    clock_fake_advance_ms(&b->clock, 5);
    loop_once(b->loop, -1);
    assert_string_equal(b->trace, "ob");
}

static void test_fds_that_epoll_refuses(void **state)
{
    struct bench *b = bench_of(state);
    FILE *regular = tmpfile();
    assert_non_null(regular);
    assert_null(loop_io_add(b->loop, fileno(regular), EPOLLIN, only_note_io, b));
    assert_null(loop_io_add(b->loop, -1, EPOLLIN, only_note_io, b));
    fclose(regular);
}

static void on_signal(void *ctx, int signo)
{
    struct bench *b = ctx;
    note(b, signo == SIGUSR1 ? '1' : '?');
}

static bool is_blocked(int signo)
{
    sigset_t mask;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mask), 0);
    return sigismember(&mask, signo) == 1;
}

static void test_signals_are_delivered_and_given_back(void **state)
{
    struct bench *b = bench_of(state);
    assert_false(is_blocked(SIGUSR1));
    b->signal = loop_signal_add(b->loop, SIGUSR1, on_signal, b);
    assert_non_null(b->signal);
    assert_true(is_blocked(SIGUSR1));
    assert_null(loop_signal_add(b->loop, SIGUSR1, on_signal, b)); /* one handler each */
    assert_null(loop_signal_add(b->loop, SIGKILL, on_signal, b));
    assert_null(loop_signal_add(b->loop, 0, on_signal, b));
    assert_null(loop_signal_add(b->loop, 100000, on_signal, b));
    assert_true(is_blocked(SIGUSR1));

    kill(getpid(), SIGUSR1);
    assert_string_equal(b->trace, "");
    loop_once(b->loop, -1);
    assert_string_equal(b->trace, "1");

    kill(getpid(), SIGUSR1); /* pending when cancelled: dropped, or it would kill this program */
    loop_signal_cancel(&b->signal);
    assert_false(is_blocked(SIGUSR1));
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "1");

    b->signal = loop_signal_add(b->loop, SIGUSR1, on_signal, b);
    kill(getpid(), SIGUSR1);
    loop_once(b->loop, -1);
    assert_string_equal(b->trace, "11");
}

static void test_a_signal_blocked_before_stays_blocked(void **state)
{
    struct bench *b = bench_of(state);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &one, NULL), 0);
    b->signal = loop_signal_add(b->loop, SIGUSR1, on_signal, b);
    loop_signal_cancel(&b->signal);
    assert_true(is_blocked(SIGUSR1));
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &one, NULL), 0);
}

static void test_wakes_come_once_for_many_sends(void **state)
{
    struct bench *b = bench_of(state);
    b->wake = loop_wake_new(b->loop, note_a, b);
    for (int i = 0; i < 1000; i++)
        loop_wake_send(b->wake);
    assert_string_equal(b->trace, "");
    loop_once(b->loop, -1);
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "a");
    loop_wake_send(b->wake);
    loop_wake_cancel(&b->wake);
    loop_once(b->loop, 0);
    assert_string_equal(b->trace, "a");
}

/* Several threads send while the loop runs: every send is followed by a callback. */
struct crowd {
    struct loop *loop;
    struct loop_wake *wake;
    struct loop_timer *guard;
    unsigned sent; /* atomic */
    unsigned seen;
};

#define SENDERS          4
#define SENDS_PER_THREAD 2000

static void *send_many(void *arg)
{
    struct crowd *c = arg;
    for (int i = 0; i < SENDS_PER_THREAD; i++) {
        __atomic_add_fetch(&c->sent, 1, __ATOMIC_SEQ_CST);
        loop_wake_send(c->wake);
    }
    return NULL;
}

static void count_sent(void *ctx)
{
    struct crowd *c = ctx;
    c->seen = __atomic_load_n(&c->sent, __ATOMIC_SEQ_CST);
    if (c->seen == SENDERS * SENDS_PER_THREAD)
        loop_stop(c->loop, 0);
}

static void guard_expired(void *ctx)
{
    struct crowd *c = ctx;
    loop_stop(c->loop, -ETIMEDOUT);
}

static void test_wakes_from_threads_are_not_lost(void **state)
{
    (void)state;
    int error = 0;
    struct crowd c = {0};
    c.loop = loop_new(clock_system(), &error);
    c.wake = loop_wake_new(c.loop, count_sent, &c);
    c.guard = loop_timer_new(c.loop, guard_expired, &c);
    loop_timer_set(c.guard, GUARD_MS);
    pthread_t threads[SENDERS];
    for (int i = 0; i < SENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, &c), 0);
    assert_int_equal(loop_run(c.loop), 0);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(c.seen, SENDERS * SENDS_PER_THREAD);
    loop_wake_cancel(&c.wake);
    loop_timer_cancel(&c.guard);
    assert_int_equal(loop_free(&c.loop), 0);
    assert_null(c.loop);
}

static void stop_with_7(void *ctx)
{
    struct bench *b = ctx;
    note(b, 's');
    loop_stop(b->loop, 7);
}

static void test_run_returns_the_code(void **state)
{
    struct bench *b = bench_of(state);
    b->timers[0] = loop_timer_new(b->loop, stop_with_7, b);
    loop_timer_set(b->timers[0], 0);
    assert_int_equal(loop_run(b->loop), 7);
    loop_stop(b->loop, 3); /* before the start */
    assert_int_equal(loop_run(b->loop), 3);
    assert_string_equal(b->trace, "s");
}

static void ignore_alarm(int signo)
{
    (void)signo;
}

/* SIGALRM every ms interrupts epoll_wait all the time; the timer still fires, and not early. */
static void test_interrupted_waits(void **state)
{
    (void)state;
    struct sigaction act = {.sa_handler = ignore_alarm};
    struct sigaction before;
    assert_int_equal(sigaction(SIGALRM, &act, &before), 0);
    struct itimerval every_ms = {{0, 1000}, {0, 1000}};
    assert_int_equal(setitimer(ITIMER_REAL, &every_ms, NULL), 0);

    int error = 0;
    struct crowd c = {0};
    c.loop = loop_new(clock_system(), &error);
    c.guard = loop_timer_new(c.loop, guard_expired, &c);
    int64_t start = clock_mono_ms(clock_system());
    loop_timer_set(c.guard, 50);
    assert_int_equal(loop_run(c.loop), -ETIMEDOUT);
    int64_t took = clock_mono_ms(clock_system()) - start;

    struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_in_range(took, 50, GUARD_MS);
    loop_timer_cancel(&c.guard);
    assert_int_equal(loop_free(&c.loop), 0);
}

static void test_times_of_the_round(void **state)
{
    struct bench *b = bench_of(state);
    assert_ptr_equal(loop_clock(b->loop), &b->clock.clock);
    loop_once(b->loop, 0);
    assert_int_equal(loop_now_ms(b->loop), START_MS);
    assert_int_equal(loop_wall_ns(b->loop), 5000000000LL);
    clock_fake_advance_ms(&b->clock, 1);
    assert_int_equal(loop_now_ms(b->loop), START_MS);
    assert_int_equal(loop_wall_ns(b->loop), 5000000000LL);
    loop_once(b->loop, 0);
    assert_int_equal(loop_now_ms(b->loop), START_MS + 1);
    assert_int_equal(loop_wall_ns(b->loop), 5001000000LL);
}

static void test_leftovers_are_counted_and_told(void **state)
{
    struct bench *b = bench_of(state);
    struct log_opts opts = {.fd = b->pipes[1][1], .level = LOG_DEBUG, .style = LOG_STYLE_PLAIN};
    log_init(&opts);
    int error = 0;
    struct loop *l = loop_new(&b->clock.clock, &error);
    int line = __LINE__ + 1;
    struct loop_timer *t = loop_timer_new(l, note_a, b);
    loop_timer_set(t, 0);
    assert_non_null(loop_io_add(l, b->pipes[0][0], EPOLLIN, only_note_io, b));
    assert_non_null(loop_wake_new(l, note_a, b));
    assert_non_null(loop_signal_add(l, SIGUSR2, on_signal, b));
    assert_int_equal(loop_free(&l), 4);
    assert_null(l);
    assert_int_equal(loop_free(&l), 0); /* NULL is allowed */
    assert_false(is_blocked(SIGUSR2));
    log_init(&(struct log_opts){.fd = 2, .level = LOG_INFO, .style = LOG_STYLE_PLAIN});

    char text[2048];
    ssize_t n = read(b->pipes[1][0], text, sizeof(text) - 1);
    assert_true(n > 0);
    text[n] = '\0';
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "test_loop.c:%d was left over", line);
    assert_non_null(strstr(text, wanted));
    assert_string_equal(b->trace, "");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_timers_fire_in_order_when_due),
        TEST(test_set_replaces_and_stop_silences),
        TEST(test_far_times_do_not_overflow),
        TEST(test_delay_zero_waits_for_the_next_round),
        TEST(test_timer_set_by_an_fd_waits_too),
        TEST(test_fds_are_level_triggered),
        TEST(test_cancel_is_final_within_a_round),
        TEST(test_timers_cancel_each_other_and_themselves),
        TEST(test_a_due_timer_can_be_set_anew),
        TEST(test_fds_that_epoll_refuses),
        TEST(test_signals_are_delivered_and_given_back),
        TEST(test_a_signal_blocked_before_stays_blocked),
        TEST(test_wakes_come_once_for_many_sends),
        cmocka_unit_test(test_wakes_from_threads_are_not_lost),
        TEST(test_run_returns_the_code),
        cmocka_unit_test(test_interrupted_waits),
        TEST(test_times_of_the_round),
        TEST(test_leftovers_are_counted_and_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
