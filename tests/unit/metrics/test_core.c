/* metrics/core: lines of processors, also with holes; one that comes back has no spike. */
#include "metrics/core.h"

#include <errno.h>

#include "base/mem.h"
#include "check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        size_t count;
        unsigned last;
    } cases[] = {
        {"cpu 1 2 3 4\ncpu0 1 2 3 4\ncpu7 1 2 3 4 5 6 7 8 9 10\nintr 1\n", 0, 2, 7},
        {"cpu0 1 2 3\ncpu1 1 2 3 4\n", 0, 1, 1},
        {"cpux 1 2 3 4\ncpu65536 1 2 3 4\n", -EBADMSG, 0, 0},
        {"cpu 1 2 3 4\n", -EBADMSG, 0, 0},
        {"cpu0 1 2 3 4", -EBADMSG, 0, 0},
        {"", -EBADMSG, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct core_sample s = {0};
        CHECK(cases[i].text, core_parse(slice_str(cases[i].text), &s) == cases[i].error);
        CHECK(cases[i].text, s.count == cases[i].count);
        if (s.count > 0)
            CHECK(cases[i].text, s.cores[s.count - 1].id == cases[i].last);
        core_sample_clear(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
