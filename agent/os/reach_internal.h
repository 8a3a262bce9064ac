#ifndef OS_REACH_INTERNAL_H
#define OS_REACH_INTERNAL_H

/*
 * What the parts of os/reach share.
 *
 *   reach.c        the calls: here, or by the helper of a mount
 *   reach_link.c   one helper: questions, patience, late answers
 *   reach_where.c  which mount a path leads to
 *   reach_serve.c  the helper's side
 *
 * A question is a datagram, struct reach_question up to the end of its path; so is the answer to
 * it. Names and contents come in shared memory, the helper's file descriptor 1.
 */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/fs.h"
#include "os/loop.h"
#include "os/reach.h"

/* one read of the tail fits in */
#define REACH_SHARED    ((size_t)320 * 1024)
#define REACH_CLOSE_MAX 512

enum reach_op {
    REACH_IDENTIFY, /* path, follow: identity, mode */
    REACH_OPEN,     /* path: the file, identity */
    REACH_STAT,     /* file: identity */
    REACH_READ,     /* file, at, count: bytes in shared memory */
    REACH_LIST,     /* path: names in shared memory; result 1 = there are more */
    REACH_LIST_ON,  /* the same directory goes on */
    REACH_PLACE,    /* path: the file, its name in shared memory */
    REACH_REOPEN,   /* file of a place: the file, identity */
    REACH_NAME,     /* file: its name in shared memory */
    REACH_SAYS,     /* path of a link: what it says in shared memory */
    REACH_CLOSE,    /* files, in place of the path; no answer */
};

struct reach_question {
    uint32_t op;  /* enum reach_op */
    int32_t file; /* the helper's file descriptor */
    uint64_t follow;
    uint64_t at, count;
    union {
        char path[PATH_MAX]; /* with its NUL */
        int32_t closing[REACH_CLOSE_MAX];
    } u;
};

struct reach_answer {
    int64_t result; /* what the call returns: negative errno, a file, bytes */
    uint64_t mode;
    struct fs_identity id;
};

/* One name in shared memory, followed by its bytes; length 0 ends the list. */
struct reach_entry {
    uint64_t ino;
    uint32_t length;
};

/* The helper of one mount. */
struct reach_mount {
    char *point;   /* owned; where it is */
    uint64_t id;   /* of the mount, as mountinfo numbers it */
    bool present;  /* in the table */
    bool busy;     /* asked, not answered */
    bool away;     /* told */
    bool refused;  /* a call other than a read in a hurry, since reach_begin */
    bool seen;     /* since it is known no call was refused between reach_begin and reach_end */
    bool owed;     /* a call was refused: back is due, */
    bool look;     /* and not only for reads in a hurry */
    bool answered; /* once, at least */
    bool kept;     /* a late read lies in shared memory */
    unsigned life; /* of the helper: files of an earlier one are gone */
    unsigned files;
    pid_t pid;
    int fd;       /* our end of the socket; -1 = there is no helper */
    char *shared; /* mapped */
    struct loop_io *io;
    struct loop_timer *timer; /* busy: away; else back */
    unsigned refusals;
    int64_t asked_ms;  /* real monotonic time */
    int64_t waited_ms; /* for the question under way */
    int64_t patience_ms;
    int64_t alone_until_ms;
    struct reach_question last; /* what was asked; its path is not kept */
    struct reach_answer answer;
    int32_t closing[REACH_CLOSE_MAX];
    size_t closing_count;
};

struct reach {
    struct loop *loop; /* NULL = not started */
    struct reach_hooks hooks;
    struct reach_mount **mounts; /* by slot; a slot may be NULL */
    bool hurry;
    unsigned away; /* mounts */
};

/* The one that there is. */
extern struct reach reach_now;

/* ---- reach_link.c ---- */
struct reach_mount *reach_mount_new(const char *point, uint64_t id);
/* Kills the helper. */
void reach_mount_free(struct reach_mount **m);
/* Asks and waits: 0 with m->answer set (whose result may be an error), or -EBUSY. */
int reach_ask(struct reach_mount *m, struct reach_question *q, const char *path) MUST_CHECK;
/* The helper's file is to be closed. */
void reach_drop(struct reach_mount *m, int32_t file);
/* Processes that were killed and have ended are forgotten. */
void reach_reap(void);

/* ---- reach_where.c ---- */
/* The slot of the mount that a path leads to; -1 = it lies here. */
int reach_where(const char *path, bool follow);
/* Forgets where links lead. */
void reach_where_forget(void);

#endif
