/* metrics/time: the kernel answers; its unit of the offset. */
#include "metrics/time.h"

#include <errno.h>

#include "check.h"

static void test_units(void **state)
{
    (void)state;
    const struct timex micros = {.offset = -1500};
    const struct timex nanos = {.offset = -1500, .status = STA_NANO};
    assert_true(time_offset_us(&micros) == -1500.0);
    assert_true(time_offset_us(&nanos) == -1.5);
}

static void test_sample(void **state)
{
    (void)state;
    struct time_sample s = {0};
    struct value v[VALUES_MAX] = {0};
    const struct set_source source = {0};
    assert_int_equal(time_set.sample(&s, &source), 0);
    assert_int_equal(time_set.documents(&s), 1);
    time_set.values(&s, 0, v);
    for (size_t i = 0; i < time_set.field_count; i++)
        CHECK(time_set.fields[i].name, v[i].is_set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
