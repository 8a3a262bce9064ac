/* metrics/wireless: interfaces, levels with a dot or without, broken rows. */
#include "metrics/wireless.h"

#include <errno.h>

#include "check.h"

#define HEAD "a\nb\n"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        size_t count;
        const char *name;
        double level;
        uint64_t missed;
    } cases[] = {
        {HEAD " wlan0: 0000   54.  -56.  -256        0      0      0      0      0        6\n", 0,
         1, "wlan0", -56, 6},
        {HEAD "w: 0 1 -2 3 0 0 0 0 0 9\nx: 0 1 2 3 0 0 0 0 0 1\n", 0, 2, "w", -2, 9},
        {HEAD, 0, 0, NULL, 0, 0},
        {HEAD "w: 0 1 -2 3 0 0 0 0 0\n", 0, 0, NULL, 0, 0},
        {HEAD "w: 0 x -2 3 0 0 0 0 0 9\n: 0 1 2 3 0 0 0 0 0 1\n", 0, 0, NULL, 0, 0},
        {HEAD "w: 0 1 -2000 3 0 0 0 0 0 9\n", 0, 0, NULL, 0, 0},
        {HEAD "a234567890123456: 0 1 -2 3 0 0 0 0 0 9\n", 0, 0, NULL, 0, 0},
        {HEAD "a23456789012345: 0 1 -2 3 0 0 0 0 0 9\n", 0, 1, "a23456789012345", -2, 9},
        {HEAD "a b: 0 1 -2 3 0 0 0 0 0 9\n", 0, 0, NULL, 0, 0},
        {"a\n", -EBADMSG, 0, NULL, 0, 0},
        {"", -EBADMSG, 0, NULL, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        static struct wireless_sample s;
        memset(&s, 0, sizeof(s));
        CHECK(cases[i].text, wireless_parse(slice_str(cases[i].text), &s) == cases[i].error);
        CHECK(cases[i].text, s.count == cases[i].count);
        if (s.count == 0)
            continue;
        assert_string_equal(s.interfaces[0].name, cases[i].name);
        CHECK(cases[i].text, s.interfaces[0].level_dbm == cases[i].level);
        CHECK(cases[i].text, s.interfaces[0].drops[WIRELESS_MISSED_BEACON] == cases[i].missed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
