/*
 * base/buf - growing byte buffer with a limit
 *
 * Capacity doubles up to the limit, so n bytes cost O(n) copying. One byte above the limit may be
 * allocated for the NUL of buf_cstr and of vsnprintf; len itself never passes max.
 *
 * Invariants: len <= max; len <= cap; ptr is NULL exactly when cap is 0.
 *
 * What can fail: limit (-ENOBUFS) and memory (-ENOMEM); ptr[0..len) is then as it was.
 */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

enum { SMALLEST = 64 };

/* empty, no memory */
void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

/* gives the memory back */
void buf_clear(struct buf *b)
{
    mem_free(b->ptr);
    buf_init(b, b->max);
}

/* empties */
void buf_reset(struct buf *b)
{
    b->len = 0;
}

/* makes cap at least want, whatever the limit says */
static int grow(struct buf *b, size_t want)
{
    if (want <= b->cap)
        return 0;
    size_t cap = b->cap < SIZE_MAX / 2 ? b->cap * 2 : SIZE_MAX;
    if (cap < SMALLEST)
        cap = SMALLEST;
    if (cap > b->max)
        cap = b->max;
    if (cap < want)
        cap = want;
    char *p = mem_try_resize(b->ptr, cap);
    if (p == NULL)
        return -ENOMEM;
    b->ptr = p;
    b->cap = cap;
    return 0;
}

/* room for n more bytes */
int buf_reserve(struct buf *b, size_t n)
{
    if (n > b->max - b->len)
        return -ENOBUFS;
    return grow(b, b->len + n);
}

/* appends bytes */
int buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return 0;
    int r = buf_reserve(b, n);
    if (r < 0)
        return r;
    memcpy(b->ptr + b->len, p, n);
    b->len += n;
    return 0;
}

/* appends a slice */
int buf_add_slice(struct buf *b, struct slice s)
{
    return buf_add(b, s.ptr, s.len);
}

/* appends a C string without its NUL */
int buf_add_str(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

/* appends one byte */
int buf_add_byte(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

/* appends a decimal number */
int buf_add_u64(struct buf *b, uint64_t v)
{
    char text[20];
    return buf_add(b, text, num_write_u64(text, v));
}

/* appends formatted text */
int buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return r;
}

/* tries in the room that is there; a second pass after growing when it was too small */
int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    char none;
    size_t room = b->cap - b->len;
    int r = vsnprintf(room > 0 ? b->ptr + b->len : &none, room > 0 ? room : 1, fmt, ap);
    /* negative: longer than INT_MAX */
    size_t n = r < 0 ? SIZE_MAX : (size_t)r;
    if (n > b->max - b->len) {
        r = -ENOBUFS;
    } else if (n >= room) {
        r = grow(b, b->len + n + 1);
        if (r == 0)
            (void)vsnprintf(b->ptr + b->len, n + 1, fmt, again); /* measured above */
    } else {
        r = 0;
    }
    va_end(again);
    if (r == 0)
        b->len += n;
    return r;
}

/* drops from the front */
void buf_shift(struct buf *b, size_t n)
{
    assert(n <= b->len);
    if (n == 0)
        return;
    memmove(b->ptr, b->ptr + n, b->len - n);
    b->len -= n;
}

/* drops from the back */
void buf_cut(struct buf *b, size_t n)
{
    assert(n <= b->len);
    b->len = n;
}

/* the content */
struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->ptr, b->len);
}

/* the content with a NUL behind it */
const char *buf_cstr(struct buf *b)
{
    if (grow(b, b->len + 1) < 0)
        return "";
    b->ptr[b->len] = '\0';
    return b->ptr;
}
