/*
 * base/escape - text to the inside of a JSON string: the scalar form, and the choice
 */
#include "base/escape.h"

#include <stdbool.h>
#include <string.h>

#include "base/cpu.h"
#include "base/def.h"
#include "base/escape_internal.h"
#include "base/utf8.h"

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

/* see escape_internal.h */
char *escape_careful(char *dst, const char **src, const char *end, uint64_t *bad)
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
static size_t escape_scalar(char *dst, const char *src, size_t n, uint64_t *bad)
{
    const char *end = src + n;
    char *d = dst;
    while (src < end) {
        if (needs_care((unsigned char)*src))
            d = escape_careful(d, &src, end, bad);
        else
            *d++ = *src++;
    }
    return (size_t)(d - dst);
}

/* the best first; who can run one can run all behind it */
static const struct escape_form forms[] = {
#if defined(__x86_64__)
    {"avx512", escape_avx512},
    {"avx2", escape_avx2},
    {"sse2", escape_sse2},
#elif defined(__aarch64__)
    {"neon", escape_neon},
#endif
    {"scalar", escape_scalar},
};

/* the first that this processor can run */
static unsigned best(void)
{
#if defined(__x86_64__)
    if (cpu_has(CPU_AVX512))
        return 0;
    return cpu_has(CPU_AVX2) ? 1 : 2;
#else
    return 0;
#endif
}

/* see header */
size_t escape_forms(const struct escape_form **ret)
{
    *ret = &forms[best()];
    return ARRAY_LEN(forms) - best();
}

/* see header */
size_t escape_json(char *dst, const char *src, size_t n, uint64_t *bad)
{
    return forms[best()].escape(dst, src, n, bad);
}
