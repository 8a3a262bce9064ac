/*
 * tests/unit/bulk/test_target - names of indices from patterns
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"
#include "bulk/target.h"

/* fields of a document */
static bool field(void *ctx, struct slice name, struct slice *ret_value)
{
    static const struct {
        const char *name, *value;
    } fields[] = {{"fields.site", "North-1"}, {"data_stream.dataset", "nginx"},
                  {"fields.bad", "a/b"},      {"fields.upper", "\xc3\x84"},
                  {"fields.empty", ""},       {"fields.wild", "*"}};
    assert_ptr_equal(ctx, (void *)1);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (!slice_eq_str(name, fields[i].name))
            continue;
        *ret_value = slice_str(fields[i].value);
        return true;
    }
    return false;
}

/* the name of a day of 2026 by month and day, from 1970 on */
static int32_t day_of(int year, int month, int day)
{
    for (int32_t n = 0;; n++) {
        struct date d;
        date_from_ns(n * INT64_C(86400000000000), &d);
        if (d.year == year && d.month == month && d.day == day)
            return n;
    }
}

struct name_case {
    const char *pattern, *name; /* name on 2026-11-03 */
    bool dated;
};

static const struct name_case names[] = {
    {"plain", "plain", false},
    {"isp-logs-%{+yyyy.MM.dd}", "isp-logs-2026.11.03", true},
    {"isp-logs-%{+YYYY.MM.dd}", "isp-logs-2026.11.03", true},
    {"isp-logs-%{+uuuu-MM}", "isp-logs-2026-11", true},
    {"a-%{+yy.M.d}", "a-26.11.3", true},
    {"a-%{+yyyyMMdd}-b", "a-20261103-b", true},
    {"a-%{+xxxx.ww}", "a-2026.45", true},
    {"a-%{+YYYY.'w'ww}", "a-2026.w45", true},
    {"a-%{+yyyy.DDD}", "a-2026.307", true},
    {"isp-logs-%Y.%m.%d", "isp-logs-2026.11.03", true},
    {"a-%F", "a-2026-11-03", true},
    {"a-%y%j-%G.%V", "a-26307-2026.45", true},
    {"100%%", "100%", false},
    {"%{+yyyy}-a", "2026-a", true},
    {"a-%{[fields.site]}-%{+yyyy}", "a-north-1-2026", true},
    {"a-%{[fields][site]}", "a-north-1", false},
    {"a-%{[data_stream.dataset]}-%{[fields.none]:rest}", "a-nginx-rest", false},
    {"a-%{[fields.empty]:rest}", "a-rest", false},
    {"a%{[fields.none]:}", "a", false},
    {".hidden", ".hidden", false},
    {"\xc3\xa4", "\xc3\xa4", false},
};

/* what patterns give */
static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct err e = {0};
        struct target *t = NULL;
        char name[BATCH_TARGET_MAX + 1];
        if (target_new(slice_str(names[i].pattern), field, (void *)1, &t, &e) < 0)
            fail_msg("%s: %s", names[i].pattern, e.text);
        target_name(t, day_of(2026, 11, 3), name);
        assert_string_equal(name, names[i].name);
        assert_int_equal(target_is_dated(t), names[i].dated);
        target_free(&t);
        assert_null(t);
    }
}

static const struct {
    const char *pattern, *all;
} patterns[] = {
    {"isp-logs-%{+yyyy.MM.dd}", "isp-logs-*"},
    {"isp-logs-%Y.%m.%d", "isp-logs-*"},
    {"isp-logs-%{+yyyy}", "isp-logs-*"},
    {"a-%{+yyyy.MM}-b-%{+dd}-c", "a-*-c"},
    {"%{+yyyy}-a", "*-a"},
    {"%F", "*"},
    {"a", "a"},
    {"a-%{[fields.site]}-%{+yyyy}", "a-north-1-*"},
};

/* what a template must match */
static void test_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        struct err e = {0};
        struct target *t = NULL;
        char all[BATCH_TARGET_MAX + 1];
        assert_int_equal(target_new(slice_str(patterns[i].pattern), field, (void *)1, &t, &e), 0);
        target_pattern(t, all);
        assert_string_equal(all, patterns[i].all);
        target_free(&t);
    }
}

/* the year of a week is that of its Thursday */
static void test_weeks(void **state)
{
    (void)state;
    static const struct {
        int year, month, day;
        const char *name;
    } cases[] = {
        {1970, 1, 1, "a-1970.01"},   {1972, 12, 31, "a-1972.52"}, {2020, 12, 31, "a-2020.53"},
        {2021, 1, 3, "a-2020.53"},   {2021, 1, 4, "a-2021.01"},   {2024, 12, 30, "a-2025.01"},
        {2026, 12, 31, "a-2026.53"}, {2027, 1, 3, "a-2026.53"},   {2028, 2, 29, "a-2028.09"},
    };
    struct target *t = NULL;
    char name[BATCH_TARGET_MAX + 1];
    assert_int_equal(target_new(SLICE_LIT("a-%{+xxxx.ww}"), NULL, NULL, &t, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        target_name(t, day_of(cases[i].year, cases[i].month, cases[i].day), name);
        assert_string_equal(name, cases[i].name);
    }
    target_name(t, INT32_MIN, name);
    assert_string_equal(name, "a-1970.01");
    target_name(t, INT32_MAX, name);
    assert_int_equal(strlen(name), 9);
    target_free(&t);
}

/* what is wrong with patterns */
static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
    } cases[] = {
        {"", "is empty"},
        {"Logs", "lower case"},
        {"_a", "begin with"},
        {"-a", "begin with"},
        {"+a", "begin with"},
        {"..", "a dot or two"},
        {"a b", "no blank"},
        {"a/b", "none of"},
        {"a*", "none of"},
        {"a:b", "none of"},
        {"a,b", "none of"},
        {"a\nb", "control"},
        {"a-%{+yyyy", "not closed"},
        {"a-%{+'yyyy}", "a quote is not closed"},
        {"a-%{+}", "without digits"},
        {"a-%{+'x'}", "without digits"},
        {"a-%{+.-}", "without digits"},
        {"a-%{+EEE}", "whole days"},
        {"a-%{+yyyy.MM.dd.HH}", "whole days"},
        {"a-%{+MMM}", "names of months"},
        {"a-%{+yyyy/MM}", "none of"},
        {"a-%{yyyy}", "begins a date"},
        {"a-%H", "behind %"},
        {"a-%", "behind %"},
        {"%{[fields.site]}-a", "must begin with text"},
        {"%Y-%{[fields.site]}", "must begin with text"},
        {"a-%{[fields.none]}", "no field \"fields.none\""},
        {"a-%{[fields.empty]}", "no field"},
        {"a-%{[]}", "without a name"},
        {"a-%{[fields.site}", "is written"},
        {"a-%{[fields.bad]}", "none of"},
        {"a-%{[fields.wild]}", "none of"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err e = {0};
        struct target *t = NULL;
        if (target_new(slice_str(cases[i].pattern), field, (void *)1, &t, &e) != -EINVAL)
            fail_msg("taken: %s", cases[i].pattern);
        assert_null(t);
        if (strstr(e.text, cases[i].text) == NULL)
            fail_msg("%s: \"%s\" is not in \"%s\"", cases[i].pattern, cases[i].text, e.text);
    }
    struct target *t = NULL;
    struct err e = {0};
    assert_int_equal(target_new(SLICE_LIT("a\0b"), NULL, NULL, &t, &e), -EINVAL);
}

/* no name is longer than an index's may be, on whatever day */
static void test_length(void **state)
{
    (void)state;
    char pattern[300];
    char name[BATCH_TARGET_MAX + 1];
    struct target *t = NULL;
    memset(pattern, 'a', sizeof(pattern));
    assert_int_equal(target_new(slice_of(pattern, 255), NULL, NULL, &t, NULL), 0);
    target_name(t, 0, name);
    assert_int_equal(strlen(name), 255);
    target_free(&t);
    assert_int_equal(target_new(slice_of(pattern, 256), NULL, NULL, &t, NULL), -EINVAL);
    memcpy(pattern + 251, "%Y", 2);
    assert_int_equal(target_new(slice_of(pattern, 253), NULL, NULL, &t, NULL), 0);
    target_free(&t);
    assert_int_equal(target_new(slice_of(pattern, 254), NULL, NULL, &t, NULL), -EINVAL);
    char many[400] = "a";
    for (int i = 0; i < 60; i++)
        memcpy(many + 1 + (size_t)i * 3, "%d-", 4);
    assert_int_equal(target_new(slice_str(many), NULL, NULL, &t, NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),  cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_weeks),  cmocka_unit_test(test_errors),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
