/* base/num: what is a number, what is none, and both edges of every range. */
#include "base/num.h"

#include <errno.h>
#include <string.h>

#include "check.h"

#define UNTOUCHED UINT64_C(0xdeadbeef)

struct u64_case {
    const char *text;
    int result;
    uint64_t value;
};

/* runs a table through a parser; a failure must leave the result alone */
static void run_u64(const struct u64_case *cases, size_t n, int (*parse)(struct slice, uint64_t *))
{
    for (size_t i = 0; i < n; i++) {
        uint64_t v = UNTOUCHED;
        CHECK(cases[i].text, parse(slice_str(cases[i].text), &v) == cases[i].result);
        CHECK(cases[i].text, v == (cases[i].result == 0 ? cases[i].value : UNTOUCHED));
    }
}

static void unsigned_numbers(void **state)
{
    (void)state;
    static const struct u64_case cases[] = {
        {"0", 0, 0},
        {"7", 0, 7},
        {"007", 0, 7},
        {"18446744073709551615", 0, UINT64_MAX},
        {"00000000000000000000000018446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"18446744073709551620", -ERANGE, 0},
        {"99999999999999999999999", -ERANGE, 0},
        {"99999999999999999999999x", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"1\n", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
        {"1.0", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"\xd9\xa1", -EINVAL, 0},
    };
    run_u64(cases, ARRAY_LEN(cases), num_u64);
    uint64_t v = UNTOUCHED;
    assert_int_equal(num_u64(slice_of("1\0", 2), &v), -EINVAL);
    assert_int_equal(num_u64(slice_of(NULL, 0), &v), -EINVAL);
    assert_int_equal(num_u64(slice_of("123", 2), &v), 0);
    assert_true(v == 12);
}

static void signed_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        int64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"-1", 0, -1},
        {"9223372036854775807", 0, INT64_MAX},
        {"9223372036854775808", -ERANGE, 0},
        {"-9223372036854775808", 0, INT64_MIN},
        {"-9223372036854775809", -ERANGE, 0},
        {"-99999999999999999999", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"-", -EINVAL, 0},
        {"--1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {"- 1", -EINVAL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = 42;
        CHECK(cases[i].text, num_i64(slice_str(cases[i].text), &v) == cases[i].result);
        CHECK(cases[i].text, v == (cases[i].result == 0 ? cases[i].value : 42));
    }
}

static void hexadecimal(void **state)
{
    (void)state;
    static const struct u64_case cases[] = {
        {"0", 0, 0},
        {"ff", 0, 255},
        {"FF", 0, 255},
        {"aBcDeF09", 0, UINT64_C(0xabcdef09)},
        {"ffffffffffffffff", 0, UINT64_MAX},
        {"000ffffffffffffffff", 0, UINT64_MAX},
        {"10000000000000000", -ERANGE, 0},
        {"10000000000000000g", -EINVAL, 0},
        {"0x1", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"g", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"@", -EINVAL, 0},
        {"`", -EINVAL, 0},
    };
    run_u64(cases, ARRAY_LEN(cases), num_hex);
}

static void fractions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        double value;
    } cases[] = {
        {"0", 0, 0.0},
        {"12", 0, 12.0},
        {"0.25", 0, 0.25},
        {"0.1", 0, 0.1},
        {"123456789.125", 0, 123456789.125},
        {"9007199254740993", 0, 9007199254740992.0},
        {"000000000000000000000000000000000000000000000000000000000000.5", 0, 0.5},
        {"0000000000000000000000000000000000000000000000000000000000000.50", -ERANGE, 0},
        {"", -EINVAL, 0},
        {".", -EINVAL, 0},
        {".5", -EINVAL, 0},
        {"5.", -EINVAL, 0},
        {"1.2.3", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"+1", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
        {"0x1p3", -EINVAL, 0},
        {"nan", -EINVAL, 0},
        {"inf", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
        {"1,5", -EINVAL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double v = -7.0;
        double expected = cases[i].result == 0 ? cases[i].value : -7.0;
        CHECK(cases[i].text, num_double(slice_str(cases[i].text), &v) == cases[i].result);
        CHECK(cases[i].text, memcmp(&v, &expected, sizeof(v)) == 0);
    }
}

static void byte_sizes(void **state)
{
    (void)state;
    static const struct u64_case cases[] = {
        {"0", 0, 0},
        {"1048576", 0, 1048576},
        {"10MiB", 0, 10485760},
        {"64KiB", 0, 65536},
        {"2GiB", 0, UINT64_C(2) << 30},
        {"1TiB", 0, UINT64_C(1) << 40},
        {"1K", 0, 1024},
        {"1M", 0, 1048576},
        {"1G", 0, UINT64_C(1) << 30},
        {"1KB", 0, 1000},
        {"1MB", 0, 1000000},
        {"1GB", 0, 1000000000},
        {"512B", 0, 512},
        {"18446744073709551615B", 0, UINT64_MAX},
        {"16777215TiB", 0, UINT64_C(16777215) << 40},
        {"16777216TiB", -ERANGE, 0},
        {"18446744073709551616", -ERANGE, 0},
        {"18014398509481984KiB", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"B", -EINVAL, 0},
        {"MiB", -EINVAL, 0},
        {"1.5MiB", -EINVAL, 0},
        {"1 MiB", -EINVAL, 0},
        {"1mib", -EINVAL, 0},
        {"1MiBs", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"1K1", -EINVAL, 0},
        {"10MiB ", -EINVAL, 0},
    };
    run_u64(cases, ARRAY_LEN(cases), num_bytes);
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        int64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"0s", 0, 0},
        {"200ms", 0, 200},
        {"5s", 0, 5000},
        {"1m30s", 0, 90000},
        {"24h", 0, 86400000},
        {"7d", 0, 604800000},
        {"1d2h3m4s5ms", 0, 93784005},
        {"1h1ms", 0, 3600001},
        {"90m", 0, 5400000},
        {"9223372036854775807ms", 0, INT64_MAX},
        {"9223372036854775808ms", -ERANGE, 0},
        {"9223372036854775s807ms", 0, INT64_MAX},
        {"9223372036854775s808ms", -ERANGE, 0},
        {"18446744073709551616ms", -ERANGE, 0},
        {"213503982335d", -ERANGE, 0},
        {"18446744073709551616d1s", -ERANGE, 0},
        {"18446744073709551616d1x", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"00", -EINVAL, 0},
        {"5", -EINVAL, 0},
        {"1m30", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"30s1m", -EINVAL, 0},
        {"1s1s", -EINVAL, 0},
        {"1.5s", -EINVAL, 0},
        {"1 s", -EINVAL, 0},
        {"1S", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"1us", -EINVAL, 0},
        {"1w", -EINVAL, 0},
        {"1s ", -EINVAL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = 42;
        CHECK(cases[i].text, num_duration(slice_str(cases[i].text), &v) == cases[i].result);
        CHECK(cases[i].text, v == (cases[i].result == 0 ? cases[i].value : 42));
    }
}

static void writing(void **state)
{
    (void)state;
    static const struct {
        uint64_t v;
        const char *text;
    } cases[] = {
        {0, "0"},
        {9, "9"},
        {10, "10"},
        {100, "100"},
        {99999, "99999"},
        {UINT64_C(10000000000), "10000000000"},
        {UINT64_MAX, "18446744073709551615"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[20];
        size_t n = num_write_u64(text, cases[i].v);
        CHECK(cases[i].text, slice_eq_str(slice_of(text, n), cases[i].text));
    }
    char hex[17] = "................";
    num_write_hex(hex, UINT64_C(0x0123456789abcdef), 16);
    assert_string_equal(hex, "0123456789abcdef");
    num_write_hex(hex, 0xabc, 2);
    assert_string_equal(hex, "bc23456789abcdef");
    num_write_hex(hex, 0xa, 4);
    assert_string_equal(hex, "000a456789abcdef");
    num_write_hex(hex, 0xffff, 0);
    assert_string_equal(hex, "000a456789abcdef");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsigned_numbers), cmocka_unit_test(signed_numbers),
        cmocka_unit_test(hexadecimal),      cmocka_unit_test(fractions),
        cmocka_unit_test(byte_sizes),       cmocka_unit_test(durations),
        cmocka_unit_test(writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
