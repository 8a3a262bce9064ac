/* output/control: answers of real servers, and what is none */
#include "check.h"

#include <errno.h>
#include <string.h>

#include "base/def.h"
#include "output/control.h"

struct product_case {
    const char *name, *root, *nodes;
    bool elastic;
    const char *opensearch;
    const char *text;
    bool knows;
};

static const struct product_case products[] = {
    {"ES 8.19 of the package",
     "{\"name\":\"n1\",\"version\":{\"number\":\"8.19.21\","
     "\"build_flavor\":\"default\"},\"tagline\":\"You Know\"}",
     "", true, "", "elasticsearch 8.19.21", true},
    {"ES 9 that has no root", "", "{\"nodes\":{\"abc\":{\"version\":\"9.5.3\"}}}", true, "",
     "elasticsearch 9.5.3", true},
    {"ES 8.12", "{\"version\":{\"number\":\"8.12.2\"}}", "", true, "", "elasticsearch 8.12.2",
     false},
    {"ES 8.13", "{\"version\":{\"number\":\"8.13.0\"}}", "", true, "", "elasticsearch 8.13.0",
     true},
    {"ES 7.17", "{\"version\":{\"number\":\"7.17.29\"}}", "", true, "", "elasticsearch 7.17.29",
     false},
    {"serverless", "{\"version\":{\"number\":\"8.11.0\",\"build_flavor\":\"serverless\"}}", "",
     true, "", "elasticsearch 8.11.0 serverless", true},
    {"OS 3 by header", "", "", false, "3.6.0", "opensearch 3.6.0", false},
    {"OS 2 by root", "{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.19.6\"}}", "",
     false, "", "opensearch 2.19.6", false},
    {"nothing said", "", "", false, "", "unknown product", false},
    {"no JSON", "<html>", "]", false, "", "unknown product", false},
    {"wrong types", "{\"version\":[1]}", "{\"nodes\":{\"a\":1}}", true, "", "elasticsearch", false},
    {"version without a minor", "{\"version\":{\"number\":\"9\"}}", "", true, "", "elasticsearch",
     false},
    {"version with blanks", "{\"version\":{\"number\":\"8.15.0 \\n x\"}}", "", true, "",
     "elasticsearch", false},
    {"version far too long",
     "{\"version\":{\"number\":\"8.15.0-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}", "", true, "",
     "elasticsearch", false},
};

static void test_product(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(products); i++) {
        const struct product_case *c = &products[i];
        struct product p = {0};
        char text[64];
        product_from_root(&p, slice_str(c->root));
        product_from_nodes(&p, slice_str(c->nodes));
        product_from_headers(&p, c->elastic, c->opensearch);
        product_describe(&p, text, sizeof(text));
        CHECK(c->name, strcmp(text, c->text) == 0);
        CHECK(c->name, product_knows_require_data_stream(&p) == c->knows);
    }
}

static void test_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {"logs-*-*", "logs-generic-default", true},
        {"logs-*-*", "logs-generic", false},
        {"logs-*", "logs-", true},
        {"*", "", true},
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"*a*b", "xaxxbxb", true},
        {"*a*b", "xaxxbxbc", false},
        {"a**c", "abc", true},
        {"logs", "logs", true},
        {"logs", "logs-x", false},
        {"***", "x", true},
        {"metrics-system.*", "metrics-systemxcpu", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK(rows[i].pattern, control_pattern_matches(slice_str(rows[i].pattern),
                                                       slice_str(rows[i].name)) == rows[i].matches);
}

#define T(patterns, priority, stream)                                                              \
    "{\"name\":\"t\",\"index_template\":{\"index_patterns\":" patterns ",\"priority\":" priority   \
    "" stream "}}"
#define ES_STREAM ",\"data_stream\":{\"hidden\":false,\"allow_custom_routing\":false}"
#define OS_STREAM ",\"data_stream\":{\"timestamp_field\":{\"name\":\"@timestamp\"}}"

static void test_templates(void **state)
{
    (void)state;
    static const struct {
        const char *name, *json;
        int result;
    } rows[] = {
        {"matches", "{\"index_templates\":[" T("[\"logs-*-*\"]", "100", ES_STREAM) "]}", 1},
        {"second pattern", "{\"index_templates\":[" T("[\"x\",\"logs-*\"]", "1", OS_STREAM) "]}",
         1},
        {"pattern without array", "{\"index_templates\":[" T("\"logs-*\"", "1", ES_STREAM) "]}", 1},
        {"plain index", "{\"index_templates\":[" T("[\"logs-*\"]", "100", "") "]}", 0},
        {"higher priority is plain",
         "{\"index_templates\":[" T("[\"logs-*\"]", "100", ES_STREAM) "," T("[\"*\"]", "200",
                                                                            "") "]}",
         0},
        {"higher priority is a stream",
         "{\"index_templates\":[" T("[\"*\"]", "0", "") "," T("[\"logs-*\"]", "200",
                                                              ES_STREAM) "]}",
         1},
        {"other names", "{\"index_templates\":[" T("[\"metrics-*\"]", "1", ES_STREAM) "]}", 0},
        {"none", "{\"index_templates\":[]}", 0},
        {"empty answer of filter_path", "{}", 0},
        {"odd entries", "{\"index_templates\":[1,null,{\"index_template\":7}]}", 0},
        {"not an array", "{\"index_templates\":7}", 0},
        {"no JSON", "<html>", -EBADMSG},
        {"cut", "{\"index_templates\":[", -EBADMSG},
        {"no object", "[]", -EBADMSG},
        {"empty", "", -EBADMSG},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK(rows[i].name,
              control_has_stream_template(slice_str(rows[i].json),
                                          SLICE_LIT("logs-generic-default")) == rows[i].result);
}

static void test_privileges(void **state)
{
    (void)state;
    assert_int_equal(
        control_has_all_privileges(SLICE_LIT("{\"username\":\"a\",\"has_all_requested\":true}")),
        1);
    assert_int_equal(control_has_all_privileges(SLICE_LIT("{\"has_all_requested\":false}")), 0);
    assert_int_equal(control_has_all_privileges(SLICE_LIT("{\"has_all_requested\":1}")), -EBADMSG);
    assert_int_equal(control_has_all_privileges(SLICE_LIT("no")), -EBADMSG);
}

static void test_error_type(void **state)
{
    (void)state;
    static const struct {
        const char *body, *type;
    } rows[] = {
        {"{\"error\":{\"root_cause\":[{\"type\":\"security_exception\",\"reason\":\"x",
         "security_exception"},
        {"{\"error\":\"no handler found for uri [/x/_bulk] and method [POST]\"}",
         "no_handler_found"},
        {"{\"error\":\"other\",\"status\":400}", ""},
        {"Unauthorized", ""},
        {"", ""},
        {"\"type\":\"", ""},
        {"\"type\":\"a b\"", "a"},
        {"\"type\":\"\x1b[31m\"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK(rows[i].body,
              slice_eq_str(control_error_type(slice_str(rows[i].body)), rows[i].type));
}

static void test_search(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1 * KIB);
    assert_int_equal(control_search(&out, SLICE_LIT("a\nb\n"), 2), 0);
    assert_string_equal(buf_cstr(&out), "{\"size\":2,\"_source\":false,\"query\":{\"ids\":"
                                        "{\"values\":[\"a\",\"b\"]}}}");
    buf_clear(&out);
    buf_init(&out, 10);
    assert_int_equal(control_search(&out, SLICE_LIT("a\n"), 1), -ENOBUFS);
    buf_clear(&out);
}

static void test_hits(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int result;
        const char *ids;
    } cases[] = {
        {"{}", 0, ""},
        {"{\"timed_out\":false,\"_shards\":{\"failed\":0},\"hits\":{\"hits\":[]}}", 0, ""},
        {"{\"hits\":{\"hits\":[{\"_id\":\"x\"},{\"_id\":\"y\"}]}}", 0, "x\ny\n"},
        {"{\"hits\":{\"hits\":[{\"_id\":7},{}]}}", 0, "\n\n"},
        {"{\"timed_out\":true}", -EBADMSG, ""},
        {"{\"_shards\":{\"failed\":1},\"hits\":{\"hits\":[{\"_id\":\"x\"}]}}", -EBADMSG, ""},
        {"[]", -EBADMSG, ""},
        {"", -EBADMSG, ""},
        {"<html>", -EBADMSG, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        buf_init(&out, 1 * KIB);
        int r = control_hits(slice_str(cases[i].json), &out);
        CHECK(cases[i].json, r == cases[i].result);
        CHECK(cases[i].json, r < 0 || slice_eq_str(buf_slice(&out), cases[i].ids));
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search),     cmocka_unit_test(test_hits),
        cmocka_unit_test(test_product),    cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_templates),  cmocka_unit_test(test_privileges),
        cmocka_unit_test(test_error_type),
    };
    return cmocka_run_group_tests_name("output/control", tests, NULL, NULL);
}
