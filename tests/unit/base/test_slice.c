/* base/slice: comparing, searching and cutting, with empty and NULL slices and inner NULs. */
#include "base/slice.h"

#include <string.h>

#include "check.h"

static const struct slice nothing = {NULL, 0};

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void comparing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct slice a, b;
        int order;
    } cases[] = {
        {"both null", {NULL, 0}, {NULL, 0}, 0},
        {"null and empty", {NULL, 0}, {"", 0}, 0},
        {"empty before any", {NULL, 0}, {"a", 1}, -1},
        {"equal", {"abc", 3}, {"abc", 3}, 0},
        {"prefix first", {"ab", 2}, {"abc", 3}, -1},
        {"byte decides before length", {"b", 1}, {"abc", 3}, 1},
        {"high bytes are large", {"\xff", 1}, {"a", 1}, 1},
        {"inner nul", {"a\0b", 3}, {"a\0c", 3}, -1},
        {"nul counts", {"a\0", 2}, {"a", 1}, 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK(cases[i].name, sign(slice_cmp(cases[i].a, cases[i].b)) == cases[i].order);
        CHECK(cases[i].name, sign(slice_cmp(cases[i].b, cases[i].a)) == -cases[i].order);
        CHECK(cases[i].name, slice_eq(cases[i].a, cases[i].b) == (cases[i].order == 0));
    }
    assert_true(slice_eq_str(SLICE_LIT("abc"), "abc"));
    assert_false(slice_eq_str(SLICE_LIT("abc"), "abcd"));
    assert_true(slice_eq_str(nothing, ""));
    assert_true(slice_eq_str(nothing, NULL));
    assert_int_equal(slice_str(NULL).len, 0);
    assert_int_equal(slice_str("abc").len, 3);
}

static void both_ends(void **state)
{
    (void)state;
    static const struct {
        const char *s, *part;
        bool starts, ends;
    } cases[] = {
        {"", "", true, true},       {"abc", "", true, true},    {"abc", "abc", true, true},
        {"abc", "ab", true, false}, {"abc", "bc", false, true}, {"ab", "abc", false, false},
        {"", "a", false, false},    {"aXa", "a", true, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice s = slice_str(cases[i].s);
        struct slice part = slice_str(cases[i].part);
        CHECK(cases[i].part, slice_starts(s, part) == cases[i].starts);
        CHECK(cases[i].part, slice_ends(s, part) == cases[i].ends);
    }
    assert_true(slice_starts(nothing, nothing));
    assert_true(slice_ends(nothing, nothing));
}

static void finding(void **state)
{
    (void)state;
    struct slice s = SLICE_LIT("a/b/c");
    assert_int_equal(slice_find(s, '/'), 1);
    assert_int_equal(slice_rfind(s, '/'), 3);
    assert_int_equal(slice_find(s, 'x'), 5);
    assert_int_equal(slice_rfind(s, 'x'), 5);
    assert_int_equal(slice_find(nothing, '\0'), 0);
    assert_int_equal(slice_rfind(nothing, '\0'), 0);
    assert_int_equal(slice_find(slice_of("a\0b", 3), '\0'), 1);
    /* the byte behind the slice is not looked at */
    assert_int_equal(slice_find(slice_of("ab", 1), 'b'), 1);
}

static void cutting_out(void **state)
{
    (void)state;
    static const struct {
        size_t from, len;
        const char *result;
    } cases[] = {
        {0, 5, "hello"},          {1, 3, "ell"},        {4, 9, "o"}, {5, 1, ""}, {6, 1, ""},
        {SIZE_MAX, SIZE_MAX, ""}, {2, SIZE_MAX, "llo"}, {0, 0, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice part = slice_sub(SLICE_LIT("hello"), cases[i].from, cases[i].len);
        CHECK(cases[i].result, slice_eq_str(part, cases[i].result));
    }
    assert_int_equal(slice_sub(nothing, 3, 3).len, 0);
}

static void trimming(void **state)
{
    (void)state;
    static const struct {
        const char *s, *result;
    } cases[] = {
        {"", ""},         {" ", ""},        {" \t\r\n", ""}, {"a", "a"},
        {" a b ", "a b"}, {"\ta\r\n", "a"}, {"\va", "\va"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(cases[i].s, slice_eq_str(slice_trim(slice_str(cases[i].s)), cases[i].result));
    assert_int_equal(slice_trim(nothing).len, 0);
}

static void pieces(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        size_t count;
        const char *result[4];
    } cases[] = {
        {"", 0, {0}},        {"a", 1, {"a"}},      {",", 1, {""}},
        {"a,", 1, {"a"}},    {",a", 2, {"", "a"}}, {"a,,b", 3, {"a", "", "b"}},
        {",,", 2, {"", ""}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice rest = slice_str(cases[i].s);
        struct slice piece;
        size_t n = 0;
        while (slice_next(&rest, ',', &piece)) {
            CHECK(cases[i].s, n < cases[i].count && slice_eq_str(piece, cases[i].result[n]));
            n++;
        }
        CHECK(cases[i].s, n == cases[i].count);
    }
}

static void words(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        size_t count;
        const char *result[4];
    } cases[] = {
        {"", 0, {0}},
        {"  \t\n", 0, {0}},
        {"one", 1, {"one"}},
        {"  cpu0 12\t34\r\n", 3, {"cpu0", "12", "34"}},
        {"a  b", 2, {"a", "b"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice rest = slice_str(cases[i].s);
        struct slice word;
        size_t n = 0;
        while (slice_next_word(&rest, &word)) {
            CHECK(cases[i].s, n < cases[i].count && slice_eq_str(word, cases[i].result[n]));
            n++;
        }
        CHECK(cases[i].s, n == cases[i].count && rest.len == 0);
    }
    struct slice rest = nothing;
    struct slice word;
    assert_false(slice_next_word(&rest, &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing),   cmocka_unit_test(both_ends), cmocka_unit_test(finding),
        cmocka_unit_test(cutting_out), cmocka_unit_test(trimming),  cmocka_unit_test(pieces),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
