/* metrics/envelope: the exact text, what is left out, what is escaped. */
#include "metrics/envelope.h"

#include "check.h"

/* the whole document of one set with nothing in it */
static void check(const struct sysinfo *host, const char *expected)
{
    const struct encode_agent agent = {.host_name = "h1", .id = "uuid", .version = "1.2.3"};
    struct envelope_opts opts = {
        .host = host, .agent = &agent, .namespace = "prod", .set = "cpu", .period_ms = 10000};
    struct envelope *e = envelope_new(&opts);
    struct json_writer w;
    struct buf out;
    buf_init(&out, MIB);
    json_begin(&w, &out);
    envelope_open(e, &w, INT64_C(1790000000123456789), 115000);
    envelope_host(e, &w);
    json_end_object(&w);
    json_end_object(&w);
    assert_int_equal(json_done(&w), 0);
    assert_string_equal(buf_cstr(&out), expected);
    buf_clear(&out);
    envelope_free(&e);
    assert_null(e);
    envelope_free(&e);
}

#define HEAD                                                                                       \
    "{\"@timestamp\":\"2026-09-21T14:13:20.123Z\",\"data_stream\":{\"type\":\"metrics\","          \
    "\"dataset\":\"system.cpu\",\"namespace\":\"prod\"},\"metricset\":{\"name\":\"cpu\","          \
    "\"period\":10000},\"service\":{\"type\":\"system\"},\"ecs\":{\"version\":\"8.11.0\"},"        \
    "\"event\":{\"module\":\"system\",\"dataset\":\"system.cpu\",\"duration\":115000},"            \
    "\"agent\":{\"type\":\"wherry\",\"version\":\"1.2.3\",\"id\":\"uuid\",\"name\":\"h1\"},"

static char empty[] = "";

static void test_whole(void **state)
{
    (void)state;
    char texts[][40] = {"h1.example",    "0123456789abcdef0123456789abcdef",
                        "x86_64",        "Debian",
                        "12 (bookworm)", "debian",
                        "debian",        "bookworm",
                        "6.1.0-\"q\"",   "3cdf7ff4-5e33-4a57-a5d1-0a8a1f1d0b1e"};
    const struct sysinfo host = {
        .hostname = texts[0],
        .machine_id = texts[1],
        .boot_id = texts[9],
        .architecture = texts[2],
        .os_name = texts[3],
        .os_version = texts[4],
        .os_platform = texts[5],
        .os_family = texts[6],
        .os_codename = texts[7],
        .os_kernel = texts[8],
        .cores = 4,
    };
    check(&host,
          HEAD "\"host\":{\"name\":\"h1\",\"hostname\":\"h1.example\","
               "\"architecture\":\"x86_64\",\"id\":\"0123456789abcdef0123456789abcdef\","
               "\"boot\":{\"id\":\"3cdf7ff4-5e33-4a57-a5d1-0a8a1f1d0b1e\"},"
               "\"os\":{\"type\":\"linux\",\"name\":\"Debian\",\"version\":\"12 (bookworm)\","
               "\"platform\":\"debian\",\"family\":\"debian\",\"codename\":\"bookworm\","
               "\"kernel\":\"6.1.0-\\\"q\\\"\"}}}");
}

static void test_nothing_known(void **state)
{
    (void)state;
    char hostname[] = "localhost";
    const struct sysinfo host = {
        .hostname = hostname,
        .machine_id = empty,
        .boot_id = empty,
        .architecture = empty,
        .os_name = empty,
        .os_version = empty,
        .os_platform = empty,
        .os_family = empty,
        .os_codename = empty,
        .os_kernel = empty,
        .cores = 1,
    };
    check(&host, HEAD "\"host\":{\"name\":\"h1\",\"hostname\":\"localhost\","
                      "\"os\":{\"type\":\"linux\"}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_nothing_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
