#ifndef OS_REACH_H
#define OS_REACH_H

/*
 * Outside files, also on mounts that may stop answering (network, FUSE: mounts.h says which). What
 * lies on such a mount is touched by a helper process of the mount's own (this program again, with
 * the one argument REACH_COMMAND), which holds the open files; everything else is touched here, as
 * by os/fs.h.
 *
 * A call waits for a helper as long as the mount's patience: REACH_PATIENCE_MS, up to
 * REACH_PATIENCE_MAX_MS where answers came later than that, REACH_HURRY_MS for reads in a hurry.
 * Then it returns -EBUSY, as do all further calls for the mount, at once, until the helper has
 * answered; so a dead mount holds its caller up once. After a late answer the mount is left alone
 * for ten times as long as was waited. A late read is kept for whoever asks for the same.
 *
 * Before reach_start, and after reach_stop, everything is touched here. One thread only.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/def.h"
#include "base/log.h"
#include "os/fs.h"
#include "os/loop.h"
#include "os/mounts.h"

#define REACH_COMMAND         "mount-helper"
#define REACH_PATIENCE_MS     250
#define REACH_PATIENCE_MAX_MS 2000
#define REACH_HURRY_MS        5
#define REACH_AWAY_MS         3000 /* without an answer: the operator is told */

struct reach_hooks {
    /* What an operator should read: a mount does not answer, answers again. */
    void (*message)(void *ctx, enum log_level level, const char *text);
    /* One line while a mount does not answer; NULL = all do. */
    void (*health)(void *ctx, const char *why);
    /* A mount has stopped answering. */
    void (*away)(void *ctx, const char *point);
    /* Calls that were refused are worth trying again; look: not only reads in a hurry. */
    void (*back)(void *ctx, bool look);
    void *ctx;
};

/* hooks are copied. No process is started yet. */
void reach_start(struct loop *loop, const struct reach_hooks *hooks);
/* Ends all helpers; those that cannot be killed are left to the kernel. */
void reach_stop(void);

/* The table of mounts as it is now; what is known of links that lead to mounts is forgotten.
 * Helpers of mounts that are gone end when they hold no file. */
void reach_refresh(const struct mounts *m);

/* Whether a path leads to a mount that has a helper. */
bool reach_is_far(const char *path);
/* Around a scan: whether a call for the mount of a path was refused since it began; whether a
 * whole scan has seen the mount ever (true for what is touched here). */
void reach_begin(void);
void reach_end(void);
bool reach_was_refused(const char *path);
bool reach_was_seen(const char *path);
/* Calls for the mount of a path that were refused so far: what was decided while it grew may be
 * wrong. */
unsigned reach_refusals(const char *path);
/* Reads wait only REACH_HURRY_MS from now on, or as usual. */
void reach_hurry(bool hurry);

/* As fs_identify_path and fs_open_regular with AT_FDCWD. An fd of a far file means something only
 * here. */
int reach_identify_path(const char *path, bool follow, struct fs_identity *ret_id,
                        mode_t *ret_mode) MUST_CHECK;
int reach_open(const char *path, struct fs_identity *ret_id) MUST_CHECK;
/* As fs_identify, fs_read_at, close(2). -ESTALE: the helper that held the file is gone. */
int reach_identify(int fd, struct fs_identity *ret_id) MUST_CHECK;
ssize_t reach_read_at(int fd, void *p, size_t n, uint64_t at) MUST_CHECK;
void reach_close(int fd);

/* Each name in a directory but . and .., in no order. */
typedef void (*reach_name_fn)(void *ctx, const char *name, uint64_t ino);
int reach_list(const char *path, reach_name_fn fn, void *ctx);

/* What a path leads to, all links followed, opened without effect on it (O_PATH); ret_real (of
 * PATH_MAX bytes) is where that is, as the kernel says. */
int reach_place(const char *path, char *ret_real) MUST_CHECK;
/* Opens the regular file at a place for reading. */
int reach_open_place(int place, struct fs_identity *ret_id) MUST_CHECK;
/* Where an open file is now, as the kernel says (of PATH_MAX bytes). */
int reach_name(int fd, char *ret_path) MUST_CHECK;
/* What a link says (of PATH_MAX bytes). */
int reach_link(const char *path, char *ret_says) MUST_CHECK;

/* What a helper does: works on file descriptor 0 until that is closed; returns the exit status.
 * before: is called before each operation on a path (NULL where it has none), for tests; or NULL */
int reach_serve(void (*before)(const char *path));

#endif
