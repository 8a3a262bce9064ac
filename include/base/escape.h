#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

/*
 * The inner loop of JSON string writing. There are several forms of it, of which the best that the
 * processor can run is chosen at run time: AVX-512 (with VBMI2), AVX2, SSE2; NEON; scalar. All give
 * the same bytes.
 */
#include <stddef.h>
#include <stdint.h>

/* What dst must hold for n source bytes: six bytes for a control character, and room for one
 * vector stored past the end. */
#define ESCAPE_WORST(n) ((n)*6 + 64)

/*
 * Writes n bytes of text as the inside of a JSON string (RFC 8259 section 7) to dst, which holds
 * ESCAPE_WORST(n) bytes: `"`, `\` and control characters escaped, invalid UTF-8 replaced by U+FFFD
 * (one for each maximal subpart), everything else as it is. Returns the bytes written; *bad is
 * increased by the number of replacements.
 */
size_t escape_json(char *dst, const char *src, size_t n, uint64_t *bad);

/* One form, for the tests that prove all equal. */
struct escape_form {
    const char *name;
    size_t (*escape)(char *dst, const char *src, size_t n, uint64_t *bad);
};

/* The forms that this processor can run, the best first, the scalar one last; their number. */
size_t escape_forms(const struct escape_form **ret);

#endif
