#ifndef BASE_ESCAPE_INTERNAL_H
#define BASE_ESCAPE_INTERNAL_H

/* What the forms of base/escape share. */
#include <stddef.h>
#include <stdint.h>

/* Writes what stands at *src (a byte that cannot stand in a JSON string as it is, or is not ASCII),
 * moves *src behind it; returns the new dst. */
char *escape_careful(char *dst, const char **src, const char *end, uint64_t *bad);

#if defined(__x86_64__)
size_t escape_sse2(char *dst, const char *src, size_t n, uint64_t *bad);
size_t escape_avx2(char *dst, const char *src, size_t n, uint64_t *bad);
size_t escape_avx512(char *dst, const char *src, size_t n, uint64_t *bad);
#elif defined(__aarch64__)
size_t escape_neon(char *dst, const char *src, size_t n, uint64_t *bad);
#endif

#endif
