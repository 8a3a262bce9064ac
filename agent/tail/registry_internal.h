#ifndef TAIL_REGISTRY_INTERNAL_H
#define TAIL_REGISTRY_INTERNAL_H

/*
 * What the files of the registry share.
 *
 *   registry.c         life cycle, replay
 *   registry_index.c   entries in their lists and maps
 *   registry_entry.c   what happens to one entry
 *   registry_extra.c   what only some entries need
 *   registry_write.c   the way to disk
 *   registry_copy.c    when the registry is a copy of another machine's
 *   registry_record.c  entries to records and back
 *   registry_describe.c  records in words
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/slab.h"
#include "base/table.h"
#include "registry_record.h"
#include "tail/registry.h"

#define REGISTRY_RECORDS_MAX  ((size_t)64 * 1024 * 1024)
#define REGISTRY_UNKNOWN_MAX  ((size_t)1024 * 1024)
#define REGISTRY_RETRY_MIN_MS 1000

struct registry {
    struct loop *loop;
    struct registry_hooks hooks;
    struct writer *writer;
    struct span_pool *spans;
    struct list entries;
    struct entry **dirty; /* owned; their offsets go with the next group commit */
    unsigned dirty_count, dirty_room;
    struct slab slab; /* of entries */
    struct slab extra_slab;
    struct list extras;         /* those that entries have */
    struct table by_generation; /* while records are replayed */
    bool replayed;
    struct table by_path;  /* all entries of a path */
    struct table by_inode; /* entries that are not done, one for each dev and ino */
    size_t count;
    struct buf pending; /* packed records of the next job */
    struct buf unknown; /* packed records of other versions: kept in every checkpoint */
    uint64_t ticket;    /* of the next job */
    uint64_t durable;
    unsigned jobs; /* under way */
    bool degraded;
    bool unsaved; /* something was put since the last copy */
    bool checkpointing;
    bool checkpoint_due;
    bool owed;    /* records found the log full: only the next checkpoint makes them durable */
    bool closing; /* the last write was handed over */
    int64_t retry_ms;
    char boot[REGISTRY_BOOT_CHARS + 1];      /* running now */
    char last_boot[REGISTRY_BOOT_CHARS + 1]; /* of the last record that names one */
    bool was_clean;                          /* the last record was a clean stop */
    bool unclean_boot;
    int64_t written_ns; /* wall time of the newest record that was replayed */
    int64_t boot_ns;    /* wall time when the running kernel began, 0 = unknown */
    bool other_machine; /* its files name another machine */
    bool elsewhere;     /* replayed from other files than those that are written */
    bool copied;        /* told, and not yet made good by a checkpoint */
    struct loop_timer *commit_timer;
    struct loop_timer *flush_timer;
    struct loop_timer *retry_timer;
    struct loop_timer *rest_timer;
};

/* ---- registry_index.c ---- */

void registry_index_init(struct registry *r);
/* Frees every entry and the maps. */
void registry_index_clear(struct registry *r);
/* A blank entry in all lists. */
struct entry *registry_add(struct registry *r, const struct generation *gen, struct slice path);
/* Generations are not looked up any more. */
void registry_index_end_replay(struct registry *r);
/* The entry of a generation, while records are replayed; NULL. */
struct entry *registry_find_generation(struct registry *r, const struct generation *gen);
/* Another generation for an entry. */
void registry_set_generation(struct entry *e, const struct generation *gen);
/* Into and out of the list for the next group commit. */
void registry_list_dirty(struct entry *e);
void registry_unlist_dirty(struct entry *e);
/* Its inode number leads to it from now on, in place of an older one. It is taken out before the
 * number changes. */
void registry_index_inode(struct entry *e);
void registry_unindex_inode(struct entry *e);
void registry_set_path(struct entry *e, struct slice path);

/* ---- registry_extra.c ---- */

/* To be changed; made if the entry has none of its own. */
struct entry_extra *registry_extra(struct entry *e);
/* The entry goes. */
void registry_drop_extra(struct entry *e);
/* Something was acknowledged: after a while what is needed no more is given back. */
void registry_rest_soon(struct registry *r);
void registry_on_rest(void *registry);

/* ---- registry_entry.c ---- */

extern const struct span_owner_ops registry_entry_ops;

/* ---- registry_copy.c ---- */

/* Why this counts as a copy of another machine's registry; NULL = it does not. */
const char *registry_copied(const struct registry *r);
/* New generations for all entries, at their offsets. */
void registry_begin_anew(struct registry *r);

/* ---- registry_write.c ---- */

/* Durable writing is not possible now: degraded, tried again later. */
void registry_fail(struct registry *r, const char *why);
/* One entry's record into the next job. */
void registry_put(struct entry *e, int (*record)(struct buf *, const struct entry *));
/* The state of one entry. */
int registry_put_whole(struct buf *records, const struct entry *e) MUST_CHECK;
/* Which boot writes this, and whether it has stopped. */
int registry_put_boot(struct registry *r, struct buf *records, bool stopped) MUST_CHECK;
/* Something must be durable before bytes leave: goes with the next round; returns its ticket. */
uint64_t registry_urgent(struct registry *r);
/* The entry's offset goes with the next group commit. */
void registry_set_dirty(struct entry *e);
/* What waits goes with the next group commit, which is set if none is. */
void registry_commit_later(struct registry *r);
/* The whole state as the first thing that is written: what has gathered is in it. */
void registry_checkpoint_alone(struct registry *r);
/* Sends what has gathered. */
void registry_flush(struct registry *r);
/* Timers: the group commit, the end of a round, another try. */
void registry_on_commit(void *registry);
void registry_on_flush(void *registry);
void registry_on_retry(void *registry);

#endif
