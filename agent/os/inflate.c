/*
 * os/inflate - one interface to two libraries
 *
 * Keeps what both need: that a failure lasts, and whether the stream may end here.
 */
#include "os/inflate_internal.h"

#include <string.h>

#include "base/mem.h"

struct inflate {
    const struct inflate_ops *ops;
    void *state;
    int failure; /* 0, or what every further call returns */
    bool whole;
};

/* see header */
enum inflate_kind inflate_kind_of(struct slice first)
{
    static const unsigned char gzip[] = {0x1f, 0x8b, 0x08};
    static const unsigned char frame[] = {0x28, 0xb5, 0x2f, 0xfd};
    static const unsigned char skippable[] = {0x2a, 0x4d, 0x18};
    const unsigned char *p = (const unsigned char *)first.ptr;
    if (first.len < INFLATE_MAGIC_BYTES)
        return INFLATE_NONE;
    if (memcmp(p, gzip, sizeof(gzip)) == 0)
        return INFLATE_GZIP;
    if (memcmp(p, frame, sizeof(frame)) == 0)
        return INFLATE_ZSTD;
    if ((p[0] & 0xf0) == 0x50 && memcmp(p + 1, skippable, sizeof(skippable)) == 0)
        return INFLATE_ZSTD;
    return INFLATE_NONE;
}

/* see header */
struct inflate *inflate_new(enum inflate_kind kind)
{
    const struct inflate_ops *ops = kind == INFLATE_GZIP ? &inflate_ops_gzip : &inflate_ops_zstd;
    void *state = ops->open();
    if (state == NULL)
        return NULL;
    struct inflate *i = mem_zalloc(sizeof(*i));
    i->ops = ops;
    i->state = state;
    return i;
}

/* see header */
void inflate_free(struct inflate **ip)
{
    struct inflate *i = *ip;
    if (i == NULL)
        return;
    i->ops->close(i->state);
    mem_free(i);
    *ip = NULL;
}

/* see header */
ssize_t inflate_some(struct inflate *i, struct slice *in, char *dst, size_t n)
{
    if (i->failure < 0)
        return i->failure;
    if (n == 0 || (in->len == 0 && i->whole))
        return 0;
    size_t written = 0;
    i->failure = i->ops->some(i->state, in, dst, n, &written, &i->whole);
    if (i->failure < 0)
        i->whole = false;
    return i->failure < 0 && written == 0 ? i->failure : (ssize_t)written;
}

/* see header */
bool inflate_is_whole(const struct inflate *i)
{
    return i->whole;
}
