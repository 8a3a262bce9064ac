/* metrics/softnet: columns without names, fewer of them on old kernels. */
#include "metrics/softnet.h"

#include <errno.h>

#include "check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        struct counter processed, squeezed, backlog;
    } cases[] = {
        {"0a 01 02 0 0 0 0 0 0 03 04 05 00\n0b 01 03 0 0 0 0 0 0 03 04 06 01\n",
         0,
         {true, 21},
         {true, 5},
         {true, 11}},
        {"0a 01 02 0 0 0 0 0 0\n", 0, {true, 10}, {true, 2}, {false, 0}},
        {"0a 01\n", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"0a 01 zz\n", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"0a 01 02", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"\n", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct softnet_sample s = {0};
        CHECK(cases[i].text, softnet_parse(slice_str(cases[i].text), &s) == cases[i].error);
        check_counter(cases[i].text, &s.counters[SOFTNET_PROCESSED], cases[i].processed);
        check_counter(cases[i].text, &s.counters[SOFTNET_TIME_SQUEEZE], cases[i].squeezed);
        check_counter(cases[i].text, &s.counters[SOFTNET_BACKLOG], cases[i].backlog);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
