#ifndef BASE_NUM_H
#define BASE_NUM_H

/*
 * Strict numbers from text. The whole slice must be the number: no blanks, no sign where none is
 * meant, no overflow, no empty text. 0 on success, -EINVAL (not of that form), -ERANGE (too large).
 * *ret is set only on success.
 */
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"

int num_u64(struct slice s, uint64_t *ret) MUST_CHECK;
int num_i64(struct slice s, int64_t *ret) MUST_CHECK;
/* Hexadecimal digits without 0x. */
int num_hex(struct slice s, uint64_t *ret) MUST_CHECK;
/* Decimal fraction like 0.25 or 12 (no exponent), for /proc/loadavg. */
int num_double(struct slice s, double *ret) MUST_CHECK;

/* "1048576", "10MiB", "64KiB", "2GiB", "1TiB"; also KB MB GB (powers of 1000), B, and K M G as
 * powers of 1024. A fraction is refused. */
int num_bytes(struct slice s, uint64_t *ret_bytes) MUST_CHECK;

/* "200ms", "5s", "1m30s", "24h", "7d", a sum of descending units, in ms; "0" is 0; a bare number
 * otherwise is refused, since its unit would be a guess. */
int num_duration(struct slice s, int64_t *ret_ms) MUST_CHECK;

/* Writes v in decimal to dst (room for 20 bytes); returns the length, no NUL. */
size_t num_write_u64(char *dst, uint64_t v);
/* Writes exactly `digits` (1 to 16) lower-case hex digits of v, leading zeros. */
void num_write_hex(char *dst, uint64_t v, unsigned digits);
/* The same with 8 digits, faster. */
void num_write_hex8(char *dst, uint32_t v);

#endif
