/*
 * tail/content - the bytes of a log file, by offset
 *
 * A plain file is read where it is; a compressed one through unpacked.h.
 */
#include "tail/content.h"

#include <errno.h>

#include "os/reach.h"
#include "unpacked.h"

/* see header */
void content_open(struct content *c, int fd)
{
    *c = (struct content){.fd = fd};
}

/* see header */
void content_close(struct content *c)
{
    content_shut(c);
    unpacked_free(&c->unpacked);
}

/* see header */
void content_shut(struct content *c)
{
    content_rest(c);
    if (c->fd >= 0)
        reach_close(c->fd);
    c->fd = -1;
}

/* see header */
void content_reopen(struct content *c, int fd)
{
    c->fd = fd;
    c->failed = false;
}

/* see header */
void content_unpack(struct content *c, unsigned *open)
{
    char first[INFLATE_MAGIC_BYTES];
    ssize_t n = reach_read_at(c->fd, first, sizeof(first), 0);
    c->failed |= n < 0;
    enum inflate_kind kind = n < 0 ? INFLATE_NONE : inflate_kind_of(slice_of(first, (size_t)n));
    if (kind != INFLATE_NONE)
        c->unpacked = unpacked_new(kind, open);
}

/* see header */
bool content_is_packed(const struct content *c)
{
    return c->unpacked != NULL;
}

/* see header */
ssize_t content_read_at(struct content *c, void *p, size_t n, uint64_t at)
{
    ssize_t r = c->unpacked != NULL ? unpacked_read_at(c->unpacked, c->fd, p, n, at)
                                    : reach_read_at(c->fd, p, n, at);
    c->failed |= r < 0 && r != -EAGAIN && r != -EBUSY;
    return r;
}

/* see header */
enum content_end content_end(const struct content *c)
{
    return c->unpacked == NULL ? CONTENT_OPEN : unpacked_end(c->unpacked);
}

/* see header */
void content_give_up(struct content *c)
{
    if (c->unpacked != NULL)
        unpacked_give_up(c->unpacked);
}

/* see header */
uint64_t content_useless(const struct content *c)
{
    return c->unpacked == NULL ? 0 : unpacked_useless(c->unpacked);
}

/* see header */
void content_rest(struct content *c)
{
    if (c->unpacked != NULL)
        unpacked_rest(c->unpacked);
}

/* see header */
int content_identify(struct content *c, struct fs_identity *ret)
{
    return reach_identify(c->fd, ret);
}

/* see header */
bool content_differs(const struct content *c, uint64_t disk_size, uint64_t seen)
{
    return disk_size != (c->unpacked == NULL ? seen : unpacked_size_seen(c->unpacked));
}

/* see header */
bool content_has_changed(struct content *c, uint64_t seen)
{
    struct fs_identity id;
    return content_identify(c, &id) == 0 && content_differs(c, id.size, seen);
}

/* see header */
bool content_is_cut(struct content *c, uint64_t seen)
{
    struct fs_identity id;
    return c->unpacked == NULL && content_identify(c, &id) == 0 && id.size < seen;
}
