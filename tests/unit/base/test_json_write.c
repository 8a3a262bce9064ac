/*
 * base/json_write: documents, numbers, errors that stick, and the escaping of hostile text: exact
 * tables, a simple reference implementation on random text, and every place of a cut.
 */
#include "base/json_write.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/escape.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/prng.h"
#include "base/utf8.h"
#include "check.h"

static void whole_document(void **state)
{
    (void)state;
    struct buf b;
    struct json_writer w;
    buf_init(&b, 1000);
    json_begin(&w, &b);
    json_object(&w);
    json_key(&w, "empty");
    json_object(&w);
    json_end_object(&w);
    json_key_slice(&w, SLICE_LIT("a\"b"));
    json_array(&w);
    json_u64(&w, UINT64_MAX);
    json_i64(&w, INT64_MIN);
    json_i64(&w, INT64_MAX);
    json_i64(&w, 0);
    json_array(&w);
    json_end_array(&w);
    json_bool(&w, true);
    json_bool(&w, false);
    json_null(&w);
    json_end_array(&w);
    json_key(&w, "s");
    json_cstring(&w, "x\ny");
    json_key(&w, "r");
    json_raw(&w, SLICE_LIT("{\"z\":1}"));
    json_key(&w, "t");
    json_string(&w, slice_of(NULL, 0));
    json_end_object(&w);
    assert_int_equal(json_done(&w), 0);
    assert_string_equal(buf_cstr(&b), "{\"empty\":{},\"a\\\"b\":[18446744073709551615,"
                                      "-9223372036854775808,9223372036854775807,0,[],true,false,"
                                      "null],\"s\":\"x\\ny\",\"r\":{\"z\":1},\"t\":\"\"}");
    buf_clear(&b);
}

static void fractions(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "0"},
        {1.0, "1"},
        {-1.5, "-1.5"},
        {0.25, "0.25"},
        {100.0, "100"},
        {0.1, "0.1"},
        {0.12345, "0.1235"}, /* the double is a little above the tie */
        {0.03125, "0.0312"}, /* a tie: to even */
        {0.09375, "0.0938"}, /* a tie: to even */
        {0.00004, "0"},
        {-0.00004, "0"},
        {0.99999, "1"},
        {12345678.9, "12345678.9"},
        {9007199254740993.0, "9007199254740992"},
        {NAN, "null"},
        {INFINITY, "null"},
        {-INFINITY, "null"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        struct json_writer w;
        buf_init(&b, 1000);
        json_begin(&w, &b);
        json_double4(&w, cases[i].v);
        CHECK(cases[i].text, json_done(&w) == 0);
        CHECK(cases[i].text, slice_eq_str(buf_slice(&b), cases[i].text));
        buf_clear(&b);
    }
}

static void longest_fraction(void **state)
{
    (void)state;
    struct buf b;
    struct json_writer w;
    buf_init(&b, 1000);
    json_begin(&w, &b);
    json_double4(&w, -DBL_MAX);
    assert_int_equal(json_done(&w), 0);
    assert_int_equal(b.len, 310); /* minus and 309 digits, no fraction */
    assert_memory_equal(b.ptr, "-17976931348623157", 18);
    buf_clear(&b);
}

/* a document that uses every call */
static int write_sample(struct buf *b)
{
    struct json_writer w;
    json_begin(&w, b);
    json_object(&w);
    json_key(&w, "key");
    json_array(&w);
    json_u64(&w, 12);
    json_double4(&w, 1.5);
    json_cstring(&w, "text\xff");
    json_null(&w);
    json_end_array(&w);
    json_end_object(&w);
    return json_done(&w);
}

static void limit_sticks(void **state)
{
    (void)state;
    struct buf whole;
    buf_init(&whole, 1000);
    assert_int_equal(write_sample(&whole), 0);
    for (size_t max = 0; max < whole.len; max++) {
        struct buf b;
        buf_init(&b, max);
        assert_int_equal(write_sample(&b), -ENOBUFS);
        /* what is there is a beginning of the document: nothing is added after the failure */
        assert_true(slice_starts(buf_slice(&whole), buf_slice(&b)));
        buf_clear(&b);
    }
    buf_clear(&whole);
}

static void depth_sticks(void **state)
{
    (void)state;
    for (int depth = JSON_WRITE_DEPTH - 1; depth <= JSON_WRITE_DEPTH + 2; depth++) {
        struct buf b;
        struct json_writer w;
        buf_init(&b, 1000);
        json_begin(&w, &b);
        for (int i = 0; i < depth; i++)
            json_array(&w);
        for (int i = 0; i < depth; i++)
            json_end_array(&w);
        assert_int_equal(json_done(&w), depth <= JSON_WRITE_DEPTH ? 0 : -EOVERFLOW);
        buf_clear(&b);
    }
}

static void escapes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *escaped;
        uint64_t bad;
    } cases[] = {
        {"", "", 0},
        {"plain", "plain", 0},
        {"\"\\/", "\\\"\\\\/", 0},
        {"\b\f\n\r\t", "\\b\\f\\n\\r\\t", 0},
        {"\x01\x1f\x7f", "\\u0001\\u001f\x7f", 0},
        {"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", "gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80", 0},
        {"\xff", "\xef\xbf\xbd", 1},
        {"a\xe2\x82", "a\xef\xbf\xbd", 1},
        {"\xe2\x82\x41", "\xef\xbf\xbd\x41", 1},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3},
        {"\xf0\x9f\x98\"", "\xef\xbf\xbd\\\"", 1},
        {"0123456789abcdef\n0123456789abcdef", "0123456789abcdef\\n0123456789abcdef", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        uint64_t bad = 10;
        buf_init(&b, 1000);
        CHECK(cases[i].escaped, json_escape(&b, slice_str(cases[i].text), &bad) == 0);
        CHECK(cases[i].escaped, slice_eq_str(buf_slice(&b), cases[i].escaped));
        CHECK(cases[i].escaped, bad == 10 + cases[i].bad);
        buf_clear(&b);
    }
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(json_escape(&b, slice_of("a\0b", 3), NULL), 0);
    assert_string_equal(buf_cstr(&b), "a\\u0000b");
    buf_clear(&b);
}

/* the definition, one sequence a step, through stdio */
static uint64_t reference(struct buf *out, struct slice s)
{
    static const char *const names[128] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
        ['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t",
    };
    uint64_t bad = 0;
    while (s.len > 0) {
        unsigned char c = (unsigned char)s.ptr[0];
        size_t n = utf8_sequence(s.ptr, s.len);
        int r;
        if (n == 0) {
            n = utf8_bad_length(s.ptr, s.len);
            bad++;
            r = buf_add_str(out, "\xef\xbf\xbd");
        } else if (c < 128 && names[c] != NULL) {
            r = buf_add_str(out, names[c]);
        } else if (c < 0x20) {
            r = buf_printf(out, "\\u%04x", c);
        } else {
            r = buf_add(out, s.ptr, n);
        }
        assert_int_equal(r, 0);
        s = slice_sub(s, n, s.len);
    }
    return bad;
}

/* json_escape, both loops of escape.h, and the definition must agree on s */
static void check_agreement(struct slice s)
{
    struct buf expected, got;
    uint64_t bad = 0;
    buf_init(&expected, 16 * MIB);
    buf_init(&got, 16 * MIB);
    uint64_t expected_bad = reference(&expected, s);

    assert_int_equal(json_escape(&got, s, &bad), 0);
    assert_true(slice_eq(buf_slice(&got), buf_slice(&expected)));
    assert_true(bad == expected_bad);

    const struct escape_form *forms;
    const size_t count = escape_forms(&forms);
    char *text = mem_zalloc(ESCAPE_WORST(s.len));
    for (size_t i = 0; i < count; i++) {
        uint64_t form_bad = 0;
        size_t len = forms[i].escape(text, s.ptr, s.len, &form_bad);
        assert_true(slice_eq(slice_of(text, len), buf_slice(&expected)));
        assert_true(form_bad == expected_bad);
    }
    mem_free(text);

    /* an exact limit is enough, one less is not, and then nothing is added */
    struct buf exact;
    buf_init(&exact, got.len);
    assert_int_equal(json_escape(&exact, s, NULL), 0);
    buf_clear(&exact);
    if (got.len > 0) {
        buf_init(&exact, got.len - 1);
        assert_int_equal(json_escape(&exact, s, NULL), -ENOBUFS);
        assert_int_equal(exact.len, 0);
        buf_clear(&exact);
    }
    buf_clear(&expected);
    buf_clear(&got);
}

static void loops_agree_on_random_text(void **state)
{
    (void)state;
    /* pieces that make all paths likely: clean runs, quotes, controls, good and bad UTF-8 */
    static const char *const pieces[] = {
        "a",
        "plain text of thirty-two bytes!!",
        "0123456789abcdef",
        "\"",
        "\\",
        "\n",
        "\x01",
        "\x7f",
        "\xc3\xbc",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
        "\xff",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\x80",
        "\xed\xa0\x80",
        "\xf4\x90\x80\x80",
        "\xc0\xaf",
    };
    struct prng random;
    prng_init(&random, 11);
    for (int round = 0; round < 4000; round++) {
        struct buf text;
        buf_init(&text, MIB);
        int64_t kinds = round % 3 == 0 ? (int64_t)ARRAY_LEN(pieces) : 3 + round % 8;
        size_t target = (size_t)prng_upto(&random, round % 8 == 0 ? 3000 : 150);
        while (text.len < target) {
            const char *piece = pieces[prng_upto(&random, kinds - 1)];
            assert_int_equal(buf_add_str(&text, piece), 0);
        }
        /* of its own size, so that a sanitizer sees a read behind it */
        char *copy = mem_strndup(text.ptr, text.len);
        copy = mem_resize(copy, text.len);
        check_agreement(slice_of(copy, text.len));
        mem_free(copy);
        buf_clear(&text);
    }
}

static void loops_agree_on_random_bytes(void **state)
{
    (void)state;
    struct prng random;
    prng_init(&random, 12);
    for (int round = 0; round < 1000; round++) {
        static char bytes[2000];
        size_t n = (size_t)prng_upto(&random, sizeof(bytes));
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)prng_next(&random);
        check_agreement(slice_of(bytes, n));
    }
}

static void sequences_across_inner_pieces(void **state)
{
    (void)state;
    /* json_escape works in pieces; a sequence must not care where it lies */
    static const char *const sequences[] = {
        "\xc3\xbc", "\xe2\x82\xac",     "\xf0\x9f\x98\x80", "\xf0\x9f\x98",
        "\xe2\x82", "\x80\x80\x80\x80", "\xf4\x90\x80\x80", "\xed\xa0\x80",
    };
    static char text[1200];
    for (size_t i = 0; i < ARRAY_LEN(sequences); i++) {
        for (size_t at = 500; at < 520; at++) {
            memset(text, 'a', sizeof(text));
            memcpy(text + at, sequences[i], strlen(sequences[i]));
            check_agreement(slice_of(text, sizeof(text)));
            check_agreement(slice_of(text, at + strlen(sequences[i])));
        }
    }
    memset(text, 0x80, sizeof(text));
    check_agreement(slice_of(text, sizeof(text)));
    memset(text, 0xf0, sizeof(text));
    check_agreement(slice_of(text, sizeof(text)));
}

/* keeps the one string of a document */
static int take_string(void *ctx, enum json_event event, unsigned depth, struct slice text,
                       bool cut)
{
    (void)depth;
    assert_true(event == JSON_STRING && !cut);
    return buf_add_slice(ctx, text);
}

static void scans_back_to_the_same_text(void **state)
{
    (void)state;
    struct prng random;
    prng_init(&random, 13);
    for (int round = 0; round < 500; round++) {
        struct buf text, json, back;
        buf_init(&text, MIB);
        buf_init(&json, MIB);
        buf_init(&back, MIB);
        for (int64_t left = prng_upto(&random, 200); left > 0; left--) {
            char bytes[4];
            uint32_t cp = (uint32_t)prng_upto(&random, left % 2 == 0 ? 0x7f : 0x10ffff);
            cp = cp >= 0xd800 && cp <= 0xdfff ? 'x' : cp;
            assert_int_equal(buf_add(&text, bytes, utf8_encode(bytes, cp)), 0);
        }
        struct json_writer w;
        json_begin(&w, &json);
        json_string(&w, buf_slice(&text));
        assert_int_equal(json_done(&w), 0);
        struct json_scan *js = json_scan_new(MIB, take_string, &back);
        assert_int_equal(json_scan_feed(js, buf_slice(&json)), 0);
        assert_int_equal(json_scan_finish(js), 0);
        assert_true(slice_eq(buf_slice(&back), buf_slice(&text)));
        json_scan_free(&js);
        buf_clear(&text);
        buf_clear(&json);
        buf_clear(&back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_document),
        cmocka_unit_test(fractions),
        cmocka_unit_test(longest_fraction),
        cmocka_unit_test(limit_sticks),
        cmocka_unit_test(depth_sticks),
        cmocka_unit_test(escapes),
        cmocka_unit_test(loops_agree_on_random_text),
        cmocka_unit_test(loops_agree_on_random_bytes),
        cmocka_unit_test(sequences_across_inner_pieces),
        cmocka_unit_test(scans_back_to_the_same_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
