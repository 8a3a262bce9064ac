/* metrics/isp: each row of the table names a field of its set, and a set's document becomes those
 * of its values, to the last byte. */
#include "metrics/isp.h"

#include "bulk/fields.h"
#include "check.h"
#include "metrics/fields.h"
#include "metrics/sets.h"

static const struct metric_set *set_of(const char *name)
{
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}

static void rows_name_fields(void **state)
{
    (void)state;
    /* what the platform's programs and dashboards know */
    static const char *const types[] = {"cpu_usage",
                                        "memory_usage",
                                        "disk_usage",
                                        "custom",
                                        "network_traffic",
                                        "network_bandwidth",
                                        "network_latency",
                                        "network_bandwidth_utilization",
                                        "network_connection_count"};
    size_t count;
    const struct isp_metric *rows = isp_metrics(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        const struct isp_metric *m = &rows[i];
        const struct metric_set *set = set_of(m->set);
        bool known = false;
        CHECK(m->field, set != NULL && isp_has_set(m->set));
        const struct field *f = field_find(set->fields, set->field_count, slice_str(m->field));
        CHECK(m->field, f != NULL && (f->type == FIELD_LONG || f->type == FIELD_SCALED_FLOAT));
        CHECK(m->field, (strcmp(m->unit, "percent") == 0) == (f->unit == FIELD_PERCENT));
        for (size_t k = 0; k < ARRAY_LEN(m->of) && m->of[k] != NULL; k++)
            CHECK(m->of[k], field_find(set->fields, set->field_count, slice_str(m->of[k])) != NULL);
        for (size_t k = 0; k < ARRAY_LEN(types); k++)
            known |= strcmp(m->type, types[k]) == 0;
        CHECK(m->type, known);
        CHECK(m->type, (strcmp(m->type, "custom") == 0) == (m->name != NULL));
    }
    assert_false(isp_has_set("thermal"));
}

static struct buf all;

static void emit(void *ctx, struct slice document)
{
    (void)ctx;
    assert_int_equal(buf_add_slice(&all, document), 0);
    assert_int_equal(buf_add_str(&all, "\n"), 0);
}

static const char *write(const char *set, const char *document, size_t room)
{
    struct buf out;
    buf_clear(&all);
    buf_init(&all, 65536);
    buf_init(&out, room);
    isp_write(set, slice_str(document), "server1", &out, emit, NULL);
    buf_clear(&out);
    return buf_cstr(&all);
}

#define TIME "2026-11-23T01:02:03.456Z"
#define HEAD                                                                                       \
    "{\"@timestamp\":\"" TIME "\",\"timestamp\":\"" TIME                                           \
    "\",\"service_name\":\"system\",\"host_name\":\"server1\","
#define TAIL ",\"sampling_rate\":1.0}\n"

static void values_are_documents(void **state)
{
    (void)state;
    static const struct {
        const char *set, *document, *want;
    } cases[] = {
        {"cpu",
         "{\"@timestamp\":\"" TIME "\",\"host\":{\"cpu\":{\"usage\":0.1}},"
         "\"system\":{\"cpu\":{\"total\":{\"pct\":3.2,\"norm\":{\"pct\":0.8125}}}}}",
         HEAD "\"metric_type\":\"cpu_usage\",\"value\":81.25,\"unit\":\"percent\",\"status\":"
              "\"up\",\"tags\":{}" TAIL},
        {"filesystem",
         "{\"@timestamp\":\"" TIME "\",\"system\":{\"filesystem\":{\"used\":{\"pct\":0.5},"
         "\"mount_point\":\"/a \\\"b\",\"device_name\":\"/dev/sda1\"}}}",
         HEAD "\"metric_type\":\"disk_usage\",\"value\":50.0,\"unit\":\"percent\",\"status\":"
              "\"up\",\"tags\":{\"mount_point\":\"/a \\\"b\",\"device_name\":\"/dev/sda1\"}" TAIL},
        {"network",
         "{\"@timestamp\":\"" TIME "\",\"system\":{\"network\":{\"name\":\"eth0\","
         "\"in\":{\"bytes\":12345678901},\"out\":{\"packets\":1,\"bytes\":0}}}}",
         HEAD "\"metric_type\":\"network_traffic\",\"value\":12345678901.0,\"unit\":\"bytes\","
              "\"status\":\"up\",\"tags\":{\"interface\":\"eth0\",\"direction\":\"in\"}" TAIL HEAD
              "\"metric_type\":\"network_traffic\",\"value\":0.0,\"unit\":\"bytes\","
              "\"status\":\"up\",\"tags\":{\"interface\":\"eth0\",\"direction\":\"out\"}" TAIL},
        {"load", "{\"@timestamp\":\"" TIME "\",\"system\":{\"load\":{\"1\":0.5,\"5\":0.1}}}",
         HEAD "\"metric_type\":\"custom\",\"value\":0.5,\"unit\":\"load\",\"status\":\"up\","
              "\"tags\":{\"name\":\"load_average\"}" TAIL},
        {"load", "{\"@timestamp\":\"" TIME "\",\"system\":{\"load\":{\"1\":\"much\"}}}", ""},
        {"load", "{\"@timestamp\":\"" TIME "\",\"system\":{\"load\":{\"1\":0.5}", ""},
        {"load", "{\"@timestamp\":\"" TIME "\",\"system.load.1\":{\"x\":0.5}}", ""},
        {"load", "", ""},
        {"thermal", "{\"system\":{\"load\":{\"1\":0.5}}}", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *is = write(cases[i].set, cases[i].document, 4096);
        if (strcmp(is, cases[i].want) != 0)
            fail_msg("want %s, is %s", cases[i].want, is);
    }
    assert_string_equal(write("cpu", cases[0].document, 100), ""); /* no room: none */
}

static void a_long_path_is_none(void **state)
{
    (void)state;
    char document[2048], name[400];
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    (void)snprintf(document, sizeof(document),
                   "{\"@timestamp\":\"" TIME "\",\"%s\":{\"a\":1},\"system\":{\"load\":{\"1\":2}}}",
                   name);
    assert_string_equal(write("load", document, 4096),
                        HEAD "\"metric_type\":\"custom\",\"value\":2.0,\"unit\":\"load\","
                             "\"status\":\"up\",\"tags\":{\"name\":\"load_average\"}" TAIL);
}

/* members of the documents and rows of bulk/fields are the same, in order */
static void documents_have_the_fields_of_the_table(void **state)
{
    (void)state;
    const char *at = write("cpu",
                           "{\"@timestamp\":\"" TIME
                           "\",\"system\":{\"cpu\":{\"total\":{\"norm\":{\"pct\":0}}}}}",
                           4096);
    for (size_t i = 0; i < isp_metric_field_count; i++) {
        char key[64];
        (void)snprintf(key, sizeof(key), "%s\"%s\":", i == 0 ? "{" : ",",
                       isp_metric_fields[i].name);
        at = strstr(at, key);
        CHECK(key, at != NULL);
    }
}

static int forget(void **state)
{
    (void)state;
    buf_clear(&all);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_name_fields),
        cmocka_unit_test(values_are_documents),
        cmocka_unit_test(a_long_path_is_none),
        cmocka_unit_test(documents_have_the_fields_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
