/*
 * base/escape_neon - the vector form of AArch64, where every processor has it
 *
 * As the SSE2 form: 16 bytes a step, a block is stored whole, what stands behind a quote or a
 * backslash is stored again one byte further, and any other byte that needs care is one scalar
 * step. There is no instruction that makes a bit of each byte; narrowing makes four bits of it.
 */
#include "base/escape_internal.h"

#if defined(__aarch64__)

#include <arm_neon.h>
#include <string.h>

#include "base/escape.h"

#define STEP 16

/* four bits for each byte that is all ones */
static uint64_t bits(uint8x16_t v)
{
    uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(v), 4);
    return vget_lane_u64(vreinterpret_u64_u8(narrow), 0);
}

/* the bits of the first n bytes */
static uint64_t first(size_t n)
{
    return n < STEP ? ((uint64_t)1 << (4 * n)) - 1 : UINT64_MAX;
}

/* number of the first byte that has bits */
static size_t first_of(uint64_t bits)
{
    return (size_t)__builtin_ctzll(bits) / 4;
}

/* below 0x20 or above 0x7f (a signed compare) */
static uint64_t care_of(uint8x16_t v)
{
    return bits(vcltq_s8(vreinterpretq_s8_u8(v), vdupq_n_s8(0x20)));
}

static uint64_t pairs_of(uint8x16_t v)
{
    return bits(vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')), vceqq_u8(v, vdupq_n_u8('\\'))));
}

/* while two steps can be loaded from src to `room`; *src is where it stopped */
static char *run(char *d, const char **src, const char *end, const char *room, uint64_t *bad)
{
    const char *s = *src;
    while (s < end && room - s >= 2 * STEP) {
        uint8x16_t v = vld1q_u8((const uint8_t *)s);
        size_t step = end - s < STEP ? (size_t)(end - s) : STEP;
        uint64_t care = care_of(v) & first(step), pairs = pairs_of(v) & first(step);
        vst1q_u8((uint8_t *)d, v);
        if (care != 0) {
            step = first_of(care);
            pairs &= first(step);
        }
        while (pairs != 0) {
            size_t at = first_of(pairs);
            uint8x16_t rest = vld1q_u8((const uint8_t *)(s + at));
            d[at] = '\\';
            d++;
            vst1q_u8((uint8_t *)(d + at), rest);
            pairs &= ~((uint64_t)15 << (4 * at));
        }
        s += step;
        d += step;
        if (care != 0)
            d = escape_careful(d, &s, end, bad);
    }
    *src = s;
    return d;
}

/* see escape_internal.h; the last bytes in a copy with room behind it */
size_t escape_neon(char *dst, const char *src, size_t n, uint64_t *bad)
{
    const char *end = src + n;
    char copy[4 * STEP];
    char *d = run(dst, &src, end, end, bad);
    size_t left = (size_t)(end - src);
    const char *s = copy;
    memcpy(copy, src, left);
    memset(copy + left, 0, 2 * STEP);
    return (size_t)(run(d, &s, copy + left, copy + left + 2 * STEP, bad) - dst);
}

#endif
