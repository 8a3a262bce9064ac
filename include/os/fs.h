#ifndef OS_FS_H
#define OS_FS_H

/*
 * Files. The system calls that durable state depends on go through `struct fs`, so that a test can
 * fail the N-th of them or record them; everything else uses fs_system().
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"

struct fs {
    int (*openat)(const struct fs *fs, int dir, const char *name, int flags, mode_t mode);
    ssize_t (*pread)(const struct fs *fs, int fd, void *p, size_t n, off_t at);
    ssize_t (*pwrite)(const struct fs *fs, int fd, const void *p, size_t n, off_t at);
    int (*fdatasync)(const struct fs *fs, int fd);
    int (*fsync)(const struct fs *fs, int fd);
    int (*ftruncate)(const struct fs *fs, int fd, off_t size);
    int (*renameat)(const struct fs *fs, int dir, const char *from, const char *to);
    int (*unlinkat)(const struct fs *fs, int dir, const char *name);
    int (*close)(const struct fs *fs, int fd);
};
/* Each member returns what the call returns, or a negative errno (never -1 with errno). */

const struct fs *fs_system(void);

/* Whole transfers: short ones are continued, EINTR repeated. fs_read_at returns the bytes read
 * (fewer than n only at end of file), fs_write_at 0; negative errno on failure. */
ssize_t fs_read_at(const struct fs *fs, int fd, void *p, size_t n, uint64_t at) MUST_CHECK;
int fs_write_at(const struct fs *fs, int fd, const void *p, size_t n, uint64_t at) MUST_CHECK;

/* Reads the whole file dir/name into *out (appended), at most out's limit: -EFBIG beyond it. */
int fs_read_file(const struct fs *fs, int dir, const char *name, struct buf *out) MUST_CHECK;

/*
 * Replaces dir/name by the given bytes so that after a crash either the old or the new content is
 * there whole: temporary file name.tmp in the same directory, write, fsync, close, rename, fsync of
 * the directory. dir is an open directory (not AT_FDCWD, not O_PATH), name one component.
 * After a failure the old file is untouched and the temporary one removed; only when that last
 * fsync fails the new content is in place, whole, but may not survive a power loss.
 */
int fs_replace(const struct fs *fs, int dir, const char *name, const void *p, size_t n,
               mode_t mode) MUST_CHECK;

/* Makes dir and its missing parents (mode for each new one), opens it (O_DIRECTORY|O_CLOEXEC).
 * Returns the fd or a negative errno with e filled. */
int fs_open_dir(const char *path, mode_t mode, struct err *e) MUST_CHECK;

/* What one opened log file is, from statx(2). */
struct fs_identity {
    uint64_t dev;
    uint64_t ino;
    int64_t birth_ns; /* 0 = the file system does not tell */
    int64_t mtime_ns;
    uint64_t size;
    uint32_t nlink;
    uint32_t uid;
};

/*
 * Opens an outside file for reading: openat with O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_NOCTTY|O_CLOEXEC
 * (never blocks on a FIFO), then statx: anything but a regular file is closed again and gives
 * -ENXIO (directory: -EISDIR; symlink: -ELOOP). follow lets the last component be a symlink.
 * *ret_id is set on success. Returns the fd.
 */
int fs_open_regular(int dir, const char *path, bool follow, struct fs_identity *ret_id) MUST_CHECK;
int fs_identify(int fd, struct fs_identity *ret_id) MUST_CHECK;
/* Of a path, without opening it; *ret_mode (may be NULL) gets st_mode. */
int fs_identify_path(int dir, const char *path, bool follow, struct fs_identity *ret_id,
                     mode_t *ret_mode) MUST_CHECK;

#endif
