#ifndef BASE_BUF_H
#define BASE_BUF_H

/*
 * A growing byte buffer with a limit given at birth. Every adder returns 0, or -ENOBUFS when the
 * limit would be passed and -ENOMEM when there is no memory; the content is then unchanged.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"

struct buf {
    char *ptr;  /* owned; NULL until the first byte */
    size_t len; /* bytes in use */
    size_t cap; /* bytes allocated */
    size_t max; /* limit of len */
};

/* No allocation. */
void buf_init(struct buf *b, size_t max);
/* Frees the memory; the limit stays, the buffer can be used again. */
void buf_clear(struct buf *b);
/* Empties without freeing. */
void buf_reset(struct buf *b);

/* Makes room for n more bytes beyond len. */
int buf_reserve(struct buf *b, size_t n) MUST_CHECK;
int buf_add(struct buf *b, const void *p, size_t n) MUST_CHECK;
int buf_add_slice(struct buf *b, struct slice s) MUST_CHECK;
int buf_add_str(struct buf *b, const char *s) MUST_CHECK;
int buf_add_byte(struct buf *b, char c) MUST_CHECK;
int buf_add_u64(struct buf *b, uint64_t v) MUST_CHECK;
int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
int buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0) MUST_CHECK;

/* Drops the first n bytes (n <= len), moving the rest down. */
void buf_shift(struct buf *b, size_t n);
/* Cuts to len n (n <= len). */
void buf_cut(struct buf *b, size_t n);

/* Borrowed until the next change. */
struct slice buf_slice(const struct buf *b);
/* The content with a NUL behind it (not counted in len); "" when that cannot be had. */
const char *buf_cstr(struct buf *b);

#endif
