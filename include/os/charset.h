#ifndef OS_CHARSET_H
#define OS_CHARSET_H

/*
 * Text of other character sets to UTF-8, by the C library's iconv(3).
 *
 * What is no character of the set (an unpaired surrogate, half a unit at the end) becomes U+FFFD
 * and is counted.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"

enum charset_id {
    CHARSET_UTF8, /* needs no converter */
    CHARSET_UTF16LE,
    CHARSET_UTF16BE,
    CHARSET_LATIN1, /* ISO 8859-1 */
    CHARSET_COUNT,
};

struct charset;

/* A converter from a set that is not UTF-8; 0 or a negative errno: the C library lacks it. */
int charset_new(enum charset_id id, struct charset **ret) MUST_CHECK;
void charset_free(struct charset **c);

/* Bytes of one code unit: 1 or 2. */
size_t charset_unit(enum charset_id id);
/* The most bytes of UTF-8 that n bytes of any set become. */
size_t charset_room(size_t n);
/* Writes the text as UTF-8 to dst, which has charset_room(text.len) bytes; returns its length.
 * *bad grows by the number of replacements. */
size_t charset_to_utf8(struct charset *c, char *dst, struct slice text, uint64_t *bad);

#endif
