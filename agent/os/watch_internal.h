#ifndef OS_WATCH_INTERNAL_H
#define OS_WATCH_INTERNAL_H

/* What the backends of os/watch have in common. Decoding and the table of directories are in
 * watch.c and shared; a backend makes the inotify fd, adds and removes. */
#include <stdbool.h>
#include <stdint.h>

#include "os/watch.h"

struct watch_ops {
    const char *name;
    /* A non-blocking, close-on-exec inotify fd, or a negative errno. */
    int (*open)(void);
    void (*close)(int fd);
    /* Watches the directory with mask, or leaves an existing watch of it in the kernel. Returns the
     * watch descriptor or a negative errno. *ret_is_reset: an existing watch's mask was replaced.
     */
    int (*add)(int fd, const char *path, uint32_t mask, bool *ret_is_reset);
    /* Also for a descriptor that the kernel has dropped already. */
    void (*remove)(int fd, int wd);
};

const struct watch_ops *watch_raw_ops(void);
/* Only in builds with INOTIFY=tools. */
const struct watch_ops *watch_tools_ops(void);

/* As watch_new, with a backend of choice. */
struct watch *watch_new_with(const struct watch_ops *ops, watch_fn fn, void *ctx, int *ret_error);

/* Passes the events in a buffer that read(2) filled on; hostile bytes are refused with -EBADMSG,
 * else the number of callbacks. */
int watch_decode(struct watch *w, const char *p, size_t n);

#endif
