/* output/backoff: ceilings, jitter over the whole range, Retry-After */
#include "check.h"

#include "output/backoff.h"

static const struct backoff_opts opts = {.init_ms = 1000, .max_ms = 60000};

static void test_ceilings(void **state)
{
    (void)state;
    static const struct {
        unsigned failures;
        int64_t ceiling;
    } rows[] = {{0, 0},     {1, 1000},  {2, 2000},   {3, 4000},           {6, 32000},
                {7, 60000}, {8, 60000}, {64, 60000}, {4000000000u, 60000}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t top = (uint64_t)rows[i].ceiling; /* rnd % (ceiling + 1) is the ceiling itself */
        assert_int_equal(backoff_delay(&opts, rows[i].failures, 0, top), rows[i].ceiling);
        assert_int_equal(backoff_delay(&opts, rows[i].failures, 0, top + 1), 0);
        assert_int_equal(backoff_delay(&opts, rows[i].failures, 0, 0), 0);
    }
}

static void test_retry_after(void **state)
{
    (void)state;
    assert_int_equal(backoff_delay(&opts, 0, 5000, 0), 5000);
    assert_int_equal(backoff_delay(&opts, 9, 5000, 1000), 6000);
    assert_int_equal(backoff_delay(&opts, 9, 300000, 1001), 300000);
}

static void test_extremes(void **state)
{
    (void)state;
    const struct backoff_opts wide = {.init_ms = 3, .max_ms = INT64_MAX};
    assert_in_range(backoff_delay(&wide, 200, 0, UINT64_MAX), 0, INT64_MAX);
    const struct backoff_opts one = {.init_ms = 1, .max_ms = 1};
    assert_int_equal(backoff_delay(&one, 5, 0, 1), 1);
    assert_int_equal(backoff_delay(&one, 5, 0, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests_name("output/backoff", tests, NULL, NULL);
}
