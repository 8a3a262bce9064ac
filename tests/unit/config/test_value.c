/* config/value: texts to fields of every type and back; what is refused and how that reads. */
#include "config/value.h"

#include <errno.h>

#include "check.h"
#include "config/types.h"

/* room for a field of any type */
union field {
    bool boolean;
    char *string;
    uint64_t bytes;
    int64_t ms;
    unsigned number;
    struct config_list list;
    struct config_map map;
};

/* a row by its key, inputs' options with a leading "inputs." */
static const struct option *row(const char *key)
{
    struct slice name, text = slice_str(key);
    bool in_input = slice_starts(text, SLICE_LIT("inputs."));
    const struct option *o =
        options_find(in_input, in_input ? slice_sub(text, 7, text.len) : text, &name);
    CHECK(key, o != NULL);
    return o;
}

#define ES "output.elasticsearch."

static void accepted(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text, *written;
    } cases[] = {
        {"metrics.enabled", "true", "true"},
        {"metrics.enabled", "false", "false"},
        {"path.data", "a \"b\" \\", "\"a \\\"b\\\" \\\\\""},
        {"path.data", "${x}", "\"$${x}\""},
        {ES "bulk_max_bytes", "65536", "64KiB"},
        {ES "bulk_max_bytes", "64MiB", "64MiB"},
        {ES "bulk_max_bytes", "1MB", "1000000"},
        {"inputs.close.deleted.max_bytes", "0", "0"},
        {"inputs.close.deleted.max_bytes", "64TiB", "64TiB"},
        {"metrics.period", "1s", "1s"},
        {"metrics.period", "24h", "1d"},
        {"metrics.period", "1m30s", "1m30s"},
        {ES "linger", "0", "0"},
        {ES "linger", "1500ms", "1s500ms"},
        {"inputs.close.deleted.max_age", "36h", "36h"},
        {"inputs.ignore_older", "off", "off"},
        {"inputs.ignore_older", "0", "off"},
        {"inputs.ignore_older", "2d", "2d"},
        {ES "workers", "1", "1"},
        {ES "workers", "32", "32"},
        {ES "bulk_max_size", "0", "0"},
        {"logging.level", "error", "error"},
        {"logging.level", "debug", "debug"},
        {"inputs.tags", "a, b", "[\"a, b\"]"},
        {ES "hosts", "ES1", "[\"http://es1:9200\"]"},
        {"metadata", "ecs", "[ecs]"},
        {ES "password", "s\"x", "\"<hidden>\""},
        {ES "password", "", "\"\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct option *o = row(cases[i].key);
        union field f = {0};
        struct err why = {0};
        struct buf out;
        buf_init(&out, 1000);
        CHECK(cases[i].text, value_set(o, &f, slice_str(cases[i].text), &why) == 0);
        CHECK(cases[i].text, value_write(o, &f, true, &out) == 0);
        CHECK_TEXT(cases[i].key, buf_cstr(&out), cases[i].written);
        buf_clear(&out);
        value_clear(o, &f);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text, *why;
    } cases[] = {
        {"metrics.enabled", "yes", "\"yes\" is unknown; allowed: true, false"},
        {"path.data", "", "0 bytes are too few; allowed: 1 to 4095"},
        {"path.data", "a\nb",
         "control characters, line breaks and bytes that are not UTF-8 are not allowed"},
        {"path.data", "\xff",
         "control characters, line breaks and bytes that are not UTF-8 are not allowed"},
        {"inputs.max_bytes", "63", "\"63\" is out of bounds; allowed: 64 to 64MiB"},
        {"inputs.max_bytes", "64MB1",
         "\"64MB1\" is not a size like 65536, 64KiB or 1MiB; allowed: 64 to 64MiB"},
        {"inputs.max_bytes", "65MiB", "\"65MiB\" is out of bounds; allowed: 64 to 64MiB"},
        {"metrics.period", "10",
         "\"10\" is not a duration like 500ms, 10s, 1m30s or 24h; allowed: 1s to 1d"},
        {"metrics.period", "off",
         "\"off\" is not a duration like 500ms, 10s, 1m30s or 24h; allowed: 1s to 1d"},
        {"metrics.period", "999ms", "\"999ms\" is out of bounds; allowed: 1s to 1d"},
        {"inputs.ignore_older", "never",
         "\"never\" is not a duration like 500ms, 10s, 1m30s or 24h; allowed: off, or 0 to 3650d"},
        {ES "workers", "0", "\"0\" is out of bounds; allowed: 1 to 32"},
        {ES "workers", "33", "\"33\" is out of bounds; allowed: 1 to 32"},
        {ES "workers", "4.5", "\"4.5\" is not a whole number; allowed: 1 to 32"},
        {ES "workers", "18446744073709551620",
         "\"18446744073709551620\" is out of bounds; allowed: 1 to 32"},
        {"logging.level", "INFO", "\"INFO\" is unknown; allowed: error, warn, info, debug"},
        {"metadata", "",
         "\"\" is unknown; allowed: dataset, host, agent, ecs, "
         "offset, input"},
        {"inputs.tags", "", "the value is empty"},
        {"inputs.fields", "x", "a map of names and texts is needed here"},
        {ES "api_key", "not a key", "an API key is \"id:key\" or the base64 text of it"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct option *o = row(cases[i].key);
        union field f = {0};
        static const union field untouched = {0};
        struct err why = {0};
        CHECK(cases[i].text, value_set(o, &f, slice_str(cases[i].text), &why) == -EINVAL);
        CHECK_TEXT(cases[i].key, why.text, cases[i].why);
        CHECK(cases[i].text, memcmp(&f, &untouched, sizeof(f)) == 0);
    }
}

static void a_string_replaces(void **state)
{
    (void)state;
    const struct option *o = row(ES "password");
    union field f = {0};
    struct err why = {0};
    assert_int_equal(value_set(o, &f, SLICE_LIT("one"), &why), 0);
    assert_int_equal(value_set(o, &f, SLICE_LIT("two"), &why), 0);
    assert_string_equal(f.string, "two");
    assert_int_equal(value_set(o, &f, SLICE_LIT("th\tree"), &why), -EINVAL);
    assert_string_equal(f.string, "two");
    value_clear(o, &f);
    assert_null(f.string);
}

static void texts_that_are_too_long(void **state)
{
    (void)state;
    static char text[5000];
    memset(text, 'x', sizeof(text));
    union field f = {0};
    struct err why = {0};
    assert_int_equal(value_set(row("path.data"), &f, slice_of(text, 4096), &why), -EINVAL);
    assert_string_equal(why.text, "4096 bytes are too many; allowed: 1 to 4095");
    assert_int_equal(value_set(row("inputs.paths"), &f, slice_of(text, 4096), &why), -EINVAL);
    assert_string_equal(why.text, "more than 4095 bytes");
    assert_int_equal(value_set(row("inputs.paths"), &f, slice_of(text, 4095), &why), 0);
    value_clear(row("inputs.paths"), &f);
    assert_int_equal(value_set(row("metrics.period"), &f, slice_of(text, 5000), &why), -EINVAL);
    assert_int_equal(strspn(why.text + 1, "x"), 80);
    const struct option *fields = row("inputs.fields");
    f = (union field){0};
    assert_int_equal(value_put(fields, &f, slice_of(text, 257), SLICE_LIT("x"), &why), -EINVAL);
    assert_string_equal(why.text, "a name longer than 256 bytes");
    assert_int_equal(value_put(fields, &f, slice_of(text, 256), SLICE_LIT("x"), &why), 0);
    value_clear(fields, &f);
}

static void lists_between_commas(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text, *written;
        int error;
    } cases[] = {
        {ES "hosts", "a, b:1 ,https://c/",
         "[\"http://a:9200\", \"http://b:1\", \"https://c:9200\"]", 0},
        {ES "hosts", "", "[]", 0},
        {ES "hosts", "a,,b", "[\"http://a:9200\"]", -EINVAL},
        {"metrics.sets", "load, cpu", "[cpu, load]", 0},
        {"metrics.sets", "load,gpu", "[load]", -EINVAL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct option *o = row(cases[i].key);
        union field f = {0};
        struct err why = {0};
        struct buf out;
        buf_init(&out, 1000);
        CHECK(cases[i].text, value_split(o, &f, slice_str(cases[i].text), &why) == cases[i].error);
        CHECK(cases[i].text, value_write(o, &f, false, &out) == 0);
        CHECK_TEXT(cases[i].text, buf_cstr(&out), cases[i].written);
        buf_clear(&out);
        value_clear(o, &f);
        CHECK(cases[i].text, f.list.n == 0 && f.list.v == NULL);
    }
}

static void counts(void **state)
{
    (void)state;
    union field f = {0};
    struct err why = {0};
    const struct option *paths = row("inputs.paths"), *ca = row(ES "ssl.certificate_authorities");
    assert_int_equal(value_check_count(paths, &f, &why), -EINVAL);
    assert_string_equal(why.text, "0 elements are too few; allowed: 1 to 1000");
    assert_int_equal(value_check_count(ca, &f, &why), 0);
    assert_int_equal(value_split(ca, &f, SLICE_LIT("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p"), &why), 0);
    assert_int_equal(value_check_count(ca, &f, &why), 0);
    assert_int_equal(value_split(ca, &f, SLICE_LIT("q"), &why), 0);
    assert_int_equal(value_check_count(ca, &f, &why), -EINVAL);
    assert_string_equal(why.text, "17 elements are too many; allowed: 0 to 16");
    assert_int_equal(value_check_count(row("metadata"), &f, &why), 0);
    value_clear(ca, &f);
}

static void maps(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        const char *why; /* NULL: taken */
    } puts[] = {
        {"team", "web", NULL},
        {"site.name", "north \"x\"\n", NULL},
        {"team", "mail", NULL},
        {"site.zone", "1", NULL},
        {"site", "x", "\"site\" and \"site.name\" cannot both be fields"},
        {"team.lead", "x", "\"team.lead\" and \"team\" cannot both be fields"},
        {"teams", "x", NULL},
        {"bell", "\a", "control characters and bytes that are not UTF-8 are not allowed"},
        {"a\nb", "x", "control characters and bytes that are not UTF-8 are not allowed"},
    };
    const struct option *o = row("inputs.fields");
    union field f = {0};
    for (size_t i = 0; i < ARRAY_LEN(puts); i++) {
        struct err why = {0};
        int error = value_put(o, &f, slice_str(puts[i].name), slice_str(puts[i].text), &why);
        CHECK(puts[i].name, error == (puts[i].why == NULL ? 0 : -EINVAL));
        CHECK_TEXT(puts[i].name, why.text, puts[i].why == NULL ? "" : puts[i].why);
    }
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(value_write(o, &f, false, &out), 0);
    assert_string_equal(buf_cstr(&out),
                        "{\"team\": \"mail\", \"site.name\": \"north \\\"x\\\"\\x0a\", "
                        "\"site.zone\": \"1\", \"teams\": \"x\"}");
    buf_clear(&out);
    value_clear(o, &f);
    assert_null(f.map.v);
}

static void writing_stops_at_the_limit(void **state)
{
    (void)state;
    union field f = {0};
    struct err why = {0};
    const struct option *o = row(ES "hosts");
    assert_int_equal(value_split(o, &f, SLICE_LIT("a,b"), &why), 0);
    for (size_t max = 0; max < strlen("[\"http://a:9200\", \"http://b:9200\"]"); max++) {
        struct buf out;
        buf_init(&out, max);
        assert_int_equal(value_write(o, &f, false, &out), -ENOBUFS);
        buf_clear(&out);
    }
    value_clear(o, &f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted),
        cmocka_unit_test(refused),
        cmocka_unit_test(a_string_replaces),
        cmocka_unit_test(texts_that_are_too_long),
        cmocka_unit_test(lists_between_commas),
        cmocka_unit_test(counts),
        cmocka_unit_test(maps),
        cmocka_unit_test(writing_stops_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
