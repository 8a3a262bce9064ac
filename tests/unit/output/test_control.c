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
    static const struct {
        const char *json;
        int result;
        const char *missing;
    } rows[] = {
        {"{\"username\":\"a\",\"has_all_requested\":true,\"index\":{\"a\":{\"read\":true}}}", 1,
         ""},
        {"{\"has_all_requested\":false}", 0, ""},
        {"{\"has_all_requested\":false,\"index\":{\"logs-a-b\":{\"auto_configure\":false,"
         "\"create_doc\":true}}}",
         0, "auto_configure on logs-a-b"},
        {"{\"has_all_requested\":false,\"index\":{\"a\":{\"x\":false,\"y\":false},\"b\":{\"z\":"
         "false,\"w\":7},\"c\":1}}",
         0, "x on a, y on a, z on b"},
        {"{\"has_all_requested\":1}", -EBADMSG, ""},
        {"no", -EBADMSG, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf missing;
        buf_init(&missing, 100);
        CHECK(rows[i].json,
              control_privileges(slice_str(rows[i].json), &missing) == rows[i].result);
        CHECK(rows[i].json, strcmp(buf_cstr(&missing), rows[i].missing) == 0);
        buf_clear(&missing);
    }
}

static void test_privileges_without_room(void **state)
{
    (void)state;
    struct buf missing;
    buf_init(&missing, 12);
    assert_int_equal(
        control_privileges(SLICE_LIT("{\"has_all_requested\":false,\"index\":{\"abcdef\":{"
                                     "\"x\":false,\"y\":false}}}"),
                           &missing),
        0);
    assert_string_equal(buf_cstr(&missing), "x on abcdef");
    buf_clear(&missing);
}

#define HASH "0123456789abcdef"

static void test_stamps(void **state)
{
    (void)state;
    static const struct {
        const char *name, *json, *path;
        int result;
        bool ours;
        unsigned version;
        const char *hash;
    } rows[] = {
        {"component template",
         "{\"component_templates\":[{\"name\":\"a\",\"component_template\":{\"template\":{},"
         "\"_meta\":{\"managed_by\":\"wherry\",\"version\":3,\"hash\":\"" HASH "\"}}}]}",
         "component_templates.*.component_template._meta", 0, true, 3, HASH},
        {"policy of ILM",
         "{\"wherry\":{\"version\":1,\"policy\":{\"_meta\":{\"managed_by\":\"wherry\",\"version\":"
         "1,\"hash\":\"" HASH "\"}}}}",
         "*.policy._meta", 0, true, 1, HASH},
        {"policy of ISM",
         "{\"_id\":\"a\",\"policy\":{\"description\":\"managed_by wherry, version 2, hash " HASH
         "\"}}",
         "policy.description", 0, true, 2, HASH},
        {"role of OpenSearch",
         "{\"wherry-writer\":{\"description\":\"managed_by wherry, version 1, hash " HASH "\"}}",
         "*.description", 0, true, 1, HASH},
        {"somebody else's", "{\"a\":{\"metadata\":{\"managed_by\":\"fleet\",\"version\":1}}}",
         "*.metadata", 0, false, 0, ""},
        {"nobody's", "{\"a\":{\"metadata\":{}}}", "*.metadata", 0, false, 0, ""},
        {"without a stamp", "{\"a\":{}}", "*.metadata", 0, false, 0, ""},
        {"another text", "{\"a\":{\"description\":\"made by hand\"}}", "*.description", 0, false, 0,
         ""},
        {"hash of another length", "{\"a\":{\"m\":{\"managed_by\":\"wherry\",\"hash\":\"ab\"}}}",
         "*.m", 0, true, 0, ""},
        {"odd version", "{\"a\":{\"m\":{\"managed_by\":\"wherry\",\"version\":\"x\",\"hash\":7}}}",
         "*.m", 0, true, 0, ""},
        {"huge version", "{\"a\":{\"m\":{\"managed_by\":\"wherry\",\"version\":1e300}}}", "*.m", 0,
         true, 0, ""},
        {"text cut", "{\"a\":{\"d\":\"managed_by wherry, version 7\"}}", "*.d", 0, true, 7, ""},
        {"stamp elsewhere", "{\"a\":{\"x\":{\"m\":{\"managed_by\":\"wherry\"}}}}", "*.m", 0, false,
         0, ""},
        {"empty", "{}", "*.m", 0, false, 0, ""},
        {"a list", "[{\"m\":{\"managed_by\":\"wherry\"}}]", "*.m", -EBADMSG, true, 0, ""},
        {"no JSON", "<html>", "*.m", -EBADMSG, false, 0, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct control_stamp stamp;
        int r = control_stamp(slice_str(rows[i].json), rows[i].path, &stamp);
        CHECK(rows[i].name, r == rows[i].result);
        CHECK(rows[i].name, stamp.ours == rows[i].ours);
        CHECK(rows[i].name, stamp.version == rows[i].version);
        CHECK(rows[i].name, strcmp(stamp.hash, rows[i].hash) == 0);
    }
    struct control_stamp stamp;
    assert_int_equal(control_stamp(SLICE_LIT("{\"_seq_no\":12,\"_primary_term\":3,\"policy\":{}}"),
                                   "policy.description", &stamp),
                     0);
    assert_int_equal(stamp.seq_no, 12);
    assert_int_equal(stamp.primary_term, 3);
}

static void test_api_key(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int result;
        const char *key;
    } rows[] = {
        {"{\"id\":\"VuaC\",\"name\":\"wherry\",\"api_key\":\"ui2lp2a\",\"encoded\":\"x\"}", 0,
         "VuaC:ui2lp2a"},
        {"{\"id\":\"VuaC\"}", -EBADMSG, ""},
        {"{\"id\":\"a:b\",\"api_key\":\"c\"}", -EBADMSG, ""},
        {"{\"id\":\"a\",\"api_key\":\"c\\nd\"}", -EBADMSG, ""},
        {"no", -EBADMSG, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf key;
        buf_init(&key, 100);
        CHECK(rows[i].json, control_api_key(slice_str(rows[i].json), &key) == rows[i].result);
        CHECK(rows[i].json, strcmp(buf_cstr(&key), rows[i].key) == 0);
        buf_clear(&key);
    }
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
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_hits),
        cmocka_unit_test(test_product),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_privileges),
        cmocka_unit_test(test_privileges_without_room),
        cmocka_unit_test(test_stamps),
        cmocka_unit_test(test_api_key),
        cmocka_unit_test(test_error_type),
    };
    return cmocka_run_group_tests_name("output/control", tests, NULL, NULL);
}
