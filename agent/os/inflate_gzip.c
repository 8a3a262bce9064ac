/*
 * os/inflate_gzip - gzip by zlib
 *
 * zlib ends with each member; the next one begins where it stopped. Zeros behind a member are
 * padding (tapes, tar); anything else there must be a member.
 * Failures: no memory; a damaged member, which its checksum tells at its end at the latest.
 */
#include "os/inflate_internal.h"

#include <errno.h>
#include <limits.h>
#include <zlib.h>

#include "base/mem.h"

/* the largest window, and a gzip header before it */
#define GZIP_WINDOW_BITS (15 + 16)

struct gzip {
    z_stream z;
    bool between; /* a member has ended, the next has not begun */
};

/* before the first member */
static void *gzip_open(void)
{
    struct gzip *g = mem_zalloc(sizeof(*g));
    if (inflateInit2(&g->z, GZIP_WINDOW_BITS) != Z_OK) {
        mem_free(g);
        return NULL;
    }
    return g;
}

/* frees it */
static void gzip_close(void *state)
{
    struct gzip *g = state;
    (void)inflateEnd(&g->z); /* only says that it was not at its end */
    mem_free(g);
}

/* passes over padding behind a member; true = a member is to begin */
static bool begin_member(struct gzip *g, struct slice *in)
{
    while (in->len > 0 && in->ptr[0] == '\0')
        *in = slice_sub(*in, 1, in->len - 1);
    if (in->len == 0)
        return false;
    g->between = false;
    return inflateReset(&g->z) == Z_OK; /* fails only without a state */
}

/* one call of the library; sizes beyond what it counts in are left for the next */
static int step(struct gzip *g, struct slice *in, char *dst, size_t n, size_t *ret_written)
{
    unsigned take = in->len < UINT_MAX ? (unsigned)in->len : UINT_MAX;
    unsigned room = n < UINT_MAX ? (unsigned)n : UINT_MAX;
    union {
        const char *as_char;
        Bytef *as_byte;
    } source = {.as_char = in->ptr}; /* zlib's next_in is not const, but only read */
    g->z.next_in = source.as_byte;
    g->z.avail_in = take;
    g->z.next_out = (Bytef *)dst;
    g->z.avail_out = room;
    int r = inflate(&g->z, Z_NO_FLUSH);
    *in = slice_sub(*in, take - g->z.avail_in, in->len);
    *ret_written = room - g->z.avail_out;
    return r;
}

/* one or more members; what the library holds back for want of room comes with the next call */
static int gzip_some(void *state, struct slice *in, char *dst, size_t n, size_t *ret_written,
                     bool *whole)
{
    struct gzip *g = state;
    while (*ret_written < n) {
        size_t before = in->len, written = 0;
        if (g->between && !begin_member(g, in))
            return 0;
        int r = step(g, in, dst + *ret_written, n - *ret_written, &written);
        *ret_written += written;
        g->between = r == Z_STREAM_END;
        *whole = g->between;
        if (r == Z_MEM_ERROR)
            return -ENOMEM;
        if (r != Z_STREAM_END && r != Z_OK && r != Z_BUF_ERROR)
            return -EBADMSG;
        if (in->len == before && written == 0)
            return 0;
    }
    return 0;
}

const struct inflate_ops inflate_ops_gzip = {
    .open = gzip_open,
    .close = gzip_close,
    .some = gzip_some,
};
