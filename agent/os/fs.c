/*
 * os/fs - files
 *
 * Three parts: the system's struct fs (each member one system call, EINTR repeated, errno turned
 * into a negative return), whole transfers and atomic replacement built on any struct fs, and the
 * careful opening of directories and outside files, which needs no seam.
 *
 * Failures are returned, never logged. fs_replace leaves the old content in place after every
 * failure before the rename; the one failure behind it (fsync of the directory) is returned too,
 * with the new content in place but perhaps not yet durable.
 *
 * Limits: a temporary file is called NAME.tmp, so two processes must not replace the same file at
 * once (os/lock sees to that).
 */
#include "os/fs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_STEP ((size_t)64 * KIB)

/* open, repeated after a signal */
static int system_openat(const struct fs *fs, int dir, const char *name, int flags, mode_t mode)
{
    (void)fs;
    int fd;
    do {
        fd = openat(dir, name, flags, mode);
    } while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
}

/* one pread */
static ssize_t system_pread(const struct fs *fs, int fd, void *p, size_t n, off_t at)
{
    (void)fs;
    ssize_t r = pread(fd, p, n, at);
    return r < 0 ? -errno : r;
}

/* one pwrite */
static ssize_t system_pwrite(const struct fs *fs, int fd, const void *p, size_t n, off_t at)
{
    (void)fs;
    ssize_t r = pwrite(fd, p, n, at);
    return r < 0 ? -errno : r;
}

/* data and size to the disk */
static int system_fdatasync(const struct fs *fs, int fd)
{
    (void)fs;
    return fdatasync(fd) < 0 ? -errno : 0;
}

/* all of it to the disk */
static int system_fsync(const struct fs *fs, int fd)
{
    (void)fs;
    return fsync(fd) < 0 ? -errno : 0;
}

/* cuts or grows */
static int system_ftruncate(const struct fs *fs, int fd, off_t size)
{
    (void)fs;
    int r;
    do {
        r = ftruncate(fd, size);
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

/* within one directory */
static int system_renameat(const struct fs *fs, int dir, const char *from, const char *to)
{
    (void)fs;
    return renameat(dir, from, dir, to) < 0 ? -errno : 0;
}

/* a file, not a directory */
static int system_unlinkat(const struct fs *fs, int dir, const char *name)
{
    (void)fs;
    return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

/* Linux has closed the fd also when a signal came in between: that is no failure */
static int system_close(const struct fs *fs, int fd)
{
    (void)fs;
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

/* the kernel itself */
const struct fs *fs_system(void)
{
    static const struct fs system_fs = {
        .openat = system_openat,
        .pread = system_pread,
        .pwrite = system_pwrite,
        .fdatasync = system_fdatasync,
        .fsync = system_fsync,
        .ftruncate = system_ftruncate,
        .renameat = system_renameat,
        .unlinkat = system_unlinkat,
        .close = system_close,
    };
    return &system_fs;
}

/* reads on until n bytes or the end */
ssize_t fs_read_at(const struct fs *fs, int fd, void *p, size_t n, uint64_t at)
{
    size_t done = 0;
    while (done < n) {
        ssize_t r = fs->pread(fs, fd, (char *)p + done, n - done, (off_t)(at + done));
        if (r == -EINTR)
            continue;
        if (r < 0)
            return r;
        if (r == 0)
            break;
        done += (size_t)r;
    }
    return (ssize_t)done;
}

/* writes on until nothing is left */
int fs_write_at(const struct fs *fs, int fd, const void *p, size_t n, uint64_t at)
{
    size_t done = 0;
    while (done < n) {
        ssize_t r = fs->pwrite(fs, fd, (const char *)p + done, n - done, (off_t)(at + done));
        if (r == -EINTR)
            continue;
        if (r < 0)
            return (int)r;
        if (r == 0)
            return -EIO; /* a file that takes nothing and says nothing would loop for ever */
        done += (size_t)r;
    }
    return 0;
}

/* 0 when the file ends at `at`, -EFBIG when there is more */
static int check_end(const struct fs *fs, int fd, uint64_t at)
{
    char byte;
    ssize_t r = fs_read_at(fs, fd, &byte, 1, at);
    if (r < 0)
        return (int)r;
    return r == 0 ? 0 : -EFBIG;
}

/* appends what the fd holds */
static int read_all(const struct fs *fs, int fd, struct buf *out)
{
    uint64_t at = 0;
    for (;;) {
        size_t room = out->max - out->len;
        if (room == 0)
            return check_end(fs, fd, at);
        size_t step = room < READ_STEP ? room : READ_STEP;
        int r = buf_reserve(out, step);
        if (r < 0)
            return r;
        ssize_t n = fs_read_at(fs, fd, out->ptr + out->len, step, at);
        if (n < 0)
            return (int)n;
        out->len += (size_t)n;
        at += (uint64_t)n;
        if ((size_t)n < step)
            return 0;
    }
}

/* on failure *out is as before; O_NONBLOCK so that a FIFO of that name cannot hang us */
int fs_read_file(const struct fs *fs, int dir, const char *name, struct buf *out)
{
    int fd = fs->openat(fs, dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
    if (fd < 0)
        return fd;
    size_t before = out->len;
    int r = read_all(fs, fd, out);
    (void)fs->close(fs, fd); /* read only: nothing can be lost */
    if (r < 0)
        buf_cut(out, before);
    return r;
}

/* a new, empty temporary file; one left over from a crash is removed first, never written into */
static int create_temporary(const struct fs *fs, int dir, const char *temporary, mode_t mode)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = fs->openat(fs, dir, temporary, flags, mode);
    if (fd != -EEXIST)
        return fd;
    int r = fs->unlinkat(fs, dir, temporary);
    if (r < 0 && r != -ENOENT)
        return r;
    return fs->openat(fs, dir, temporary, flags, mode);
}

/* content onto the disk under the temporary name; closes fd in any case */
static int fill_temporary(const struct fs *fs, int fd, const void *p, size_t n)
{
    int r = fs_write_at(fs, fd, p, n, 0);
    if (r == 0)
        r = fs->fsync(fs, fd);
    int closed = fs->close(fs, fd);
    return r < 0 ? r : closed;
}

/* the steps in the order that a crash may cut anywhere */
int fs_replace(const struct fs *fs, int dir, const char *name, const void *p, size_t n, mode_t mode)
{
    assert(dir >= 0 && strchr(name, '/') == NULL);
    size_t length = strlen(name);
    char *temporary = mem_zalloc(length + sizeof(".tmp"));
    memcpy(temporary, name, length);
    memcpy(temporary + length, ".tmp", sizeof(".tmp"));

    int r = create_temporary(fs, dir, temporary, mode);
    if (r >= 0) {
        r = fill_temporary(fs, r, p, n);
        if (r == 0)
            r = fs->renameat(fs, dir, temporary, name);
        if (r < 0)
            (void)fs->unlinkat(fs, dir, temporary); /* the first failure is the one to tell */
        else
            r = fs->fsync(fs, dir);
    }
    mem_free(temporary);
    return r;
}

/* makes the entry of a new directory durable; a parent that we may write but not read is left to
 * the kernel's own writeback, which is all that could be done */
static void sync_parent(int parent)
{
    int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

/* opens one component below cur, making it when it is missing; closes cur in any case */
static int enter(int cur, const char *component, mode_t mode)
{
    int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    int fd = openat(cur, component, flags);
    int r = fd < 0 ? -errno : fd;
    if (r == -ENOENT) {
        if (mkdirat(cur, component, mode) == 0)
            sync_parent(cur);
        else if (errno != EEXIST)
            r = -errno;
        if (r == -ENOENT) {
            fd = openat(cur, component, flags);
            r = fd < 0 ? -errno : fd;
        }
    }
    (void)close(cur); /* O_PATH: nothing can be lost */
    return r;
}

/* walks down from / or . to the last component; returns an O_PATH fd */
static int make_dirs(const char *path, mode_t mode)
{
    int cur = open(path[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (cur < 0)
        return -errno;
    struct slice rest = slice_str(path);
    struct slice piece;
    while (cur >= 0 && slice_next(&rest, '/', &piece)) {
        if (piece.len == 0)
            continue;
        char *component = mem_strndup(piece.ptr, piece.len);
        cur = enter(cur, component, mode);
        mem_free(component);
    }
    return cur;
}

/* the way down needs search permission only, the directory itself read permission */
int fs_open_dir(const char *path, mode_t mode, struct err *e)
{
    if (path[0] == '\0')
        return err_set(e, -EINVAL, "the path of a directory is empty");
    int place = make_dirs(path, mode);
    if (place < 0)
        return err_set_errno(e, place, "make directory \"%s\"", path);
    int fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : fd;
    (void)close(place); /* O_PATH: nothing can be lost */
    if (r < 0)
        return err_set_errno(e, r, "open directory \"%s\"", path);
    return r;
}

/* ns since 1970 of a statx time, kept inside the type for times that no file should have */
static int64_t ns_of(const struct statx_timestamp *t)
{
    int64_t ns;
    if (__builtin_mul_overflow(t->tv_sec, INT64_C(1000000000), &ns) ||
        __builtin_add_overflow(ns, (int64_t)t->tv_nsec, &ns))
        return t->tv_sec < 0 ? INT64_MIN : INT64_MAX;
    return ns;
}

/* statx of fd (path "") or of dir/path */
static int identify(int dir, const char *path, int flags, struct fs_identity *ret_id,
                    mode_t *ret_mode)
{
    struct statx sx;
    int r;
    do {
        r = statx(dir, path, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &sx);
    } while (r < 0 && errno == EINTR);
    if (r < 0)
        return -errno;
    *ret_id = (struct fs_identity){
        .dev = makedev(sx.stx_dev_major, sx.stx_dev_minor),
        .ino = sx.stx_ino,
        .birth_ns = (sx.stx_mask & STATX_BTIME) != 0 ? ns_of(&sx.stx_btime) : 0,
        .mtime_ns = ns_of(&sx.stx_mtime),
        .size = sx.stx_size,
        .nlink = sx.stx_nlink,
        .uid = sx.stx_uid,
    };
    if (ret_mode != NULL)
        *ret_mode = sx.stx_mode;
    return 0;
}

/* of an open file */
int fs_identify(int fd, struct fs_identity *ret_id)
{
    return identify(fd, "", AT_EMPTY_PATH, ret_id, NULL);
}

/* of a name */
int fs_identify_path(int dir, const char *path, bool follow, struct fs_identity *ret_id,
                     mode_t *ret_mode)
{
    return identify(dir, path, follow ? 0 : AT_SYMLINK_NOFOLLOW, ret_id, ret_mode);
}

/* the type is asked of the opened file, so that no swap of the name can slip in between */
int fs_open_regular(int dir, const char *path, bool follow, struct fs_identity *ret_id)
{
    int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
    int fd = system_openat(NULL, dir, path, flags, 0);
    if (fd < 0)
        return fd;
    struct fs_identity id;
    mode_t mode;
    int r = identify(fd, "", AT_EMPTY_PATH, &id, &mode);
    if (r == 0 && !S_ISREG(mode))
        r = S_ISDIR(mode) ? -EISDIR : -ENXIO;
    if (r < 0) {
        (void)close(fd); /* read only: nothing can be lost */
        return r;
    }
    *ret_id = id;
    return fd;
}
