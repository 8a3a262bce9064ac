/* metrics/neighbours: rows of the ARP table, complete ones among them. */
#include "metrics/neighbours.h"

#include <errno.h>

#include "check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        struct counter count, complete;
    } cases[] = {
        {"IP\n10.0.0.1 0x1 0x2 aa:bb\n10.0.0.2 0x1 0x0 00:00\n10.0.0.3 0x1 0x6 aa\n",
         0,
         {true, 3},
         {true, 2}},
        {"IP\n", 0, {true, 0}, {true, 0}},
        {"IP\nbroken\na b c\n1 2 0xzz\n\n", 0, {true, 0}, {true, 0}},
        {"", -EBADMSG, {false, 0}, {false, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct neighbours_sample s = {0};
        CHECK(cases[i].text, neighbours_parse(slice_str(cases[i].text), &s) == cases[i].error);
        check_counter(cases[i].text, &s.counters[NEIGHBOURS_COUNT], cases[i].count);
        check_counter(cases[i].text, &s.counters[NEIGHBOURS_COMPLETE], cases[i].complete);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
