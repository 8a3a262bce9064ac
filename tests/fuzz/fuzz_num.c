/*
 * Fuzzes base/num. Oracles: the libc parsers where they mean the same, writing back what was read,
 * and results that stay untouched on failure.
 */
#include "base/num.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNTOUCHED UINT64_C(0x5a5a5a5a5a5a5a5a)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* aborts, so that the fuzzer keeps the input */
static void require(bool condition)
{
    if (!condition)
        abort();
}

/* a result is one of three, and the value was left alone unless 0 */
static void check_result(int r, uint64_t v)
{
    require(r == 0 || ((r == -EINVAL || r == -ERANGE) && v == UNTOUCHED));
}

/* digits only, at least one */
static bool is_digits(const char *text, size_t n)
{
    return n > 0 && strspn(text, "0123456789") == n;
}

/* decimal numbers against strtoull and strtoll */
static void check_decimal(struct slice s, const char *text)
{
    uint64_t v = UNTOUCHED;
    int r = num_u64(s, &v);
    check_result(r, v);
    errno = 0;
    uint64_t expected = strtoull(text, NULL, 10);
    int expected_r = !is_digits(text, s.len) ? -EINVAL : errno == ERANGE ? -ERANGE : 0;
    require(r == expected_r && (r != 0 || v == expected));
    if (r == 0) {
        char back[20];
        uint64_t again;
        size_t n = num_write_u64(back, v);
        require(num_u64(slice_of(back, n), &again) == 0 && again == v);
    }

    int64_t i = (int64_t)UNTOUCHED;
    size_t sign = s.len > 0 && text[0] == '-' ? 1 : 0;
    r = num_i64(s, &i);
    check_result(r, (uint64_t)i);
    errno = 0;
    int64_t expected_i = strtoll(text, NULL, 10);
    expected_r = !is_digits(text + sign, s.len - sign) ? -EINVAL : errno == ERANGE ? -ERANGE : 0;
    require(r == expected_r && (r != 0 || i == expected_i));
}

/* hexadecimal against strtoull, and written back */
static void check_hex(struct slice s, const char *text)
{
    uint64_t v = UNTOUCHED;
    int r = num_hex(s, &v);
    check_result(r, v);
    bool is_hex = s.len > 0 && strspn(text, "0123456789abcdefABCDEF") == s.len;
    errno = 0;
    uint64_t expected = strtoull(text, NULL, 16);
    int expected_r = !is_hex ? -EINVAL : errno == ERANGE ? -ERANGE : 0;
    require(r == expected_r && (r != 0 || v == expected));
    if (r == 0) {
        char back[16];
        uint64_t again;
        num_write_hex(back, v, sizeof(back));
        require(num_hex(slice_of(back, sizeof(back)), &again) == 0 && again == v);
    }
}

/* sizes and times: a good text goes on being good with a zero in front */
static void check_units(struct slice s, const char *text)
{
    char longer[300];
    struct slice with_zero = slice_of(longer, s.len + 1);
    longer[0] = '0';
    memcpy(longer + 1, text, s.len);

    uint64_t bytes = UNTOUCHED;
    uint64_t bytes_again = UNTOUCHED;
    int r = num_bytes(s, &bytes);
    check_result(r, bytes);
    if (r == 0)
        require(num_bytes(with_zero, &bytes_again) == 0 && bytes_again == bytes);

    int64_t ms = (int64_t)UNTOUCHED;
    r = num_duration(s, &ms);
    check_result(r, (uint64_t)ms);
    if (r != 0)
        return;
    require(ms >= 0);
    char canonical[64];
    int64_t ms_again = -1;
    int n =
        snprintf(canonical, sizeof(canonical), "%" PRId64 "s%" PRId64 "ms", ms / 1000, ms % 1000);
    require(num_duration(slice_of(canonical, (size_t)n), &ms_again) == 0 && ms_again == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 200)
        return 0;
    /* memory of its own size: a read behind the slice is seen */
    char *exact = malloc(size > 0 ? size : 1);
    char text[201];
    require(exact != NULL);
    memcpy(exact, data, size);
    memcpy(text, data, size);
    text[size] = '\0';
    struct slice s = slice_of(exact, size);

    check_decimal(s, text);
    check_hex(s, text);
    check_units(s, text);
    double d = -1.0;
    int r = num_double(s, &d);
    require(r == 0 ? d >= 0 && d == strtod(text, NULL) : d < 0);
    free(exact);
    return 0;
}
