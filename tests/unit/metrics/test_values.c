/* metrics/values: nesting from names, formats from types, what is left out. */
#include "metrics/values.h"

#include <math.h>

#include "check.h"

static struct buf text;

static const struct field rows[] = {
    FIELD_ROW_LONG("host.disk.read.bytes", FIELD_BYTE, FIELD_GAUGE, true, "Read."),
    FIELD_ROW_LONG("host.disk.write.bytes", FIELD_BYTE, FIELD_GAUGE, true, "Written."),
    FIELD_ROW_KEYWORD("host.word", true, "Word."),
    FIELD_ROW_LONG("system.a.b.c", FIELD_NO_UNIT, FIELD_GAUGE, true, "C."),
    FIELD_ROW_PCT("system.a.b.pct", true, "Share."),
    FIELD_ROW_BOOLEAN("system.a.up", true, "Up."),
    FIELD_ROW_KEYWORD("system.name", true, "Name."),
    FIELD_ROW_LONG("top", FIELD_NO_UNIT, FIELD_GAUGE, true, "Top."),
};

enum { READ, WRITE, WORD, C, PCT, UP, NAME, TOP, ROWS };

static void test_write(void **state)
{
    (void)state;
    static const struct value all[ROWS] = {
        [READ] = {true, .whole = 1},
        [WRITE] = {true, .whole = 2},
        [WORD] = {true, .text = {"w", 1}},
        [C] = {true, .whole = -3},
        [PCT] = {true, .real = 0.25},
        [UP] = {true, .yes = true},
        [NAME] = {true, .text = {"a\"b\n", 4}},
        [TOP] = {true, .whole = 9},
    };
    static const struct {
        const char *name;
        unsigned set; /* bit N: value N is there */
        const char *host, *rest;
    } cases[] = {
        {"all", 0xff, "{\"disk\":{\"read\":{\"bytes\":1},\"write\":{\"bytes\":2}},\"word\":\"w\"}",
         "{\"system\":{\"a\":{\"b\":{\"c\":-3,\"pct\":0.25},\"up\":true},\"name\":\"a\\\"b\\n\"},"
         "\"top\":9}"},
        {"none", 0, "{}", "{}"},
        {"deep and shallow", 1U << C | 1U << TOP, "{}",
         "{\"system\":{\"a\":{\"b\":{\"c\":-3}}},\"top\":9}"},
        {"siblings of different depth", 1U << PCT | 1U << NAME, "{}",
         "{\"system\":{\"a\":{\"b\":{\"pct\":0.25}},\"name\":\"a\\\"b\\n\"}}"},
        {"host only", 1U << WRITE, "{\"disk\":{\"write\":{\"bytes\":2}}}", "{}"},
        {"last only", 1U << TOP, "{}", "{\"top\":9}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct value v[ROWS] = {0};
        struct json_writer w;
        for (unsigned k = 0; k < ROWS; k++)
            if ((cases[i].set & (1U << k)) != 0)
                v[k] = all[k];
        open_json(&w, &text);
        values_write_within(&w, "host", rows, ROWS, v);
        close_json(&w, cases[i].host);
        open_json(&w, &text);
        values_write(&w, rows, ROWS, v);
        close_json(&w, cases[i].rest);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    assert_true(value_long(INT64_MAX).is_set);
    assert_false(value_long((uint64_t)INT64_MAX + 1).is_set);
    assert_true(value_real(-9e14).is_set);
    assert_false(value_real(1e15).is_set);
    assert_false(value_real((double)NAN).is_set);
    assert_false(value_real(-(double)INFINITY).is_set);
    assert_true(value_boolean(false).is_set && !value_boolean(false).yes);
    assert_int_equal(value_text(slice_str("ab")).text.len, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
