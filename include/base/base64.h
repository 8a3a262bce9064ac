#ifndef BASE_BASE64_H
#define BASE_BASE64_H

/* Base64 (RFC 4648 section 4) and base64url without padding (section 5). */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Writes n bytes as 4 * ceil(n / 3) characters with padding. */
int base64_encode(struct buf *dst, const void *p, size_t n) MUST_CHECK;

/* Writes 9 bytes as exactly 12 url-safe characters, no NUL: the generation part of an id. */
void base64url_write9(char *dst, const uint8_t *p);
/* The reverse; -EINVAL on any character outside the alphabet. */
int base64url_read9(uint8_t *dst, const char *p) MUST_CHECK;

#endif
