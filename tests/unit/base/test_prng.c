/* base/prng: repeatable, in range, roughly even, never stuck. */
#include "base/prng.h"

#include "base/def.h"
#include "check.h"

static void same_seed_same_numbers(void **state)
{
    (void)state;
    struct prng a, b, c;
    prng_init(&a, 42);
    prng_init(&b, 42);
    prng_init(&c, 43);
    int differing = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t v = prng_next(&a);
        assert_true(v == prng_next(&b));
        differing += v != prng_next(&c) ? 1 : 0;
    }
    assert_int_equal(differing, 100);
}

static void seed_zero_is_not_stuck(void **state)
{
    (void)state;
    struct prng r;
    prng_init(&r, 0);
    assert_true(r.s[0] != 0 || r.s[1] != 0);
    uint64_t any = 0;
    uint64_t all = UINT64_MAX;
    for (int i = 0; i < 200; i++) {
        uint64_t v = prng_next(&r);
        any |= v;
        all &= v;
    }
    assert_true(any == UINT64_MAX && all == 0);
}

static void ranges(void **state)
{
    (void)state;
    static const int64_t limits[] = {
        0, 1, 2, 3, 7, 8, 9, 1000, INT64_C(1) << 40, INT64_MAX - 1, INT64_MAX,
    };
    struct prng r;
    prng_init(&r, 1);
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        int64_t largest = 0;
        for (int k = 0; k < 10000; k++) {
            int64_t v = prng_upto(&r, limits[i]);
            assert_true(v >= 0 && v <= limits[i]);
            largest = v > largest ? v : largest;
        }
        /* 10000 draws come within a hundredth of the limit */
        assert_true(largest >= limits[i] - limits[i] / 100);
    }
}

static void draws_are_even(void **state)
{
    (void)state;
    enum { SIDES = 10, DRAWS = 100000 };
    int seen[SIDES] = {0};
    struct prng r;
    prng_init(&r, 99);
    for (int i = 0; i < DRAWS; i++)
        seen[prng_upto(&r, SIDES - 1)]++;
    /* five standard deviations of 95 each */
    for (int i = 0; i < SIDES; i++)
        assert_in_range(seen[i], DRAWS / SIDES - 475, DRAWS / SIDES + 475);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_seed_same_numbers),
        cmocka_unit_test(seed_zero_is_not_stuck),
        cmocka_unit_test(ranges),
        cmocka_unit_test(draws_are_even),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
