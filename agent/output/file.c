/*
 * output/file - lines to a file that is rotated by size
 *
 * A write is one pwrite at the end that is known and one fdatasync. After a failure the file is cut
 * back to that end and closed: the same descriptor is never synced twice, and the next try begins
 * with a fresh one. A line without its end, left by a crash, was never acknowledged: it is cut when
 * the file is opened.
 *
 * Rotation renames from the oldest on, beginning at the first gap, so that one that was cut short
 * goes on where it was and removes nothing twice.
 *
 * What can fail: every system call.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "output/stream.h"

#define MODE        0600
#define NAME_BYTES  280
#define PIECE_BYTES (64 * KIB)

struct file_sink {
    struct stream_sink sink; /* first */
    struct stream_file_opts opts;
    char *name; /* owned */
    int fd;     /* -1 = not open */
    uint64_t size;
    struct fs_identity id;
};

/* "NAME.3"; 0 is NAME itself */
static const char *name_of(const struct file_sink *f, unsigned number, char dst[NAME_BYTES])
{
    if (number == 0)
        (void)snprintf(dst, NAME_BYTES, "%s", f->name); /* fits: the option has a limit */
    else
        (void)snprintf(dst, NAME_BYTES, "%s.%u", f->name, number);
    return dst;
}

/* closes; what counts was synced before */
static void close_file(struct file_sink *f)
{
    if (f->fd >= 0)
        (void)f->opts.fs->close(f->opts.fs, f->fd);
    f->fd = -1;
}

/* ---- opening ---- */

/* where the last whole line ends */
static int find_end(const struct file_sink *f, uint64_t size, uint64_t *ret_end)
{
    static const size_t piece = PIECE_BYTES;
    char *bytes = mem_zalloc(piece);
    uint64_t at = size;
    int r = 0;
    *ret_end = 0;
    while (at > 0 && r == 0 && *ret_end == 0) {
        size_t n = at < piece ? (size_t)at : piece;
        ssize_t got = fs_read_at(f->opts.fs, f->fd, bytes, n, at - n);
        r = got < 0 ? (int)got : 0;
        size_t last = slice_rfind(slice_of(bytes, n), '\n');
        if (got == (ssize_t)n && last < n)
            *ret_end = at - n + last + 1;
        at -= n;
    }
    mem_free(bytes);
    return r;
}

/* cuts a line without its end */
static int cut_tail(struct file_sink *f)
{
    int r = find_end(f, f->id.size, &f->size);
    if (r == 0 && f->size < f->id.size)
        r = f->opts.fs->ftruncate(f->opts.fs, f->fd, (off_t)f->size);
    return r;
}

/* opens or makes it */
static int open_file(struct file_sink *f)
{
    const struct fs *fs = f->opts.fs;
    f->fd = fs->openat(fs, f->opts.dir, f->name,
                       O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, MODE);
    if (f->fd < 0)
        return f->fd;
    int r = fs_identify(f->fd, &f->id);
    struct stat st;
    if (r == 0 && (fstat(f->fd, &st) < 0 || !S_ISREG(st.st_mode)))
        r = -EINVAL;
    if (r == 0)
        r = cut_tail(f);
    if (r == 0)
        r = fs->fsync(fs, f->opts.dir); /* its name, should it be new */
    if (r < 0)
        close_file(f);
    return r;
}

/* whether the open file is still the one of that name, and as long as we left it */
static bool is_ours(const struct file_sink *f)
{
    struct fs_identity named, own;
    return fs_identify_path(f->opts.dir, f->name, false, &named, NULL) == 0 &&
           fs_identify(f->fd, &own) == 0 && named.ino == f->id.ino && named.dev == f->id.dev &&
           own.size == f->size;
}

/* ---- rotating ---- */

/* whether there is a file of that number */
static bool exists(const struct file_sink *f, unsigned number)
{
    char name[NAME_BYTES];
    struct fs_identity id;
    return fs_identify_path(f->opts.dir, name_of(f, number, name), false, &id, NULL) == 0;
}

/* every file one number up */
static int rotate(struct file_sink *f)
{
    char from[NAME_BYTES], to[NAME_BYTES];
    unsigned last = 1;
    int r = 0;
    close_file(f);
    while (last < f->opts.files - 1 && exists(f, last))
        last++;
    for (unsigned i = last; i > 0 && r == 0; i--)
        r = f->opts.fs->renameat(f->opts.fs, f->opts.dir, name_of(f, i - 1, from),
                                 name_of(f, i, to));
    return r == 0 ? f->opts.fs->fsync(f->opts.fs, f->opts.dir) : r;
}

/* ---- writing ---- */

/* the file that takes n more bytes */
static int prepare(struct file_sink *f, size_t n)
{
    int r = 0;
    if (f->fd >= 0 && !is_ours(f))
        close_file(f);
    if (f->fd < 0)
        r = open_file(f);
    if (r < 0 || f->size == 0 || f->size + n <= f->opts.rotate_bytes)
        return r;
    r = rotate(f);
    return r == 0 ? open_file(f) : r;
}

/* durable, or cut off again */
static int write_lines(struct stream_sink *sink, struct slice lines)
{
    struct file_sink *f = (struct file_sink *)sink;
    const struct fs *fs = f->opts.fs;
    int r = prepare(f, lines.len);
    if (r < 0)
        return r;
    r = fs_write_at(fs, f->fd, lines.ptr, lines.len, f->size);
    if (r == 0)
        r = fs->fdatasync(fs, f->fd);
    if (r == 0) {
        f->size += lines.len;
        return 0;
    }
    (void)fs->ftruncate(fs, f->fd, (off_t)f->size); /* the next opening cuts a torn line */
    close_file(f);
    return r;
}

/* closes all */
static void close_sink(struct stream_sink *sink)
{
    struct file_sink *f = (struct file_sink *)sink;
    close_file(f);
    (void)close(f->opts.dir); /* a directory */
    mem_free(f->name);
    mem_free(f);
}

/* see header */
struct stream_sink *stream_file(const struct stream_file_opts *opts)
{
    struct file_sink *f = mem_zalloc(sizeof(*f));
    f->opts = *opts;
    f->name = mem_strdup(opts->name);
    f->fd = -1;
    f->sink = (struct stream_sink){write_lines, close_sink, f->name};
    return &f->sink;
}
