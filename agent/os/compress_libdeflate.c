/*
 * os/compress_libdeflate - the backend that every build has
 *
 * Whole buffers. The library's worst-case bound is exact enough to be its own reservation.
 * Failures: no memory when opened; output longer than the room.
 */
#include "os/compress_internal.h"

#include <libdeflate.h>

#include "os/compress.h"

/* allocates the match finder's tables */
static void *deflate_open(unsigned level)
{
    if (level < COMPRESS_LEVEL_MIN || level > COMPRESS_LEVEL_MAX)
        return NULL;
    return libdeflate_alloc_compressor((int)level);
}

/* frees them */
static void deflate_close(void *state)
{
    libdeflate_free_compressor(state);
}

/* the library's own bound */
static size_t deflate_bound(void *state, size_t n)
{
    return libdeflate_gzip_compress_bound(state, n);
}

/* one member; the library asks for a pointer even to nothing */
static size_t deflate_gzip(void *state, struct slice in, char *dst, size_t cap)
{
    return libdeflate_gzip_compress(state, in.len > 0 ? in.ptr : "", in.len, dst, cap);
}

const struct compress_ops compress_ops_libdeflate = {
    .name = "libdeflate",
    .open = deflate_open,
    .close = deflate_close,
    .bound = deflate_bound,
    .gzip = deflate_gzip,
};
