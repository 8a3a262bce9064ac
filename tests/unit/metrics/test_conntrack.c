/* metrics/conntrack: columns by name, rows of processors summed, entries not. */
#include "metrics/conntrack.h"

#include <errno.h>

#include "check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct counter drop, entries, restarts;
    } cases[] = {
        {"entries drop search_restart\n0a 01 02\n0a 10 0f\n", {true, 17}, {false, 0}, {true, 17}},
        {"drop\nffffffff\nffffffff\n", {true, 2 * UINT64_C(0xffffffff)}, {false, 0}, {false, 0}},
        {"drop search_restart\n01\n", {true, 1}, {false, 0}, {false, 0}},
        {"drop\nxyz\n-1\n", {false, 0}, {false, 0}, {false, 0}},
        {"drop\n", {false, 0}, {false, 0}, {false, 0}},
        {"drop\n01", {false, 0}, {false, 0}, {false, 0}},
        {"", {false, 0}, {false, 0}, {false, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conntrack_sample s = {0};
        conntrack_parse_stat(slice_str(cases[i].text), &s);
        check_counter(cases[i].text, &s.counters[CONNTRACK_DROP], cases[i].drop);
        check_counter(cases[i].text, &s.counters[CONNTRACK_ENTRIES], cases[i].entries);
        check_counter(cases[i].text, &s.counters[CONNTRACK_SEARCH_RESTART], cases[i].restarts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
