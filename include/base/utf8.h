#ifndef BASE_UTF8_H
#define BASE_UTF8_H

/* UTF-8 as RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Length 1..4 of the valid sequence at p (n >= 1 bytes are there), or 0 when the bytes at p do
 * not begin a valid, complete sequence. */
size_t utf8_sequence(const char *p, size_t n);

/* Number of bytes to pass over at an invalid place: the maximal subpart of an ill-formed sequence
 * (Unicode 15, 3.9, U+FFFD substitution), at least 1. */
size_t utf8_bad_length(const char *p, size_t n);

bool utf8_is_valid(struct slice s);

/* Writes code point cp (a scalar value) to dst (room for 4); returns the length. */
size_t utf8_encode(char *dst, uint32_t cp);

#endif
