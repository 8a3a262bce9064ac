/* output/status: every entry has a name, no name stands twice */
#include "check.h"

#include <string.h>

#include "output/status.h"

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < OUTPUT_COUNTER_COUNT; i++) {
        const char *name = output_counter_name((enum output_counter)i);
        assert_non_null(name);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, output_counter_name((enum output_counter)j));
    }
    assert_string_equal(output_counter_name(OUTPUT_REPLIES_2XX), "replies_2xx");
    assert_string_equal(output_health_name(OUTPUT_OK), "ok");
    assert_string_equal(output_health_name(OUTPUT_DEGRADED), "degraded");
    assert_string_equal(output_health_name(OUTPUT_FAILED), "failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};
    return cmocka_run_group_tests_name("output/status", tests, NULL, NULL);
}
