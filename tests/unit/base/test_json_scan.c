/*
 * base/json_scan: events of good documents, refusal of bad ones, token and depth limits. Every
 * document of the tables is fed whole, byte by byte, and cut in two at every place; all must give
 * the same events and the same result.
 */
#include "base/json_scan.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"

static const char *const marks[] = {
    [JSON_OBJECT] = "{", [JSON_OBJECT_END] = "}", [JSON_ARRAY] = "[",  [JSON_ARRAY_END] = "]",
    [JSON_KEY] = "k",    [JSON_STRING] = "s",     [JSON_NUMBER] = "n", [JSON_TRUE] = "t",
    [JSON_FALSE] = "f",  [JSON_NULL] = "0",
};

/* events as text: mark, depth, <text>, + when cut; stops with `verdict` at event number stop_at */
struct trace {
    struct buf text;
    int stop_at, verdict;
    int count;
};

static int on_event(void *ctx, enum json_event event, unsigned depth, struct slice text, bool cut)
{
    struct trace *t = ctx;
    assert_int_equal(buf_printf(&t->text, "%s%u", marks[event], depth), 0);
    if (event == JSON_KEY || event == JSON_STRING || event == JSON_NUMBER) {
        assert_int_equal(buf_add_byte(&t->text, '<'), 0);
        assert_int_equal(buf_add_slice(&t->text, text), 0);
        assert_int_equal(buf_add_str(&t->text, cut ? ">+" : ">"), 0);
    } else {
        assert_true(text.len == 0 && !cut);
    }
    assert_int_equal(buf_add_byte(&t->text, ' '), 0);
    t->count++;
    return t->count == t->stop_at ? t->verdict : 0;
}

/* how a document is fed: pieces of `piece` bytes, but a first one of `first` */
struct cuts {
    size_t first, piece;
};

/* Feeds s to a reset scanner; the trace is in t->text. Pieces are copied to memory of their own
 * size, so that a sanitizer sees a read behind them. */
static int scan(struct json_scan *js, struct trace *t, struct slice s, struct cuts cuts)
{
    buf_reset(&t->text);
    t->count = 0;
    json_scan_reset(js);
    size_t want = cuts.first;
    int r = json_scan_feed(js, (struct slice){NULL, 0});
    while (s.len > 0 && r == 0) {
        struct slice piece = slice_sub(s, 0, want);
        char *copy = mem_strndup(piece.ptr, piece.len);
        r = json_scan_feed(js, slice_of(copy, piece.len));
        mem_free(copy);
        s = slice_sub(s, piece.len, s.len);
        want = cuts.piece;
    }
    if (r != 0) {
        assert_int_equal(json_scan_feed(js, SLICE_LIT(" ")), r);
        assert_int_equal(json_scan_finish(js), r);
        assert_false(json_scan_is_done(js));
        return r;
    }
    r = json_scan_finish(js);
    assert_int_equal(json_scan_finish(js), r);
    assert_int_equal(json_scan_is_done(js), r == 0);
    return r;
}

/* all ways of feeding */
static void check_document(const char *name, struct slice s, size_t token_max, const char *events,
                           int result)
{
    struct trace t = {0};
    buf_init(&t.text, MIB);
    struct json_scan *js = json_scan_new(token_max, on_event, &t);
    for (size_t first = 0; first <= s.len; first++) {
        struct cuts cuts = {first == 0 ? s.len + 1 : first, s.len + 1};
        CHECK(name, scan(js, &t, s, cuts) == result);
        CHECK(name, events == NULL || slice_eq_str(buf_slice(&t.text), events));
    }
    for (size_t piece = 1; piece < 4; piece++) {
        CHECK(name, scan(js, &t, s, (struct cuts){piece, piece}) == result);
        CHECK(name, events == NULL || slice_eq_str(buf_slice(&t.text), events));
    }
    json_scan_free(&js);
    assert_null(js);
    json_scan_free(&js);
    buf_clear(&t.text);
}

static void good_documents(void **state)
{
    (void)state;
    static const struct {
        const char *text, *events;
    } cases[] = {
        {"null", "00 "},
        {"true", "t0 "},
        {"false", "f0 "},
        {"0", "n0<0> "},
        {"-0", "n0<-0> "},
        {" \t\r\n17 \n", "n0<17> "},
        {"-1.50e+10", "n0<-1.50e+10> "},
        {"1E5", "n0<1E5> "},
        {"0.0e-0", "n0<0.0e-0> "},
        {"[0,-0.5,1e9]", "[0 n1<0> n1<-0.5> n1<1e9> ]0 "},
        {"\"\"", "s0<> "},
        {"\"abc\"", "s0<abc> "},
        {"\"exactly 16 bytes\"", "s0<exactly 16 bytes> "},
        {"\"a longer string of more than two vectors, all plain\"",
         "s0<a longer string of more than two vectors, all plain> "},
        {"{}", "{0 }0 "},
        {"[]", "[0 ]0 "},
        {" { } ", "{0 }0 "},
        {"[ ]", "[0 ]0 "},
        {"[[],{}]", "[0 [1 ]1 {1 }1 ]0 "},
        {"{\"a\":1,\"b\":[true,null],\"\":{}}", "{0 k1<a> n1<1> k1<b> [1 t2 02 ]1 k1<> {1 }1 }0 "},
        {"{ \"a\" : \"b\" , \"a\" : \"c\" }", "{0 k1<a> s1<b> k1<a> s1<c> }0 "},
        {"[1 , 2\n]", "[0 n1<1> n1<2> ]0 "},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s0<\"\\/\b\f\n\r\t> "},
        {"\"\\u0041\\u00e9\\u20AC\"", "s0<A\xc3\xa9\xe2\x82\xac> "},
        {"\"\\ud83d\\ude00\"", "s0<\xf0\x9f\x98\x80> "},
        {"\"\\uD800\\uDC00\\uDBFF\\uDFFF\"", "s0<\xf0\x90\x80\x80\xf4\x8f\xbf\xbf> "},
        {"\"x\\ud83d\"", "s0<x\xef\xbf\xbd> "},
        {"\"\\ud83d\"", "s0<\xef\xbf\xbd> "},
        {"\"\\ud83dx\"", "s0<\xef\xbf\xbdx> "},
        {"\"\\ud83d\\n\"", "s0<\xef\xbf\xbd\n> "},
        {"\"\\ud83d\\u0041\"", "s0<\xef\xbf\xbd"
                               "A> "},
        {"\"\\ude00\"", "s0<\xef\xbf\xbd> "},
        {"\"\\ude00\\ud83d\"", "s0<\xef\xbf\xbd\xef\xbf\xbd> "},
        {"\"\\ud83d\\ud83d\\ude00\"", "s0<\xef\xbf\xbd\xf0\x9f\x98\x80> "},
        {"\"\\uffff\\ufffe\"", "s0<\xef\xbf\xbf\xef\xbf\xbe> "},
        {"{\"k\\u0065y\":\"v\"}", "{0 k1<key> s1<v> }0 "},
        /* bytes pass through, good UTF-8 or not; DEL is no control character of the grammar */
        {"\"\xff\xfe\x7f\xc3\"", "s0<\xff\xfe\x7f\xc3> "},
        {"{\"took\":30,\"errors\":false,\"items\":[{\"create\":{\"_id\":\"a-b_C9\",\"status\":201}}"
         "]}",
         "{0 k1<took> n1<30> k1<errors> f1 k1<items> [1 {2 k3<create> {3 k4<_id> s4<a-b_C9> "
         "k4<status> n4<201> }3 }2 ]1 }0 "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_document(cases[i].text, slice_str(cases[i].text), 1000, cases[i].events, 0);
    check_document("inner nul", SLICE_LIT("\"a\\u0000b\""), 1000, NULL, 0);
}

static void bad_documents(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        " ",
        "nul",
        "nulL",
        "nulll",
        "True",
        "tru e",
        "falsee",
        "NaN",
        "Infinity",
        "-Infinity",
        /* numbers */
        "-",
        "+1",
        "01",
        "-01",
        "00",
        "1.",
        ".5",
        "1.e3",
        "1e",
        "1e+",
        "1e-",
        "1e5.5",
        "1e+-5",
        "1-2",
        "1+2",
        "--1",
        "0x10",
        "1_000",
        "1a",
        "1.5.5",
        "- 1",
        "1 2",
        "[-]",
        "[1.]",
        "[01]",
        "{\"a\":-}",
        /* strings */
        "\"",
        "\"abc",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u 123\"",
        "\"\\U0041\"",
        "\"\\\n\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"\x01\"",
        "\"0123456789abcde\x1f\"",
        "'a'",
        "\"\\0\"",
        "\"\\ud83d\\x\"",
        "\"\\u\"",
        "\"a\" \"b\"",
        "\"\\",
        /* structure */
        "[",
        "]",
        "{",
        "}",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[,]",
        "[1 2]",
        "[1,,2]",
        "[1}",
        "[1:2]",
        "{]",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\",1}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1;}",
        "{1:1}",
        "{a:1}",
        "{null:1}",
        "{\"a\":1]",
        "[{]}",
        "[]]",
        "{}}",
        "[][]",
        "{}{}",
        "[] x",
        "null null",
        "{\"a\":}",
        "[true false]",
        ",",
        ":",
        "[\"a\":1]",
        "/* c */ 1",
        "1 // c",
        "\xef\xbb\xbf{}",
        "\v1",
        "[1]\f",
        "\\u0031",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_document(cases[i], slice_str(cases[i]), 1000, NULL, -EBADMSG);
    check_document("nul byte", SLICE_LIT("\0"), 1000, NULL, -EBADMSG);
    check_document("nul in a string", SLICE_LIT("\"a\0b\""), 1000, NULL, -EBADMSG);
    check_document("nul behind the value", SLICE_LIT("1\0"), 1000, "n0<1> ", -EBADMSG);
}

static void events_before_an_error(void **state)
{
    (void)state;
    check_document("array", SLICE_LIT("[1,\"a\",x"), 1000, "[0 n1<1> s1<a> ", -EBADMSG);
    check_document("number", SLICE_LIT("[12x"), 1000, "[0 n1<12> ", -EBADMSG);
    check_document("bad number", SLICE_LIT("[12.x"), 1000, "[0 ", -EBADMSG);
    check_document("wrong bracket", SLICE_LIT("{\"a\":1]"), 1000, "{0 k1<a> n1<1> ", -EBADMSG);
}

static void long_tokens_are_cut(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t max;
        const char *events;
    } cases[] = {
        {"\"12345\"", 5, "s0<12345> "},
        {"\"123456\"", 5, "s0<12345>+ "},
        {"\"a\"", 0, "s0<>+ "},
        {"\"\"", 0, "s0<> "},
        {"[\"\\n\",\"\"]", 0, "[0 s1<>+ s1<> ]0 "},
        {"{\"123456\":\"ab\"}", 3, "{0 k1<123>+ s1<ab> }0 "},
        {"12345", 5, "n0<12345> "},
        {"123456", 5, "n0<12345>+ "},
        {"[1234567890.5e+3,1]", 5, "[0 n1<12345>+ n1<1> ]0 "},
        {"\"1234\\n\"", 5, "s0<1234\n> "},
        {"\"12345\\n\"", 5, "s0<12345>+ "},
        {"\"1234\\n6\"", 5, "s0<1234\n>+ "},
        {"\"1\\u20ac\"", 4, "s0<1\xe2\x82\xac> "},
        {"\"1\\u20acx\"", 2, "s0<1\xe2>+ "},
        {"\"123\\ud83d\"", 3, "s0<123>+ "},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_document(cases[i].text, slice_str(cases[i].text), cases[i].max, cases[i].events, 0);
    /* a cut number must still be one */
    check_document("bad tail", SLICE_LIT("[1234567890.]"), 3, "[0 ", -EBADMSG);
    check_document("bad string tail", SLICE_LIT("\"1234567890\n\""), 3, "", -EBADMSG);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[2 * (JSON_SCAN_DEPTH + 1)];
    for (size_t depth = JSON_SCAN_DEPTH - 1; depth <= JSON_SCAN_DEPTH + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        int result = depth <= JSON_SCAN_DEPTH ? 0 : -E2BIG;
        check_document("arrays", slice_of(text, 2 * depth), 10, NULL, result);
    }
    /* kinds are remembered to the bottom: {"":[{"":[ ... ]}]} */
    struct buf b;
    buf_init(&b, KIB);
    for (size_t i = 0; i < JSON_SCAN_DEPTH / 2; i++)
        assert_int_equal(buf_add_str(&b, "{\"\":["), 0);
    for (size_t i = 0; i < JSON_SCAN_DEPTH / 2; i++)
        assert_int_equal(buf_add_str(&b, "]}"), 0);
    check_document("mixed", buf_slice(&b), 10, NULL, 0);
    b.ptr[b.len - 2] = '}';
    check_document("wrong at the bottom", buf_slice(&b), 10, NULL, -EBADMSG);
    buf_clear(&b);
}

static void callback_stops_the_scan(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,\"b\\n\",true,null],\"c\":{}}";
    struct trace t = {.verdict = -ECANCELED};
    buf_init(&t.text, MIB);
    struct json_scan *js = json_scan_new(100, on_event, &t);
    assert_int_equal(scan(js, &t, slice_str(text), (struct cuts){1000, 1000}), 0);
    int events = t.count;
    assert_int_equal(events, 12);
    for (t.stop_at = 1; t.stop_at <= events; t.stop_at++) {
        t.verdict = t.stop_at % 2 == 0 ? -ECANCELED : 5; /* any value but 0 */
        assert_int_equal(scan(js, &t, slice_str(text), (struct cuts){1000, 1000}), t.verdict);
        assert_int_equal(t.count, t.stop_at);
        assert_int_equal(scan(js, &t, slice_str(text), (struct cuts){1, 1}), t.verdict);
        assert_int_equal(t.count, t.stop_at);
    }
    /* a top number is told by finish, which can be stopped as well */
    t.stop_at = 1;
    t.verdict = -EPERM;
    json_scan_reset(js);
    t.count = 0;
    assert_int_equal(json_scan_feed(js, SLICE_LIT("12")), 0);
    assert_false(json_scan_is_done(js));
    assert_int_equal(json_scan_finish(js), -EPERM);
    assert_int_equal(json_scan_finish(js), -EPERM);
    assert_int_equal(t.count, 1);
    json_scan_free(&js);
    buf_clear(&t.text);
}

static void special_bytes_at_every_place(void **state)
{
    (void)state;
    /* the vector loop and its rest: one byte of each kind at each place of strings of each length
     */
    struct trace t = {0};
    buf_init(&t.text, MIB);
    struct json_scan *js = json_scan_new(100, on_event, &t);
    for (size_t len = 1; len < 40; len++) {
        for (size_t at = 1; at <= len; at++) {
            for (int c = 0; c < 256; c++) {
                char text[64];
                memset(text, 'a', sizeof(text));
                text[0] = text[len + 1] = '"';
                text[at] = (char)c;
                int r = scan(js, &t, slice_of(text, len + 2), (struct cuts){100, 100});
                bool plain = c >= 0x20 && c != '"' && c != '\\';
                assert_int_equal(r, plain ? 0 : -EBADMSG);
                if (plain) {
                    struct slice inside = slice_sub(buf_slice(&t.text), 3, len);
                    assert_true(slice_eq(inside, slice_of(text + 1, len)));
                }
            }
        }
    }
    json_scan_free(&js);
    buf_clear(&t.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_documents),
        cmocka_unit_test(bad_documents),
        cmocka_unit_test(events_before_an_error),
        cmocka_unit_test(long_tokens_are_cut),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(callback_stops_the_scan),
        cmocka_unit_test(special_bytes_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
