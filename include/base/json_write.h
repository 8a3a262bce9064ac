#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

/*
 * JSON text (RFC 8259) into a buf. The writer puts commas and quotes; invalid UTF-8 becomes
 * U+FFFD, control characters are escaped, so the output is always valid JSON and valid UTF-8.
 * Errors stick: after the first failure nothing is added and json_done returns it.
 * (Log lines take the faster path of bulk/encode.h.)
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define JSON_WRITE_DEPTH 32

struct json_writer {
    struct buf *out; /* borrowed */
    int error;       /* first failure, 0 so far; -ENOBUFS, -ENOMEM, -EOVERFLOW (depth) */
    unsigned depth;
    bool need_comma;
};

void json_begin(struct json_writer *w, struct buf *out);
/* Returns the first failure; asserts that everything opened was closed. */
int json_done(struct json_writer *w) MUST_CHECK;

void json_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
/* A member's name; the value follows by the next call. */
void json_key(struct json_writer *w, const char *name);
void json_key_slice(struct json_writer *w, struct slice name);

void json_string(struct json_writer *w, struct slice s);
void json_cstring(struct json_writer *w, const char *s);
void json_u64(struct json_writer *w, uint64_t v);
void json_i64(struct json_writer *w, int64_t v);
/* At most four decimals, rounded half to even as printf, trailing zeros cut; NaN and infinity
 * become null. */
void json_double4(struct json_writer *w, double v);
void json_bool(struct json_writer *w, bool v);
void json_null(struct json_writer *w);
/* Text that is JSON already. */
void json_raw(struct json_writer *w, struct slice json);

/* Appends s escaped, without quotes. Returns 0, -ENOBUFS or -ENOMEM. *ret_bad (may be NULL) is
 * increased by the number of invalid sequences replaced. */
int json_escape(struct buf *out, struct slice s, uint64_t *ret_bad) MUST_CHECK;

#endif
