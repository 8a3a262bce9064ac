/* decode/docker */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/def.h"
#include "decode/decode.h"

#define TIME "2026-11-23T01:02:03.123456789Z"
#define REST "\"stream\":\"stdout\",\"time\":\"" TIME "\"}"

/* lines with what they say */
static void lines(void **state)
{
    static const struct {
        const char *name;
        const char *line;
        bool good;
        enum decode_stream stream;
        bool partial;
        const char *text;
    } rows[] = {
        {"full", "{\"log\":\"hello\\n\"," REST, true, DECODE_STDOUT, false, "hello"},
        {"partial", "{\"log\":\"hello\"," REST, true, DECODE_STDOUT, true, "hello"},
        {"escapes", "{\"log\":\"\\u003ca\\u003e \\\"q\\\" \\\\ \\u001b[0m\\t\\r\\n\"," REST, true,
         DECODE_STDOUT, false, "<a> \"q\" \\ \x1b[0m\t\r"},
        {"stderr", "{\"log\":\"x\\n\",\"stream\":\"stderr\",\"time\":\"" TIME "\"}", true,
         DECODE_STDERR, false, "x"},
        {"attributes", "{\"log\":\"x\\n\",\"attrs\":{\"log\":\"no\",\"a\":[1]}," REST, true,
         DECODE_STDOUT, false, "x"},
        {"other members", "{\"a\":1,\"b\":null,\"log\":\"x\\n\",\"c\":\"y\"," REST, true,
         DECODE_STDOUT, false, "x"},
        {"other order",
         "{"
         "\"time\":\"" TIME "\",\"stream\":\"stdout\",\"log\":\"x\\n\"}",
         true, DECODE_STDOUT, false, "x"},
        {"blank line", "{\"log\":\"\\n\"," REST, true, DECODE_STDOUT, false, ""},
        {"newline within", "{\"log\":\"a\\nb\\n\"," REST, true, DECODE_STDOUT, false, "a\nb"},
        {"no log", "{" REST, true, DECODE_STDOUT, true, ""},
        {"no stream", "{\"log\":\"x\\n\",\"time\":\"" TIME "\"}", false, 0, false, NULL},
        {"no time", "{\"log\":\"x\\n\",\"stream\":\"stdout\"}", false, 0, false, NULL},
        {"bad time", "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"now\"}", false, 0, false,
         NULL},
        {"bad stream", "{\"log\":\"x\",\"stream\":\"stdin\",\"time\":\"" TIME "\"}", false, 0,
         false, NULL},
        {"log is no text", "{\"log\":1," REST, false, 0, false, NULL},
        {"log is an object", "{\"log\":{}," REST, false, 0, false, NULL},
        {"cut", "{\"log\":\"hello\\n\",\"stream\":\"std", false, 0, false, NULL},
        {"two", "{\"log\":\"a\\n\"," REST "{\"log\":\"b\\n\"," REST, false, 0, false, NULL},
        {"array", "[]", false, 0, false, NULL},
        {"number", "1", false, 0, false, NULL},
        {"plain", "hello", false, 0, false, NULL},
        {"nothing", "", false, 0, false, NULL},
    };
    struct decode_docker *d = decode_docker_new(1024);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decode_line got = {0};
        const char *error = decode_docker(d, slice_str(rows[i].line), &got);
        if ((error == NULL) != rows[i].good)
            fail_msg("%s: %s", rows[i].name, error == NULL ? "taken" : error);
        if (error != NULL)
            continue;
        if (!slice_eq_str(got.time, TIME) || got.stream != rows[i].stream ||
            got.partial != rows[i].partial || !slice_eq_str(got.text, rows[i].text))
            fail_msg("%s: %.*s", rows[i].name, (int)got.text.len, got.text.ptr);
    }
    decode_docker_free(&d);
    assert_null(d);
}

/* what is too long is refused, and the next line is fine */
static void limit(void **state)
{
    static const char good[] = "{\"log\":\"x\\n\"," REST;
    char line[512];
    struct decode_line got;
    struct decode_docker *d = decode_docker_new(sizeof(good));
    (void)state;
    memset(line, ' ', sizeof(line));
    memcpy(line, good, sizeof(good) - 1);
    assert_non_null(decode_docker(d, slice_of(line, sizeof(line)), &got));
    assert_null(decode_docker(d, slice_of(line, sizeof(good)), &got));
    assert_true(slice_eq_str(got.text, "x"));
    decode_docker_free(&d);
}

/* what tells a file's format */
static void first_line(void **state)
{
    struct decode_docker *d = decode_docker_new(1024);
    (void)state;
    assert_true(decode_is_docker(d, slice_str("{\"log\":\"x\\n\"," REST)));
    assert_false(decode_is_docker(d, slice_str("{\"log\":\"x\\n\"}")));
    assert_false(decode_is_docker(d, slice_str("{\"level\":\"x\",\"log\":\"x\\n\"," REST)));
    assert_false(decode_is_docker(d, slice_str("")));
    decode_docker_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(limit),
        cmocka_unit_test(first_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
