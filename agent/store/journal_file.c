/*
 * store/journal_file - the four files under a journal
 *
 * A file is made under NAME.new, filled with zeros, synced, renamed over NAME, and the directory
 * synced: so its blocks exist and a crash leaves the old file or the whole new one. Afterwards it
 * is only written in place.
 *
 * Invariants: a file descriptor on which a write or a sync failed is never synced again (the
 * kernel reports lost pages once); every failure of that kind goes through journal_poison.
 *
 * What can fail: every system call. A file that cannot be made leaves the old one in use.
 */
#include "store/journal_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"

enum {
    MODE = 0600,
    OPEN_FLAGS = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
    TRANSFER_BYTES = 64 * 1024,
    SET_ASIDE_MAX = 4 * 1024 * 1024,
};

/* keeps the first reason */
void journal_poison(struct journal *j, int error)
{
    if (j->error == 0)
        j->error = error;
}

/* closes; the result says nothing that a sync has not said */
void journal_file_close(struct journal *j, struct journal_file *f)
{
    if (f->fd >= 0)
        (void)j->opts.fs->close(j->opts.fs, f->fd); /* what counts was synced before */
    f->fd = -1;
    f->size = 0;
}

/* see store/journal.h */
int journal_remove(const struct fs *fs, int dir)
{
    static const char *const names[] = {"checkpoint.0", "checkpoint.1", "log.0", "log.1"};
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int e = fs->unlinkat(fs, dir, names[i]);
        if (e < 0 && e != -ENOENT && r == 0)
            r = e;
    }
    return r;
}

/* read and write, else read only */
int journal_file_open(struct journal *j, struct journal_file *f, int *ret_refused)
{
    const struct fs *fs = j->opts.fs;
    int fd = -EROFS;
    if (!j->opts.read_only)
        fd = fs->openat(fs, j->opts.dir, f->name, O_RDWR | OPEN_FLAGS, 0);
    if (fd == -EROFS || fd == -EACCES || fd == -EPERM) {
        *ret_refused = fd;
        fd = fs->openat(fs, j->opts.dir, f->name, O_RDONLY | OPEN_FLAGS, 0);
    }
    if (fd == -ELOOP || fd == -EISDIR || fd == -ENXIO)
        return -EMEDIUMTYPE;
    if (fd < 0)
        return fd;
    f->fd = fd;
    struct stat st;
    int r = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EMEDIUMTYPE;
    if (r < 0) {
        journal_file_close(j, f);
        return r;
    }
    uint64_t size = (uint64_t)st.st_size;
    f->size = (size < JOURNAL_FILE_MAX ? (size_t)size : JOURNAL_FILE_MAX) / 8 * 8;
    return 0;
}

/* reads piece by piece, so that the bytes before a bad block are kept */
int journal_file_read(struct journal *j, const struct journal_file *f, struct buf *out)
{
    buf_reset(out);
    if (f->fd < 0)
        return 0;
    while (out->len < f->size) {
        size_t n = f->size - out->len < TRANSFER_BYTES ? f->size - out->len : TRANSFER_BYTES;
        int r = buf_reserve(out, n);
        if (r < 0)
            return r;
        ssize_t got = fs_read_at(j->opts.fs, f->fd, out->ptr + out->len, n, out->len);
        if (got < 0)
            return (int)got;
        out->len += (size_t)got;
        if ((size_t)got < n)
            return 0;
    }
    return 0;
}

/* zeros in [from, to) */
static int write_zeros(struct journal *j, int fd, size_t from, size_t to)
{
    char *zeros = mem_zalloc(TRANSFER_BYTES);
    int r = 0;
    while (r == 0 && from < to) {
        size_t n = to - from < TRANSFER_BYTES ? to - from : TRANSFER_BYTES;
        r = fs_write_at(j->opts.fs, fd, zeros, n, from);
        if (r == 0)
            j->written += n;
        from += n;
    }
    mem_free(zeros);
    return r;
}

/* the temporary file, written and synced; its fd */
static int make_zero_file(struct journal *j, const char *name, size_t size)
{
    const struct fs *fs = j->opts.fs;
    int fd = fs->openat(fs, j->opts.dir, name, O_RDWR | O_CREAT | O_TRUNC | OPEN_FLAGS, MODE);
    if (fd < 0)
        return fd;
    int r = write_zeros(j, fd, 0, size);
    if (r == 0)
        r = fs->fsync(fs, fd);
    if (r < 0) {
        (void)fs->close(fs, fd);                   /* the failure is known already */
        (void)fs->unlinkat(fs, j->opts.dir, name); /* else the next attempt truncates it */
        return r;
    }
    return fd;
}

/* a new file in the place of f */
int journal_file_make(struct journal *j, struct journal_file *f, size_t size)
{
    const struct fs *fs = j->opts.fs;
    char name[32];
    (void)snprintf(name, sizeof(name), "%s.new", f->name); /* names are ours and short */
    int fd = make_zero_file(j, name, size);
    if (fd < 0)
        return fd;
    int r = fs->renameat(fs, j->opts.dir, name, f->name);
    if (r < 0) {
        (void)fs->close(fs, fd);                   /* the failure is known already */
        (void)fs->unlinkat(fs, j->opts.dir, name); /* else the next attempt truncates it */
        return r;
    }
    journal_file_close(j, f);
    f->fd = fd;
    f->size = size;
    r = fs->fsync(fs, j->opts.dir);
    if (r < 0)
        journal_poison(j, r);
    return r;
}

/* the sync that makes a write in place durable */
static int finish_write(struct journal *j, const struct journal_file *f, int result)
{
    if (result == 0)
        result = j->opts.fs->fdatasync(j->opts.fs, f->fd);
    if (result < 0)
        journal_poison(j, result);
    return result;
}

/* bytes in place */
int journal_file_write(struct journal *j, struct journal_file *f, const void *p, size_t n,
                       size_t at)
{
    int r = fs_write_at(j->opts.fs, f->fd, p, n, at);
    if (r == 0)
        j->written += n;
    return finish_write(j, f, r);
}

/* zeros in place */
int journal_file_wipe(struct journal *j, struct journal_file *f, size_t at)
{
    return finish_write(j, f, write_zeros(j, f->fd, at, f->size));
}

/* a copy for whoever wants to know what happened; not synced, since nothing depends on it */
int journal_file_set_aside(struct journal *j, const struct journal_file *f, struct slice bytes)
{
    const struct fs *fs = j->opts.fs;
    struct date d;
    date_from_ns(j->opts.now_ns, &d);
    char name[64];
    (void)snprintf(name, sizeof(name), "%s.corrupt-%04d%02d%02dT%02d%02d%02dZ", f->name, d.year,
                   d.month, d.day, d.hour, d.minute, d.second); /* fits: every field is bounded */
    int fd = fs->openat(fs, j->opts.dir, name, O_WRONLY | O_CREAT | O_EXCL | OPEN_FLAGS, MODE);
    if (fd < 0)
        return fd;
    size_t n = bytes.len < SET_ASIDE_MAX ? bytes.len : SET_ASIDE_MAX;
    int r = fs_write_at(fs, fd, bytes.ptr, n, 0);
    int closed = fs->close(fs, fd);
    if (r == 0)
        r = closed;
    if (r < 0)
        (void)fs->unlinkat(fs, j->opts.dir, name); /* half a copy helps nobody */
    return r;
}
