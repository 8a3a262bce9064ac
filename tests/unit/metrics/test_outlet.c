/* metrics/outlet: ids and targets, waiting, dropping, and what the ledger says of it. */
#include "metrics/outlet.h"

#include "bench.h"
#include "bulk/docid.h"

#define FEED_BYTES ((size_t)64 * 1024)

#define CPU  "metrics-system.cpu-default"
#define LOAD "metrics-system.load-default"

static struct bench bench;
static struct outlet *outlet;

static void open_outlet(size_t backlog_bytes)
{
    bench_open(&bench, FEED_BYTES, 1000000);
    struct outlet_opts opts = {
        .loop = bench.loop,
        .feed = bench.feed,
        .ledger = &bench.ledger,
        .backlog_bytes = backlog_bytes,
        .message = bench_message,
        .ctx = &bench,
    };
    outlet = outlet_new(&opts);
}

static void close_outlet(void)
{
    outlet_free(&outlet);
    assert_null(outlet);
    outlet_free(&outlet);
    bench_close(&bench);
}

/* a document of exactly n bytes that holds a number */
static struct slice numbered(unsigned number, size_t n)
{
    static char text[8192];
    assert_true(n >= 16 && n <= sizeof(text));
    memset(text, ' ', n);
    (void)snprintf(text, 12, "{\"n\":%u", number);
    text[strlen(text)] = ' ';
    text[n - 1] = '}';
    return slice_of(text, n);
}

/* the sequence number at the end of an id */
static unsigned long sequence_of(const struct seen *s)
{
    unsigned long v = 0;
    const char *id = strstr(s->action, "\"_id\":\"");
    assert_non_null(id);
    assert_int_equal(sscanf(id + 7 + DOCID_GENERATION_CHARS, "%13lx\"}}", &v), 1);
    return v;
}

static void test_ids_and_targets(void **state)
{
    (void)state;
    static struct seen seen[3];
    open_outlet(1000);
    outlet_put(outlet, CPU, numbered(0, 100));
    outlet_put(outlet, LOAD, numbered(1, 100));
    outlet_put(outlet, CPU, numbered(2, 100));
    assert_int_equal(bench.ledger.read.lines, 3);
    assert_int_equal(bench.ledger.in_flight.bytes, 300);
    assert_int_equal(bench_answer_all(&bench, seen, 3), 3);
    assert_int_equal(bench.seals, 1);
    char generation[DOCID_GENERATION_CHARS + 1];
    assert_int_equal(sscanf(seen[0].action,
                            "{\"create\":{\"_id\":\"%12[A-Za-z0-9_-]0000000000000\"}}", generation),
                     1);
    assert_int_equal(strlen(generation), DOCID_GENERATION_CHARS);
    char expected[200];
    (void)snprintf(expected, sizeof(expected), "{\"create\":{\"_id\":\"%s0000000000000\"}}",
                   generation);
    assert_string_equal(seen[0].action, expected);
    (void)snprintf(expected, sizeof(expected),
                   "{\"create\":{\"_index\":\"" LOAD "\",\"_id\":\"%s0000000000001\"}}",
                   generation);
    assert_string_equal(seen[1].action, expected);
    (void)snprintf(expected, sizeof(expected), "{\"create\":{\"_id\":\"%s0000000000002\"}}",
                   generation);
    assert_string_equal(seen[2].action, expected);
    for (int i = 0; i < 3; i++)
        assert_string_equal(seen[i].url, CPU);
    assert_int_equal(bench.ledger.acknowledged.lines, 3);
    assert_int_equal(bench.ledger.acknowledged.bytes, 300);
    assert_int_equal(bench.ledger.documents[DOCUMENT_CREATED], 3);
    close_outlet();
}

/* one span for what follows each other */
static void test_spans(void **state)
{
    (void)state;
    open_outlet(1000);
    for (unsigned i = 0; i < 5; i++)
        outlet_put(outlet, CPU, numbered(i, 50));
    feed_flush(bench.feed);
    const struct batch *b = LIST_ENTRY(bench.sealed.next, struct batch, link);
    assert_int_equal(b->span_count, 1);
    assert_int_equal(b->spans[0]->from, 0);
    assert_int_equal(b->spans[0]->to, 5);
    assert_int_equal(b->spans[0]->shipped.bytes, 250);
    assert_string_equal(b->spans[0]->owner->source, "");
    bench_answer_all(&bench, NULL, 0);
    close_outlet();
}

/* 3 are on their way, 2 wait and go on in order when the answer comes */
static void test_waiting(void **state)
{
    (void)state;
    static struct seen seen[8];
    open_outlet(1000);
    for (unsigned i = 0; i < 3; i++)
        outlet_put(outlet, CPU, numbered(i, 100));
    feed_flush(bench.feed);
    for (unsigned i = 3; i < 5; i++)
        outlet_put(outlet, LOAD, numbered(i, 100));
    assert_int_equal(bench.ledger.read.lines, 3); /* waiting is not in the ledger yet */
    assert_int_equal(bench_answer(&bench, seen, 8), 3);
    outlet_drain(outlet);
    outlet_put(outlet, CPU, numbered(5, 100));
    assert_int_equal(bench_answer_all(&bench, seen + 3, 5), 3);
    for (unsigned i = 0; i < 6; i++) {
        unsigned n = 99;
        assert_int_equal(sscanf(seen[i].document, "{\"n\":%u", &n), 1);
        assert_int_equal(n, i);
        assert_int_equal(sequence_of(&seen[i]), i);
        assert_string_equal(seen[i].url, i < 3 ? CPU : LOAD);
    }
    assert_int_equal(bench.message_count, 0);
    close_outlet();
}

/* the next document takes along what waits, also when nobody called outlet_drain */
static void test_order_without_drain(void **state)
{
    (void)state;
    static struct seen seen[3];
    open_outlet(1000);
    outlet_put(outlet, CPU, numbered(0, 100));
    feed_flush(bench.feed);
    outlet_put(outlet, CPU, numbered(1, 100));
    assert_int_equal(bench_answer(&bench, seen, 1), 1);
    outlet_put(outlet, CPU, numbered(2, 100));
    assert_int_equal(bench_answer_all(&bench, seen + 1, 2), 2);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sequence_of(&seen[i]), i);
    close_outlet();
}

/* room for 10 of 100 bytes (and their entries): of 25 the oldest 15 go */
static void test_full_queue(void **state)
{
    (void)state;
    static struct seen seen[16];
    open_outlet(10 * 124);
    outlet_put(outlet, CPU, numbered(0, 100));
    feed_flush(bench.feed);
    for (unsigned i = 1; i <= 25; i++)
        outlet_put(outlet, CPU, numbered(i, 100));
    assert_int_equal(bench.ledger.abandoned[ABANDON_QUEUE].lines, 15);
    assert_int_equal(bench.ledger.abandoned[ABANDON_QUEUE].bytes, 1500);
    assert_int_equal(bench.message_count, 1);
    assert_string_equal(bench.messages[0], "metrics wait for the output and the queue is full, "
                                           "dropped the 1 oldest documents");
    bench_advance(&bench, 59999);
    outlet_put(outlet, CPU, numbered(26, 100));
    assert_int_equal(bench.message_count, 1);
    bench_advance(&bench, 1);
    outlet_put(outlet, CPU, numbered(27, 100));
    assert_int_equal(bench.message_count, 2);
    assert_string_equal(bench.messages[1], "metrics wait for the output and the queue is full, "
                                           "dropped the 16 oldest documents");
    assert_int_equal(bench_answer(&bench, NULL, 0), 1);
    outlet_drain(outlet);
    assert_int_equal(bench_answer_all(&bench, seen, 16), 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(sequence_of(&seen[i]), 18 + i);
    assert_int_equal(bench.ledger.acknowledged.lines, 11);
    assert_int_equal(bench.ledger.abandoned[ABANDON_QUEUE].lines, 17);
    assert_int_equal(bench.ledger.read.lines, 28);
    close_outlet();
}

/* larger than the whole queue: only itself is lost, with what it pushed out */
static void test_larger_than_the_queue(void **state)
{
    (void)state;
    open_outlet(300);
    outlet_put(outlet, CPU, numbered(0, 100));
    feed_flush(bench.feed);
    outlet_put(outlet, CPU, numbered(1, 1000));
    assert_int_equal(bench.ledger.abandoned[ABANDON_QUEUE].lines, 1);
    assert_int_equal(bench.ledger.abandoned[ABANDON_QUEUE].bytes, 1000);
    assert_int_equal(bench_answer_all(&bench, NULL, 0), 1);
    close_outlet();
}

/* a batch that fills up goes, and the rest waits */
static void test_more_than_a_batch(void **state)
{
    (void)state;
    open_outlet(2 * MIB);
    unsigned total = 0;
    for (unsigned i = 0; i < 40; i++)
        outlet_put(outlet, CPU, numbered(i, 8000));
    assert_int_equal(bench.seals, 1);
    while (total < 40) {
        unsigned n = bench_answer(&bench, NULL, 0);
        assert_true(n > 0 && n <= 8);
        total += n;
        outlet_drain(outlet);
        if (list_is_empty(&bench.sealed))
            feed_flush(bench.feed);
    }
    assert_int_equal(total, 40);
    assert_int_equal(bench.ledger.acknowledged.bytes, 320000);
    close_outlet();
}

static void test_close(void **state)
{
    (void)state;
    open_outlet(1000);
    outlet_put(outlet, CPU, numbered(0, 100));
    feed_flush(bench.feed);
    outlet_put(outlet, CPU, numbered(1, 100));
    outlet_put(outlet, CPU, numbered(2, 200));
    outlet_close(outlet);
    assert_int_equal(bench.ledger.abandoned[ABANDON_SHUTDOWN].lines, 2);
    assert_int_equal(bench.ledger.abandoned[ABANDON_SHUTDOWN].bytes, 300);
    assert_int_equal(bench_answer_all(&bench, NULL, 0), 1);
    outlet_put(outlet, CPU, numbered(3, 100));
    outlet_close(outlet); /* a batch is open: nothing waits */
    assert_int_equal(bench.ledger.abandoned[ABANDON_SHUTDOWN].lines, 2);
    assert_int_equal(bench_answer_all(&bench, NULL, 0), 1);
    close_outlet();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_and_targets),   cmocka_unit_test(test_spans),
        cmocka_unit_test(test_waiting),           cmocka_unit_test(test_order_without_drain),
        cmocka_unit_test(test_full_queue),        cmocka_unit_test(test_larger_than_the_queue),
        cmocka_unit_test(test_more_than_a_batch), cmocka_unit_test(test_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
