/* base/buf: growth, the limit at every adder, formatting at the edge of room and limit. */
#include "base/buf.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "check.h"

static void content_grows(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    assert_null(b.ptr);
    assert_int_equal(buf_slice(&b).len, 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_add_byte(&b, (char)('a' + i % 26)), 0);
    assert_int_equal(b.len, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(b.ptr[i], 'a' + i % 26);
    buf_clear(&b);
    assert_null(b.ptr);
    assert_int_equal(b.cap, 0);
    assert_true(b.max == SIZE_MAX);
}

static void adders(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(buf_add(&b, NULL, 0), 0);
    assert_int_equal(buf_add(&b, "a\0b", 3), 0);
    assert_int_equal(buf_add_slice(&b, SLICE_LIT("cd")), 0);
    assert_int_equal(buf_add_slice(&b, (struct slice){NULL, 0}), 0);
    assert_int_equal(buf_add_str(&b, "ef"), 0);
    assert_int_equal(buf_add_byte(&b, 'g'), 0);
    assert_int_equal(buf_add_u64(&b, 0), 0);
    assert_int_equal(buf_add_u64(&b, UINT64_MAX), 0);
    assert_int_equal(buf_printf(&b, "[%d|%s]", -7, "x"), 0);
    static const char expected[] = "a\0bcdefg018446744073709551615[-7|x]";
    assert_int_equal(b.len, sizeof(expected) - 1);
    assert_memory_equal(b.ptr, expected, b.len);
    buf_clear(&b);
}

static int add_bytes(struct buf *b)
{
    return buf_add(b, "12345", 5);
}

static int add_slice(struct buf *b)
{
    return buf_add_slice(b, SLICE_LIT("12345"));
}

static int add_str(struct buf *b)
{
    return buf_add_str(b, "12345");
}

static int add_u64(struct buf *b)
{
    return buf_add_u64(b, 12345);
}

static int add_printf(struct buf *b)
{
    return buf_printf(b, "%d%s", 123, "45");
}

static void limit_holds_at_every_adder(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int (*add)(struct buf *b);
    } cases[] = {
        {"add", add_bytes}, {"slice", add_slice},   {"str", add_str},
        {"u64", add_u64},   {"printf", add_printf},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t max = 3; max < 300; max++) {
            struct buf b;
            buf_init(&b, max);
            size_t want = max < 8 ? 3 : max - 5;
            for (size_t k = 0; k < want; k++)
                assert_int_equal(buf_add_byte(&b, 'x'), 0);
            int expected = max - want >= 5 ? 0 : -ENOBUFS;
            CHECK(cases[i].name, cases[i].add(&b) == expected);
            CHECK(cases[i].name, b.len == want + (expected == 0 ? 5 : 0));
            if (expected == 0)
                CHECK(cases[i].name, memcmp(b.ptr + want, "12345", 5) == 0);
            if (b.len == max) {
                CHECK(cases[i].name, buf_add_byte(&b, 'y') == -ENOBUFS);
                CHECK(cases[i].name, cases[i].add(&b) == -ENOBUFS);
            }
            /* the NUL has its place even at the limit */
            CHECK(cases[i].name, strlen(buf_cstr(&b)) == b.len);
            CHECK(cases[i].name, buf_add(&b, "123456", 6) == -ENOBUFS);
            buf_clear(&b);
        }
    }
}

static void limit_of_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 0);
    assert_int_equal(buf_add_byte(&b, 'x'), -ENOBUFS);
    assert_int_equal(buf_printf(&b, "%s", ""), 0);
    assert_int_equal(buf_printf(&b, "%s", "x"), -ENOBUFS);
    assert_string_equal(buf_cstr(&b), "");
    assert_int_equal(b.len, 0);
    buf_clear(&b);
}

static void huge_wishes(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    assert_int_equal(buf_add_str(&b, "abc"), 0);
    assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOBUFS);
    assert_int_equal(buf_reserve(&b, SIZE_MAX - 3), -ENOMEM);
    assert_int_equal(buf_reserve(&b, (size_t)PTRDIFF_MAX), -ENOMEM);
    assert_string_equal(buf_cstr(&b), "abc");
    buf_clear(&b);
}

static void formatting_fills_any_room(void **state)
{
    (void)state;
    char text[200];
    memset(text, 'z', sizeof(text));
    for (int n = 0; n < 200; n++) {
        struct buf b;
        buf_init(&b, 1000);
        assert_int_equal(buf_reserve(&b, 64), 0);
        assert_int_equal(buf_printf(&b, "%.*s", n, text), 0);
        assert_int_equal(buf_printf(&b, "%d", n), 0);
        char expected[256];
        int len = snprintf(expected, sizeof(expected), "%.*s%d", n, text, n);
        assert_int_equal(b.len, len);
        assert_memory_equal(b.ptr, expected, b.len);
        buf_clear(&b);
    }
}

static void shifting_and_cutting(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_shift(&b, 0);
    buf_cut(&b, 0);
    assert_int_equal(buf_add_str(&b, "hello world"), 0);
    buf_shift(&b, 6);
    assert_true(slice_eq_str(buf_slice(&b), "world"));
    buf_cut(&b, 3);
    assert_true(slice_eq_str(buf_slice(&b), "wor"));
    buf_shift(&b, 3);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_add_str(&b, "x"), 0);
    size_t cap = b.cap;
    buf_reset(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, cap);
    buf_clear(&b);
}

static void growth_doubles(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    uint64_t before = mem_calls();
    for (int i = 0; i < 1000000; i++)
        assert_int_equal(buf_add_byte(&b, 'x'), 0);
    assert_true(mem_calls() - before <= 15); /* 64 * 2^14 > 10^6 */
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_grows),
        cmocka_unit_test(adders),
        cmocka_unit_test(limit_holds_at_every_adder),
        cmocka_unit_test(limit_of_nothing),
        cmocka_unit_test(huge_wishes),
        cmocka_unit_test(formatting_fills_any_room),
        cmocka_unit_test(shifting_and_cutting),
        cmocka_unit_test(growth_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
