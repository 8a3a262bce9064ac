#ifndef OS_FSPROBE_H
#define OS_FSPROBE_H

/*
 * The sizes of mounted filesystems, asked where it does not matter how long that takes: statfs(2)
 * on a dead network or FUSE mount, or on a path that leads through one, may never return. Where
 * there is such a mount, a helper process (this program again, with the
 * one argument FSPROBE_COMMAND) is asked for one mount at a time. A mount that does not answer
 * within 3 s hangs: its helper is left waiting, another one goes on with the other mounts, and the
 * hanging one is not asked again before its answer came. At most four helpers exist. While three of
 * them hang, no mount is asked that may hang, so that one is left for the disks; if that hangs,
 * too, it is killed and its mount is asked again after ten minutes. A helper without work ends
 * after a second, and with the process that started it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/list.h"
#include "base/log.h"
#include "base/slice.h"
#include "os/loop.h"

#define FSPROBE_COMMAND "statfs-helper"

struct fsprobe;

/* What statfs(2) and stat(2) say. */
struct fsprobe_answer {
    int64_t error;        /* 0, or the negative errno of statfs; -EAGAIN: hangs, was not asked;
                             -ETIMEDOUT: hangs from now on; -EIO: the helper is gone */
    uint64_t device;      /* st_dev of the mount point; 0 = stat failed */
    uint64_t block_bytes; /* unit of the next three */
    uint64_t blocks, free, available;
    uint64_t files, free_files; /* inodes */
};

struct fsprobe_item {
    uint64_t id;       /* tells a mount from an earlier one at the same place */
    bool may_hang;     /* a network or FUSE mount */
    struct slice path; /* mount point, without the prefix; borrowed until the answer is there */
    struct fsprobe_answer answer;
};

/* Mounts that are asked for together, in order. The caller's, until done was called. */
struct fsprobe_batch {
    struct fsprobe_item *items;
    size_t count;
    bool at_once;            /* nothing on this host may hang: no helper is needed */
    void (*done)(void *ctx); /* every answer is there */
    void *ctx;
    struct list link; /* the probe's, as next */
    size_t next;
};

struct fsprobe_opts {
    const char *prefix; /* before every path: "" or "/hostfs"; copied */
    /* What an operator should read: a mount hangs, answers again. May be NULL. */
    void (*message)(void *ctx, enum log_level level, const char *text);
    void *ctx;
    /* For tests of what needs answers: gives them at once, there are no helpers. Else NULL. */
    void (*answer)(struct slice path, struct fsprobe_answer *ret);
};

/* The loop may be NULL with opts.answer. No process is started yet. */
struct fsprobe *fsprobe_new(struct loop *loop, const struct fsprobe_opts *opts);
/* Kills the helpers; batches that are not done are forgotten. NULL is allowed. */
void fsprobe_free(struct fsprobe **p);

/* True: the answers are there, done is not called. False: done is called later, from the loop. */
bool fsprobe_ask(struct fsprobe *p, struct fsprobe_batch *batch) MUST_CHECK;

/* What a helper does: answers on file descriptor 0 until that is closed; returns the exit status.
 * ask: how, NULL for the kernel. */
int fsprobe_serve(void (*ask)(const char *path, struct fsprobe_answer *ret));

#endif
