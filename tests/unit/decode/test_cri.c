/* decode/cri, decode/time */
#include "decode/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/def.h"

#define TIME "2026-11-23T01:02:03.123456789Z"

/* lines with what they say */
static void lines(void **state)
{
    static const struct {
        const char *name;
        const char *line;
        const char *time; /* NULL: no line of the format */
        enum decode_stream stream;
        bool partial;
        const char *text;
    } rows[] = {
        {"full", TIME " stdout F hello", TIME, DECODE_STDOUT, false, "hello"},
        {"partial", TIME " stdout P hello", TIME, DECODE_STDOUT, true, "hello"},
        {"stderr", TIME " stderr F hello", TIME, DECODE_STDERR, false, "hello"},
        {"blanks are text", TIME " stdout F   a b ", TIME, DECODE_STDOUT, false, "  a b "},
        {"empty", TIME " stdout F ", TIME, DECODE_STDOUT, false, ""},
        {"empty without its blank", TIME " stdout F", TIME, DECODE_STDOUT, false, ""},
        {"more tags", TIME " stdout P:x:y z", TIME, DECODE_STDOUT, true, "z"},
        {"tags alone", TIME " stdout F:x", TIME, DECODE_STDOUT, false, ""},
        {"CR is kept", TIME " stdout F a\r", TIME, DECODE_STDOUT, false, "a\r"},
        {"zeros cut", "2026-11-23T01:02:03.1Z stdout F a", "2026-11-23T01:02:03.1Z", DECODE_STDOUT,
         false, "a"},
        {"whole second", "2026-11-23T01:02:03Z stdout F a", "2026-11-23T01:02:03Z", DECODE_STDOUT,
         false, "a"},
        {"offset", "2026-11-23T01:02:03.123456789+05:30 stderr P a",
         "2026-11-23T01:02:03.123456789+05:30", DECODE_STDERR, true, "a"},
        {"no line", "hello", NULL, 0, false, NULL},
        {"nothing", "", NULL, 0, false, NULL},
        {"time alone", TIME, NULL, 0, false, NULL},
        {"no tag", TIME " stdout ", NULL, 0, false, NULL},
        {"other tag", TIME " stdout X hello", NULL, 0, false, NULL},
        {"long tag", TIME " stdout FF hello", NULL, 0, false, NULL},
        {"other stream", TIME " stdoux F hello", NULL, 0, false, NULL},
        {"two blanks", TIME "  stdout F hello", NULL, 0, false, NULL},
        {"leading blank", " " TIME " stdout F hello", NULL, 0, false, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct decode_line got = {0};
        const char *error = decode_cri(slice_str(rows[i].line), &got);
        if ((error == NULL) != (rows[i].time != NULL))
            fail_msg("%s: %s", rows[i].name, error == NULL ? "taken" : error);
        assert_true(decode_is_cri(slice_str(rows[i].line)) == (error == NULL));
        if (error != NULL)
            continue;
        if (!slice_eq_str(got.time, rows[i].time) || got.stream != rows[i].stream ||
            got.partial != rows[i].partial || !slice_eq_str(got.text, rows[i].text))
            fail_msg("%s: %.*s", rows[i].name, (int)got.text.len, got.text.ptr);
    }
}

/* times with their lengths */
static void times(void **state)
{
    static const struct {
        const char *text;
        size_t length;
    } rows[] = {
        {"2026-11-23T01:02:03Z", 20},
        {"2026-11-23T01:02:03Zmore", 20},
        {"2026-11-23T01:02:03.1Z", 22},
        {"2026-11-23T01:02:03.123456789Z", 30},
        {"2026-11-23T01:02:03.123456789-18:00", 35},
        {"2024-02-29T00:00:00Z", 20},
        {"2000-02-29T23:59:59Z", 20},
        {"2026-12-31T00:00:00+00:00", 25},
        {"2026-02-29T00:00:00Z", 0},
        {"1900-02-29T00:00:00Z", 0},
        {"2026-04-31T00:00:00Z", 0},
        {"2026-00-01T00:00:00Z", 0},
        {"2026-13-01T00:00:00Z", 0},
        {"2026-01-00T00:00:00Z", 0},
        {"2026-01-32T00:00:00Z", 0},
        {"2026-01-01T24:00:00Z", 0},
        {"2026-01-01T00:60:00Z", 0},
        {"2026-01-01T00:00:60Z", 0},
        {"2026-01-01T00:00:00.Z", 0},
        {"2026-01-01T00:00:00.1234567890Z", 0},
        {"2026-01-01T00:00:00", 0},
        {"2026-01-01T00:00:00+1:00", 0},
        {"2026-01-01T00:00:00+18:01", 0},
        {"2026-01-01T00:00:00+01:60", 0},
        {"2026-01-01T00:00:00+01", 0},
        {"2026-01-01 00:00:00Z", 0},
        {"202x-01-01T00:00:00Z", 0},
        {"2026-01-0:T00:00:00Z", 0},
        {"2026-01-0/T00:00:00Z", 0},
        {"\xff\xff\xff\xff-01-01T00:00:00Z", 0},
        {"2026/01/01T00:00:00Z", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t got = decode_time(slice_str(rows[i].text));
        if (got != rows[i].length)
            fail_msg("%s: %zu, not %zu", rows[i].text, got, rows[i].length);
    }
}

/* a line may be cut anywhere */
static void every_prefix(void **state)
{
    static const char line[] = TIME " stdout P:tag text";
    (void)state;
    for (size_t n = 0; n < sizeof(line); n++) {
        struct decode_line got;
        char copy[sizeof(line)];
        memcpy(copy, line, n);
        bool good = decode_cri(slice_of(copy, n), &got) == NULL;
        assert_true(good == (n >= sizeof(TIME " stdout P") - 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(times),
        cmocka_unit_test(every_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
