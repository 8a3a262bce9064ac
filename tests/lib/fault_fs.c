/*
 * tests/lib/fault_fs - a struct fs that fails on command
 *
 * Every member asks begin() whether this call is to fail, does the real call if not, and files the
 * result with end(). The structure finds its own mutable self through a pointer, since subjects
 * hold a const struct fs.
 *
 * No failure of its own: calls beyond the record are counted only.
 */
#include "fault_fs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* the mutable structure around fs */
static struct fault_fs *self_of(const struct fs *fs)
{
    return ((const struct fault_fs *)(const void *)fs)->self;
}

/* counts one call; says whether it must fail */
static bool begin(struct fault_fs *ff, enum fault_kind kind)
{
    if (ff->has_fired && ff->is_sticky)
        return true;
    if (!(ff->kinds & FAULT_BIT(kind)))
        return false;
    ff->counted++;
    if (ff->fail_at == 0 || ff->counted != ff->fail_at)
        return false;
    ff->has_fired = true;
    return true;
}

/* records the call and passes its result on */
static int64_t end(struct fault_fs *ff, struct fault_op op, const char *name, int64_t result)
{
    op.result = result;
    if (ff->op_count < ARRAY_LEN(ff->ops)) {
        if (name != NULL)
            (void)snprintf(op.name, sizeof(op.name), "%s", name); /* cut by contract */
        ff->ops[ff->op_count] = op;
    }
    ff->op_count++;
    return result;
}

/* openat that may fail */
static int fault_openat(const struct fs *fs, int dir, const char *name, int flags, mode_t mode)
{
    struct fault_fs *ff = self_of(fs);
    struct fault_op op = {.kind = FAULT_OPENAT, .fd = dir};
    op.is_injected = begin(ff, op.kind);
    int r = op.is_injected ? -ff->error : ff->real->openat(ff->real, dir, name, flags, mode);
    return (int)end(ff, op, name, r);
}

/* the size of a transfer under the limit */
static size_t limit(const struct fault_fs *ff, size_t n)
{
    return ff->max_transfer != 0 && n > ff->max_transfer ? ff->max_transfer : n;
}

/* pread that may fail or come up short */
static ssize_t fault_pread(const struct fs *fs, int fd, void *p, size_t n, off_t at)
{
    struct fault_fs *ff = self_of(fs);
    struct fault_op op = {.kind = FAULT_PREAD, .fd = fd, .at = (uint64_t)at, .n = n};
    op.is_injected = begin(ff, op.kind);
    ssize_t r = op.is_injected ? -ff->error : ff->real->pread(ff->real, fd, p, limit(ff, n), at);
    return (ssize_t)end(ff, op, NULL, r);
}

/* pwrite that may fail, be torn or come up short */
static ssize_t fault_pwrite(const struct fs *fs, int fd, const void *p, size_t n, off_t at)
{
    struct fault_fs *ff = self_of(fs);
    struct fault_op op = {.kind = FAULT_PWRITE, .fd = fd, .at = (uint64_t)at, .n = n};
    bool was_fired = ff->has_fired;
    op.is_injected = begin(ff, op.kind);
    ssize_t r;
    if (op.is_injected) {
        size_t torn = ff->torn_bytes < n ? ff->torn_bytes : n;
        if (torn > 0 && !was_fired)
            (void)ff->real->pwrite(ff->real, fd, p, torn, at); /* best effort: a crash is one too */
        r = -ff->error;
    } else {
        r = ff->real->pwrite(ff->real, fd, p, limit(ff, n), at);
    }
    return (ssize_t)end(ff, op, NULL, r);
}

/* fdatasync that may fail */
static int fault_fdatasync(const struct fs *fs, int fd)
{
    struct fault_fs *ff = self_of(fs);
    struct fault_op op = {.kind = FAULT_FDATASYNC, .fd = fd};
    op.is_injected = begin(ff, op.kind);
    int r = op.is_injected ? -ff->error : ff->real->fdatasync(ff->real, fd);
    return (int)end(ff, op, NULL, r);
}

/* fsync that may fail */
static int fault_fsync(const struct fs *fs, int fd)
{
    struct fault_fs *ff = self_of(fs);
    struct fault_op op = {.kind = FAULT_FSYNC, .fd = fd};
    op.is_injected = begin(ff, op.kind);
    int r = op.is_injected ? -ff->error : ff->real->fsync(ff->real, fd);
    return (int)end(ff, op, NULL, r);
}

/* ftruncate that may fail */
static int fault_ftruncate(const struct fs *fs, int fd, off_t size)
{
    struct fault_fs *ff = self_of(fs);
    struct fault_op op = {.kind = FAULT_FTRUNCATE, .fd = fd, .at = (uint64_t)size};
    op.is_injected = begin(ff, op.kind);
    int r = op.is_injected ? -ff->error : ff->real->ftruncate(ff->real, fd, size);
    return (int)end(ff, op, NULL, r);
}

/* renameat that may fail */
static int fault_renameat(const struct fs *fs, int dir, const char *from, const char *to)
{
    struct fault_fs *ff = self_of(fs);
    struct fault_op op = {.kind = FAULT_RENAMEAT, .fd = dir};
    op.is_injected = begin(ff, op.kind);
    int r = op.is_injected ? -ff->error : ff->real->renameat(ff->real, dir, from, to);
    return (int)end(ff, op, to, r);
}

/* unlinkat that may fail */
static int fault_unlinkat(const struct fs *fs, int dir, const char *name)
{
    struct fault_fs *ff = self_of(fs);
    struct fault_op op = {.kind = FAULT_UNLINKAT, .fd = dir};
    op.is_injected = begin(ff, op.kind);
    int r = op.is_injected ? -ff->error : ff->real->unlinkat(ff->real, dir, name);
    return (int)end(ff, op, name, r);
}

/* close that may report a failure; the fd is closed in any case */
static int fault_close(const struct fs *fs, int fd)
{
    struct fault_fs *ff = self_of(fs);
    struct fault_op op = {.kind = FAULT_CLOSE, .fd = fd};
    op.is_injected = begin(ff, op.kind);
    int r = ff->real->close(ff->real, fd);
    return (int)end(ff, op, NULL, op.is_injected ? -ff->error : r);
}

/* empty record, no failure */
void fault_fs_init(struct fault_fs *ff, const struct fs *real)
{
    memset(ff, 0, sizeof(*ff));
    ff->fs = (struct fs){
        .openat = fault_openat,
        .pread = fault_pread,
        .pwrite = fault_pwrite,
        .fdatasync = fault_fdatasync,
        .fsync = fault_fsync,
        .ftruncate = fault_ftruncate,
        .renameat = fault_renameat,
        .unlinkat = fault_unlinkat,
        .close = fault_close,
    };
    ff->self = ff;
    ff->real = real;
    ff->kinds = FAULT_ALL;
}

/* as after init */
void fault_fs_reset(struct fault_fs *ff)
{
    fault_fs_init(ff, ff->real);
}

/* counts from here */
void fault_fs_fail(struct fault_fs *ff, unsigned n, int error)
{
    ff->fail_at = n == 0 ? 0 : ff->counted + n;
    ff->error = error;
    ff->is_sticky = false;
    ff->torn_bytes = 0;
    ff->has_fired = false;
}

/* a failure that stays */
void fault_fs_crash(struct fault_fs *ff, unsigned n, size_t torn_bytes)
{
    fault_fs_fail(ff, n, EIO);
    ff->is_sticky = true;
    ff->torn_bytes = torn_bytes;
}

/* all calls */
unsigned fault_fs_calls(const struct fault_fs *ff)
{
    return ff->op_count;
}

/* recorded calls of one kind */
unsigned fault_fs_calls_of(const struct fault_fs *ff, enum fault_kind kind)
{
    unsigned count = 0;
    for (unsigned i = 0; fault_fs_op(ff, i) != NULL; i++)
        count += fault_fs_op(ff, i)->kind == kind;
    return count;
}

/* bounded look into the record */
const struct fault_op *fault_fs_op(const struct fault_fs *ff, unsigned i)
{
    return i < ff->op_count && i < ARRAY_LEN(ff->ops) ? &ff->ops[i] : NULL;
}

/* for messages of failing tests */
const char *fault_kind_name(enum fault_kind kind)
{
    static const char *const names[FAULT_KINDS] = {
        [FAULT_OPENAT] = "openat",     [FAULT_PREAD] = "pread",
        [FAULT_PWRITE] = "pwrite",     [FAULT_FDATASYNC] = "fdatasync",
        [FAULT_FSYNC] = "fsync",       [FAULT_FTRUNCATE] = "ftruncate",
        [FAULT_RENAMEAT] = "renameat", [FAULT_UNLINKAT] = "unlinkat",
        [FAULT_CLOSE] = "close",
    };
    return (unsigned)kind < FAULT_KINDS ? names[kind] : "?";
}
