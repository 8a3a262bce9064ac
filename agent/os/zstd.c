/*
 * os/zstd - Zstandard by its library: streams for os/inflate.h, and whole blocks
 *
 * The library goes from frame to frame by itself. It is told the largest window, so that a header
 * that asks for more fails before memory is taken. It may have been built with decoders of formats
 * before the standard, which heed no such limit: the first bytes of each frame are looked at here.
 * Of a block the header is believed only up to the caller's limit.
 * Failures: no memory; a window or a block over the limit; a damaged frame.
 */
#include "os/zstd.h"

#include <errno.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/mem.h"
#include "os/inflate_internal.h"

/* of a block: more gains little on a few KiB of JSON */
#define PACK_LEVEL 3

/* log2 of INFLATE_WINDOW_MAX */
#define ZSTD_WINDOW_BITS 23

struct zstd {
    ZSTD_DStream *stream;
    char magic[INFLATE_MAGIC_BYTES];
    unsigned have; /* of them, at the begin of a frame */
};

/* frees it */
static void zstd_close(void *state)
{
    struct zstd *z = state;
    (void)ZSTD_freeDStream(z->stream); /* always succeeds */
    mem_free(z);
}

/* before the first frame */
static void *zstd_open(void)
{
    struct zstd *z = mem_zalloc(sizeof(*z));
    z->stream = ZSTD_createDStream();
    if (z->stream != NULL &&
        !ZSTD_isError(ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax, ZSTD_WINDOW_BITS)))
        return z;
    zstd_close(z);
    return NULL;
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

/* one call of the library; false = it could do nothing more */
static bool step(struct zstd *z, ZSTD_inBuffer *source, ZSTD_outBuffer *target, size_t *ret)
{
    size_t took = source->pos, wrote = target->pos;
    *ret = ZSTD_decompressStream(z->stream, target, source);
    return !ZSTD_isError(*ret) && (source->pos > took || target->pos > wrote);
}

/* Takes the first bytes of a frame. 1 = they are there, 0 = more are needed. */
static int begin_frame(struct zstd *z, struct slice *in)
{
    size_t r = 0;
    while (z->have < sizeof(z->magic) && in->len > 0) {
        z->magic[z->have++] = in->ptr[0];
        *in = slice_sub(*in, 1, in->len);
    }
    if (z->have < sizeof(z->magic))
        return 0;
    if (inflate_kind_of(slice_of(z->magic, sizeof(z->magic))) != INFLATE_ZSTD)
        return -EBADMSG;
    ZSTD_inBuffer source = {.src = z->magic, .size = sizeof(z->magic)};
    ZSTD_outBuffer target = {0};
    while (source.pos < source.size && step(z, &source, &target, &r))
        ;
    return ZSTD_isError(r) ? failure(r) : 1;
}

/* one frame, or as far as it goes */
static int go_on(struct zstd *z, struct slice *in, char *dst, size_t n, size_t *ret_written,
                 bool *ret_ended)
{
    ZSTD_inBuffer source = {.src = in->ptr, .size = in->len};
    ZSTD_outBuffer target = {.dst = dst, .size = n};
    size_t r = 0;
    *ret_ended = false;
    while (!*ret_ended && step(z, &source, &target, &r))
        *ret_ended = r == 0;
    *in = slice_sub(*in, source.pos, in->len);
    *ret_written += target.pos;
    return ZSTD_isError(r) ? failure(r) : 0;
}

/* one or more frames; what a frame holds back for want of room comes with the next call */
static int zstd_some(void *state, struct slice *in, char *dst, size_t n, size_t *ret_written,
                     bool *whole)
{
    struct zstd *z = state;
    bool ended = true;
    int r = 0;
    while (r == 0 && ended) {
        if (z->have < sizeof(z->magic)) {
            if (in->len > 0)
                *whole = false;
            r = begin_frame(z, in);
            if (r <= 0)
                return r;
        }
        r = go_on(z, in, dst + *ret_written, n - *ret_written, ret_written, &ended);
        if (ended) {
            z->have = 0;
            *whole = true;
        }
    }
    return r;
}

const struct inflate_ops inflate_ops_zstd = {
    .open = zstd_open,
    .close = zstd_close,
    .some = zstd_some,
};

/* see header */
int zstd_pack(struct slice in, struct buf *out)
{
    size_t bound = ZSTD_compressBound(in.len);
    int r = buf_reserve(out, bound);
    if (r < 0)
        return r;
    size_t n = ZSTD_compress(out->ptr + out->len, bound, in.ptr, in.len, PACK_LEVEL);
    if (ZSTD_isError(n))
        return failure(n);
    out->len += n;
    return 0;
}

/* see header */
int zstd_unpack(struct slice packed, size_t max, struct buf *out)
{
    if (inflate_kind_of(packed) != INFLATE_ZSTD)
        return -EBADMSG;
    unsigned long long size = ZSTD_getFrameContentSize(packed.ptr, packed.len);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
        return -EBADMSG;
    if (size > max)
        return -E2BIG;
    int r = buf_reserve(out, (size_t)size);
    if (r < 0)
        return r;
    size_t n = ZSTD_decompress(out->ptr + out->len, (size_t)size, packed.ptr, packed.len);
    if (ZSTD_isError(n) || n != size)
        return ZSTD_isError(n) ? failure(n) : -EBADMSG;
    out->len += n;
    return 0;
}
