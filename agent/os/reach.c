/*
 * os/reach - outside files, here or by the helper of their mount
 *
 * An fd of a far file is a number beyond those that the kernel gives: the slot of its mount, the
 * life of the helper that has it (some bits of it), and the helper's own fd.
 */
#include "os/reach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "reach_internal.h"

#define FAR         0x40000000
#define SLOT_SHIFT  24 /* 6 bits */
#define LIFE_SHIFT  18 /* 6 bits */
#define SMALL_MASK  0x3f
#define FILE_MASK   0x3ffff
#define NAMES_MAX   ((size_t)256 * MIB)
#define PROC_FD     "/proc/self/fd/"
#define PROC_FD_MAX (sizeof(PROC_FD) + 20)

struct reach reach_now;

/* the number under which a helper's file is known */
static int far_fd(int slot, int64_t file)
{
    const struct reach_mount *m = reach_now.mounts[slot];
    return FAR | slot << SLOT_SHIFT | (int)((m->life & SMALL_MASK) << LIFE_SHIFT) | (int)file;
}

/* the mount of a far file; NULL = its helper is gone */
static struct reach_mount *mount_of(int fd)
{
    struct reach_mount *m =
        reach_now.loop == NULL ? NULL : reach_now.mounts[fd >> SLOT_SHIFT & SMALL_MASK];
    unsigned life = (unsigned)fd >> LIFE_SHIFT & SMALL_MASK;
    return m == NULL || m->fd < 0 || (m->life & SMALL_MASK) != life ? NULL : m;
}

/* the helper's fd of a far file */
static int32_t file_of(int fd)
{
    return fd & FILE_MASK;
}

/* asks the mount of a slot about a path */
static int64_t ask_path(int slot, enum reach_op op, const char *path, bool follow)
{
    struct reach_question q;
    memset(&q, 0, offsetof(struct reach_question, u));
    q.op = op;
    q.follow = follow;
    int r = reach_ask(reach_now.mounts[slot], &q, path);
    return r < 0 ? r : reach_now.mounts[slot]->answer.result;
}

/* asks about a far file */
static int64_t ask_file(struct reach_mount *m, enum reach_op op, int32_t file, uint64_t at,
                        uint64_t count)
{
    struct reach_question q;
    memset(&q, 0, offsetof(struct reach_question, u));
    q.op = op;
    q.file = file;
    q.at = at;
    q.count = count;
    int r = reach_ask(m, &q, NULL);
    return r < 0 ? r : m->answer.result;
}

/* takes a file that a helper has opened */
static int take_file(int slot, int64_t r)
{
    if (r < 0)
        return (int)r;
    reach_now.mounts[slot]->files++;
    if (r <= FILE_MASK)
        return far_fd(slot, r);
    reach_close(far_fd(slot, r & FILE_MASK));
    return -EMFILE;
}

/* a name that came in shared memory, of a helper that may be wrong */
static int take_name(const struct reach_mount *m, int64_t r, char *ret)
{
    if (r < 0)
        return (int)r;
    if (r >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(ret, m->shared, (size_t)r);
    ret[r] = '\0';
    return 0;
}

/* see header */
void reach_hurry(bool hurry)
{
    reach_now.hurry = hurry;
}

/* see header */
int reach_identify_path(const char *path, bool follow, struct fs_identity *ret_id, mode_t *ret_mode)
{
    int slot = reach_where(path, follow);
    if (slot < 0)
        return fs_identify_path(AT_FDCWD, path, follow, ret_id, ret_mode);
    int r = (int)ask_path(slot, REACH_IDENTIFY, path, follow);
    if (r < 0)
        return r;
    *ret_id = reach_now.mounts[slot]->answer.id;
    if (ret_mode != NULL)
        *ret_mode = (mode_t)reach_now.mounts[slot]->answer.mode;
    return 0;
}

/* see header */
int reach_open(const char *path, struct fs_identity *ret_id)
{
    int slot = reach_where(path, false);
    if (slot < 0)
        return fs_open_regular(AT_FDCWD, path, false, ret_id);
    int fd = take_file(slot, ask_path(slot, REACH_OPEN, path, false));
    if (fd >= 0)
        *ret_id = reach_now.mounts[slot]->answer.id;
    return fd;
}

/* see header */
int reach_identify(int fd, struct fs_identity *ret_id)
{
    if (fd < FAR)
        return fs_identify(fd, ret_id);
    struct reach_mount *m = mount_of(fd);
    int r = m == NULL ? -ESTALE : (int)ask_file(m, REACH_STAT, file_of(fd), 0, 0);
    if (r == 0)
        *ret_id = m->answer.id;
    return r;
}

/* see header */
ssize_t reach_read_at(int fd, void *p, size_t n, uint64_t at)
{
    size_t done = 0;
    if (fd < FAR)
        return fs_read_at(fs_system(), fd, p, n, at);
    while (done < n) {
        struct reach_mount *m = mount_of(fd);
        size_t want = n - done < REACH_SHARED ? n - done : REACH_SHARED;
        int64_t r = m == NULL ? -ESTALE : ask_file(m, REACH_READ, file_of(fd), at + done, want);
        if (r < 0)
            return (ssize_t)r;
        if ((uint64_t)r > want)
            return -EIO; /* no helper of ours says so */
        memcpy((char *)p + done, m->shared, (size_t)r);
        done += (size_t)r;
        if ((size_t)r < want)
            break;
    }
    return (ssize_t)done;
}

/* see header */
void reach_close(int fd)
{
    struct reach_mount *m;
    if (fd < FAR) {
        (void)close(fd); /* read only: nothing can be lost */
    } else if ((m = mount_of(fd)) != NULL) {
        m->files--;
        reach_drop(m, file_of(fd));
    }
}

/* ---- lists ---- */

/* a directory here */
static int list_here(const char *path, reach_name_fn fn, void *ctx)
{
    const struct dirent *d;
    DIR *stream = opendir(path);
    if (stream == NULL)
        return -errno;
    while ((d = readdir(stream)) != NULL)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            fn(ctx, d->d_name, d->d_ino);
    (void)closedir(stream); /* read only */
    return 0;
}

/* adds a part of a list that came; it ends with a length of 0 */
static int take_part(const struct reach_mount *m, struct buf *names)
{
    size_t at = 0;
    struct reach_entry e;
    for (;;) {
        if (REACH_SHARED - at < sizeof(e))
            return -EIO;
        memcpy(&e, m->shared + at, sizeof(e));
        if (e.length == 0)
            break;
        if (e.length > REACH_SHARED - at - sizeof(e) || e.length > NAME_MAX)
            return -EIO;
        at += sizeof(e) + e.length;
    }
    return buf_add(names, m->shared, at);
}

/* calls fn for each name that was gathered */
static void each_name(const struct buf *names, reach_name_fn fn, void *ctx)
{
    char name[NAME_MAX + 1];
    struct reach_entry e;
    for (size_t at = 0; at < names->len; at += sizeof(e) + e.length) {
        memcpy(&e, names->ptr + at, sizeof(e));
        memcpy(name, names->ptr + at + sizeof(e), e.length);
        name[e.length] = '\0';
        fn(ctx, name, e.ino);
    }
}

/* All names are gathered first: fn may ask the helper for something else. */
static int list_far(int slot, const char *path, reach_name_fn fn, void *ctx)
{
    struct buf names;
    struct reach_mount *m = reach_now.mounts[slot];
    buf_init(&names, NAMES_MAX);
    int64_t r = ask_path(slot, REACH_LIST, path, false);
    int failed = r < 0 ? 0 : take_part(m, &names);
    while (r > 0 && failed == 0) {
        r = ask_file(m, REACH_LIST_ON, 0, 0, 0);
        failed = r < 0 ? 0 : take_part(m, &names);
    }
    if (r == 0 && failed == 0)
        each_name(&names, fn, ctx);
    buf_clear(&names);
    return r < 0 ? (int)r : failed;
}

/* see header */
int reach_list(const char *path, reach_name_fn fn, void *ctx)
{
    const char *name = path[0] == '\0' ? "/" : path;
    int slot = reach_where(name, true);
    return slot < 0 ? list_here(name, fn, ctx) : list_far(slot, name, fn, ctx);
}

/* ---- places ---- */

/* the name under which /proc knows an fd of this process */
static void name_fd(char *dst, int fd)
{
    size_t n = sizeof(PROC_FD) - 1;
    memcpy(dst, PROC_FD, n);
    dst[n + num_write_u64(dst + n, (uint64_t)fd)] = '\0';
}

/* readlink with an end */
static int says_here(const char *path, char *ret)
{
    ssize_t n = readlink(path, ret, PATH_MAX - 1);
    if (n < 0)
        return -errno;
    ret[n] = '\0';
    return n == PATH_MAX - 1 ? -ENAMETOOLONG : 0;
}

/* see header */
int reach_place(const char *path, char *ret_real)
{
    int slot = reach_where(path, true);
    if (slot >= 0) {
        int fd = take_file(slot, ask_path(slot, REACH_PLACE, path, true));
        int r = fd < 0 ? fd : reach_name(fd, ret_real);
        if (fd >= 0 && r < 0)
            reach_close(fd);
        return r < 0 ? r : fd;
    }
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = reach_name(fd, ret_real);
    if (r == 0)
        return fd;
    (void)close(fd); /* O_PATH: nothing can be lost */
    return r;
}

/* see header */
int reach_open_place(int place, struct fs_identity *ret_id)
{
    char link[PROC_FD_MAX];
    if (place < FAR) {
        name_fd(link, place);
        return fs_open_regular(AT_FDCWD, link, true, ret_id);
    }
    struct reach_mount *m = mount_of(place);
    if (m == NULL)
        return -ESTALE;
    int slot = place >> SLOT_SHIFT & SMALL_MASK;
    int fd = take_file(slot, ask_file(m, REACH_REOPEN, file_of(place), 0, 0));
    if (fd >= 0)
        *ret_id = m->answer.id;
    return fd;
}

/* see header */
int reach_name(int fd, char *ret_path)
{
    char link[PROC_FD_MAX];
    if (fd < FAR) {
        name_fd(link, fd);
        return says_here(link, ret_path);
    }
    struct reach_mount *m = mount_of(fd);
    return m == NULL ? -ESTALE : take_name(m, ask_file(m, REACH_NAME, file_of(fd), 0, 0), ret_path);
}

/* see header */
int reach_link(const char *path, char *ret_says)
{
    int slot = reach_where(path, false);
    if (slot < 0)
        return says_here(path, ret_says);
    return take_name(reach_now.mounts[slot], ask_path(slot, REACH_SAYS, path, false), ret_says);
}
