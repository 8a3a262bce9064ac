/* metrics/uptime: the first number, in milliseconds. */
#include "metrics/uptime.h"

#include <errno.h>

#include "check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        uint64_t ms;
    } cases[] = {
        {"350735.47 234388.90\n", 0, 350735470},
        {"0.00 0.00\n", 0, 0},
        {"59.3 10.1\n", 0, 59300},
        {"7\n", 0, 7000},
        {"32000000000 1\n", 0, 32000000000000},
        {"32000000001 1\n", -EBADMSG, 0},
        {"-1.0 2\n", -EBADMSG, 0},
        {"nan 2\n", -EBADMSG, 0},
        {"inf\n", -EBADMSG, 0},
        {"12.5", -EBADMSG, 0},
        {"\n", -EBADMSG, 0},
        {"", -EBADMSG, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct uptime_sample s = {0};
        CHECK(cases[i].text, uptime_parse(slice_str(cases[i].text), &s) == cases[i].error);
        CHECK(cases[i].text, s.ms == cases[i].ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
