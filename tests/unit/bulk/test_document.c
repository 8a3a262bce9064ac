/* bulk/document: where members stand in both profiles, what clashes, and that no name is there
 * twice. */
#include "bulk/document.h"

#include "base/num.h"
#include "bulk_test.h"

#define TEXT_MAX 8192

/* any text of 20 characters that ends in Z is a time here */
static size_t parse_time(struct slice text, char *dst)
{
    if (text.len != 20 || text.ptr[19] != 'Z')
        return 0;
    memcpy(dst, text.ptr, text.len);
    return text.len;
}

/* what the decoder does with flat members: name, JSON text, ... in the object of the given name */
struct given {
    const char *object, *name, *json;
};

static int add(struct document *d, const struct given *g)
{
    struct slice json = slice_str(g->json), text = json;
    enum json_event kind = json.ptr[0] == '{'   ? JSON_OBJECT
                           : json.ptr[0] == '[' ? JSON_ARRAY
                           : json.ptr[0] == '"' ? JSON_STRING
                           : json.ptr[0] == 't' ? JSON_TRUE
                           : json.ptr[0] == 'n' ? JSON_NULL
                                                : JSON_NUMBER;
    int object = 0;
    if (g->object != NULL)
        object = document_place(d, 0, slice_str(g->object));
    CHECK(g->name, g->object == NULL || object > 0);
    if (kind == JSON_STRING)
        text = slice_sub(json, 1, json.len - 2);
    return document_member(d, object, slice_str(g->name), kind, json, text);
}

static const char *text_of(const struct document *d)
{
    static char text[TEXT_MAX];
    size_t most = document_bytes(d);
    assert_true(most < TEXT_MAX);
    size_t n = (size_t)(document_write(d, text) - text);
    assert_true(n <= most);
    text[n] = '\0';
    return text;
}

#define T "\"2026-11-23T01:02:03Z\""

static void members_stand_where_they_belong(void **state)
{
    (void)state;
    static const struct {
        struct given given[4];
        const char *want, *isp; /* isp NULL: the same */
    } cases[] = {
        {{{0}}, "{}", NULL},
        {{{NULL, "a", "1"}}, "{\"a\":1}", NULL},
        {{{NULL, "log_level", "\"ERROR\""}, {NULL, "service_name", "\"billing\""}},
         "{\"log\":{\"level\":\"ERROR\"},\"service\":{\"name\":\"billing\"}}",
         "{\"log_level\":\"ERROR\",\"service_name\":\"billing\"}"},
        {{{NULL, "log.level", "\"x\""}, {"service", "name", "\"y\""}},
         "{\"log\":{\"level\":\"x\"},\"service\":{\"name\":\"y\"}}",
         "{\"log_level\":\"x\",\"service_name\":\"y\"}"},
        {{{NULL, "timestamp", T}},
         "{\"@timestamp\":" T "}",
         "{\"@timestamp\":" T ",\"timestamp\":" T "}"},
        {{{NULL, "@timestamp", T}, {NULL, "timestamp", T}},
         "{\"@timestamp\":" T ",\"json\":{\"timestamp\":" T "}}",
         "{\"@timestamp\":" T ",\"timestamp\":" T ",\"json\":{\"timestamp\":" T "}}"},
        {{{NULL, "timestamp", "\"yesterday\""}}, "{\"json\":{\"timestamp\":\"yesterday\"}}", NULL},
        {{{NULL, "timestamp", "1742810400"}}, "{\"json\":{\"timestamp\":1742810400}}", NULL},
        {{{NULL, "user_id", "12"}}, "{\"user\":{\"id\":12}}", "{\"user_id\":12}"},
        {{{NULL, "user_id", "\"bob\""}},
         "{\"user\":{\"id\":\"bob\"}}",
         "{\"json\":{\"user_id\":\"bob\"}}"},
        {{{NULL, "source_ip", "\"192.0.2.1\""}, {NULL, "id", "7"}},
         "{\"event\":{\"id\":7},\"source\":{\"ip\":\"192.0.2.1\"}}",
         "{\"id\":7,\"source_ip\":\"192.0.2.1\"}"},
        {{{NULL, "source_ip", "\"2001:db8::1\""}},
         "{\"source\":{\"ip\":\"2001:db8::1\"}}",
         "{\"source_ip\":\"2001:db8::1\"}"},
        {{{NULL, "source_ip", "\"192.0.2\""}}, "{\"json\":{\"source_ip\":\"192.0.2\"}}", NULL},
        {{{NULL, "response_status", "200"}, {NULL, "request_method", "\"GET\""}},
         "{\"http\":{\"request\":{\"method\":\"GET\"},\"response\":{\"status_code\":200}}}",
         "{\"request_method\":\"GET\",\"response_status\":200}"},
        {{{NULL, "response_status", "\"200\""}},
         "{\"http\":{\"response\":{\"status_code\":\"200\"}}}",
         "{\"response_status\":\"200\"}"},
        {{{NULL, "response_status", "200.5"}}, "{\"json\":{\"response_status\":200.5}}", NULL},
        {{{NULL, "value", "\"80.5\""}}, "{\"value\":\"80.5\"}", NULL},
        {{{NULL, "value", "\"much\""}}, "{\"json\":{\"value\":\"much\"}}", NULL},
        {{{NULL, "message", "{\"a\":1}"}}, "{\"json\":{\"message\":{\"a\":1}}}", NULL},
        {{{NULL, "message", "null"}}, "{}", NULL},
        {{{NULL, "log", "\"x\""}}, "{\"json\":{\"log\":\"x\"}}", NULL},
        {{{NULL, "log", "null"}}, "{}", NULL},
        {{{NULL, "host", "\"h\""}}, "{\"json\":{\"host\":\"h\"}}", NULL},
        {{{"log", "logger", "\"x\""}, {NULL, "log.origin", "1"}},
         "{\"log\":{\"logger\":\"x\",\"origin\":1}}",
         NULL},
        {{{"log", "file", "1"}}, "{\"json\":{\"log.file\":1}}", NULL},
        {{{"log", "offset", "1"}, {NULL, "log.offset.x", "2"}},
         "{\"json\":{\"log.offset\":1,\"log.offset.x\":2}}",
         NULL},
        {{{NULL, "message.x", "1"}}, "{\"json\":{\"message.x\":1}}", NULL},
        {{{NULL, "_id", "1"}, {NULL, "_source", "2"}, {NULL, "a._id", "3"}},
         "{\"json\":{\"_id\":1,\"_source\":2},\"a._id\":3}",
         NULL},
        {{{"metadata", "user_id", "123"}, {NULL, "metadata.x", "1"}},
         "{\"metadata\":{\"user_id\":123,\"x\":1}}",
         NULL},
        {{{NULL, "metadata", "[1]"}}, "{\"json\":{\"metadata\":[1]}}", NULL},
        {{{"json", "x", "1"}}, "{\"json\":{\"x\":1}}", NULL},
        {{{NULL, "tags", "[\"a\",\"b\"]"}}, "{\"tags\":[\"a\",\"b\"]}", NULL},
        {{{NULL, "tags", "[{\"a\":1}]"}}, "{\"json\":{\"tags\":[{\"a\":1}]}}", NULL},
        {{{NULL, "tags", "{\"interface\":\"eth0\"}"}},
         "{\"json\":{\"tags\":{\"interface\":\"eth0\"}}}",
         NULL},
        {{{NULL, "a\"\\", "1"}}, "{\"a\\\"\\\\\":1}", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int p = PROFILE_DEFAULT; p <= PROFILE_ISP; p++) {
            struct document *d = document_new((enum profile)p, parse_time);
            const char *want =
                p == PROFILE_ISP && cases[i].isp != NULL ? cases[i].isp : cases[i].want;
            for (size_t k = 0; k < 4 && cases[i].given[k].name != NULL; k++)
                CHECK(want, add(d, &cases[i].given[k]) == 0);
            if (strcmp(text_of(d), want) != 0)
                fail_msg("profile %d, want %s, is %s", p, want, text_of(d));
            document_free(&d);
            assert_null(d);
        }
    }
}

static void no_name_is_there_twice(void **state)
{
    (void)state;
    static const struct given pairs[][2] = {
        {{NULL, "a", "1"}, {NULL, "a", "2"}},
        {{"log", "x", "1"}, {NULL, "log.x", "2"}},
        {{"metadata", "x", "1"}, {NULL, "metadata.x", "2"}},
        {{NULL, "_id", "1"}, {"json", "_id", "2"}},
        {{NULL, "log.offset", "1"}, {"log", "offset", "2"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct document *d = document_new(PROFILE_DEFAULT, NULL);
        CHECK(pairs[i][1].name, add(d, &pairs[i][0]) == 0);
        CHECK(pairs[i][1].name, add(d, &pairs[i][1]) == -1);
        document_free(&d);
    }
}

static void names_have_a_limit(void **state)
{
    (void)state;
    struct document *d = document_new(PROFILE_ISP, NULL);
    char name[16];
    unsigned taken = 0;
    for (int r = 0; r == 0; taken++) {
        assert_true(taken < 1000);
        (void)snprintf(name, sizeof(name), "n%u", taken);
        r = add(d, &(struct given){NULL, name, "1"});
    }
    assert_int_equal(taken, 513);
    document_free(&d);
}

static void constants_stay(void **state)
{
    (void)state;
    struct document *d = document_new(PROFILE_DEFAULT, parse_time);
    document_constant(d, LOG_FIELD_HOST, SLICE_LIT("\"h1\""));
    document_constant(d, LOG_FIELD_AGENT_ID, SLICE_LIT("\"5f\""));
    document_constant(d, LOG_FIELD_TAGS, SLICE_LIT("[\"t\"]"));
    document_constant(d, LOG_FIELD_TAGS, SLICE_LIT("[\"t2\"]"));
    assert_int_equal(add(d, &(struct given){NULL, "host_name", "\"server1\""}), 0);
    assert_int_equal(add(d, &(struct given){NULL, "tags", "[\"x\"]"}), 0);
    assert_int_equal(add(d, &(struct given){NULL, "agent.id", "\"other\""}), 0);
    document_set(d, LOG_FIELD_STREAM, SLICE_LIT("\"stdout\""));
    assert_int_equal(add(d, &(struct given){NULL, "stream", "\"mine\""}), 0);
    assert_string_equal(text_of(d),
                        "{\"stream\":\"stdout\",\"host\":{\"name\":\"server1\"},"
                        "\"agent\":{\"id\":\"5f\"},\"tags\":[\"t2\"],\"json\":{\"tags\":[\"x\"],"
                        "\"agent.id\":\"other\",\"stream\":\"mine\"}}");
    document_reset(d);
    assert_string_equal(text_of(d),
                        "{\"host\":{\"name\":\"h1\"},\"agent\":{\"id\":\"5f\"},\"tags\":[\"t2\"]}");
    document_free(&d);
}

static void times_are_told(void **state)
{
    (void)state;
    struct document *d = document_new(PROFILE_DEFAULT, parse_time);
    assert_false(document_is_dated(d));
    assert_false(document_is_undated(d));
    assert_int_equal(add(d, &(struct given){NULL, "timestamp", "\"now\""}), 0);
    assert_true(document_is_undated(d));
    assert_int_equal(add(d, &(struct given){NULL, "@timestamp", T}), 0);
    assert_true(document_is_dated(d));
    assert_false(document_is_undated(d));
    document_reset(d);
    assert_false(document_is_dated(d));
    assert_int_equal(add(d, &(struct given){NULL, "timestamp", T}), 0);
    assert_true(document_is_dated(d));
    document_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_stand_where_they_belong),
        cmocka_unit_test(no_name_is_there_twice),
        cmocka_unit_test(names_have_a_limit),
        cmocka_unit_test(constants_stay),
        cmocka_unit_test(times_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
