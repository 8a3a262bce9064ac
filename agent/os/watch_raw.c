/*
 * os/watch_raw - the inotify(7) backend of os/watch
 *
 * The system calls as they are. Adding a directory that is watched already returns the same
 * descriptor and replaces its mask, which is reported, since a quiet watch is loud again then.
 *
 * Failures: errno of the calls.
 */
#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "os/watch_internal.h"

/* a new instance */
static int raw_open(void)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* with all its watches */
static void raw_close(int fd)
{
    (void)close(fd); /* nothing can be lost */
}

/* one call: which directory is meant is decided once */
static int raw_add(int fd, const char *path, uint32_t mask, bool *ret_is_reset)
{
    int wd = inotify_add_watch(fd, path, mask);
    if (wd < 0)
        return -errno;
    *ret_is_reset = true;
    return wd;
}

/* EINVAL: the kernel has dropped it */
static void raw_remove(int fd, int wd)
{
    (void)inotify_rm_watch(fd, wd);
}

/* static, never freed */
const struct watch_ops *watch_raw_ops(void)
{
    static const struct watch_ops ops = {
        .name = "inotify",
        .open = raw_open,
        .close = raw_close,
        .add = raw_add,
        .remove = raw_remove,
    };
    return &ops;
}
