/* config/options: the table's own rules, and looking things up in it. */
#include "config/options.h"

#include "check.h"

static void keys_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_count; i++) {
        const struct option *a = &options_table[i];
        for (size_t j = 0; j < i; j++) {
            const struct option *b = &options_table[j];
            bool in_input = a->group == OPTION_INPUT;
            if (in_input != (b->group == OPTION_INPUT))
                continue;
            CHECK(a->key, strcmp(a->key, b->key) != 0);
            CHECK(a->key, a->offset != b->offset);
            CHECK(a->key, !options_is_section(in_input, slice_str(a->key)));
        }
    }
}

static void rows_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        bool chooses = o->type == OPTION_CHOICE || o->type == OPTION_SET;
        CHECK(o->key, o->standard != NULL);
        CHECK(o->key, strlen(o->help) > 10 && o->help[strlen(o->help) - 1] == '.');
        CHECK(o->key, chooses == (o->choices != NULL));
        CHECK(o->key, o->min <= o->max);
        CHECK(o->key, strncmp(o->key, options_sections[o->group].prefix,
                              strlen(options_sections[o->group].prefix)) == 0);
        CHECK(o->key, i == 0 || options_table[i - 1].group <= o->group);
    }
}

static void finding(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        bool in_input;
        const char *found, *name;
    } cases[] = {
        {"path.data", false, "path.data", ""},
        {"output.elasticsearch.hosts", false, "output.elasticsearch.hosts", ""},
        {"paths", true, "paths", ""},
        {"paths", false, NULL, ""},
        {"path.data", true, NULL, ""},
        {"path", false, NULL, ""},
        {"path.data.x", false, NULL, ""},
        {"fields", true, "fields", ""},
        {"fields.a", true, "fields", "a"},
        {"fields.a.b", true, "fields", "a.b"},
        {"fields.", true, NULL, ""},
        {"fieldsx", true, NULL, ""},
        {"", false, NULL, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice name = {0};
        const struct option *o = options_find(cases[i].in_input, slice_str(cases[i].key), &name);
        CHECK(cases[i].key, (o == NULL) == (cases[i].found == NULL));
        CHECK(cases[i].key, o == NULL || strcmp(o->key, cases[i].found) == 0);
        CHECK(cases[i].key, slice_eq_str(name, cases[i].name));
    }
}

static void sections(void **state)
{
    (void)state;
    assert_true(options_is_section(false, SLICE_LIT("output")));
    assert_true(options_is_section(false, SLICE_LIT("output.elasticsearch")));
    assert_true(options_is_section(false, SLICE_LIT("output.elasticsearch.ssl")));
    assert_true(options_is_section(true, SLICE_LIT("close.deleted")));
    assert_false(options_is_section(false, SLICE_LIT("close")));
    assert_false(options_is_section(false, SLICE_LIT("output.elastic")));
    assert_false(options_is_section(false, SLICE_LIT("output.elasticsearch.hosts")));
    assert_false(options_is_section(false, SLICE_LIT("")));
}

static void nearest(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        bool in_input;
        const char *near;
    } cases[] = {
        {"outptu.elasticsearch", false, "output.elasticsearch"},
        {"output.elasticsearch.host", false, "output.elasticsearch.hosts"},
        {"output.elasticsearch.worker", false, "output.elasticsearch.workers"},
        {"metrics.enable", false, "metrics.enabled"},
        {"metric", false, "metrics"},
        {"path.date", false, "path.data"},
        {"loging.level", false, "logging.level"},
        {"pahts", true, "paths"},
        {"path", true, "paths"},
        {"ignore_oldr", true, "ignore_older"},
        {"dataste", true, "dataset"},
        {"hosts", false, "output.elasticsearch.hosts"},
        {"elasticsearch.hosts", false, "output.elasticsearch.hosts"},
        {"max_age", true, "close.deleted.max_age"},
        {"processors", false, ""},
        {"multiline", true, ""},
        {"x", true, ""},
        {"", false, ""},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false,
         ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 100);
        CHECK(cases[i].key, options_nearest(cases[i].in_input, slice_str(cases[i].key), &out) == 0);
        CHECK_TEXT(cases[i].key, buf_cstr(&out), cases[i].near);
        buf_clear(&out);
    }
}

static void allowed(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        bool in_input;
        const char *want;
    } cases[] = {
        {"path.data", false, ""},
        {"namespace", false, ""},
        {"metrics.enabled", false, "true, false"},
        {"metrics.period", false, "1s to 1d"},
        {"metadata", false, "dataset, host, agent, ecs, offset, input"},
        {"output.elasticsearch.workers", false, "1 to 32"},
        {"output.elasticsearch.hosts", false, "1 to 64 elements"},
        {"output.elasticsearch.bulk_max_bytes", false, "64KiB to 64MiB"},
        {"max_bytes", true, "64 to 64MiB"},
        {"id", true, "0 to 100 bytes"},
        {"fields", true, ""},
        {"ignore_older", true, "off, or 0 to 3650d"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice name;
        struct buf out;
        buf_init(&out, 100);
        const struct option *o = options_find(cases[i].in_input, slice_str(cases[i].key), &name);
        CHECK(cases[i].key, o != NULL && options_write_allowed(o, &out) == 0);
        CHECK_TEXT(cases[i].key, buf_cstr(&out), cases[i].want);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_unique), cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(finding),         cmocka_unit_test(sections),
        cmocka_unit_test(nearest),         cmocka_unit_test(allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
