#ifndef TESTS_FAULT_FS_H
#define TESTS_FAULT_FS_H

/*
 * A struct fs that passes every call on to a real one, counts and records it, and fails the calls
 * it is told to. A test runs its subject once to learn the number of calls, then once for each N:
 *
 *     struct fault_fs ff;
 *     fault_fs_init(&ff, fs_system());
 *     fault_fs_fail(&ff, n, EIO);             the n-th call (from 1) fails, the others pass
 *     r = fs_replace(&ff.fs, dir, "name", p, len, 0600);
 *     fault_fs_calls(&ff), fault_fs_op(&ff, i)->kind ...
 *
 * A failed call has no effect on the disk, except close, which closes (as Linux does), and a
 * pwrite for which torn_bytes is set.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/fs.h"

enum fault_kind {
    FAULT_OPENAT,
    FAULT_PREAD,
    FAULT_PWRITE,
    FAULT_FDATASYNC,
    FAULT_FSYNC,
    FAULT_FTRUNCATE,
    FAULT_RENAMEAT,
    FAULT_UNLINKAT,
    FAULT_CLOSE,
    FAULT_KINDS,
};

#define FAULT_BIT(kind) (1u << (kind))
#define FAULT_ALL       (FAULT_BIT(FAULT_KINDS) - 1)
/* Kinds that change the disk: what a crash test counts. */
#define FAULT_WRITES                                                                               \
    (FAULT_ALL & ~(FAULT_BIT(FAULT_OPENAT) | FAULT_BIT(FAULT_PREAD) | FAULT_BIT(FAULT_CLOSE)))

/* One recorded call. */
struct fault_op {
    enum fault_kind kind;
    int fd;           /* its fd; for openat, renameat and unlinkat the directory */
    char name[64];    /* openat, unlinkat: the name; renameat: the new name; cut if longer */
    uint64_t at;      /* pread, pwrite: the offset; ftruncate: the size */
    size_t n;         /* pread, pwrite: bytes asked for */
    int64_t result;   /* what the caller got */
    bool is_injected; /* the failure was ours */
};

struct fault_fs {
    struct fs fs;          /* first: give &ff.fs to the subject */
    struct fault_fs *self; /* the way back from the const struct fs */
    const struct fs *real; /* borrowed */

    unsigned kinds;      /* FAULT_BITs that count towards fail_at; FAULT_ALL at first */
    unsigned fail_at;    /* which counted call fails, from 1; 0 = none */
    int error;           /* positive errno it fails with */
    bool is_sticky;      /* every later call of any kind fails too: the process "died" there */
    size_t torn_bytes;   /* a failing pwrite writes this many of its bytes first */
    size_t max_transfer; /* pread and pwrite move at most this many bytes; 0 = no limit */

    unsigned counted; /* calls of `kinds` so far */
    bool has_fired;
    struct fault_op ops[4096]; /* the first calls, of all kinds */
    unsigned op_count;         /* all calls, also those beyond the array */
};

/* real is borrowed. No allocation; nothing to free. */
void fault_fs_init(struct fault_fs *ff, const struct fs *real);
/* Forgets what was counted and recorded; the settings below return to none. */
void fault_fs_reset(struct fault_fs *ff);

/* The n-th counted call from now fails with error (positive errno), once. 0 = never. */
void fault_fs_fail(struct fault_fs *ff, unsigned n, int error);
/* The same, and everything after it fails: what is on disk then is what a crash would leave. */
void fault_fs_crash(struct fault_fs *ff, unsigned n, size_t torn_bytes);

/* Calls of all kinds so far. */
unsigned fault_fs_calls(const struct fault_fs *ff);
/* Calls of one kind so far. */
unsigned fault_fs_calls_of(const struct fault_fs *ff, enum fault_kind kind);
/* The i-th recorded call, from 0; NULL beyond. */
const struct fault_op *fault_fs_op(const struct fault_fs *ff, unsigned i);
/* "openat", "pwrite" ... */
const char *fault_kind_name(enum fault_kind kind);

#endif
