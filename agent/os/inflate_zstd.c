/*
 * os/inflate_zstd - Zstandard by its library
 *
 * The library goes from frame to frame by itself. It is told the largest window, so that a header
 * that asks for more fails before memory is taken.
 * Failures: no memory; a window over the limit; a damaged frame.
 */
#include "os/inflate_internal.h"

#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

/* log2 of INFLATE_WINDOW_MAX */
#define ZSTD_WINDOW_BITS 23

/* before the first frame */
static void *zstd_open(void)
{
    ZSTD_DStream *d = ZSTD_createDStream();
    if (d == NULL)
        return NULL;
    if (ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, ZSTD_WINDOW_BITS))) {
        (void)ZSTD_freeDStream(d); /* always succeeds */
        return NULL;
    }
    return d;
}

/* frees it */
static void zstd_close(void *state)
{
    (void)ZSTD_freeDStream(state); /* always succeeds */
}

/* what a failure of the library is */
static int failure(size_t code)
{
    switch ((int)ZSTD_getErrorCode(code)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return -E2BIG;
    case ZSTD_error_memory_allocation:
        return -ENOMEM;
    default:
        return -EBADMSG;
    }
}

/* one or more frames; what a frame holds back for want of room comes with the next call */
static int zstd_some(void *state, struct slice *in, char *dst, size_t n, size_t *ret_written,
                     bool *whole)
{
    ZSTD_inBuffer source = {.src = in->ptr, .size = in->len};
    ZSTD_outBuffer target = {.dst = dst, .size = n};
    size_t r;
    bool moved;
    do {
        size_t took = source.pos, wrote = target.pos;
        r = ZSTD_decompressStream(state, &target, &source);
        moved = source.pos > took || target.pos > wrote;
        if (!ZSTD_isError(r) && moved)
            *whole = r == 0;
    } while (!ZSTD_isError(r) && moved && target.pos < n && (source.pos < source.size || r != 0));
    *in = slice_sub(*in, source.pos, in->len);
    *ret_written = target.pos;
    return ZSTD_isError(r) ? failure(r) : 0;
}

const struct inflate_ops inflate_ops_zstd = {
    .open = zstd_open,
    .close = zstd_close,
    .some = zstd_some,
};
