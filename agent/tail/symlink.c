/*
 * tail/symlink - links to files
 *
 * A link that a pattern matches is followed if its input says so and the file that it leads to, as
 * the kernel names it, lies below one of the input's roots. Each link on the way and the file may
 * be replaced, so their directories are watched. The check is made on the opened place (O_PATH,
 * which has no effect on what is opened), so nothing can be exchanged between check and use.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "tail_internal.h"

#define HOPS_MAX 16

/* Whether a path lies below a root of the input: 1, 0, or -EBUSY = it cannot be known now. */
static int is_within(const struct tail_input *input, const char *real)
{
    char root[PATH_MAX];
    for (size_t i = 0; i < input->symlink_root_count; i++) {
        int fd = reach_place(input->symlink_roots[i], root);
        if (fd == -EBUSY)
            return fd;
        if (fd < 0)
            continue;
        reach_close(fd);
        size_t n = strlen(root);
        if (n == 1 || (strncmp(real, root, n) == 0 && real[n] == '/'))
            return 1;
    }
    return 0;
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
    int fd = reach_place(dir, real);
    if (fd >= 0) {
        reach_close(fd);
        (void)discover_hop(t, strcmp(real, "/") == 0 ? "" : real);
    }
    mem_free(dir);
}

/* watches the directories of all links on the way, and that of the end */
static void watch_hops(struct tail *t, const char *path)
{
    char hop[PATH_MAX], says[PATH_MAX];
    (void)snprintf(hop, sizeof(hop), "%s", path);
    for (int i = 0; i < HOPS_MAX && reach_link(hop, says) == 0 && next_hop(hop, says); i++)
        watch_hop(t, hop);
}

/* see tail_internal.h */
int symlink_resolve(struct tail *t, unsigned input, const char *path, struct fs_identity *ret_id,
                    char *target)
{
    mode_t mode;
    watch_hops(t, path); /* first, so that nothing falls between */
    int fd = reach_place(path, target);
    if (fd < 0)
        return fd == -ENOENT ? -ENOENT : -EPERM; /* it may come, or be let in, or answer */
    int within = is_within(&t->opts.inputs[input], target);
    reach_close(fd);
    if (within < 0)
        return -EPERM;
    if (!within) {
        warned_once(t, path, "it is a symbolic link that leads out of symlink_roots");
        return -EPERM;
    }
    if (reach_identify_path(target, false, ret_id, &mode) < 0)
        return -ENOENT;
    if (S_ISREG(mode))
        return 0;
    warned_once(t, path, "it is a symbolic link to what is not a regular file");
    return -EPERM;
}

/* see tail_internal.h */
int symlink_open(struct tail *t, unsigned input, const char *path, struct fs_identity *ret_id)
{
    char real[PATH_MAX];
    int place = reach_place(path, real);
    if (place < 0)
        return place;
    int within = is_within(&t->opts.inputs[input], real);
    int fd = within < 0 ? within : -ENOENT;
    if (within > 0)
        fd = reach_open_place(place, ret_id);
    reach_close(place);
    return fd;
}
