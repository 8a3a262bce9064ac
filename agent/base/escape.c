/*
 * base/escape - text to the inside of a JSON string
 *
 * The vector loops copy a block and look for a byte that needs care (control, quote, backslash, not
 * ASCII); the block is stored whole before it is known to be clean, which is why dst has slack. At
 * such a byte one scalar step is taken and the scan goes on behind it.
 */
#include "base/escape.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const char hex_digits[] = "0123456789abcdef";

/* second character of a two-character escape; 0 = \u00xx */
static char short_escape(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

/* whether c cannot stand in a JSON string as it is, or is not ASCII */
static bool needs_care(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
}

/* Writes what stands at *src (a byte that needs care), moves *src behind it; returns the new dst.
 */
static char *careful(char *dst, const char **src, const char *end, uint64_t *bad)
{
    const char *p = *src;
    unsigned char c = (unsigned char)*p;
    if (c >= 0x80) {
        size_t n = utf8_sequence(p, (size_t)(end - p));
        if (n > 0) {
            memcpy(dst, p, n);
            *src = p + n;
            return dst + n;
        }
        memcpy(dst, "\xef\xbf\xbd", 3);
        *src = p + utf8_bad_length(p, (size_t)(end - p));
        (*bad)++;
        return dst + 3;
    }
    *src = p + 1;
    *dst++ = '\\';
    char two = short_escape(c);
    if (two != 0) {
        *dst++ = two;
        return dst;
    }
    memcpy(dst, "u00", 3);
    dst[3] = hex_digits[c >> 4];
    dst[4] = hex_digits[c & 15];
    return dst + 5;
}

/* byte by byte */
static char *scalar_run(char *dst, const char *src, const char *end, uint64_t *bad)
{
    while (src < end) {
        if (needs_care((unsigned char)*src))
            dst = careful(dst, &src, end, bad);
        else
            *dst++ = *src++;
    }
    return dst;
}

/* the reference */
size_t escape_json_scalar(char *dst, const char *src, size_t n, uint64_t *bad)
{
    return (size_t)(scalar_run(dst, src, src + n, bad) - dst);
}

#if defined(__x86_64__)

/* bits of the bytes that need care: signed compare, so 0x80..0xff count as below 0x20 */
static unsigned mask16(__m128i v)
{
    __m128i low = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    __m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, slash)));
}

/* 16 bytes a step */
static size_t escape_sse2(char *dst, const char *src, size_t n, uint64_t *bad)
{
    const char *end = src + n;
    char *d = dst;
    while (end - src >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)src);
        _mm_storeu_si128((__m128i *)(void *)d, v);
        unsigned mask = mask16(v);
        if (mask == 0) {
            src += 16;
            d += 16;
            continue;
        }
        unsigned clean = (unsigned)__builtin_ctz(mask);
        src += clean;
        d = careful(d + clean, &src, end, bad);
    }
    return (size_t)(scalar_run(d, src, end, bad) - dst);
}

/* as mask16 */
__attribute__((target("avx2"))) static unsigned mask32(__m256i v)
{
    __m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v);
    __m256i quote = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('"'));
    __m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'));
    return (unsigned)_mm256_movemask_epi8(_mm256_or_si256(low, _mm256_or_si256(quote, slash)));
}

/* 32 bytes a step */
__attribute__((target("avx2"))) static size_t escape_avx2(char *dst, const char *src, size_t n,
                                                          uint64_t *bad)
{
    const char *end = src + n;
    char *d = dst;
    while (end - src >= 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)src);
        _mm256_storeu_si256((__m256i *)(void *)d, v);
        unsigned mask = mask32(v);
        if (mask == 0) {
            src += 32;
            d += 32;
            continue;
        }
        unsigned clean = (unsigned)__builtin_ctz(mask);
        src += clean;
        d = careful(d + clean, &src, end, bad);
    }
    return (size_t)(d - dst) + escape_sse2(d, src, (size_t)(end - src), bad);
}

/* see header */
size_t escape_json(char *dst, const char *src, size_t n, uint64_t *bad)
{
    if (n >= 64 && __builtin_cpu_supports("avx2"))
        return escape_avx2(dst, src, n, bad);
    return escape_sse2(dst, src, n, bad);
}

#else

/* see header */
size_t escape_json(char *dst, const char *src, size_t n, uint64_t *bad)
{
    return escape_json_scalar(dst, src, n, bad);
}

#endif
