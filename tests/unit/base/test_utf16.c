/* base/utf16 */
#include "base/utf16.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/def.h"

#define TEXT(s) SLICE_LIT(s)

/* where the newline stands */
static void finds_whole_units_only(void **state)
{
    static const struct {
        const char *name;
        struct slice text;
        bool big;
        size_t at;
    } rows[] = {
        {"little", TEXT("a\0\n\0b\0"), false, 2},
        {"big", TEXT("\0a\0\n\0b"), true, 2},
        {"first", TEXT("\n\0"), false, 0},
        {"first, big", TEXT("\0\n"), true, 0},
        {"none", TEXT("a\0b\0"), false, 4},
        {"empty", TEXT(""), false, 0},
        {"half a unit", TEXT("a\0\n"), false, 3},
        {"half a unit, big", TEXT("\0a\0"), true, 3},
        {"low byte of another", TEXT("\n\x01\n\0"), false, 2},
        {"high byte of another", TEXT("\x01\n\n\x41\0\n"), true, 4},
        {"across two units", TEXT("a\n\0b\n\0"), false, 4},
        {"across two units, big", TEXT("\x01\0\n\x01\0\n"), true, 4},
        {"other order", TEXT("\0\n\0\n"), false, 4},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t at = utf16_find(rows[i].text, rows[i].big, '\n');
        if (at != rows[i].at)
            fail_msg("%s: %zu, not %zu", rows[i].name, at, rows[i].at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_whole_units_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
