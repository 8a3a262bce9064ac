/* base/base64: the vectors of RFC 4648, the limit, and the fixed-length id form. */
#include "base/base64.h"

#include <errno.h>
#include <string.h>

#include "base/prng.h"
#include "check.h"

static void vectors(void **state)
{
    (void)state;
    static const struct {
        const char *plain;
        size_t n;
        const char *text;
    } cases[] = {
        {"", 0, ""},
        {"f", 1, "Zg=="},
        {"fo", 2, "Zm8="},
        {"foo", 3, "Zm9v"},
        {"foob", 4, "Zm9vYg=="},
        {"fooba", 5, "Zm9vYmE="},
        {"foobar", 6, "Zm9vYmFy"},
        {"\0", 1, "AA=="},
        {"\xff\xff\xff", 3, "////"},
        {"\xfb\xef\xbe", 3, "++++"},
        {"user:pa\xc3\x9fwort", 13, "dXNlcjpwYcOfd29ydA=="},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        buf_init(&b, 100);
        CHECK(cases[i].text, base64_encode(&b, cases[i].plain, cases[i].n) == 0);
        CHECK(cases[i].text, slice_eq_str(buf_slice(&b), cases[i].text));
        buf_clear(&b);
    }
}

static void limits(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 7);
    assert_int_equal(base64_encode(&b, "foo", 3), 0);
    assert_int_equal(base64_encode(&b, "f", 1), -ENOBUFS);
    assert_true(slice_eq_str(buf_slice(&b), "Zm9v"));
    assert_int_equal(base64_encode(&b, NULL, 0), 0);
    b.max = SIZE_MAX;
    assert_int_equal(base64_encode(&b, "f", SIZE_MAX), -ENOBUFS);
    assert_int_equal(b.len, 4);
    buf_clear(&b);
}

static void ids_round_trip(void **state)
{
    (void)state;
    struct prng random;
    prng_init(&random, 5);
    for (int round = 0; round < 1000; round++) {
        uint8_t plain[9], back[9] = {0};
        char text[13] = "............";
        for (size_t i = 0; i < sizeof(plain); i++)
            plain[i] = (uint8_t)prng_next(&random);
        base64url_write9(text, plain);
        assert_int_equal(text[12], '\0');
        assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_"),
                         12);
        assert_int_equal(base64url_read9(back, text), 0);
        assert_memory_equal(back, plain, 9);
    }
    char text[13] = {0};
    base64url_write9(text, (const uint8_t *)"\xfb\xff\xbf\0\0\0\xff\xff\xff");
    assert_string_equal(text, "-_-_AAAA____");
}

static void strangers_are_refused(void **state)
{
    (void)state;
    static const char good[] = "abcdefghijkl";
    for (size_t at = 0; at < 12; at++) {
        for (int c = 0; c < 256; c++) {
            char text[12];
            uint8_t back[9] = {1, 2, 3};
            memcpy(text, good, sizeof(text));
            text[at] = (char)c;
            bool in_alphabet = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                               (c >= '0' && c <= '9') || c == '-' || c == '_';
            assert_int_equal(base64url_read9(back, text), in_alphabet ? 0 : -EINVAL);
            if (!in_alphabet)
                assert_memory_equal(back, "\1\2\3\0\0\0\0\0\0", 9);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors),
        cmocka_unit_test(limits),
        cmocka_unit_test(ids_round_trip),
        cmocka_unit_test(strangers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
