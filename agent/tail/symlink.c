/*
 * tail/symlink - links to files
 *
 * A link that a pattern matches is followed if its input says so and the file that it leads to, as
 * the kernel names it, lies below one of the input's roots. Each link on the way and the file may
 * be replaced, so their directories are watched. The check is made on the opened place (O_PATH,
 * which has no effect on what is opened), so nothing can be exchanged between check and use.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "tail_internal.h"

#define HOPS_MAX       16
#define PROC_FD        "/proc/self/fd/"
#define LINK_MAX_BYTES (sizeof(PROC_FD) + 20)

/* the name under which /proc knows an fd */
static void name_fd(char *dst, int fd)
{
    size_t n = sizeof(PROC_FD) - 1;
    memcpy(dst, PROC_FD, n);
    dst[n + num_write_u64(dst + n, (uint64_t)fd)] = '\0';
}

/* readlink with an end */
static int read_link(const char *path, char *dst)
{
    ssize_t n = readlink(path, dst, PATH_MAX - 1);
    if (n < 0)
        return -errno;
    dst[n] = '\0';
    return n == PATH_MAX - 1 ? -ENAMETOOLONG : 0;
}

/* opens what a path leads to without effect on it, and asks the kernel where that is */
static int open_place(const char *path, char *real)
{
    char link[LINK_MAX_BYTES];
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    name_fd(link, fd);
    int r = read_link(link, real);
    if (r == 0)
        return fd;
    (void)close(fd); /* O_PATH: nothing can be lost */
    return r;
}

/* whether a path lies below a root of the input */
static bool is_within(const struct tail_input *input, const char *real)
{
    char root[PATH_MAX];
    for (size_t i = 0; i < input->symlink_root_count; i++) {
        int fd = open_place(input->symlink_roots[i], root);
        if (fd < 0)
            continue;
        (void)close(fd); /* O_PATH: nothing can be lost */
        size_t n = strlen(root);
        if (n == 1 || (strncmp(real, root, n) == 0 && real[n] == '/'))
            return true;
    }
    return false;
}

/* dir/name of a link and what it says; false when it is too long */
static bool next_hop(char *path, const char *says)
{
    char next[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int n = says[0] == '/' ? snprintf(next, sizeof(next), "%s", says)
                           : snprintf(next, sizeof(next), "%.*s/%s",
                                      slash == NULL ? 0 : (int)(slash - path), path, says);
    if (n <= 0 || n >= PATH_MAX)
        return false;
    memcpy(path, next, (size_t)n + 1);
    return true;
}

/* watches the directory of a place on the way, by the name that the kernel has for it */
static void watch_hop(struct tail *t, const char *path)
{
    char real[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return;
    char *dir = mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    int fd = open_place(dir, real);
    if (fd >= 0) {
        (void)close(fd); /* O_PATH: nothing can be lost */
        (void)discover_hop(t, strcmp(real, "/") == 0 ? "" : real);
    }
    mem_free(dir);
}

/* watches the directories of all links on the way, and that of the end */
static void watch_hops(struct tail *t, const char *path)
{
    char hop[PATH_MAX], says[PATH_MAX];
    (void)snprintf(hop, sizeof(hop), "%s", path);
    for (int i = 0; i < HOPS_MAX && read_link(hop, says) == 0 && next_hop(hop, says); i++)
        watch_hop(t, hop);
}

/* see tail_internal.h */
int symlink_resolve(struct tail *t, unsigned input, const char *path, struct fs_identity *ret_id,
                    char *target)
{
    mode_t mode;
    watch_hops(t, path); /* first, so that nothing falls between */
    int fd = open_place(path, target);
    if (fd < 0)
        return fd == -ENOENT ? -ENOENT : -EPERM; /* it may come, or be let in */
    bool within = is_within(&t->opts.inputs[input], target);
    (void)close(fd); /* O_PATH: nothing can be lost */
    if (!within) {
        warned_once(t, path, "it is a symbolic link that leads out of symlink_roots");
        return -EPERM;
    }
    if (fs_identify_path(AT_FDCWD, target, false, ret_id, &mode) < 0)
        return -ENOENT;
    if (S_ISREG(mode))
        return 0;
    warned_once(t, path, "it is a symbolic link to what is not a regular file");
    return -EPERM;
}

/* see tail_internal.h */
int symlink_open(struct tail *t, unsigned input, const char *path, struct fs_identity *ret_id)
{
    char real[PATH_MAX], link[LINK_MAX_BYTES];
    int place = open_place(path, real);
    if (place < 0)
        return place;
    int fd = -ENOENT;
    name_fd(link, place);
    if (is_within(&t->opts.inputs[input], real))
        fd = fs_open_regular(AT_FDCWD, link, true, ret_id);
    (void)close(place); /* O_PATH: nothing can be lost */
    return fd;
}
