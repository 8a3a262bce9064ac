#ifndef TAIL_TAIL_H
#define TAIL_TAIL_H

/*
 * The file input: finds files by their patterns, follows them, gives their lines to the feed and
 * their acknowledgements to the registry. Everything runs in the loop's thread.
 *
 * Backpressure: when the feed has no free batch nothing is read; the files wait. Discovery goes on.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "bulk/encode.h"
#include "bulk/feed.h"
#include "bulk/ledger.h"
#include "bulk/target.h"
#include "os/charset.h"
#include "tail/format.h"
#include "tail/registry.h"

struct tail;

struct tail_input {
    const char *id;
    char *const *paths; /* patterns */
    size_t path_count;
    char *const *excludes;
    size_t exclude_count;
    const char *olddir; /* where rotated files are, too; "" or NULL = beside only */
    struct encode_input encode;
    const struct target *index; /* its dated name takes the place of encode.target; or NULL */
    enum charset_id charset;    /* of the files */
    bool charset_by_mark;       /* UTF-16, the byte order mark decides */
    enum tail_format format;
    size_t partial_max_bytes; /* text of a record in several lines */
    int64_t partial_timeout_ms;
    size_t max_bytes;
    int64_t line_flush_ms; /* 0 = an unfinished line waits for its end */
    bool start_at_end;
    bool symlinks; /* links to files are followed, below these roots */
    char *const *symlink_roots;
    size_t symlink_root_count;
    bool unpack;                /* compressed files are new data too */
    int64_t ignore_older_ms;    /* 0 = off */
    uint64_t deleted_max_bytes; /* deleted files not fully sent: in sum per file system */
    int64_t deleted_max_age_ms;
    struct ledger *ledger; /* borrowed; written by the tail */
};

struct tail_opts {
    const struct tail_input *inputs; /* borrowed, as all they point at */
    size_t input_count;
    const struct encode_agent *agent;
    bool once;         /* sizes fixed at first sight; the end of the file ends the last line */
    bool unclean_boot; /* the host went down since: another boot id and no clean stop */
};

struct tail_hooks {
    void (*message)(void *ctx, enum log_level level, const char *text);
    /* Watching is degraded (overflow of limits, polling instead): one line, NULL = well again. */
    void (*health)(void *ctx, const char *why);
    /* A mount does not answer: one line, NULL = all do. */
    void (*mounts)(void *ctx, const char *why);
    /* once: every file is at its end and everything was given to the feed. */
    void (*finished)(void *ctx);
    void *ctx;
};

/* NULL with e filled when a pattern is wrong. feed and registry are borrowed. */
struct tail *tail_new(struct loop *loop, const struct tail_opts *opts,
                      const struct tail_hooks *hooks, struct feed *feed, struct registry *registry,
                      struct err *e);
void tail_free(struct tail **t);

/* The largest single item that this tail gives to a feed, for its slack. */
size_t tail_slack(const struct tail_input *inputs, size_t count);

/* First scan; reading begins with the next round. */
void tail_start(struct tail *t);
/* Other inputs, borrowed from then on instead of those before, once it has returned 0: files that
 * one of them matches go on where they are, the others are not read any more, new ones are found.
 * Their max_bytes must fit the feed's slack. -EINVAL with e filled, nothing is changed: a pattern
 * is wrong. */
int tail_reload(struct tail *t, const struct tail_input *inputs, size_t count,
                struct err *e) MUST_CHECK;
/* The feed has a free batch again. */
void tail_resume(struct tail *t);
/* Reads and discovers no more. */
void tail_stop(struct tail *t);

/* Files followed now, and directories watched. */
unsigned tail_file_count(const struct tail *t);
unsigned tail_dir_count(const struct tail *t);

#endif
