/* output_test: what is found out about a host, without leaving a document */
#include "fake_elastic.h"

#include <errno.h>

static int http_up(void **state)
{
    (void)state;
    return http_global_init();
}

#define TEMPLATE                                                                                   \
    "{\"index_templates\":[{\"index_template\":{\"index_patterns\":[\"logs-*-*\"],\"priority\":1," \
    "\"data_stream\":{\"hidden\":false}}}]}"
#define OPENSEARCH "X-OpenSearch-Version: OpenSearch/3.6.0 (opensearch)\r\n"

static const struct output_target target = {TARGET, false};
static const char *refusal; /* of a 403 */

/* what is no JSON is refused, by knob also for other reasons */
static int refuse(struct fake *f, const struct fake_doc *d, const char *line,
                  const char **ret_error)
{
    (void)d;
    bool is_bad = strcmp(strchr(line, '\n') + 1, "{\n") == 0;
    if (f->knob == 403)
        *ret_error = refusal;
    return f->knob != 0 ? f->knob : is_bad ? 400 : 0;
}

static const struct {
    const char *name, *version, *opensearch, *templates, *privileges;
    int item; /* status of items, 0 = 400 to what is bad */
    int result;
    const char *report; /* each line after the host's name */
    unsigned writes;
    const char *refusal;
} cases[] = {
    {"elasticsearch with security", "8.19.21", NULL, TEMPLATE, "{\"has_all_requested\":true}", 0, 0,
     "elasticsearch 8.19.21|a data-stream template matches " TARGET "|may write to " TARGET "|", 0},
    {"elasticsearch without security", "8.19.21", NULL, TEMPLATE, NULL, 0, 0,
     "elasticsearch 8.19.21|a data-stream template matches " TARGET "|may write to " TARGET "|", 1},
    {"privileges missing", "8.19.21", NULL, TEMPLATE, "{\"has_all_requested\":false}", 0, -EACCES,
     "elasticsearch 8.19.21|a data-stream template matches " TARGET
     "|the privileges auto_configure and create_doc are missing on " TARGET "|",
     0},
    {"one privilege missing", "8.19.21", NULL, TEMPLATE,
     "{\"has_all_requested\":false,\"index\":{\"" TARGET
     "\":{\"auto_configure\":true,\"create_doc\":false}}}",
     0, -EACCES,
     "elasticsearch 8.19.21|a data-stream template matches " TARGET
     "|privileges are missing: create_doc on " TARGET "|",
     0},
    {"a privilege that a 403 names", "8.19.21", NULL, TEMPLATE, NULL, 403, -EACCES,
     "elasticsearch 8.19.21|a data-stream template matches " TARGET "|may not write to " TARGET
     "; missing: one of auto_configure,create_index,manage,all|",
     1,
     "\"type\":\"security_exception\",\"reason\":\"action [indices:admin/auto_create] is "
     "unauthorized for user [x], this action is granted by the index privileges "
     "[auto_configure,create_index,manage,all]\""},
    {"a permission that a 403 names", NULL, OPENSEARCH, TEMPLATE, NULL, 403, -EACCES,
     "opensearch 3.6.0|a data-stream template matches " TARGET "|may not write to " TARGET
     "; missing: indices:data/write/bulk[s], indices:data/write/index|",
     1,
     "\"type\":\"security_exception\",\"reason\":\"no permissions for [indices:data/write/bulk[s], "
     "indices:data/write/index] and "
     "User [name=ship, backend_roles=[], requestedTenant=null]\""},
    {"a 403 of something else", NULL, OPENSEARCH, TEMPLATE, NULL, 403, -EACCES,
     "opensearch 3.6.0|a data-stream template matches " TARGET "|may not write to " TARGET
     "; missing: not caf??|",
     1, "\"reason\":\"not caf\xc3\xa9\""},
    {"no template", "8.19.21", NULL, "{}", NULL, 0, -ENOENT,
     "elasticsearch 8.19.21|no data-stream template matches, run \"wherry setup\" for " TARGET "|",
     0},
    {"opensearch", NULL, OPENSEARCH, TEMPLATE, NULL, 0, 0,
     "opensearch 3.6.0|a data-stream template matches " TARGET "|may write to " TARGET "|", 1},
    {"opensearch without the right", NULL, OPENSEARCH, TEMPLATE, NULL, 403, -EACCES,
     "opensearch 3.6.0|a data-stream template matches " TARGET "|may not write to " TARGET "|", 1},
    {"opensearch that hides templates", NULL, OPENSEARCH, NULL, NULL, 0, 0,
     "opensearch 3.6.0|does not show its templates|not tried, since no template could be seen: a "
     "write to " TARGET "|",
     0},
    {"elasticsearch that hides templates", "9.5.3", NULL, NULL, NULL, 404, -ENOENT,
     "elasticsearch 9.5.3|does not show its templates|no data stream can be made: run \"wherry "
     "setup\" for " TARGET "|",
     1},
    {"odd answer", "8.19.21", NULL, TEMPLATE, NULL, 503, -EPROTO,
     "elasticsearch 8.19.21|a data-stream template matches " TARGET
     "|gave no clear answer to a write to " TARGET "|",
     1},
};

static void test_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig *r = rig_new(1 * MIB);
        struct buf report, expected;
        buf_init(&report, 64 * KIB);
        buf_init(&expected, 64 * KIB);
        r->server.version = cases[i].version;
        r->server.opensearch = cases[i].opensearch;
        r->server.templates = cases[i].templates;
        r->server.privileges = cases[i].privileges;
        r->server.item = refuse;
        r->server.knob = cases[i].item;
        refusal = cases[i].refusal;
        CHECK(cases[i].name, output_test(&r->opts, &target, 1, &report) == cases[i].result);
        struct slice rest = slice_str(cases[i].report), line;
        while (slice_next(&rest, '|', &line)) {
            if (line.len > 0)
                assert_int_equal(
                    buf_printf(&expected, "%s: %.*s\n", r->url[0], (int)line.len, line.ptr), 0);
        }
        if (!slice_eq(buf_slice(&report), buf_slice(&expected)))
            fail_msg("case \"%s\": %s", cases[i].name, buf_cstr(&report));
        CHECK(cases[i].name, r->server.request_count == cases[i].writes);
        CHECK(cases[i].name, r->server.stored == 0);
        buf_clear(&report);
        buf_clear(&expected);
        rig_free(&r);
    }
}

static void test_not_reached(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct buf report;
    buf_init(&report, 64 * KIB);
    r->server.item = refuse;
    r->server.templates = TEMPLATE;
    memcpy(r->url[1], r->url[0], sizeof(r->url[0]));
    snprintf(r->url[0], sizeof(r->url[0]), "http://127.0.0.1:1");
    r->opts.host_count = 2;
    assert_int_equal(output_test(&r->opts, &target, 1, &report), -ENOTCONN);
    assert_non_null(strstr(buf_cstr(&report), "http://127.0.0.1:1: not reached: "));
    assert_non_null(strstr(buf_cstr(&report), "may write to " TARGET "\n"));
    buf_clear(&report);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_not_reached),
    };
    return cmocka_run_group_tests_name("output/elasticsearch check", tests, http_up, NULL);
}
