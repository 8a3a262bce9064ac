/* run/assets: what a configuration needs on the server */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "metrics/envelope.h"
#include "metrics/sets.h"
#include "run/assets.h"

/* loads a configuration from text */
static struct config *load(const char *text)
{
    struct config *c = NULL;
    struct config_errors errors = {0};
    struct config_source source = {.path = "test.yml", .bytes = slice_str(text)};
    int r = config_load(&source, &c, &errors);
    for (size_t i = 0; i < errors.n; i++)
        print_error("%s\n", errors.v[i].text);
    config_errors_clear(&errors);
    assert_int_equal(r, 0);
    return c;
}

#define INDEX "output.elasticsearch.index: "

static const struct {
    const char *config;
    const char *targets; /* pattern, kind, mapping */
} cases[] = {
    {"metrics.enabled: true\n", "metrics-system.*-* stream metrics,"},
    {"inputs: [{paths: [/a]}]\nmetrics.enabled: false\n", "logs-generic-* stream logs,"},
    {"namespace: site\ninputs: [{paths: [/a], dataset: b}, {paths: [/c], dataset: d},"
     " {paths: [/e], dataset: b}]\n",
     "logs-b-* stream logs,logs-d-* stream logs,metrics-system.*-* stream metrics,"},
    {"inputs: [{paths: [/a]}, {paths: [/b]}]\n" INDEX "'isp-logs-%{+yyyy.MM.dd}'\n",
     "isp-logs-* index logs,metrics-system.*-* stream metrics,"},
    {"inputs: [{paths: [/a], fields: {s: X}}, {paths: [/b]}]\nmetrics.enabled: false\n" INDEX
     "'isp-%{[fields.s]:other}-%Y'\n",
     "isp-x-* index logs,isp-other-* index logs,"},
    {"inputs: [{paths: [/a]}]\nmetrics.enabled: false\n" INDEX "all\n", "all index logs,"},
    {"inputs: [{paths: [/a]}, {paths: [/b], dataset: c}]\nprofile: isp\n",
     "isp-logs-* index isp-logs,isp-metrics-* index isp-metrics,"},
    {"inputs: [{paths: [/a]}]\nisp: {log_prefix: net, metric_prefix: met, date_format: '%Y.%m'}\n",
     "net-* index isp-logs,met-* index isp-metrics,"},
};

static void test_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config *c = load(cases[i].config);
        struct assets_plan *p = NULL;
        struct err e = {0};
        struct buf text;
        buf_init(&text, MIB);
        assert_int_equal(assets_plan_new(c, &p, &e), 0);
        const struct asset_opts *o = assets_plan_opts(p);
        for (size_t t = 0; t < o->target_count; t++)
            assert_int_equal(buf_printf(&text, "%s %s %s,", o->targets[t].pattern,
                                        o->targets[t].is_stream ? "stream" : "index",
                                        o->mappings[o->targets[t].mapping].name),
                             0);
        assert_string_equal(buf_cstr(&text), cases[i].targets);
        buf_clear(&text);
        assets_plan_free(&p);
        assert_null(p);
        config_free(&c);
    }
}

static void test_index_without_a_name(void **state)
{
    (void)state;
    struct config *c = load("inputs: [{paths: [/a]}]\n" INDEX "'%Y.%m'\n");
    struct assets_plan *p = NULL;
    struct err e = {0};
    assert_int_equal(assets_plan_new(c, &p, &e), -EINVAL);
    assert_string_equal(e.text, "the name of an index begins with the day: a template for it would "
                                "be one for other indices, too");
    assert_null(p);
    config_free(&c);
}

static void test_options(void **state)
{
    (void)state;
    struct config *c = load("metrics.enabled: true\nsetup: {number_of_shards: 3, "
                            "number_of_replicas: 2}\noutput.elasticsearch: "
                            "{verify_before_resend: true}\n");
    struct assets_plan *p = NULL;
    struct err e = {0};
    assert_int_equal(assets_plan_new(c, &p, &e), 0);
    const struct asset_opts *o = assets_plan_opts(p);
    assert_int_equal(o->shards, 3);
    assert_int_equal(o->replicas, 2);
    assert_int_equal(o->rollover_age_ms, INT64_C(7) * 86400000);
    assert_int_equal(o->rollover_bytes, UINT64_C(10) << 30);
    assert_int_equal(o->warm_ms, INT64_C(30) * 86400000);
    assert_int_equal(o->cold_ms, INT64_C(60) * 86400000);
    assert_int_equal(o->delete_ms, INT64_C(90) * 86400000);
    assert_true(o->may_read);
    assets_plan_free(&p);
    config_free(&c);
}

/* ---- tables against mappings ---- */

/* the field of that name */
static const struct mapping_field *find(const struct asset_opts *o, const char *mapping,
                                        const char *name)
{
    for (size_t m = 0; m < o->mapping_count; m++) {
        size_t count;
        const struct mapping_field *fields = mapping_fields(o->mappings[m].fields, &count);
        if (strcmp(o->mappings[m].name, mapping) != 0)
            continue;
        for (size_t i = 0; i < count; i++)
            if (strcmp(fields[i].name, name) == 0)
                return &fields[i];
    }
    fail_msg("no field %s in mapping %s", name, mapping);
    return NULL;
}

/* how many there are, without aliases */
static size_t count_fields(const struct asset_opts *o, const char *mapping)
{
    size_t n = 0;
    for (size_t m = 0; m < o->mapping_count; m++) {
        size_t count;
        const struct mapping_field *fields = mapping_fields(o->mappings[m].fields, &count);
        for (size_t i = 0; i < count && strcmp(o->mappings[m].name, mapping) == 0; i++)
            n += fields[i].path == NULL;
    }
    return n;
}

/* each row has its place with its type */
static size_t compare_rows(const struct asset_opts *o, const struct field *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct mapping_field *f = find(o, "metrics", rows[i].name);
        assert_int_equal(f->type, rows[i].type);
        assert_int_equal(f->scale, rows[i].scale);
        assert_null(f->path);
        assert_true((rows[i].type == FIELD_SCALED_FLOAT) == (f->scale > 0));
    }
    return count;
}

/* Every field of every set and of log lines is mapped with its own type, the platform's names are
 * aliases of fields that are there, and there is nothing else. */
static void test_every_field(void **state)
{
    (void)state;
    struct config *c = load("inputs: [{paths: [/a]}]\n");
    struct assets_plan *p = NULL;
    struct err e = {0};
    size_t count, total = 0;
    assert_int_equal(assets_plan_new(c, &p, &e), 0);
    const struct asset_opts *o = assets_plan_opts(p);
    const struct field *common = envelope_fields(&count);
    total += compare_rows(o, common, count);
    const struct metric_set *const *sets = sets_table(&count);
    for (size_t i = 0; i < count; i++)
        total += compare_rows(o, sets[i]->fields, sets[i]->field_count);
    assert_int_equal(count_fields(o, "metrics"), total);
    assert_int_equal(count_fields(o, "logs"), log_field_count);
    for (size_t i = 0; i < log_field_count; i++) {
        const struct mapping_field *f = find(o, "logs", log_fields[i].name);
        assert_int_equal(f->type, log_fields[i].type);
        assert_int_equal(f->flags, log_fields[i].flags);
        assert_null(f->path);
        if (log_fields[i].platform != NULL)
            assert_string_equal(find(o, "logs", log_fields[i].platform)->path, log_fields[i].name);
    }
    assert_string_equal(find(o, "metrics", "host_name")->path, "host.name");
    assert_string_equal(find(o, "metrics", "timestamp")->path, "@timestamp");
    assets_plan_free(&p);
    config_free(&c);
}

/* The platform's names, each once, with the types that its own set-up has. */
static void test_platform(void **state)
{
    (void)state;
    static const struct {
        const char *mapping, *name;
        enum field_type type;
    } rows[] = {
        {"isp-logs", "@timestamp", FIELD_DATE},
        {"isp-logs", "timestamp", FIELD_DATE},
        {"isp-logs", "log_level", FIELD_KEYWORD},
        {"isp-logs", "service_name", FIELD_KEYWORD},
        {"isp-logs", "host_name", FIELD_KEYWORD},
        {"isp-logs", "message", FIELD_TEXT},
        {"isp-logs", "trace_id", FIELD_KEYWORD},
        {"isp-logs", "correlation_id", FIELD_KEYWORD},
        {"isp-logs", "user_id", FIELD_LONG},
        {"isp-logs", "source_ip", FIELD_IP},
        {"isp-logs", "request_path", FIELD_KEYWORD},
        {"isp-logs", "request_method", FIELD_KEYWORD},
        {"isp-logs", "response_status", FIELD_LONG},
        {"isp-logs", "execution_time_ms", FIELD_FLOAT},
        {"isp-logs", "metadata", FIELD_OBJECT},
        {"isp-metrics", "@timestamp", FIELD_DATE},
        {"isp-metrics", "timestamp", FIELD_DATE},
        {"isp-metrics", "service_name", FIELD_KEYWORD},
        {"isp-metrics", "host_name", FIELD_KEYWORD},
        {"isp-metrics", "metric_type", FIELD_KEYWORD},
        {"isp-metrics", "value", FIELD_FLOAT},
        {"isp-metrics", "unit", FIELD_KEYWORD},
        {"isp-metrics", "status", FIELD_KEYWORD},
        {"isp-metrics", "tags", FIELD_OBJECT},
        {"isp-metrics", "sampling_rate", FIELD_FLOAT},
    };
    struct config *c = load("inputs: [{paths: [/a]}]\nprofile: isp\n");
    struct assets_plan *p = NULL;
    struct err e = {0};
    assert_int_equal(assets_plan_new(c, &p, &e), 0);
    const struct asset_opts *o = assets_plan_opts(p);
    assert_int_equal(o->mapping_count, 2);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct mapping_field *f = find(o, rows[i].mapping, rows[i].name);
        assert_int_equal(f->type, rows[i].type);
        assert_null(f->path);
    }
    size_t count;
    const struct mapping_field *fields = mapping_fields(o->mappings[0].fields, &count);
    assert_string_equal(find(o, "isp-logs", "log.level")->path, "log_level");
    assert_string_equal(find(o, "isp-logs", "host.name")->path, "host_name");
    for (size_t i = 0; i < count; i++) {
        assert_string_not_equal(fields[i].name, "hostname");
        assert_string_not_equal(fields[i].name, "execution_time");
        assert_int_not_equal(fields[i].type, FIELD_CONSTANT_KEYWORD);
    }
    assets_plan_free(&p);
    config_free(&c);
}

/* no name is a field and an object at once: the server would refuse the template */
static void no_field_within_a_field(const char *config)
{
    struct config *c = load(config);
    struct assets_plan *p = NULL;
    struct err e = {0};
    assert_int_equal(assets_plan_new(c, &p, &e), 0);
    const struct asset_opts *o = assets_plan_opts(p);
    for (size_t m = 0; m < o->mapping_count; m++) {
        size_t count;
        const struct mapping_field *fields = mapping_fields(o->mappings[m].fields, &count);
        for (size_t i = 1; i < count; i++) {
            size_t n = strlen(fields[i - 1].name);
            if (strncmp(fields[i].name, fields[i - 1].name, n) == 0 && fields[i].name[n] == '.')
                fail_msg("%s is within %s", fields[i].name, fields[i - 1].name);
        }
        assert_true(count < 900); /* of the 1000 that an index may have */
    }
    assets_plan_free(&p);
    config_free(&c);
}

static void test_no_field_within_a_field(void **state)
{
    (void)state;
    no_field_within_a_field("inputs: [{paths: [/a]}]\n");
    no_field_within_a_field("inputs: [{paths: [/a]}]\nprofile: isp\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),  cmocka_unit_test(test_index_without_a_name),
        cmocka_unit_test(test_options),  cmocka_unit_test(test_every_field),
        cmocka_unit_test(test_platform), cmocka_unit_test(test_no_field_within_a_field),
    };
    return cmocka_run_group_tests_name("run/assets", tests, NULL, NULL);
}
