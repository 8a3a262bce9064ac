/* Dotted names become nested properties; what a server lacks is replaced; contradictions are seen.
 */
#include "check.h"

#include <errno.h>
#include <string.h>

#include "assets/mapping.h"

#define HEAD                                                                                       \
    "{\"date_detection\":false,\"dynamic_templates\":[{\"strings\":{\"match_mapping_type\":"       \
    "\"string\",\"mapping\":{\"type\":\"keyword\",\"ignore_above\":1024}}}],\"properties\":{"

/* the mapping's text; the caller clears out */
static const char *written(struct mapping *m, unsigned lacks, struct buf *out)
{
    struct json_writer w;
    buf_init(out, MIB);
    json_begin(&w, out);
    mapping_write(m, lacks, &w);
    assert_int_equal(json_done(&w), 0);
    return buf_cstr(out);
}

/* HEAD and the properties */
static void expect(struct mapping *m, unsigned lacks, const char *properties)
{
    struct buf got, want;
    buf_init(&want, MIB);
    assert_int_equal(buf_printf(&want, HEAD "%s}}", properties), 0);
    assert_string_equal(written(m, lacks, &got), buf_cstr(&want));
    buf_clear(&got);
    buf_clear(&want);
}

static void test_types(void **state)
{
    (void)state;
    static const struct {
        struct mapping_field field;
        const char *definition;
    } rows[] = {
        {{.name = "a", .type = FIELD_DATE}, "{\"type\":\"date\"}"},
        {{.name = "a", .type = FIELD_KEYWORD}, "{\"type\":\"keyword\"}"},
        {{.name = "a", .type = FIELD_KEYWORD, .flags = FIELD_NO_CASE},
         "{\"type\":\"keyword\",\"normalizer\":\"lowercase\"}"},
        {{.name = "a", .type = FIELD_TEXT}, "{\"type\":\"text\"}"},
        {{.name = "a", .type = FIELD_LONG}, "{\"type\":\"long\"}"},
        {{.name = "a", .type = FIELD_LONG, .unit = "byte", .metric = "counter"},
         "{\"type\":\"long\",\"meta\":{\"unit\":\"byte\",\"metric_type\":\"counter\"}}"},
        {{.name = "a", .type = FIELD_LONG, .unit = "", .metric = "gauge"},
         "{\"type\":\"long\",\"meta\":{\"metric_type\":\"gauge\"}}"},
        {{.name = "a", .type = FIELD_LONG, .unit = "ms", .metric = ""},
         "{\"type\":\"long\",\"meta\":{\"unit\":\"ms\"}}"},
        {{.name = "a", .type = FIELD_SCALED_FLOAT, .scale = 1000},
         "{\"type\":\"scaled_float\",\"scaling_factor\":1000}"},
        {{.name = "a", .type = FIELD_FLOAT}, "{\"type\":\"float\"}"},
        {{.name = "a", .type = FIELD_BOOLEAN}, "{\"type\":\"boolean\"}"},
        {{.name = "a", .type = FIELD_IP}, "{\"type\":\"ip\"}"},
        {{.name = "a", .type = FIELD_OBJECT}, "{\"type\":\"object\"}"},
        {{.name = "a", .type = FIELD_OBJECT, .flags = FIELD_NOT_INDEXED},
         "{\"type\":\"object\",\"enabled\":false}"},
        {{.name = "a", .type = FIELD_CONSTANT_KEYWORD}, "{\"type\":\"constant_keyword\"}"},
        {{.name = "a", .type = FIELD_LONG, .unit = "ms", .path = "b.c"},
         "{\"type\":\"alias\",\"path\":\"b.c\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct mapping *m = mapping_new();
        char properties[256];
        assert_int_equal(mapping_add(m, &rows[i].field), 0);
        (void)snprintf(properties, sizeof(properties), "\"a\":%s", rows[i].definition);
        expect(m, 0, properties);
        mapping_free(&m);
    }
}

static void test_nesting(void **state)
{
    (void)state;
    static const char *const names[] = {"b.c", "a", "b.d.e", "b2", "b.d.f", "b_x", "z.y.x"};
    struct mapping *m = mapping_new();
    size_t count;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(
            mapping_add(m, &(struct mapping_field){.name = names[i], .type = FIELD_IP}), 0);
#define IP "{\"type\":\"ip\"}"
    expect(m, 0,
           "\"a\":" IP ",\"b\":{\"properties\":{\"c\":" IP ",\"d\":{\"properties\":{\"e\":" IP
           ",\"f\":" IP "}}}},\"b2\":" IP ",\"b_x\":" IP
           ",\"z\":{\"properties\":{\"y\":{\"properties\":{\"x\":" IP "}}}}");
    const struct mapping_field *fields = mapping_fields(m, &count);
    assert_int_equal(count, ARRAY_LEN(names));
    assert_string_equal(fields[1].name, "b.c");
    mapping_free(&m);
}

static void test_empty(void **state)
{
    (void)state;
    struct mapping *m = mapping_new();
    expect(m, 0, "");
    mapping_free(&m);
}

static void test_lacks(void **state)
{
    (void)state;
    struct mapping *m = mapping_new();
    assert_int_equal(mapping_add(m, &(struct mapping_field){.name = "a",
                                                            .type = FIELD_SCALED_FLOAT,
                                                            .scale = 100,
                                                            .unit = "percent"}),
                     0);
    assert_int_equal(
        mapping_add(m, &(struct mapping_field){.name = "b", .type = FIELD_CONSTANT_KEYWORD}), 0);
#define UNIT   ",\"meta\":{\"unit\":\"percent\"}}"
#define SCALED "\"a\":{\"type\":\"scaled_float\",\"scaling_factor\":100" UNIT
    expect(m, 0, SCALED ",\"b\":{\"type\":\"constant_keyword\"}");
    expect(m, MAPPING_NO_CONSTANT_KEYWORD, SCALED ",\"b\":{\"type\":\"keyword\"}");
    expect(m, MAPPING_NO_SCALED_FLOAT | MAPPING_NO_CONSTANT_KEYWORD,
           "\"a\":{\"type\":\"float\"" UNIT ",\"b\":{\"type\":\"keyword\"}");
    mapping_free(&m);
}

static void test_twice(void **state)
{
    (void)state;
    const struct mapping_field a = {.name = "a", .type = FIELD_LONG};
    const struct mapping_field other = {.name = "a", .type = FIELD_FLOAT};
    const struct mapping_field alias = {.name = "a", .type = FIELD_LONG, .path = "b"};
    struct mapping *m = mapping_new();
    size_t count;
    assert_int_equal(mapping_add(m, &a), 0);
    assert_int_equal(mapping_add(m, &a), 0);
    assert_int_equal(mapping_add(m, &other), -EINVAL);
    assert_int_equal(mapping_add(m, &alias), -EINVAL);
    (void)mapping_fields(m, &count);
    assert_int_equal(count, 1);
    mapping_free(&m);
    mapping_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types), cmocka_unit_test(test_nesting), cmocka_unit_test(test_empty),
        cmocka_unit_test(test_lacks), cmocka_unit_test(test_twice),
    };
    return cmocka_run_group_tests_name("assets/mapping", tests, NULL, NULL);
}
