/*
 * os/compress - gzip of whole request bodies, by one of two backends
 *
 * The output buffer is given the room of the worst case, at most its limit, and the backend
 * writes straight into it: one pass, no copy, and no allocation once the buffer has that room.
 *
 * Invariant: on any failure the output is empty, never a part of a member.
 * Failures: the compressed form is longer than the buffer's limit, or there is no memory; the
 * compressor can be used again after both.
 */
#include "os/compress.h"

#include <errno.h>

#include "base/mem.h"
#include "os/compress_internal.h"

struct compress {
    const struct compress_ops *ops;
    void *state; /* owned, of ops */
};

/* the table of a backend, NULL when the build lacks it; level: that it is for */
static const struct compress_ops *find_ops(enum compress_backend backend, UNUSED unsigned level)
{
    switch (backend) {
    case COMPRESS_AUTO:
#if WHERRY_ISAL && (defined(__x86_64__) || defined(__aarch64__))
        return level == COMPRESS_LEVEL_MIN ? &compress_ops_isal : &compress_ops_libdeflate;
#endif
    case COMPRESS_LIBDEFLATE:
        return &compress_ops_libdeflate;
    case COMPRESS_ISAL:
#if WHERRY_ISAL
        return &compress_ops_isal;
#else
        return NULL;
#endif
    }
    return NULL;
}

/* opens the backend's state */
struct compress *compress_new(enum compress_backend backend, unsigned level)
{
    const struct compress_ops *ops = find_ops(backend, level);
    if (ops == NULL)
        return NULL;
    void *state = ops->open(level);
    if (state == NULL)
        return NULL;
    struct compress *c = mem_zalloc(sizeof(*c));
    *c = (struct compress){.ops = ops, .state = state};
    return c;
}

/* closes the backend's state */
void compress_free(struct compress **c)
{
    if (*c == NULL)
        return;
    (*c)->ops->close((*c)->state);
    mem_free(*c);
    *c = NULL;
}

/* the backend's name */
const char *compress_name(const struct compress *c)
{
    return c->ops->name;
}

/* reserves the worst case within the limit, then lets the backend write into it */
int compress_gzip(struct compress *c, struct slice in, struct buf *out)
{
    buf_reset(out);
    size_t room = c->ops->bound(c->state, in.len);
    if (room > out->max)
        room = out->max;
    int r = buf_reserve(out, room);
    if (r < 0)
        return r;
    size_t n = c->ops->gzip(c->state, in, out->ptr, room);
    if (n == 0)
        return -ENOBUFS;
    out->len = n;
    return 0;
}
