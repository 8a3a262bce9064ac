/*
 * tests/unit/tail/test_sent_days - which day bytes were read on
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/def.h"
#include "tail/sent_days.h"

/* the day of an offset and how far it holds */
static void check(const struct sent_days *d, uint64_t offset, int32_t day, uint64_t until)
{
    uint64_t got = 0;
    assert_int_equal(sent_days_at(d, offset, -1, &got), day);
    assert_int_equal(got, until);
}

/* marks, what lies between them, what is forgotten */
static void test_marks(void **state)
{
    (void)state;
    struct sent_days d = {0};
    check(&d, 0, -1, UINT64_MAX);
    assert_true(sent_days_add(&d, 100, 7));
    assert_false(sent_days_add(&d, 100, 7));
    assert_false(sent_days_add(&d, 500, 7));
    assert_true(sent_days_add(&d, 1000, 8));
    assert_true(sent_days_add(&d, 2000, 10));
    check(&d, 99, -1, 100);
    check(&d, 100, 7, 1000);
    check(&d, 999, 7, 1000);
    check(&d, 1000, 8, 2000);
    check(&d, UINT64_MAX, 10, UINT64_MAX);
    sent_days_prune(&d, 999);
    check(&d, 100, 7, 1000);
    sent_days_prune(&d, 1000);
    check(&d, 100, -1, 1000);
    check(&d, 1000, 8, 2000);
    sent_days_prune(&d, 999999);
    check(&d, 2000, 10, UINT64_MAX);
    assert_int_equal(d.count, 1);
}

/* what is read anew has its new day */
static void test_read_anew(void **state)
{
    (void)state;
    struct sent_days d = {0};
    assert_true(sent_days_add(&d, 0, 1));
    assert_true(sent_days_add(&d, 100, 2));
    assert_true(sent_days_add(&d, 200, 3));
    assert_true(sent_days_add(&d, 100, 4));
    check(&d, 150, 4, UINT64_MAX);
    check(&d, 50, 1, 100);
    assert_true(sent_days_add(&d, 60, 1)); /* the mark at 100 is gone */
    check(&d, 150, 1, UINT64_MAX);
    assert_int_equal(d.count, 1);
}

/* more days than there is room for: the newest count */
static void test_many(void **state)
{
    (void)state;
    struct sent_days d = {0};
    for (int32_t i = 0; i < SENT_DAYS_MAX + 5; i++)
        assert_true(sent_days_add(&d, (uint64_t)i * 10, i));
    assert_int_equal(d.count, SENT_DAYS_MAX);
    check(&d, 0, -1, 50);
    check(&d, 55, 5, 60);
    check(&d, (SENT_DAYS_MAX + 4) * 10, SENT_DAYS_MAX + 4, UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_read_anew),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
