/* os/mailbox: order, time-outs, closing, and many threads at once (also under TSan). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "os/loop.h"
#include "os/mailbox.h"

#define GUARD_MS 10000

struct letter {
    struct list node;
    unsigned sender;
    unsigned number;
};

static struct letter *letter_of(struct list *node)
{
    return node == NULL ? NULL : LIST_ENTRY(node, struct letter, node);
}

static void test_oldest_first(void **state)
{
    (void)state;
    struct letter letters[5] = {0};
    struct mailbox *m = mailbox_new();
    assert_null(mailbox_take(m));
    for (unsigned i = 0; i < ARRAY_LEN(letters); i++)
        mailbox_send(m, &letters[i].node);
    for (unsigned i = 0; i < ARRAY_LEN(letters); i++) {
        struct list *node = i % 2 == 0 ? mailbox_take(m) : mailbox_wait(m, -1);
        assert_ptr_equal(letter_of(node), &letters[i]);
        assert_true(list_is_empty(node)); /* in no list any more */
    }
    assert_null(mailbox_take(m));
    mailbox_free(&m);
    assert_null(m);
    mailbox_free(&m);
}

static void test_wait_times_out(void **state)
{
    (void)state;
    struct mailbox *m = mailbox_new();
    static const int64_t limits[] = {0, 1, 30};
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        int64_t start = clock_system()->mono_ns(clock_system());
        assert_null(mailbox_wait(m, limits[i]));
        int64_t took = clock_system()->mono_ns(clock_system()) - start;
        assert_in_range(took, limits[i] * 1000000, GUARD_MS * 1000000LL);
    }
    struct letter l = {0};
    mailbox_send(m, &l.node);
    assert_ptr_equal(mailbox_wait(m, INT64_MAX), &l.node);
    mailbox_free(&m);
}

static void test_closed_box_hands_out_what_it_has(void **state)
{
    (void)state;
    struct letter letters[2] = {0};
    struct mailbox *m = mailbox_new();
    mailbox_send(m, &letters[0].node);
    assert_false(mailbox_is_closed(m));
    mailbox_close(m);
    mailbox_close(m);
    assert_true(mailbox_is_closed(m));
    mailbox_send(m, &letters[1].node);
    assert_ptr_equal(mailbox_wait(m, -1), &letters[0].node);
    assert_ptr_equal(mailbox_wait(m, -1), &letters[1].node);
    assert_null(mailbox_wait(m, -1));
    assert_null(mailbox_wait(m, GUARD_MS));
    mailbox_free(&m);
}

static void *wait_for_close(void *arg)
{
    return mailbox_wait(arg, -1);
}

static void test_close_wakes_every_waiter(void **state)
{
    (void)state;
    struct mailbox *m = mailbox_new();
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_close, m), 0);
    mailbox_close(m);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *got;
        assert_int_equal(pthread_join(threads[i], &got), 0);
        assert_null(got);
    }
    mailbox_free(&m);
}

/* The way of a batch: loop -> box -> worker -> box -> loop, woken by a loop_wake. */
#define WORKERS 3
#define LETTERS 3000

struct office {
    struct loop *loop;
    struct loop_wake *wake;
    struct loop_timer *guard;
    struct mailbox *out;
    struct mailbox *back;
    unsigned returned;
    bool was_late;
};

static void *work(void *arg)
{
    struct office *o = arg;
    for (struct list *node; (node = mailbox_wait(o->out, -1)) != NULL;) {
        letter_of(node)->number *= 2; /* ours while we have it: no lock */
        mailbox_send(o->back, node);
        loop_wake_send(o->wake);
    }
    return NULL;
}

static void collect(void *ctx)
{
    struct office *o = ctx;
    for (struct list *node; (node = mailbox_take(o->back)) != NULL;) {
        assert_int_equal(letter_of(node)->number, 2 * letter_of(node)->sender);
        o->returned++;
    }
    if (o->returned == LETTERS)
        loop_stop(o->loop, 0);
}

static void late(void *ctx)
{
    struct office *o = ctx;
    o->was_late = true;
    loop_stop(o->loop, 1);
}

static void test_round_trip_between_threads(void **state)
{
    (void)state;
    int error = 0;
    struct office o = {.out = mailbox_new(), .back = mailbox_new()};
    o.loop = loop_new(clock_system(), &error);
    o.wake = loop_wake_new(o.loop, collect, &o);
    o.guard = loop_timer_new(o.loop, late, &o);
    loop_timer_set(o.guard, GUARD_MS);
    pthread_t threads[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &o), 0);
    struct letter *letters = calloc(LETTERS, sizeof(*letters));
    for (unsigned i = 0; i < LETTERS; i++) {
        letters[i].sender = i;
        letters[i].number = i;
        mailbox_send(o.out, &letters[i].node);
    }
    assert_int_equal(loop_run(o.loop), 0);
    assert_false(o.was_late);
    assert_int_equal(o.returned, LETTERS);
    mailbox_close(o.out);
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    mailbox_free(&o.out);
    mailbox_free(&o.back);
    loop_wake_cancel(&o.wake);
    loop_timer_cancel(&o.guard);
    assert_int_equal(loop_free(&o.loop), 0);
    free(letters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oldest_first),
        cmocka_unit_test(test_wait_times_out),
        cmocka_unit_test(test_closed_box_hands_out_what_it_has),
        cmocka_unit_test(test_close_wakes_every_waiter),
        cmocka_unit_test(test_round_trip_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
