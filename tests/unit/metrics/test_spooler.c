/* metrics/spooler: what is written, when; what another life sends; what is counted. */
#include "metrics/spooler.h"

#include <errno.h>

#include "base/buf.h"
#include "bench.h"
#include "bulk/docid.h"
#include "fault_fs.h"
#include "metrics/outlet.h"
#include "tmp_dir.h"

#define FEED_BYTES ((size_t)64 * 1024)
#define CPU        "metrics-system.cpu-default"
#define GENERATION "AAAABBBBCCC" /* and one letter for each life */
#define SEEN       512

static struct bench bench;
static struct tmp_dir dir;
static struct spool *spool;
static struct writer *writer;
static struct spooler *spooler;
static struct spool_found found;
static struct seen seen[SEEN];

/* one life on the directory */
static void open_life(const struct fs *fs, uint64_t max_bytes, size_t memory)
{
    struct spool_opts opts = {.fs = fs, .dir = dir.fd, .max_bytes = max_bytes, .now_ns = 1};
    bench_open(&bench, FEED_BYTES, 1000000);
    spool = spool_open(&opts, &found);
    writer = writer_new(bench.loop, NULL, NULL);
    assert_non_null(writer);
    struct spooler_opts o = {
        .loop = bench.loop,
        .feed = bench.feed,
        .ledger = &bench.ledger,
        .writer = writer,
        .spool = spool,
        .memory_bytes = memory,
        .message = bench_message,
        .ctx = &bench,
    };
    spooler = spooler_new(&o);
}

/* lets the store thread finish */
static void settle(void)
{
    bench_run(&bench);
    while (writer_pending(writer) > 0)
        loop_once(bench.loop, 10);
    bench_run(&bench);
}

/* what stays in batches is given up with the process */
static void drop_batches(void)
{
    struct list *node;
    feed_flush(bench.feed);
    while ((node = list_pop_front(&bench.sealed)) != NULL) {
        struct batch *b = LIST_ENTRY(node, struct batch, link);
        batch_abandon(b);
        feed_return(bench.feed, b);
    }
}

/* killed: nothing more is written */
static void kill_life(void)
{
    settle();
    spooler_free(&spooler);
    writer_free(&writer);
    spool_free(&spool);
    drop_batches();
    bench_close(&bench);
}

/* a clean stop while the output is away */
static void stop_life(void)
{
    spooler_close(spooler);
    spooler_end(spooler);
    writer_free(&writer);
    spooler_free(&spooler);
    assert_true(ledger_adds_up(&bench.ledger));
    spool_free(&spool);
    drop_batches();
}

static void put(char life, unsigned number, size_t n)
{
    static char text[8192];
    char generation[DOCID_GENERATION_CHARS + 1];
    (void)snprintf(generation, sizeof(generation), GENERATION "%c", life);
    memset(text, ' ', sizeof(text));
    int used = snprintf(text, sizeof(text), "{\"n\":\"%c%u\"", life, number);
    text[used] = ' ';
    text[n - 1] = '}';
    spooler_put(spooler, generation, number, slice_str(CPU), slice_of(text, n));
}

/* the server answers everything that comes, until nothing does */
static unsigned answer_all(void)
{
    unsigned total = 0;
    for (unsigned idle = 0; idle < 3;) {
        feed_flush(bench.feed);
        unsigned n = bench_answer(&bench, total < SEEN ? seen + total : NULL,
                                  total < SEEN ? SEEN - total : 0);
        total += n;
        spooler_drain(spooler);
        settle();
        idle = n == 0 && list_is_empty(&bench.sealed) ? idle + 1 : 0;
    }
    return total;
}

/* seen[from...] must be the documents first..last of a life, each under its id */
static void check_seen(unsigned from, char life, unsigned first, unsigned last)
{
    char expected[200];
    for (unsigned i = first; i <= last; i++) {
        (void)snprintf(expected, sizeof(expected),
                       "{\"create\":{\"_id\":\"" GENERATION "%c%013x\"}}", life, i);
        assert_string_equal(seen[from + i - first].action, expected);
        (void)snprintf(expected, sizeof(expected), "{\"n\":\"%c%u\"", life, i);
        assert_memory_equal(seen[from + i - first].document, expected, strlen(expected));
    }
}

/* each answered in time, whatever the period: nothing was ever written */
static void test_healthy(void **state)
{
    (void)state;
    static struct fault_fs ff;
    tmp_dir_make(&dir);
    fault_fs_init(&ff, fs_system());
    open_life(&ff.fs, MIB, MIB);
    for (unsigned i = 0; i < 100; i++) {
        put('a', i, 100);
        bench_advance(&bench, 100);
        bench_advance(&bench, 800);
        settle();
        assert_int_equal(bench_answer(&bench, seen, SEEN), 1);
        bench_advance(&bench, i % 2 == 0 ? 9100 : 50);
        settle();
    }
    assert_int_equal(fault_fs_calls(&ff), 0);
    assert_int_equal(bench.ledger.acknowledged.lines, 100);
    stop_life();
    bench_close(&bench);
    assert_int_equal(tmp_dir_count(&dir), 0);
    tmp_dir_remove(&dir);
}

/* the first answer does not come: what is on its way and what waits is written, then all is sent
 * once, in order */
static void test_outage(void **state)
{
    (void)state;
    tmp_dir_make(&dir);
    open_life(fs_system(), MIB, MIB);
    for (unsigned i = 0; i < 360; i++) {
        put('a', i, 200);
        bench_advance(&bench, 10000);
        settle();
    }
    assert_int_equal(bench.seals, 1);
    assert_int_equal(bench.ledger.read.lines, 1);
    assert_true(spool_bytes(spool) > 10000);
    assert_int_equal(answer_all(), 360);
    check_seen(0, 'a', 0, 359);
    assert_int_equal(bench.ledger.acknowledged.lines, 360);
    assert_int_equal(tmp_dir_count(&dir), 0);
    put('a', 360, 200);
    assert_int_equal(answer_all(), 1);
    assert_int_equal(bench.message_count, 0);
    stop_life();
    bench_close(&bench);
    tmp_dir_remove(&dir);
}

/* three lives without an answer, two of them killed; the fourth sends everything under its ids */
static void test_killed(void **state)
{
    (void)state;
    tmp_dir_make(&dir);
    for (char life = 'a'; life <= 'c'; life++) {
        open_life(fs_system(), MIB, MIB);
        spooler_drain(spooler);
        settle();
        for (unsigned i = 0; i < 50; i++) {
            put(life, i, 200);
            bench_advance(&bench, 1000);
            settle();
        }
        if (life == 'b') {
            stop_life();
            bench_close(&bench);
        } else {
            kill_life();
        }
    }
    open_life(fs_system(), MIB, MIB);
    assert_int_equal(found.held.documents, 150);
    assert_int_equal(found.held.bytes, 150 * 200);
    put('d', 0, 200);
    assert_int_equal(answer_all(), 151);
    for (unsigned i = 0; i < 3; i++)
        check_seen(50 * i, (char)('a' + i), 0, 49);
    check_seen(150, 'd', 0, 0);
    assert_int_equal(bench.ledger.acknowledged.lines, 151);
    assert_int_equal(tmp_dir_count(&dir), 0);
    stop_life();
    bench_close(&bench);
    tmp_dir_remove(&dir);
}

/* stopped at once: what is on its way and what waits is there the next time */
static void test_stop(void **state)
{
    (void)state;
    tmp_dir_make(&dir);
    open_life(fs_system(), MIB, MIB);
    for (unsigned i = 0; i < 3; i++)
        put('a', i, 100);
    feed_flush(bench.feed);
    for (unsigned i = 3; i < 8; i++)
        put('a', i, 100);
    stop_life();
    assert_int_equal(bench.ledger.in_flight.lines, 3);
    assert_int_equal(bench.ledger.read.lines, 3);
    bench_close(&bench);
    open_life(fs_system(), MIB, MIB);
    assert_int_equal(found.held.documents, 8);
    assert_int_equal(answer_all(), 8);
    check_seen(0, 'a', 3, 7);
    check_seen(5, 'a', 0, 2);
    stop_life();
    bench_close(&bench);
    tmp_dir_remove(&dir);
}

/* the oldest are dropped; dropped and sent are all there were */
static void test_full(void **state)
{
    (void)state;
    tmp_dir_make(&dir);
    open_life(fs_system(), 64 * KIB, MIB);
    enum { COUNT = 2000 };
    for (unsigned i = 0; i < COUNT; i++) {
        put('a', i, 300 + i % 7);
        bench_advance(&bench, 1000);
        settle();
        if (bench.message_count > 1)
            bench.message_count = 1;
    }
    uint64_t dropped = bench.ledger.abandoned[ABANDON_SPOOL].lines;
    assert_true(dropped > 1000 && dropped < COUNT);
    assert_non_null(strstr(bench.messages[0], "metrics wait for the output and the spool is full"));
    bench.message_count = 0;
    assert_int_equal(answer_all(), COUNT - dropped);
    assert_int_equal(bench.ledger.read.lines, COUNT);
    assert_int_equal(bench.ledger.abandoned[ABANDON_QUEUE].lines, 0);
    stop_life();
    bench_close(&bench);
    tmp_dir_remove(&dir);
}

/* a disk that takes nothing: memory holds what it can, the rest is counted; then it takes again */
static void test_no_space(void **state)
{
    (void)state;
    static struct fault_fs ff;
    tmp_dir_make(&dir);
    fault_fs_init(&ff, fs_system());
    ff.kinds = FAULT_BIT(FAULT_OPENAT) | FAULT_BIT(FAULT_PWRITE);
    open_life(&ff.fs, MIB, 20000);
    fault_fs_fail(&ff, 1, ENOSPC);
    ff.is_sticky = true;
    for (unsigned i = 0; i < 300; i++) {
        put('a', i, 200);
        if (i % 20 == 0)
            bench_advance(&bench, 10000);
        settle();
    }
    uint64_t dropped = bench.ledger.abandoned[ABANDON_QUEUE].lines;
    assert_true(dropped > 150 && dropped < 290);
    assert_string_equal(bench.messages[0],
                        "cannot write the spool of metrics: No space left on device; they wait in "
                        "memory");
    bench.message_count = 0;
    fault_fs_reset(&ff);
    bench_advance(&bench, 10000);
    settle();
    assert_true(spool_bytes(spool) > 0);
    assert_int_equal(answer_all(), 300 - dropped);
    assert_int_equal(bench.ledger.read.lines, 300);
    assert_int_equal(tmp_dir_count(&dir), 0);
    stop_life();
    bench_close(&bench);
    tmp_dir_remove(&dir);
}

/* the disk takes nothing until the end: what waited is counted, what was sent is in flight */
static void test_no_space_at_the_end(void **state)
{
    (void)state;
    static struct fault_fs ff;
    tmp_dir_make(&dir);
    fault_fs_init(&ff, fs_system());
    open_life(&ff.fs, MIB, 20000);
    fault_fs_fail(&ff, 1, EROFS);
    ff.is_sticky = true;
    put('a', 0, 200);
    feed_flush(bench.feed);
    for (unsigned i = 1; i < 10; i++)
        put('a', i, 200);
    stop_life();
    assert_int_equal(bench.ledger.abandoned[ABANDON_SHUTDOWN].lines, 9);
    assert_int_equal(bench.ledger.abandoned[ABANDON_SHUTDOWN].bytes, 1800);
    assert_int_equal(bench.ledger.in_flight.lines, 1);
    bench_close(&bench);
    tmp_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy),
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_no_space),
        cmocka_unit_test(test_no_space_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
