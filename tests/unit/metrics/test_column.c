/* metrics/column: whole lines only, numbers that fit a long. */
#include "metrics/column.h"

#include <errno.h>

#include "check.h"

static void test_lines(void **state)
{
    (void)state;
    struct slice text = SLICE_LIT("one\n\ntwo \nrest");
    struct slice line;
    const char *const expected[] = {"one", "", "two "};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_true(column_line(&text, &line));
        CHECK(expected[i], slice_eq_str(line, expected[i]));
    }
    assert_false(column_line(&text, &line));
    text = slice_of(NULL, 0);
    assert_false(column_line(&text, &line));
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        uint64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"  42 7", 0, 42},
        {"9223372036854775807", 0, INT64_MAX},
        {"9223372036854775808", -ERANGE, 0},
        {"18446744073709551616", -ERANGE, 0},
        {"-1", -EINVAL, 0},
        {"1x", -EINVAL, 0},
        {"", -ENODATA, 0},
        {" \t ", -ENODATA, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice line = slice_str(cases[i].text);
        uint64_t v = 99;
        CHECK(cases[i].text, column_number(&line, &v) == cases[i].error);
        CHECK(cases[i].text, v == (cases[i].error == 0 ? cases[i].value : 99));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
