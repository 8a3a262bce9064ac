/*
 * base/escape_x86 - the vector forms of x86-64
 *
 * A block is stored whole before it is known to be clean, which is why dst has slack. Quotes and
 * backslashes, which are common, only need a backslash before them and cost no step of their own:
 *
 *   SSE2, AVX2   what stands behind one is stored again, one byte further;
 *   AVX-512      each byte is paired with a backslash, and the pairs are squeezed: one step for a
 *                block, however many there are.
 *
 * At any other byte that needs care one scalar step is taken and the scan goes on behind it.
 */
#include "base/escape_internal.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "base/escape.h"

/* what a form with 16 or 32 bytes a step still finds in its last bytes, copied so that no load goes
 * beyond the text */
#define TAIL_ROOM 128

/* bits of the bytes below 0x20 or above 0x7f (a signed compare), and of quote and backslash */
static unsigned care16(__m128i v)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)));
}

static unsigned pair16(__m128i v)
{
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(quote, slash));
}

/* 16 bytes a step, while 32 can be loaded from src to `room`; *src is where it stopped */
static char *run_sse2(char *d, const char **src, const char *end, const char *room, uint64_t *bad)
{
    const char *s = *src;
    while (s < end && room - s >= 32) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)s);
        unsigned step = end - s < 16 ? (unsigned)(end - s) : 16, there = (1u << step) - 1;
        unsigned care = care16(v) & there, pairs = pair16(v) & there;
        _mm_storeu_si128((__m128i *)(void *)d, v);
        if (care != 0) {
            step = (unsigned)__builtin_ctz(care);
            pairs &= (1u << step) - 1;
        }
        for (; pairs != 0; pairs &= pairs - 1) {
            unsigned at = (unsigned)__builtin_ctz(pairs);
            __m128i rest = _mm_loadu_si128((const __m128i *)(const void *)(s + at));
            d[at] = '\\';
            d++;
            _mm_storeu_si128((__m128i *)(void *)(d + at), rest);
        }
        s += step;
        d += step;
        if (care != 0)
            d = escape_careful(d, &s, end, bad);
    }
    *src = s;
    return d;
}

/* the last bytes in a copy with room behind it */
static char *tail_sse2(char *d, const char *src, const char *end, uint64_t *bad)
{
    char copy[TAIL_ROOM];
    size_t n = (size_t)(end - src);
    const char *s = copy;
    memcpy(copy, src, n);
    memset(copy + n, 0, 32);
    return run_sse2(d, &s, copy + n, copy + n + 32, bad);
}

/* see header */
size_t escape_sse2(char *dst, const char *src, size_t n, uint64_t *bad)
{
    const char *end = src + n;
    char *d = run_sse2(dst, &src, end, end, bad);
    return (size_t)(tail_sse2(d, src, end, bad) - dst);
}

/* as run_sse2, 32 bytes a step, while 64 can be loaded */
__attribute__((target("avx2,bmi,bmi2"))) static char *
run_avx2(char *d, const char **src, const char *end, const char *room, uint64_t *bad)
{
    const __m256i top = _mm256_set1_epi8(0x20), quote = _mm256_set1_epi8('"'),
                  slash = _mm256_set1_epi8('\\');
    const char *s = *src;
    while (s < end && room - s >= 64) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)s);
        __m256i two = _mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, slash));
        unsigned step = end - s < 32 ? (unsigned)(end - s) : 32;
        unsigned there = _bzhi_u32(UINT32_MAX, step);
        unsigned care = (unsigned)_mm256_movemask_epi8(_mm256_cmpgt_epi8(top, v)) & there;
        unsigned pairs = (unsigned)_mm256_movemask_epi8(two) & there;
        _mm256_storeu_si256((__m256i *)(void *)d, v);
        if (care != 0) {
            step = (unsigned)__builtin_ctz(care);
            pairs = _bzhi_u32(pairs, step);
        }
        for (; pairs != 0; pairs &= pairs - 1) {
            unsigned at = (unsigned)__builtin_ctz(pairs);
            __m256i rest = _mm256_loadu_si256((const __m256i *)(const void *)(s + at));
            d[at] = '\\';
            d++;
            _mm256_storeu_si256((__m256i *)(void *)(d + at), rest);
        }
        s += step;
        d += step;
        if (care != 0)
            d = escape_careful(d, &s, end, bad);
    }
    *src = s;
    return d;
}

/* see header; the last bytes as in escape_sse2 */
__attribute__((target("avx2,bmi,bmi2"))) size_t escape_avx2(char *dst, const char *src, size_t n,
                                                            uint64_t *bad)
{
    const char *end = src + n;
    char copy[TAIL_ROOM];
    char *d = run_avx2(dst, &src, end, end, bad);
    size_t left = (size_t)(end - src);
    const char *s = copy;
    memcpy(copy, src, left);
    memset(copy + left, 0, 64);
    return (size_t)(run_avx2(d, &s, copy + left, copy + left + 64, bad) - dst);
}

/* 32 bytes a step; what is beyond the text is masked out of the load */
__attribute__((target("avx512bw,avx512vl,avx512vbmi2,bmi2"))) size_t
escape_avx512(char *dst, const char *src, size_t n, uint64_t *bad)
{
    const __m256i top = _mm256_set1_epi8(0x20), quote = _mm256_set1_epi8('"'),
                  slash = _mm256_set1_epi8('\\');
    const __m512i slashes = _mm512_set1_epi16('\\');
    const char *end = src + n;
    char *d = dst;
    while (src < end) {
        unsigned step = end - src < 32 ? (unsigned)(end - src) : 32;
        __mmask32 there = _bzhi_u32(UINT32_MAX, step);
        __m256i v = _mm256_maskz_loadu_epi8(there, src);
        __mmask32 care = _mm256_mask_cmplt_epi8_mask(there, v, top);
        __mmask32 pairs = _mm256_cmpeq_epi8_mask(v, quote) | _mm256_cmpeq_epi8_mask(v, slash);
        if (care != 0) {
            step = (unsigned)__builtin_ctz(care);
            pairs = _bzhi_u32(pairs, step);
        }
        if (pairs == 0) {
            _mm256_storeu_si256((__m256i *)(void *)d, v);
        } else {
            /* of each pair (backslash, byte) the byte stays, and the backslash where it is needed
             */
            __m512i both = _mm512_or_si512(_mm512_slli_epi16(_mm512_cvtepu8_epi16(v), 8), slashes);
            __mmask64 stay = _pdep_u64(pairs, 0x5555555555555555u) | 0xaaaaaaaaaaaaaaaau;
            _mm512_storeu_si512(d, _mm512_maskz_compress_epi8(stay, both));
        }
        src += step;
        d += step + (unsigned)__builtin_popcount(pairs);
        if (care != 0)
            d = escape_careful(d, &src, end, bad);
    }
    return (size_t)(d - dst);
}

#endif
