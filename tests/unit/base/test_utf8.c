/* base/utf8: every code point, every two-byte start, and the subparts of Unicode's own table. */
#include "base/utf8.h"

#include <string.h>

#include "check.h"

/* the definition, by decoding: an independent oracle for one whole sequence of n bytes */
static bool is_sequence(const uint8_t *p, size_t n)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    static const uint8_t mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
    static const uint8_t mask[] = {0, 0x80, 0xe0, 0xf0, 0xf8};
    if ((p[0] & mask[n]) != mark[n])
        return false;
    uint32_t cp = p[0] & (uint8_t)~mask[n];
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return false;
        cp = cp << 6 | (p[i] & 0x3f);
    }
    return cp >= smallest[n] && cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
}

/* length of the sequence at p by the oracle, 0 = none */
static size_t oracle_length(const uint8_t *p, size_t have)
{
    for (size_t n = 1; n <= 4 && n <= have; n++) {
        if (is_sequence(p, n))
            return n;
    }
    return 0;
}

static void every_code_point(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
        char bytes[4];
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        size_t n = utf8_encode(bytes, cp);
        assert_int_equal(n, cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4);
        assert_true(is_sequence((const uint8_t *)bytes, n));
        assert_int_equal(utf8_sequence(bytes, n), n);
        /* cut short it is one bad subpart */
        for (size_t k = 1; k < n; k++) {
            assert_int_equal(utf8_sequence(bytes, k), 0);
            assert_int_equal(utf8_bad_length(bytes, k), k);
        }
    }
}

static void every_start(void **state)
{
    (void)state;
    /* all pairs of first bytes, with third and fourth bytes at the edges of the ranges */
    static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff};
    for (unsigned pair = 0; pair < 65536; pair++) {
        for (size_t k = 0; k < ARRAY_LEN(edges) * ARRAY_LEN(edges); k++) {
            const uint8_t p[4] = {(uint8_t)(pair >> 8), (uint8_t)pair, edges[k / ARRAY_LEN(edges)],
                                  edges[k % ARRAY_LEN(edges)]};
            size_t n = oracle_length(p, 4);
            if (utf8_sequence((const char *)p, 4) != n)
                fail_msg("%02x %02x %02x %02x", p[0], p[1], p[2], p[3]);
        }
    }
}

static void bad_lengths(void **state)
{
    (void)state;
    /* Unicode 15, tables 3-8 to 3-11: the lengths of what each U+FFFD replaces */
    static const struct {
        const char *name, *text;
        const char *lengths; /* digit = bad length, + = one good sequence */
    } cases[] = {
        {"overlong two bytes", "\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", "11111111+"},
        {"surrogates", "\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", "11111111+"},
        {"beyond the end", "\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", "11111+11+"},
        {"truncated", "\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", "2132+"},
        {"lone continuation", "\x80", "1"},
        {"fe and ff", "\xfe\xff", "11"},
        {"truncated at the end", "\xf0\x9f\x98", "3"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *p = cases[i].text;
        const char *lengths = cases[i].lengths;
        size_t left = strlen(p);
        while (left > 0) {
            size_t n = utf8_sequence(p, left);
            if (n == 0) {
                n = utf8_bad_length(p, left);
                CHECK(cases[i].name, *lengths == (char)('0' + n));
            } else {
                CHECK(cases[i].name, *lengths == '+');
            }
            lengths++;
            p += n;
            left -= n;
        }
        CHECK(cases[i].name, *lengths == '\0');
    }
}

static void whole_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        bool valid;
    } cases[] = {
        {NULL, 0, true},
        {"", 0, true},
        {"a\0b", 3, true},
        {"plain ascii longer than a word", 30, true},
        {"gr\xc3\xbc\xc3\x9f", 6, true},
        {"12345678\xe2\x82\xac", 11, true},
        {"1234567\xe2\x82\xac", 10, true},
        {"12345678\xe2\x82", 10, false},
        {"1234567\xe2", 8, false},
        {"\xff", 1, false},
        {"1234567\xff", 8, false},
        {"\xed\xa0\x80", 3, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool valid = utf8_is_valid(slice_of(cases[i].text, cases[i].len));
        CHECK(cases[i].text == NULL ? "null" : cases[i].text, valid == cases[i].valid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point),
        cmocka_unit_test(every_start),
        cmocka_unit_test(bad_lengths),
        cmocka_unit_test(whole_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
