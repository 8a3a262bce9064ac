/* bulk/ledger: every way into it keeps both sides equal, a wrong number on either side is seen,
 * sums and the JSON are exact. */
#include "bulk/ledger.h"

#include "bulk_test.h"

/* a count */
static struct ledger_count count(uint64_t bytes, uint64_t lines)
{
    return (struct ledger_count){bytes, lines};
}

/* a ledger in which every counter has a value of its own */
static void fill(struct ledger *l)
{
    *l = (struct ledger){0};
    ledger_read(l, count(1000, 100));
    ledger_resolve(l, count(500, 50), count(100, 10));
    for (unsigned i = 0; i < SKIP_COUNT; i++)
        ledger_skip(l, (enum ledger_skip)i, count(10 + i, 1 + i));
    for (unsigned i = 0; i < ABANDON_COUNT; i++)
        ledger_abandon(l, (enum ledger_abandon)i, count(20 + i, 2 + i));
    for (unsigned i = 0; i < DOCUMENT_COUNT; i++)
        l->documents[i] = 30 + i;
}

static void each_way_in_adds_up(void **state)
{
    (void)state;
    struct ledger l = {0};
    assert_true(ledger_adds_up(&l));
    ledger_read(&l, count(10, 2));
    assert_true(ledger_adds_up(&l));
    assert_true(count_is(l.read, 10, 2) && count_is(l.in_flight, 10, 2));
    ledger_resolve(&l, count(6, 1), count(0, 0));
    assert_true(ledger_adds_up(&l));
    assert_true(count_is(l.acknowledged, 6, 1) && count_is(l.in_flight, 4, 1));
    ledger_resolve(&l, count(1, 0), count(3, 1));
    assert_true(ledger_adds_up(&l));
    assert_true(count_is(l.acknowledged, 7, 1) && count_is(l.dead_lettered, 3, 1));
    assert_true(count_is(l.in_flight, 0, 0));
    ledger_skip(&l, SKIP_NUL, count(5, 0));
    assert_true(ledger_adds_up(&l));
    assert_true(count_is(l.read, 15, 2) && count_is(l.skipped[SKIP_NUL], 5, 0));
    ledger_abandon(&l, ABANDON_IO, count(7, 3));
    assert_true(ledger_adds_up(&l));
    assert_true(count_is(l.read, 22, 5) && count_is(l.abandoned[ABANDON_IO], 7, 3));
}

/* each counter on either side matters, in bytes and in lines */
static void one_wrong_number_is_seen(void **state)
{
    (void)state;
    struct ledger good;
    fill(&good);
    assert_true(ledger_adds_up(&good));
    size_t counters = offsetof(struct ledger, documents) / sizeof(uint64_t);
    for (size_t i = 0; i < counters; i++) {
        struct ledger l = good;
        uint64_t value;
        memcpy(&value, (char *)&l + i * sizeof(value), sizeof(value));
        value++;
        memcpy((char *)&l + i * sizeof(value), &value, sizeof(value));
        assert_false(ledger_adds_up(&l));
    }
}

static void sum_adds_every_counter(void **state)
{
    (void)state;
    struct ledger l, sum = {0};
    fill(&l);
    for (int i = 0; i < 3; i++)
        ledger_sum(&sum, &l);
    assert_true(ledger_adds_up(&sum));
    for (size_t i = 0; i < sizeof(l) / sizeof(uint64_t); i++) {
        uint64_t one, three;
        memcpy(&one, (const char *)&l + i * sizeof(one), sizeof(one));
        memcpy(&three, (const char *)&sum + i * sizeof(three), sizeof(three));
        assert_true(one != 0 && three == 3 * one);
    }
}

/* the JSON of a ledger */
static const char *json_of(struct buf *b, const struct ledger *l)
{
    struct json_writer w;
    buf_reset(b);
    json_begin(&w, b);
    ledger_write(l, &w);
    assert_int_equal(json_done(&w), 0);
    assert_true(is_json_object(buf_slice(b)));
    return buf_cstr(b);
}

static void json_is_exact(void **state)
{
    (void)state;
    struct buf b;
    struct ledger l = {0};
    buf_init(&b, 64 * KIB);
    assert_string_equal(
        json_of(&b, &l),
        "{\"read\":{\"bytes\":0,\"lines\":0},\"acknowledged\":{\"bytes\":0,\"lines\":0},"
        "\"dead_lettered\":{\"bytes\":0,\"lines\":0},"
        "\"abandoned\":{\"bytes\":0,\"lines\":0,\"reasons\":{}},"
        "\"skipped\":{\"bytes\":0,\"lines\":0,\"reasons\":{}},"
        "\"in_flight\":{\"bytes\":0,\"lines\":0},"
        "\"documents\":{\"encoded\":0,\"created\":0,\"duplicate\":0,\"dead_lettered\":0,"
        "\"resent\":0,\"truncated\":0,\"bad_utf8\":0,\"maybe_repeated\":0,\"partial\":0,"
        "\"undecoded\":0,\"mounts_away\":0,\"file_cuts\":0}}");
    ledger_read(&l, count(UINT64_MAX - 20, 9));
    ledger_skip(&l, SKIP_START_AT, count(7, 0));    /* bytes alone are shown */
    ledger_abandon(&l, ABANDON_QUEUE, count(0, 4)); /* lines alone too */
    ledger_abandon(&l, ABANDON_DELETED, count(1, 1));
    l.documents[DOCUMENT_ENCODED] = 9;
    assert_string_equal(
        json_of(&b, &l),
        "{\"read\":{\"bytes\":18446744073709551603,\"lines\":14},"
        "\"acknowledged\":{\"bytes\":0,\"lines\":0},\"dead_lettered\":{\"bytes\":0,\"lines\":0},"
        "\"abandoned\":{\"bytes\":1,\"lines\":5,\"reasons\":{\"deleted\":{\"bytes\":1,\"lines\":1},"
        "\"queue_full\":{\"bytes\":0,\"lines\":4}}},"
        "\"skipped\":{\"bytes\":7,\"lines\":0,\"reasons\":{\"start_at\":{\"bytes\":7,"
        "\"lines\":0}}},"
        "\"in_flight\":{\"bytes\":18446744073709551595,\"lines\":9},"
        "\"documents\":{\"encoded\":9,\"created\":0,\"duplicate\":0,\"dead_lettered\":0,"
        "\"resent\":0,\"truncated\":0,\"bad_utf8\":0,\"maybe_repeated\":0,\"partial\":0,"
        "\"undecoded\":0,\"mounts_away\":0,\"file_cuts\":0}}");
    buf_clear(&b);
}

/* names are given and differ within their table */
static void names_differ(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SKIP_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(ledger_skip_name((enum ledger_skip)i),
                                    ledger_skip_name((enum ledger_skip)j));
    for (unsigned i = 0; i < ABANDON_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(ledger_abandon_name((enum ledger_abandon)i),
                                    ledger_abandon_name((enum ledger_abandon)j));
    for (unsigned i = 0; i < DOCUMENT_COUNT; i++)
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(ledger_document_name((enum ledger_document)i),
                                    ledger_document_name((enum ledger_document)j));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_in_adds_up),    cmocka_unit_test(one_wrong_number_is_seen),
        cmocka_unit_test(sum_adds_every_counter), cmocka_unit_test(json_is_exact),
        cmocka_unit_test(names_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
