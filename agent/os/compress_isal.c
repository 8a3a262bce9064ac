/*
 * os/compress_isal - the fast backend of x86-64 and arm64, compiled where WHERRY_ISAL is 1
 *
 * Level 1 through the stateless call, which takes the whole input at once and stores what does
 * not shrink. The library counts in 32 bits, so longer inputs are refused as not fitting.
 * Failures: no memory when opened; output longer than the room.
 */
#include "os/compress_internal.h"

#if WHERRY_ISAL

#include <isa-l/igzip_lib.h>
#include <stdint.h>

#include "base/mem.h"
#include "os/compress.h"

#define LEVEL 1
/* Gzip frame (18 bytes) and the library's room for a block that it begins and then stores. */
#define BOUND_FIXED 4096
/* One stored block (5 bytes) for each 64 KiB or less; this is four times that. */
#define BOUND_SHIFT 12

struct isal {
    struct isal_zstream stream;
    uint8_t tokens[ISAL_DEF_LVL1_DEFAULT];
};

/* allocates the stream and its token buffer in one piece */
static void *isal_open(unsigned level)
{
    return level != COMPRESS_LEVEL_MIN ? NULL : mem_zalloc(sizeof(struct isal));
}

/* frees it */
static void isal_close(void *state)
{
    mem_free(state);
}

/* stored blocks' headers on top of the input; never more than 32 bits */
static size_t isal_bound(void *state, size_t n)
{
    (void)state; /* the bound does not depend on it */
    size_t more = (n >> BOUND_SHIFT) + BOUND_FIXED;
    return n > UINT32_MAX - more ? UINT32_MAX : n + more;
}

/* one member; the stream is set up anew each time, its memory is kept */
static size_t isal_gzip(void *state, struct slice in, char *dst, size_t cap)
{
    struct isal *s = state;
    if (in.len > UINT32_MAX)
        return 0;
    /* The library's input pointer is not const, though it only reads. */
    union {
        const char *in;
        uint8_t *bytes;
    } from = {.in = in.ptr};
    isal_deflate_stateless_init(&s->stream);
    s->stream.level = LEVEL;
    s->stream.level_buf = s->tokens;
    s->stream.level_buf_size = sizeof(s->tokens);
    s->stream.gzip_flag = IGZIP_GZIP;
    s->stream.end_of_stream = 1;
    s->stream.flush = NO_FLUSH;
    s->stream.next_in = from.bytes;
    s->stream.avail_in = (uint32_t)in.len;
    s->stream.next_out = (uint8_t *)dst;
    s->stream.avail_out = cap > UINT32_MAX ? UINT32_MAX : (uint32_t)cap;
    if (isal_deflate_stateless(&s->stream) != COMP_OK)
        return 0;
    return s->stream.total_out;
}

const struct compress_ops compress_ops_isal = {
    .name = "isa-l",
    .open = isal_open,
    .close = isal_close,
    .bound = isal_bound,
    .gzip = isal_gzip,
};

#endif
