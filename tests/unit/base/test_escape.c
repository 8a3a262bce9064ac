/*
 * base/escape: all forms against the rules of RFC 8259, for every byte at every place of a vector,
 * every pair of bytes, cut sequences, and the room that dst was promised.
 */
#include "base/escape.h"

#include <string.h>

#include "base/def.h"
#include "base/mem.h"
#include "base/prng.h"
#include "check.h"

/* longest text: three wide vectors and a rest */
#define TEXT_MAX 200

/* what stands behind the room that escape_json was given */
#define GUARD "guard"

/* Escapes n bytes that lie alone in their block; the result in dst, with a NUL behind it. */
static size_t run(const struct escape_form *form, const char *src, size_t n, char *dst,
                  uint64_t *bad)
{
    char *block = mem_zalloc(n);
    memcpy(block, src, n);
    memcpy(dst + ESCAPE_WORST(n), GUARD, sizeof(GUARD));
    size_t len = form->escape(dst, block, n, bad);
    CHECK(form->name, len + 64 <= ESCAPE_WORST(n));
    CHECK(form->name, memcmp(dst + ESCAPE_WORST(n), GUARD, sizeof(GUARD)) == 0);
    dst[len] = '\0';
    mem_free(block);
    return len;
}

/* all forms give `expected` for the text */
static void check(const char *name, const char *src, size_t n, const char *expected,
                  size_t expected_len, uint64_t expected_bad)
{
    static char dst[ESCAPE_WORST(TEXT_MAX) + sizeof(GUARD)];
    const struct escape_form *forms;
    size_t count = escape_forms(&forms);
    for (size_t i = 0; i < count; i++) {
        uint64_t bad = 5;
        size_t len = run(&forms[i], src, n, dst, &bad);
        if (len != expected_len || memcmp(dst, expected, len) != 0 || bad != 5 + expected_bad)
            fail_msg("case \"%s\", %s form: \"%s\" instead of \"%.*s\"", name, forms[i].name, dst,
                     (int)expected_len, expected);
    }
}

static void table(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *escaped;
        size_t text_len, escaped_len;
        uint64_t bad;
    } cases[] = {
#define CASE(name, text, escaped, bad)                                                             \
    {name, text, escaped, sizeof(text) - 1, sizeof(escaped) - 1, bad}
        CASE("empty", "", "", 0),
        CASE("plain", "plain", "plain", 0),
        CASE("quote and backslash", "\"\\", "\\\"\\\\", 0),
        CASE("slash and DEL stay", "/\x7f", "/\x7f", 0),
        CASE("short forms", "\b\f\n\r\t", "\\b\\f\\n\\r\\t", 0),
        CASE("nul", "a\0b", "a\\u0000b", 0),
        CASE("other controls", "\x01\x0b\x0e\x1f", "\\u0001\\u000b\\u000e\\u001f", 0),
        CASE("two bytes", "\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf", 0),
        CASE("three bytes", "\xe0\xa0\x80\xef\xbf\xbf", "\xe0\xa0\x80\xef\xbf\xbf", 0),
        CASE("four bytes", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
             0),
        CASE("around surrogates", "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80", 0),
        CASE("line separator stays", "\xe2\x80\xa8", "\xe2\x80\xa8", 0),
        CASE("lone continuation", "\x80", "\xef\xbf\xbd", 1),
        CASE("two of them", "\x80\xbf", "\xef\xbf\xbd\xef\xbf\xbd", 2),
        CASE("overlong slash", "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", 2),
        CASE("overlong quote", "\xe0\x80\xa2", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3),
        CASE("surrogate", "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3),
        CASE("above U+10FFFF", "\xf4\x90\x80\x80",
             "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 4),
        CASE("cut before a quote", "\xf0\x9f\x98\"", "\xef\xbf\xbd\\\"", 1),
        CASE("cut at the end", "\xe2\x82", "\xef\xbf\xbd", 1),
        CASE("no such byte", "\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd", 2),
#undef CASE
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(cases[i].name, cases[i].text, cases[i].text_len, cases[i].escaped,
              cases[i].escaped_len, cases[i].bad);
}

/* what one byte becomes between ASCII letters; its length */
static size_t expect_byte(unsigned c, char *dst)
{
    static const char *const names[0x20] = {
        ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
    if (c < 0x20 && names[c] != NULL)
        return (size_t)sprintf(dst, "%s", names[c]);
    if (c < 0x20)
        return (size_t)sprintf(dst, "\\u%04x", c);
    if (c == '"' || c == '\\')
        return (size_t)sprintf(dst, "\\%c", (int)c);
    if (c >= 0x80)
        return (size_t)sprintf(dst, "\xef\xbf\xbd");
    return (size_t)sprintf(dst, "%c", (int)c);
}

static void every_byte_at_every_place(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 130};
    for (size_t l = 0; l < ARRAY_LEN(lengths); l++) {
        for (size_t at = 0; at < lengths[l]; at++) {
            for (unsigned c = 0; c < 256; c++) {
                char text[TEXT_MAX], expected[TEXT_MAX + 8];
                memset(text, 'a', sizeof(text));
                memset(expected, 'a', sizeof(expected));
                text[at] = (char)c;
                size_t len = expect_byte(c, expected + at);
                expected[at + len] = 'a';
                check("byte", text, lengths[l], expected, lengths[l] - 1 + len, c >= 0x80);
            }
        }
    }
}

/* the forms agree where no table reaches: every pair of bytes around the end of a vector */
static void every_pair_across_a_vector_end(void **state)
{
    (void)state;
    const struct escape_form *forms;
    const size_t count = escape_forms(&forms);
    for (unsigned pair = 0; pair < 65536; pair++) {
        char text[70], scalar[ESCAPE_WORST(70) + sizeof(GUARD)];
        memset(text, 'a', sizeof(text));
        size_t at = pair % 2 == 0 ? 15 : 31;
        text[at] = (char)(pair >> 8);
        text[at + 1] = (char)pair;
        uint64_t bad = 0;
        size_t len = run(&forms[count - 1], text, sizeof(text), scalar, &bad);
        check("pair", text, sizeof(text), scalar, len, bad);
        check("pair at the end", text, at + 2, scalar, len - (sizeof(text) - at - 2), bad);
    }
}

static void random_texts(void **state)
{
    (void)state;
    const struct escape_form *forms;
    const size_t count = escape_forms(&forms);
    struct prng random;
    prng_init(&random, 3);
    for (int round = 0; round < 20000; round++) {
        char text[TEXT_MAX], scalar[ESCAPE_WORST(TEXT_MAX) + sizeof(GUARD)];
        size_t n = (size_t)prng_upto(&random, TEXT_MAX);
        int64_t odd = prng_upto(&random, 40);
        for (size_t i = 0; i < n; i++)
            text[i] = prng_upto(&random, 40) < odd ? (char)prng_next(&random) : 'a';
        uint64_t bad = 0;
        size_t len = run(&forms[count - 1], text, n, scalar, &bad);
        check("random", text, n, scalar, len, bad);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(every_pair_across_a_vector_end),
        cmocka_unit_test(random_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
