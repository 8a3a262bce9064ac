/*
 * decode/timestamp - times as applications write them
 *
 * What is left out or written otherwise is put in its place; then it is checked like any other.
 */
#include <string.h>

#include "decode/decode.h"

#define WHOLE_SECONDS 19 /* 2026-11-23T01:02:03 */
#define DECIMALS_MAX  9

/* Appends the decimals at the head of s, if there are any; returns what they take in it. */
static size_t put_fraction(struct slice s, char *dst, size_t *n)
{
    size_t at = 1;
    if (s.len < 2 || (s.ptr[0] != '.' && s.ptr[0] != ','))
        return 0;
    dst[(*n)++] = '.';
    for (; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++)
        if (at <= DECIMALS_MAX)
            dst[(*n)++] = s.ptr[at];
    return at;
}

/* Appends a zone in its normal form. False: it is too long for one. */
static bool put_zone(struct slice s, char *dst, size_t *n)
{
    if (s.len == 0 || slice_eq_str(s, "z")) {
        dst[(*n)++] = 'Z';
        return true;
    }
    if (s.len > 6)
        return false;
    bool has_colon = s.len == 6 || s.len == 1;
    size_t hours = has_colon || s.len < 3 ? s.len : 3;
    memcpy(dst + *n, s.ptr, hours);
    *n += hours;
    if (has_colon)
        return true;
    dst[(*n)++] = ':';
    memcpy(dst + *n, "00", 2);
    if (s.len > hours)
        memcpy(dst + *n, s.ptr + hours, s.len - hours > 2 ? 2 : s.len - hours);
    *n += 2;
    return s.len == 3 || s.len == 5;
}

/* see header */
size_t decode_timestamp(struct slice text, char dst[DECODE_TIME_MAX])
{
    size_t n = WHOLE_SECONDS;
    if (text.len < n)
        return 0;
    memcpy(dst, text.ptr, n);
    if (dst[10] == ' ' || dst[10] == 't')
        dst[10] = 'T';
    size_t taken = WHOLE_SECONDS;
    taken += put_fraction(slice_sub(text, taken, SIZE_MAX), dst, &n);
    if (!put_zone(slice_sub(text, taken, SIZE_MAX), dst, &n))
        return 0;
    return decode_time(slice_of(dst, n)) == n ? n : 0;
}
