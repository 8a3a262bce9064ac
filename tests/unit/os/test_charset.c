/* os/charset */
#include "os/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

#define FFFD "\xef\xbf\xbd"

/* texts with what they become */
static void converts(void **state)
{
    static const struct {
        const char *name;
        enum charset_id id;
        struct slice text;
        const char *want;
        uint64_t bad;
    } rows[] = {
        {"ascii", CHARSET_UTF16LE, SLICE_LIT("a\0b\0"), "ab", 0},
        {"ascii, big", CHARSET_UTF16BE, SLICE_LIT("\0a\0b"), "ab", 0},
        {"empty", CHARSET_UTF16LE, SLICE_LIT(""), "", 0},
        {"two bytes", CHARSET_UTF16LE, SLICE_LIT("\xfc\0"), "\xc3\xbc", 0},
        {"three bytes", CHARSET_UTF16BE, SLICE_LIT("\x20\xac"), "\xe2\x82\xac", 0},
        {"pair", CHARSET_UTF16LE, SLICE_LIT("\x34\xd8\x1e\xdd"), "\xf0\x9d\x84\x9e", 0},
        {"high alone", CHARSET_UTF16LE, SLICE_LIT("\x34\xd8x\0"), FFFD "x", 1},
        {"low alone", CHARSET_UTF16LE, SLICE_LIT("\x1e\xddx\0"), FFFD "x", 1},
        {"high at the end", CHARSET_UTF16BE, SLICE_LIT("\0x\xd8\x34"), "x" FFFD, 1},
        {"two high", CHARSET_UTF16BE, SLICE_LIT("\xd8\x34\xd8\x34\xdd\x1e"),
         FFFD "\xf0\x9d\x84\x9e", 1},
        {"half a unit", CHARSET_UTF16LE, SLICE_LIT("x\0y"), "x" FFFD, 1},
        {"mark within", CHARSET_UTF16LE, SLICE_LIT("x\0\xff\xfe"), "x\xef\xbb\xbf", 0},
        {"latin1", CHARSET_LATIN1, SLICE_LIT("gr\xfc\xdf\x80"), "gr\xc3\xbc\xc3\x9f\xc2\x80", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct charset *c = NULL;
        char out[64];
        uint64_t bad = 0;
        assert_int_equal(charset_new(rows[i].id, &c), 0);
        size_t n = charset_to_utf8(c, out, rows[i].text, &bad);
        if (n != strlen(rows[i].want) || memcmp(out, rows[i].want, n) != 0 || bad != rows[i].bad)
            fail_msg("%s: \"%.*s\", %u bad", rows[i].name, (int)n, out, (unsigned)bad);
        charset_free(&c);
        assert_null(c);
    }
}

/* the largest results fit */
static void has_room(void **state)
{
    char text[200], out[403];
    struct charset *c = NULL;
    uint64_t bad = 0;
    (void)state;
    assert_int_equal(charset_room(sizeof(text)), sizeof(out));
    memset(text, 0xff, sizeof(text));
    assert_int_equal(charset_new(CHARSET_LATIN1, &c), 0);
    assert_int_equal(charset_to_utf8(c, out, slice_of(text, sizeof(text)), &bad), 400);
    charset_free(&c);
    memset(text, 0xd8, sizeof(text));
    assert_int_equal(charset_new(CHARSET_UTF16LE, &c), 0);
    size_t n = charset_to_utf8(c, out, slice_of(text, sizeof(text) - 1), &bad);
    assert_int_equal(n, 300);
    assert_int_equal(bad, 100);
    assert_true(utf8_is_valid(slice_of(out, n)));
    charset_free(&c);
}

/* bytes of a unit */
static void knows_units(void **state)
{
    (void)state;
    assert_int_equal(charset_unit(CHARSET_UTF8), 1);
    assert_int_equal(charset_unit(CHARSET_LATIN1), 1);
    assert_int_equal(charset_unit(CHARSET_UTF16LE), 2);
    assert_int_equal(charset_unit(CHARSET_UTF16BE), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts),
        cmocka_unit_test(has_room),
        cmocka_unit_test(knows_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
