/* decode/json: what a sink is given of a line, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/def.h"
#include "decode/decode.h"

#define LINE_MAX_ 65536

/* what was given: OBJECT/NAME=JSON; */
static struct buf given;
static bool is_full; /* the sink has every name already */

static void add(struct slice s)
{
    assert_int_equal(buf_add_slice(&given, s), 0);
}

/* "log" is 1, "http" is 2, "request" in it 3 */
static int place(void *ctx, int object, struct slice name)
{
    (void)ctx;
    if (object == 0 && slice_eq_str(name, "log"))
        return 1;
    if (object == 0 && slice_eq_str(name, "http"))
        return 2;
    return object == 2 && slice_eq_str(name, "request") ? 3 : 0;
}

static int member(void *ctx, int object, struct slice name, enum json_event kind, struct slice json,
                  struct slice text)
{
    const char digit[] = {(char)('0' + object), '/'};
    (void)ctx;
    add(slice_of(digit, 2));
    add(name);
    add(SLICE_LIT("="));
    add(json);
    add(SLICE_LIT(";"));
    if (kind == JSON_NUMBER)
        assert_true(slice_eq(json, text));
    if (kind == JSON_STRING)
        assert_true(json.len >= text.len + 2 && json.ptr[0] == '"');
    return is_full ? -1 : 0;
}

static const char *decode(struct slice line, size_t line_max)
{
    static const struct decode_json_sink sink = {place, member, NULL};
    struct decode_json *d = decode_json_new(line_max, &sink);
    buf_clear(&given);
    buf_init(&given, LINE_MAX_ * 4);
    const char *why = decode_json(d, line);
    decode_json_free(&d);
    assert_null(d);
    return why;
}

static void members(void **state)
{
    (void)state;
    static const struct {
        const char *line, *want;
    } cases[] = {
        {"{}", ""},
        {" {\"a\" : 1 } ", "0/a=1;"},
        {"{\"a\":\"x\",\"b\":true,\"c\":false,\"d\":null,\"e\":-1.5e3}",
         "0/a=\"x\";0/b=true;0/c=false;0/d=null;0/e=-1.5e3;"},
        {"{\"a\":{\"b\":[1,{\"c\":\"d\"},[]],\"e\":{}}}",
         "0/a={\"b\":[1,{\"c\":\"d\"},[]],\"e\":{}};"},
        {"{\"a\":[{\"b\":1},{\"b\":2}],\"b\":3}", "0/a=[{\"b\":1},{\"b\":2}];0/b=3;"},
        {"{\"log\":{\"level\":\"x\",\"n\":{\"m\":1}},\"z\":2}",
         "1/level=\"x\";1/n={\"m\":1};0/z=2;"},
        {"{\"http\":{\"request\":{\"method\":\"GET\"},\"v\":1},\"request\":2}",
         "3/method=\"GET\";2/v=1;0/request=2;"},
        {"{\"http\":[{\"request\":1}],\"log\":{}}", "0/http=[{\"request\":1}];"},
        {"{\"\\u0061\\n\":1}", NULL},
        {"{\"\\u0061b\":\"\\u00e4\\ud83d\\ude00\\ud800\\/\"}",
         "0/ab=\"\xc3\xa4\xf0\x9f\x98\x80\xef\xbf\xbd/\";"},
        {"{\"a\":\"\xff\\u0000\"}", "0/a=\"\xef\xbf\xbd\\u0000\";"},
        {"{\"a\":9223372036854775807,\"b\":-9223372036854775808}",
         "0/a=9223372036854775807;0/b=-9223372036854775808;"},
        {"{\"a\":1e37,\"b\":1E+37,\"c\":1e-400,\"d\":0.5}",
         "0/a=1e37;0/b=1E+37;0/c=1e-400;0/d=0.5;"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *why = decode(slice_str(cases[i].line), LINE_MAX_);
        if ((why == NULL) != (cases[i].want != NULL))
            fail_msg("%s: %s", cases[i].line, why == NULL ? "taken" : why);
        if (why == NULL && !slice_eq_str(buf_slice(&given), cases[i].want))
            fail_msg("%s: %s", cases[i].line, buf_cstr(&given));
    }
}

static void what_is_none(void **state)
{
    (void)state;
    static const char no_json[] = "not JSON", no_object[] = "not a JSON object";
    static const char twice[] = "a name stands there twice";
    static const char name[] = "a name that no index takes";
    static const char number[] = "a number beyond what an index takes";
    static const struct {
        const char *line, *why;
    } cases[] = {
        {"", no_json},
        {"hello", no_json},
        {"{\"a\":1", no_json},
        {"{\"a\":1}}", no_json},
        {"{\"a\":1} x", no_json},
        {"{a:1}", no_json},
        {"{\"a\":01}", no_json},
        {"{\"a\":NaN}", no_json},
        {"[1]", no_object},
        {"\"a\"", no_object},
        {"1", no_object},
        {"null", no_object},
        {"{\"a\":1,\"a\":2}", twice},
        {"{\"a\":1,\"\\u0061\":2}", twice},
        {"{\"a\":{\"b\":1,\"b\":2}}", twice},
        {"{\"a\":[{\"b\":1,\"b\":2}]}", twice},
        {"{\"log\":{\"b\":1,\"b\":2}}", twice},
        {"{\"log\":{\"b\":1},\"log\":{\"c\":2}}", twice},
        {"{\"\\ud800\":1,\"\\ud801\":2}", twice},
        {"{\"\":1}", name},
        {"{\"a\":{\"\":1}}", name},
        {"{\".\":1}", name},
        {"{\"a.\":1}", name},
        {"{\".a\":1}", name},
        {"{\"a..b\":1}", name},
        {"{\" \":1}", name},
        {"{\"a. \":1}", name},
        {"{\"a\\u0000\":1}", name},
        {"{\"\xff\":1}", name},
        {"{\"a\":1e400}", number},
        {"{\"a\":-1e38}", number},
        {"{\"a\":[1,[1e99999999999999999999]]}", number},
        {"{\"a\":9223372036854775808}", number},
        {"{\"a\":1000000000000000000000000000000000000000.0}", number},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *why = decode(slice_str(cases[i].line), LINE_MAX_);
        if (why == NULL || strcmp(why, cases[i].why) != 0)
            fail_msg("%s: %s", cases[i].line, why == NULL ? "taken" : why);
    }
}

/* n times `open`, then what is within, then n times `close` */
static const char *nested(size_t n, const char *open, const char *within, const char *close)
{
    struct buf b;
    buf_init(&b, LINE_MAX_);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_add_str(&b, open), 0);
    assert_int_equal(buf_add_str(&b, within), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_add_str(&b, close), 0);
    const char *why = decode(buf_slice(&b), LINE_MAX_);
    buf_clear(&b);
    return why;
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    assert_null(nested(DECODE_JSON_DEPTH, "{\"a\":", "1", "}"));
    assert_string_equal(nested(DECODE_JSON_DEPTH + 1, "{\"a\":", "1", "}"), "deeper than is taken");
    assert_string_equal(nested(10000, "{\"a\":", "1", "}"), "deeper than is taken");
}

/* an object with n names of the given length */
static const char *wide(size_t n, int length)
{
    struct buf b;
    buf_init(&b, 16 * MIB);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_printf(&b, "%s\"%0*zu\":1", i == 0 ? "{" : ",", length, i), 0);
    assert_int_equal(buf_add_str(&b, "}"), 0);
    const char *why = decode(buf_slice(&b), b.len);
    buf_clear(&b);
    return why;
}

static void names_have_limits(void **state)
{
    (void)state;
    static const char too_many[] = "more or longer names than are taken";
    assert_null(wide(DECODE_JSON_NAMES, 4));
    assert_string_equal(wide(DECODE_JSON_NAMES + 1, 4), too_many);
    assert_string_equal(wide(10000, 6), too_many);
    assert_null(wide(2, DECODE_JSON_NAME_MAX));
    assert_string_equal(wide(2, DECODE_JSON_NAME_MAX + 1), too_many);
}

static void lines_have_a_limit(void **state)
{
    (void)state;
    assert_null(decode(SLICE_LIT("{\"a\":12}"), 8));
    assert_string_equal(decode(SLICE_LIT("{\"a\":12}"), 7), "not JSON");
    /* every byte replaced still fits */
    assert_null(decode(SLICE_LIT("{\"a\":\"\xff\xff\xff\xff\xff\xff\xff\xff\"}"), 16));
    assert_string_equal(buf_cstr(&given),
                        "0/a=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf"
                        "\xbd\xef\xbf\xbd\xef\xbf\xbd\";");
}

static void a_sink_may_refuse(void **state)
{
    (void)state;
    is_full = true;
    assert_string_equal(decode(SLICE_LIT("{\"a\":1,\"b\":2}"), 100), "a field stands there twice");
    is_full = false;
    assert_string_equal(buf_cstr(&given), "0/a=1;");
}

static void what_can_be_an_object(void **state)
{
    (void)state;
    assert_true(decode_is_json(SLICE_LIT("{")));
    assert_true(decode_is_json(SLICE_LIT(" \t{\"a\":1}")));
    assert_false(decode_is_json(SLICE_LIT("")));
    assert_false(decode_is_json(SLICE_LIT(" ")));
    assert_false(decode_is_json(SLICE_LIT("[{}]")));
    assert_false(decode_is_json(SLICE_LIT("2026 {}")));
}

static int forget(void **state)
{
    (void)state;
    buf_clear(&given);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(names_have_limits),
        cmocka_unit_test(lines_have_a_limit),
        cmocka_unit_test(a_sink_may_refuse),
        cmocka_unit_test(what_can_be_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, forget);
}
