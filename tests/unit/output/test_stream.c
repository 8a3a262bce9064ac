/*
 * tests/unit/output/test_stream - batches through a thread: order, failures, stopping; discard
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "bulk/batch.h"
#include "output/discard.h"
#include "output/output_ops.h"
#include "output/stream.h"

#define BATCHES 3

/* A sink in memory. */
struct fake {
    struct stream_sink sink; /* first */
    pthread_mutex_t mutex;
    char text[256];
    int fail; /* the next writes end so */
    unsigned fails;
    bool closed;
};

struct world {
    struct loop *loop;
    struct fake fake;
    const struct output_ops *ops;
    void *self;
    struct span_pool *spans;
    struct span_owner owner;
    struct ledger ledger;
    struct batch *batches[BATCHES];
    struct batch *returned[BATCHES * 2];
    unsigned returned_count;
    enum output_health health;
    char why[128];
};

/* keeps what it is given */
static int fake_write(struct stream_sink *sink, struct slice lines)
{
    struct fake *f = (struct fake *)sink;
    int r = 0;
    (void)pthread_mutex_lock(&f->mutex);
    if (f->fails > 0) {
        f->fails--;
        r = f->fail;
    } else {
        strncat(f->text, lines.ptr, lines.len);
    }
    (void)pthread_mutex_unlock(&f->mutex);
    return r;
}

/* notes that it was closed */
static void fake_close(struct stream_sink *sink)
{
    ((struct fake *)sink)->closed = true;
}

static void on_returned(void *ctx, struct batch *b)
{
    struct world *w = ctx;
    w->returned[w->returned_count++] = b;
}

static void on_health(void *ctx, enum output_health health, const char *why)
{
    struct world *w = ctx;
    w->health = health;
    (void)snprintf(w->why, sizeof(w->why), "%s", why);
}

static void on_message(void *ctx, enum log_level level, const char *text)
{
    (void)ctx;
    (void)level;
    (void)text;
}

/* spans go back to the pool */
static void on_resolved(struct span_owner *owner, struct span *span)
{
    struct world *w = CONTAINER_OF(owner, struct world, owner);
    span_put(w->spans, span);
}

/* a batch with `n` documents named `name` */
static struct batch *fill(struct world *w, unsigned i, char name, unsigned n)
{
    struct batch *b = w->batches[i];
    for (unsigned k = 0; k < n; k++) {
        char text[8];
        uint16_t span;
        (void)snprintf(text, sizeof(text), "{%c%u}", name, k);
        assert_int_equal(batch_span_for(b, w->spans, &w->owner, 10 * i + k, &span), 0);
        b->spans[span]->to = 10 * i + k + 1;
        assert_int_equal(batch_add(b, SLICE_LIT("{\"create\":{}}"), slice_str(text), span, 1, 1),
                         0);
    }
    return b;
}

static void begin(struct world *w, bool discard)
{
    static const struct span_owner_ops ops = {on_resolved};
    int error = 0;
    *w = (struct world){.loop = loop_new(clock_system(), &error)};
    const struct output_hooks hooks = {
        .returned = on_returned, .health = on_health, .message = on_message, .ctx = w};
    const struct stream_opts opts = {1, 5};
    w->fake.sink = (struct stream_sink){fake_write, fake_close, "fake"};
    (void)pthread_mutex_init(&w->fake.mutex, NULL);
    w->ops = discard ? &discard_ops : &stream_ops;
    w->self = discard ? (void *)discard_new(w->loop, &hooks)
                      : (void *)stream_new(w->loop, &opts, &hooks, &w->fake.sink);
    w->spans = span_pool_new();
    w->owner = (struct span_owner){&ops, &w->ledger, ""};
    for (unsigned i = 0; i < BATCHES; i++)
        w->batches[i] = batch_new(BATCH_LOGS, 4096, 16, 16);
}

static void end(struct world *w)
{
    w->ops->free(w->self);
    for (unsigned i = 0; i < BATCHES; i++) {
        for (uint32_t s = 0; s < w->batches[i]->span_count; s++)
            span_put(w->spans, w->batches[i]->spans[s]);
        batch_free(&w->batches[i]);
    }
    span_pool_free(&w->spans);
    assert_int_equal(loop_free(&w->loop), 0);
    (void)pthread_mutex_destroy(&w->fake.mutex);
}

/* turns the loop until so many batches are back */
static void wait_returned(struct world *w, unsigned n)
{
    int64_t deadline = clock_mono_ms(clock_system()) + 10000;
    while (w->returned_count < n) {
        assert_true(clock_mono_ms(clock_system()) < deadline);
        loop_once(w->loop, 10);
    }
}

/* documents without action lines, batch after batch; never back inside submit */
static void test_order(void **state)
{
    (void)state;
    struct world w;
    begin(&w, false);
    w.ops->submit(w.self, fill(&w, 0, 'a', 2));
    w.ops->submit(w.self, fill(&w, 1, 'b', 0));
    w.ops->submit(w.self, fill(&w, 2, 'c', 1));
    assert_int_equal(w.returned_count, 0);
    wait_returned(&w, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_ptr_equal(w.returned[i], w.batches[i]);
    assert_string_equal(w.fake.text, "{a0}\n{a1}\n{c0}\n");
    assert_int_equal(w.ledger.acknowledged.lines, 3);
    assert_true(ledger_adds_up(&w.ledger));
    assert_int_equal(w.ops->counters(w.self)->n[OUTPUT_ITEMS_CREATED], 3);
    assert_int_equal(w.ops->stop(w.self), 0);
    end(&w);
    assert_true(w.fake.closed);
}

/* what cannot be written waits, in order, and health says why */
static void test_failure(void **state)
{
    (void)state;
    struct world w;
    begin(&w, false);
    w.fake.fail = -ENOSPC;
    w.fake.fails = 4;
    w.ops->submit(w.self, fill(&w, 0, 'a', 1));
    w.ops->submit(w.self, fill(&w, 1, 'b', 1));
    while (w.health == OUTPUT_OK)
        loop_once(w.loop, 10);
    assert_string_equal(w.why, "write to fake: No space left on device");
    assert_int_equal(w.ledger.acknowledged.lines, 0);
    wait_returned(&w, 2);
    assert_int_equal(w.health, OUTPUT_OK);
    assert_string_equal(w.fake.text, "{a0}\n{b0}\n");
    assert_int_equal(w.ops->counters(w.self)->n[OUTPUT_RETRIES], 4);
    end(&w);
}

/* a stop lets go of what was not written */
static void test_stop(void **state)
{
    (void)state;
    struct world w;
    begin(&w, false);
    w.fake.fail = -EIO;
    w.fake.fails = UINT32_MAX;
    w.ops->submit(w.self, fill(&w, 0, 'a', 1));
    w.ops->submit(w.self, fill(&w, 1, 'b', 1));
    while (w.health == OUTPUT_OK)
        loop_once(w.loop, 10);
    assert_int_equal(w.ops->stop(w.self), 0);
    assert_int_equal(w.ops->stop(w.self), 0);
    assert_int_equal(w.returned_count, 0);
    assert_int_equal(w.ledger.in_flight.lines, 2);
    end(&w);
}

/* stopped before anything was submitted, and with a batch that nobody has looked at */
static void test_stop_at_once(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        struct world w;
        begin(&w, false);
        if (n > 0)
            w.ops->submit(w.self, fill(&w, 0, 'a', 1));
        assert_int_equal(w.ops->stop(w.self), 0);
        end(&w);
    }
}

/* everything is accepted, nothing inside submit */
static void test_discard(void **state)
{
    (void)state;
    struct world w;
    begin(&w, true);
    w.ops->submit(w.self, fill(&w, 0, 'a', 3));
    w.ops->submit(w.self, fill(&w, 1, 'b', 2));
    assert_int_equal(w.returned_count, 0);
    wait_returned(&w, 2);
    assert_int_equal(w.ledger.acknowledged.lines, 5);
    assert_int_equal(w.ops->counters(w.self)->n[OUTPUT_ITEMS_CREATED], 5);
    w.ops->submit(w.self, fill(&w, 2, 'c', 1));
    assert_int_equal(w.ops->stop(w.self), 0);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),   cmocka_unit_test(test_failure),
        cmocka_unit_test(test_stop),    cmocka_unit_test(test_stop_at_once),
        cmocka_unit_test(test_discard),
    };
    return cmocka_run_group_tests_name("output/stream", tests, NULL, NULL);
}
