#ifndef OS_PROCFS_H
#define OS_PROCFS_H

/*
 * Rooted reader of /proc and /sys. Paths are given without the root ("stat", "net/dev"); the roots
 * are option path.hostfs, HOST_PROC and HOST_SYS, so a container reads its host's files and a test
 * reads a captured tree. Each read goes into one reused buffer.
 *
 * /proc/net is the network namespace of who reads it. Where /proc is another's, "net/..." is read
 * as "1/net/...": the host's.
 */
#include <stdbool.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/slice.h"

enum procfs_root { PROCFS_PROC, PROCFS_SYS, PROCFS_ETC };

struct procfs;

/* hostfs: "" or "/hostfs" -> /hostfs/proc, /hostfs/sys, /hostfs/etc; proc and sys (may be NULL)
 * override. All are copied. max: the largest file read, in bytes. */
struct procfs *procfs_new(const char *hostfs, const char *proc, const char *sys, size_t max);
void procfs_free(struct procfs **p);

/* Reads the whole file; *ret_text is borrowed until the next read. 0, -EFBIG beyond the limit,
 * or the errno of open and read (-ENOENT, -EACCES, -EIO, -ENODATA, -EAGAIN). */
int procfs_read(struct procfs *p, enum procfs_root root, const char *path,
                struct slice *ret_text) MUST_CHECK;

/* The same with one read(2), at most PROCFS_ONCE_BYTES: for the many files that hold one short
 * line.
 */
#define PROCFS_ONCE_BYTES 4096
int procfs_read_once(struct procfs *p, enum procfs_root root, const char *path,
                     struct slice *ret_text) MUST_CHECK;

/* Calls each with every name of a directory but "." and ".."; each may read. It ends early when
 * each returns false. 0, or the errno of opening the directory. */
int procfs_list(struct procfs *p, enum procfs_root root, const char *path,
                bool (*each)(void *ctx, const char *name), void *ctx) MUST_CHECK;

/* The path that procfs_read opens, returned to caller. */
char *procfs_path(const struct procfs *p, enum procfs_root root, const char *path) MUST_CHECK;

#endif
