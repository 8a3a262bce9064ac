/*
 * tail/content - the bytes of a log file, by offset
 *
 * A plain file is read where it is.
 */
#include "tail/content.h"

#include <errno.h>
#include <unistd.h>

/* see header */
void content_open(struct content *c, int fd)
{
    *c = (struct content){.fd = fd};
}

/* see header */
void content_close(struct content *c)
{
    if (c->fd >= 0)
        (void)close(c->fd); /* read only */
    c->fd = -1;
}

/* see header */
ssize_t content_read_at(struct content *c, void *p, size_t n, uint64_t at)
{
    return fs_read_at(fs_system(), c->fd, p, n, at);
}

/* see header */
int content_identify(struct content *c, struct fs_identity *ret)
{
    return fs_identify(c->fd, ret);
}

/* see header */
bool content_has_changed(struct content *c, uint64_t seen)
{
    struct fs_identity id;
    return content_identify(c, &id) == 0 && id.size != seen;
}

/* see header */
bool content_is_cut(struct content *c, uint64_t seen)
{
    struct fs_identity id;
    return content_identify(c, &id) == 0 && id.size < seen;
}
