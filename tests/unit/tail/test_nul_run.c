/* tail/nul_run: where padding begins and ends. */
#include "tail/nul_run.h"

#include <string.h>

#include "base/def.h"
#include "tail_test.h"

static void finds_runs(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text; /* 0 stands for a NUL */
        size_t from, min, begin, end;
    } cases[] = {
        {"no NUL", "abc", 0, 2, 3, 3},
        {"nothing", "", 0, 2, 0, 0},
        {"too short", "a0b", 0, 2, 3, 3},
        {"long enough", "a00b", 0, 2, 1, 3},
        {"longer", "a0000b", 0, 2, 1, 5},
        {"the first of two", "a00b00c", 0, 2, 1, 3},
        {"a short one before it", "0a0b00c", 0, 2, 4, 6},
        {"at the end", "a00", 0, 2, 1, 3},
        {"short at the end", "a0", 0, 2, 2, 2},
        {"nothing but NUL", "000", 0, 2, 0, 3},
        {"what lies before counts", "a00b", 2, 2, 2, 3},
        {"what lies before text does not", "00a0b", 2, 2, 5, 5},
        {"all of it lies before", "00ab", 2, 2, 4, 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[16];
        size_t n = strlen(cases[i].text), end = 99;
        for (size_t k = 0; k < n; k++)
            text[k] = cases[i].text[k] == '0' ? '\0' : cases[i].text[k];
        CHECK(cases[i].name,
              nul_run_find(text, cases[i].from, n, cases[i].min, &end) == cases[i].begin);
        CHECK(cases[i].name, end == cases[i].end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_runs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
