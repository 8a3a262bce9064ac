/* metrics/vmstat: names and numbers; the zones of allocstall are summed. */
#include "metrics/vmstat.h"

#include <errno.h>

#include "check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        struct counter stall, kills, faults;
    } cases[] = {
        {"allocstall_dma 1\nallocstall_normal 2\noom_kill 3\npgfault 4\n",
         0,
         {true, 3},
         {true, 3},
         {true, 4}},
        {"allocstall 5\npgfault 12\n", 0, {true, 5}, {false, 0}, {true, 12}},
        {"pgfault 1\npgfault 2\n", 0, {false, 0}, {false, 0}, {true, 1}},
        {"allocstall_a 9223372036854775807\nallocstall_b 1\n",
         0,
         {true, INT64_MAX},
         {false, 0},
         {false, 0}},
        {"pgfault -1\nnr_free 3\n", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"pgfault 12", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct vmstat_sample s = {0};
        CHECK(cases[i].text, vmstat_parse(slice_str(cases[i].text), &s) == cases[i].error);
        check_counter(cases[i].text, &s.counters[VMSTAT_ALLOCSTALL], cases[i].stall);
        check_counter(cases[i].text, &s.counters[VMSTAT_OOM_KILL], cases[i].kills);
        check_counter(cases[i].text, &s.counters[VMSTAT_PGFAULT], cases[i].faults);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
