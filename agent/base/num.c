/*
 * base/num - strict numbers from text, and back
 *
 * Digits are accumulated with overflow checks; the libc parsers are not used because they skip
 * blanks, take signs and need a NUL. Only num_double hands a text whose form was checked here to
 * strtod, for its exact rounding; the program never leaves the C locale.
 *
 * What can fail: -EINVAL and -ERANGE as the contract says; the result is then not touched.
 */
#include "base/num.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DOUBLE_TEXT_MAX = 63 };

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit byte_units[] = {
    {"", 1},
    {"B", 1},
    {"K", UINT64_C(1) << 10},
    {"M", UINT64_C(1) << 20},
    {"G", UINT64_C(1) << 30},
    {"KiB", UINT64_C(1) << 10},
    {"MiB", UINT64_C(1) << 20},
    {"GiB", UINT64_C(1) << 30},
    {"TiB", UINT64_C(1) << 40},
    {"KB", UINT64_C(1000)},
    {"MB", UINT64_C(1000) * 1000},
    {"GB", UINT64_C(1000) * 1000 * 1000},
};

/* descending: the order a sum must have */
static const struct unit time_units[] = {
    {"d", 24 * 60 * 60 * 1000}, {"h", 60 * 60 * 1000}, {"m", 60 * 1000}, {"s", 1000}, {"ms", 1},
};

/* decimal digit */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* number of digits at the front */
static size_t digits_at(struct slice s)
{
    size_t n = 0;
    while (n < s.len && is_digit(s.ptr[n]))
        n++;
    return n;
}

/* decimal, no sign */
int num_u64(struct slice s, uint64_t *ret)
{
    if (s.len == 0 || digits_at(s) != s.len)
        return -EINVAL;
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (__builtin_mul_overflow(v, UINT64_C(10), &v) || __builtin_add_overflow(v, digit, &v))
            return -ERANGE;
    }
    *ret = v;
    return 0;
}

/* decimal, a minus is allowed */
int num_i64(struct slice s, int64_t *ret)
{
    bool minus = s.len > 0 && s.ptr[0] == '-';
    uint64_t v;
    int r = num_u64(minus ? slice_sub(s, 1, s.len) : s, &v);
    if (r < 0)
        return r;
    if (v > (uint64_t)INT64_MAX + (minus ? 1 : 0))
        return -ERANGE;
    /* -1 - (v - 1) reaches INT64_MIN without overflow */
    *ret = minus && v > 0 ? -1 - (int64_t)(v - 1) : (int64_t)v;
    return 0;
}

/* value of a hex digit, or -1 */
static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* hexadecimal */
int num_hex(struct slice s, uint64_t *ret)
{
    if (s.len == 0)
        return -EINVAL;
    uint64_t v = 0;
    bool overflow = false;
    for (size_t i = 0; i < s.len; i++) {
        int digit = hex_value(s.ptr[i]);
        if (digit < 0)
            return -EINVAL;
        overflow |= v >> 60 != 0;
        v = v << 4 | (uint64_t)digit;
    }
    if (overflow)
        return -ERANGE;
    *ret = v;
    return 0;
}

/* digits, perhaps a point and digits */
COLD int num_double(struct slice s, double *ret)
{
    size_t whole = digits_at(s);
    size_t len = whole;
    if (len < s.len && s.ptr[len] == '.') {
        size_t fraction = digits_at(slice_sub(s, len + 1, s.len));
        if (fraction == 0)
            return -EINVAL;
        len += 1 + fraction;
    }
    if (whole == 0 || len != s.len)
        return -EINVAL;
    if (s.len > DOUBLE_TEXT_MAX)
        return -ERANGE;
    char text[DOUBLE_TEXT_MAX + 1];
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    *ret = strtod(text, NULL);
    return 0;
}

/* digits and a unit */
COLD int num_bytes(struct slice s, uint64_t *ret_bytes)
{
    size_t digits = digits_at(s);
    struct slice name = slice_sub(s, digits, s.len);
    for (size_t i = 0; i < ARRAY_LEN(byte_units); i++) {
        if (!slice_eq_str(name, byte_units[i].name))
            continue;
        uint64_t v;
        int r = num_u64(slice_sub(s, 0, digits), &v);
        if (r < 0)
            return r;
        if (__builtin_mul_overflow(v, byte_units[i].factor, &v))
            return -ERANGE;
        *ret_bytes = v;
        return 0;
    }
    return -EINVAL;
}

/* index of the unit the text names, or the length of the table */
static size_t time_unit(struct slice name)
{
    size_t i = 0;
    while (i < ARRAY_LEN(time_units) && !slice_eq_str(name, time_units[i].name))
        i++;
    return i;
}

/* sum of number-and-unit pairs, each unit smaller than the one before */
COLD int num_duration(struct slice s, int64_t *ret_ms)
{
    uint64_t sum = 0;
    size_t next_unit = 0;
    bool overflow = false;
    if (s.len == 0)
        return -EINVAL;
    if (slice_eq_str(s, "0")) {
        *ret_ms = 0;
        return 0;
    }
    while (s.len > 0) {
        size_t digits = digits_at(s);
        size_t end = digits;
        while (end < s.len && !is_digit(s.ptr[end]))
            end++;
        size_t unit = time_unit(slice_sub(s, digits, end - digits));
        if (digits == 0 || unit < next_unit || unit == ARRAY_LEN(time_units))
            return -EINVAL;
        next_unit = unit + 1;
        uint64_t v = 0;
        overflow |= num_u64(slice_sub(s, 0, digits), &v) < 0 ||
                    __builtin_mul_overflow(v, time_units[unit].factor, &v) ||
                    __builtin_add_overflow(sum, v, &sum);
        s = slice_sub(s, end, s.len);
    }
    if (overflow || sum > INT64_MAX)
        return -ERANGE;
    *ret_ms = (int64_t)sum;
    return 0;
}

/* decimal digits of v, two a step, from the last */
size_t num_write_u64(char *dst, uint64_t v)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    char text[20];
    size_t at = sizeof(text);
    for (; v >= 100; v /= 100) {
        at -= 2;
        memcpy(text + at, pairs + 2 * (v % 100), 2);
    }
    text[--at] = pairs[2 * v + 1];
    if (v >= 10)
        text[--at] = pairs[2 * v];
    memcpy(dst, text + at, sizeof(text) - at);
    return sizeof(text) - at;
}

/* the eight hex digits of v, the first in the highest byte */
static uint64_t hex8(uint32_t v)
{
    uint64_t x = v;
    x = (x | x << 16) & 0x0000ffff0000ffffu;
    x = (x | x << 8) & 0x00ff00ff00ff00ffu;
    x = (x | x << 4) & 0x0f0f0f0f0f0f0f0fu;
    uint64_t letters = (x + 0x0606060606060606u) >> 4 & 0x0101010101010101u;
    return x + 0x3030303030303030u + letters * ('a' - '0' - 10);
}

/* hex digits of the lowest bits of v */
void num_write_hex(char *dst, uint64_t v, unsigned digits)
{
    char text[16];
    uint64_t halves[2] = {htobe64(hex8((uint32_t)(v >> 32))), htobe64(hex8((uint32_t)v))};
    memcpy(text, halves, sizeof(text));
    memcpy(dst, text + sizeof(text) - digits, digits);
}

/* eight of them in one store */
void num_write_hex8(char *dst, uint32_t v)
{
    uint64_t digits = htobe64(hex8(v));
    memcpy(dst, &digits, sizeof(digits));
}
