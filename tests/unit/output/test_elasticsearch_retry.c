/* output/elasticsearch: what is to be sent again leaves its batch, one target holds up no other */
#include "fake_elastic.h"

#include "output/elasticsearch_internal.h"

#define BLOCKED "logs-blocked-default"

static int http_up(void **state)
{
    (void)state;
    return http_global_init();
}

static void set_knob(struct rig *r, int knob)
{
    http_stub_lock(r->server.stub);
    r->server.knob = knob;
    http_stub_unlock(r->server.stub);
}

/* targets whose name begins like BLOCKED are refused with the status in knob */
static int blocked(struct fake *f, const struct fake_doc *d, const char *line,
                   const char **ret_error)
{
    (void)line;
    if (f->knob == 0 || strncmp(d->target, "logs-blocked", 12) != 0)
        return 0;
    *ret_error = "\"type\":\"cluster_block_exception\",\"reason\":\"index [x] blocked by: ..\"";
    return f->knob;
}

/* a batch of documents of 600 bytes and more */
static void submit_large(struct rig *r, const char *target, unsigned items)
{
    char text[600];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    rig_submit(r, target, items, text);
}

/* more than fits into the buffer: one batch keeps its own, everything else is free */
static void test_full_buffer(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = blocked;
    r->server.knob = 403;
    r->opts.workers = 2;
    rig_start(r);
    submit_large(r, BLOCKED, 1000);
    submit_large(r, BLOCKED, 1000);
    submit_large(r, BLOCKED, 400);
    RIG_UNTIL(r, r->returned == 2);
    assert_string_equal(r->paused, BLOCKED);
    for (int i = 0; i < 10; i++)
        rig_submit(r, TARGET, 5, "y");
    RIG_UNTIL(r, r->returned == 12);
    assert_int_equal(output_pending(r->output), 2);
    /* while it refuses it is tried with little */
    http_stub_lock(r->server.stub);
    unsigned before = r->server.request_count;
    http_stub_unlock(r->server.stub);
    RIG_UNTIL(r, rig_seen(r, &r->server.request_count) >= before + 3);
    set_knob(r, 0);
    for (unsigned i = before; i < before + 3; i++)
        assert_in_range(r->server.requests[i].bytes, 1, 64 * KIB);
    RIG_DONE(r);
    assert_int_equal(r->server.stored, 2450);
    assert_int_equal(r->returned, 13);
    assert_int_equal(r->idle, 1);
    assert_string_equal(r->paused, "");
    assert_int_equal(r->output->kept_bytes, 0);
    assert_true(ledger_adds_up(&r->ledger));
    assert_int_equal(r->ledger.acknowledged.lines, 2450);
    rig_free(&r);
}

/* a few documents that are refused for now do not hold their batch up */
static int rarely_busy(struct fake *f, const struct fake_doc *d, const char *line,
                       const char **ret_error)
{
    (void)line;
    (void)ret_error;
    return strtoull(d->id + 12, NULL, 16) % 1000 == 0 && f->knob != 0 ? 429 : 0;
}

static void test_few_items_leave_their_batch(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = rarely_busy;
    r->server.knob = 1;
    r->opts.workers = 2;
    rig_start(r);
    for (int i = 0; i < 10; i++)
        rig_submit(r, TARGET, 200, "x");
    RIG_UNTIL(r, r->returned == 10);
    assert_int_equal(output_pending(r->output), 1);
    assert_int_equal(r->pauses, 0); /* the target does not wait */
    assert_int_equal(r->output->pace.limit, 2);
    assert_int_equal(r->smallest, SIZE_MAX);
    assert_int_equal(rig_seen(r, &r->server.stored), 1980);
    set_knob(r, 0);
    RIG_DONE(r);
    assert_int_equal(r->server.stored, 2000);
    for (unsigned i = 0; i < r->server.doc_count; i++)
        assert_true(r->server.docs[i].sends == 1 || i % 100 == 0);
    assert_int_equal(r->ledger.acknowledged.lines, 2000);
    rig_free(&r);
}

/* a twentieth of a batch is back-pressure, less is not */
static int busy_share(struct fake *f, const struct fake_doc *d, const char *line,
                      const char **ret_error)
{
    (void)line;
    (void)ret_error;
    return (int)(strtoull(d->id + 12, NULL, 16) / 10 % 100) < f->knob && d->sends == 1 ? 429 : 0;
}

static void test_share_of_busy_items(void **state)
{
    (void)state;
    static const struct {
        int busy; /* of 100 */
        bool shrinks;
    } cases[] = {{1, false}, {4, false}, {5, true}, {100, true}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig *r = rig_new(1 * MIB);
        r->server.item = busy_share;
        r->server.knob = cases[i].busy;
        r->opts.workers = 4;
        rig_start(r);
        rig_submit(r, TARGET, 100, "x");
        RIG_DONE(r);
        assert_int_equal(r->smallest == SIZE_MAX, !cases[i].shrinks);
        rig_check_stored(r, 100, 2);
        rig_free(&r);
    }
}

/* what comes while the buffer is under way joins it */
static int hold_first_resend(struct fake *f, const struct stub_request *q, unsigned items,
                             struct stub_reply *r)
{
    (void)q;
    (void)items;
    (void)r;
    return f->knob == 2 ? 503 : 0;
}

static void test_buffer_is_joined(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = rarely_busy;
    r->server.whole = hold_first_resend;
    r->server.knob = 1;
    r->opts.workers = 3;
    rig_start(r);
    for (int round = 0; round < 20; round++) {
        rig_submit(r, TARGET, 100, "x");
        set_knob(r, round % 4 == 3 ? 2 : 1);
        for (int i = 0; i < 3; i++)
            loop_once(r->loop, 2);
    }
    set_knob(r, 0);
    RIG_DONE(r);
    assert_int_equal(r->server.stored, 2000);
    assert_int_equal(r->ledger.acknowledged.lines, 2000);
    assert_int_equal(r->returned, 20);
    assert_true(ledger_adds_up(&r->ledger));
    rig_free(&r);
}

/* many targets refuse: memory is bounded, the last ones keep their batches */
static void test_buffers_are_bounded(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = blocked;
    r->server.knob = 429;
    rig_start(r);
    for (int i = 0; i < 20; i++) {
        char target[64];
        snprintf(target, sizeof(target), "logs-blocked.%d-default", i);
        rig_submit(r, target, 3, "x");
    }
    RIG_UNTIL(r, r->returned == 16);
    RIG_UNTIL(r, rig_count(r, OUTPUT_ITEMS_BLOCKED) >= 120);
    assert_int_equal(r->returned, 16);
    assert_int_equal(output_pending(r->output), 20);
    assert_int_equal(r->output->kept_bytes, 16 * MIB);
    set_knob(r, 0);
    RIG_DONE(r);
    assert_int_equal(r->returned, 20);
    rig_check_stored(r, 60, UINT32_MAX);
    rig_free(&r);
}

/* what is kept is let go at the end, unacknowledged */
static void test_stop_with_kept_items(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = blocked;
    r->server.knob = 403;
    rig_start(r);
    rig_submit(r, BLOCKED, 5, "x");
    RIG_UNTIL(r, r->returned == 1);
    assert_int_equal(output_pending(r->output), 1);
    assert_int_equal(r->ledger.in_flight.lines, 5);
    rig_free(&r); /* asserts that every span is back */
}

/* kept documents may be rejected in the end */
static void test_kept_items_are_dead_lettered(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct letters l;
    r->server.item = blocked;
    r->server.knob = 403;
    rig_start(r);
    rig_submit(r, BLOCKED, 5, "x");
    RIG_UNTIL(r, r->returned == 1);
    set_knob(r, 400);
    RIG_DONE(r);
    rig_letters(r, &l);
    assert_int_equal(l.count, 5);
    assert_string_equal(l.target, BLOCKED);
    assert_string_equal(l.source, "/var/log/app.log");
    assert_string_equal(r->paused, ""); /* nothing is left that could try it */
    rig_free(&r);
}

/* the whole request is refused for a target: the same */
static int whole_403(struct fake *f, const struct stub_request *q, unsigned items,
                     struct stub_reply *r)
{
    (void)items;
    (void)r;
    return f->knob != 0 && strstr(q->path, BLOCKED) != NULL ? 403 : 0;
}

static void test_whole_request_refused(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = whole_403;
    r->server.knob = 1;
    rig_start(r);
    for (int i = 0; i < 5; i++)
        rig_submit(r, BLOCKED, 5, "x");
    for (int i = 0; i < 5; i++)
        rig_submit(r, TARGET, 5, "x");
    RIG_UNTIL(r, r->returned == 10);
    assert_int_equal(output_pending(r->output), 1);
    set_knob(r, 0);
    RIG_DONE(r);
    rig_check_stored(r, 50, 1);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_buffer),
        cmocka_unit_test(test_few_items_leave_their_batch),
        cmocka_unit_test(test_share_of_busy_items),
        cmocka_unit_test(test_buffer_is_joined),
        cmocka_unit_test(test_buffers_are_bounded),
        cmocka_unit_test(test_stop_with_kept_items),
        cmocka_unit_test(test_kept_items_are_dead_lettered),
        cmocka_unit_test(test_whole_request_refused),
    };
    return cmocka_run_group_tests_name("output/elasticsearch retry", tests, http_up, NULL);
}
