#ifndef TAIL_REGISTRY_H
#define TAIL_REGISTRY_H

/*
 * What is known of every generation: identity, acknowledged offset with its evidence, how far it
 * may have been sent. In memory here, durable through store/writer.h.
 *
 * An entry is one life of one file's content. Its spans, in source order, are the bytes that are
 * on their way; the acknowledged offset moves over the contiguous prefix of resolved ones.
 *
 * Tickets: a write that must be durable before bytes may leave returns a ticket; once
 * registry_durable() has reached it, it is. When no durable write is possible the registry goes on
 * in memory: tickets count as reached, health is degraded and a new file is tried with back-off.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "bulk/docid.h"
#include "bulk/span.h"
#include "os/fs.h"
#include "os/loop.h"
#include "store/frame.h"
#include "store/journal.h"
#include "store/writer.h"
#include "tail/sent_days.h"

/* Bytes that may be sent beyond what is known durable: one SENT_TO write for each. */
#define REGISTRY_SENT_STEP ((uint64_t)64 * 1024 * 1024)
/* The same where targets are dated: after a crash what lies below counts as sent on that day. */
#define REGISTRY_DATED_STEP ((uint64_t)4 * 1024 * 1024)
/* Age that the older of the two anchors has at least. */
#define REGISTRY_OLDER_MS 60000

/* A boot id is at most so long. */
#define REGISTRY_BOOT_CHARS 64

struct file;

/* An acknowledged place in the content: hash of the min(64, offset) bytes before offset. */
struct anchor {
    uint64_t offset;
    uint64_t hash;
};

/* A generation that was replaced after a collision. */
struct former {
    struct generation gen;
    uint64_t resend_to; /* of that time */
};

/* What an entry needs whose bytes are on their way or were until now, and what few have. */
struct entry_extra {
    struct list link; /* registry's */
    struct entry *entry;
    struct list spans;      /* in source order, not yet acknowledged */
    struct anchor middle;   /* becomes `older` when it is old enough */
    int64_t middle_ms;      /* monotonic time when `middle` was acknowledged */
    int64_t absent_ns;      /* wall time when it was looked for in vain first; 0 = it is there */
    uint64_t sent_ticket;   /* of the latest write that its bytes must wait for; 0 = it is over */
    struct former *former;  /* owned; NULL = its generation was never replaced */
    struct sent_days *days; /* owned; NULL = no target of it is dated */
    unsigned holds;         /* undecided copies that may go on with it: not forgotten meanwhile */
};

/* There may be many. */
struct entry {
    struct span_owner owner;         /* first: spans lead back to their entry */
    struct list link;                /* registry's entries, oldest first */
    const struct entry_extra *extra; /* never NULL; owned, or entry_extra_none */
    struct registry *registry;
    char *path;        /* owned; where the file was seen last */
    struct file *file; /* borrowed: who reads it now, NULL = nobody */
    uint64_t dev, ino;
    int64_t birth_ns;
    struct evidence acked; /* acknowledged offset */
    struct anchor older;   /* acknowledged at least REGISTRY_OLDER_MS ago; offset 0 at first */
    int64_t seen_ns;       /* wall time when its content was known last to be in its file */
    uint64_t sent_to;      /* durable, or under way with sent_ticket */
    uint64_t resend_to;    /* bytes below it may have been sent by an earlier life */
    uint32_t framing;      /* hash of the options that cut its records; 0 = not known */
    int32_t sent_day;      /* days since 1970 when the bytes of the latest step were read */
    /* place in the registry's list for the next group commit, from 1; 0 = in none */
    unsigned dirty;
    struct generation gen;
    uint8_t looked;     /* the tail's last look at what nobody reads */
    bool loaded : 1;    /* came from disk and has not been matched to a file yet */
    bool indexed : 1;   /* is what its inode number leads to */
    bool done : 1;      /* will never be read again; forgotten when its spans are resolved */
    bool unsettled : 1; /* what was rotated away before it is still looked for */
    bool ended : 1;     /* at its end, or its file is gone: kept while a sibling holds it */
};

/* Nothing is on its way and nothing else is to be known. */
extern const struct entry_extra entry_extra_none;

struct registry;

struct registry_hooks {
    /* Tickets up to registry_durable() were reached. */
    void (*durable)(void *ctx);
    /* degraded: no durable write is possible now; why is one line, NULL when well again. */
    void (*health)(void *ctx, const char *why);
    /* A copy (registry_save) was written: 0, or not: negative errno. May be NULL. */
    void (*saved)(void *ctx, int result);
    void *ctx;
};

/* Records replayed by journal_open go to registry_replay (ctx = the registry); then
 * registry_start begins to write. spans: the pool that the feed's batches use. boot_id: of the
 * running kernel, "" = unknown; copied. */
struct registry *registry_new(struct loop *loop, const struct registry_hooks *hooks);
void registry_replay(void *registry, const struct frame *f);
void registry_start(struct registry *r, struct writer *writer, struct span_pool *spans,
                    const char *boot_id);
/* Between replay and start, for who looks into a registry or changes it while no agent runs:
 * registry_forget takes an entry out and frees it; registry_pack appends the whole state as it was
 * replayed, to be written as a checkpoint. */
void registry_forget(struct entry *e);
int registry_pack(const struct registry *r, struct buf *records) MUST_CHECK;
/* When nothing resolves spans any more: gives back those that are resolved behind one that is not.
 * The others are the batches': the feed is freed next, then the registry. */
void registry_release(struct registry *r);
void registry_free(struct registry **r);

/* Before registry_start: where the registry comes from. other_machine: its files name a machine
 * that is not this one; boot_ns: wall time when the running kernel began, 0 = unknown. In a copy of
 * another machine's registry every file goes on at its offset under a new generation; health tells
 * it until that is durable. */
void registry_set_origin(struct registry *r, bool other_machine, int64_t boot_ns);

/* Before registry_start: what was replayed stands in other files than those that are written. It
 * is written whole before anything counts as durable. */
void registry_set_elsewhere(struct registry *r);

/* Whether the host went down since the registry was written, without a clean stop of ours. Known
 * from registry_start on. */
bool registry_is_unclean_boot(const struct registry *r);
/* Entries known. */
size_t registry_count(const struct registry *r);
/* Visits entries: start with NULL. */
struct entry *registry_next(struct registry *r, struct entry *after);
/* Visits the entries whose path it is, in no order: start with NULL. */
struct entry *registry_next_at(struct registry *r, const char *path, struct entry *after);

/* The newest entry with this inode number that is not done; the same device is preferred. NULL. */
struct entry *registry_find_inode(struct registry *r, uint64_t dev, uint64_t ino);

/* A new generation of the identified file that starts at start->offset. Written at once; its
 * ticket is in extra->sent_ticket. path is copied. */
struct entry *registry_mint(struct registry *r, const struct fs_identity *id, const char *path,
                            const struct evidence *start, bool unsettled);
/* Whether what was rotated away before it is still looked for. */
void registry_set_unsettled(struct entry *e, bool unsettled);

/* The options that cut its records, as a hash; of a new entry, so that nothing is written later. */
void registry_set_framing(struct entry *e, uint32_t framing);

/* Its content is in its file now: what was written there before cannot be another one. Goes to disk
 * with the next offset. */
void registry_seen(struct entry *e);
/* No file has its inode any more. */
void registry_lost(struct entry *e);
/* It was looked for in vain since (wall time); 0 = it is there. */
void registry_set_absent(struct entry *e, int64_t since_ns);

/* The entry's identity or path changed: written with the next group commit. */
void registry_moved(struct entry *e, const struct fs_identity *id, const char *path);

/* Makes the first head of a generation durable, for entries minted when their file was empty. */
void registry_head(struct entry *e, const struct evidence *first);

/* Bytes up to `to` are about to be sent: extends sent_to by whole steps when needed. Returns the
 * ticket that a batch with these bytes must wait for. */
uint64_t registry_sending(struct entry *e, uint64_t to);

/* The day that stands in a dated name for the byte at offset, which is about to be read: today, or
 * the one on which an earlier life may have sent it. Holds up to *ret_until. */
int32_t registry_day(struct entry *e, uint64_t offset, uint64_t *ret_until);

/* Puts a new span at the end of the entry's list. */
void registry_span_added(struct entry *e, struct span *s);

/* A copy may turn out to be this generation: keeps it from being forgotten. */
void registry_hold(struct entry *e);
void registry_unhold(struct entry *e);

/* Nobody reads it any more and the content is at its end: forgotten once nothing is open. */
void registry_finish(struct entry *e);

/* Highest ticket that is durable (or counts as such). */
uint64_t registry_durable(const struct registry *r);
/* Entries whose spans are all resolved and written: nothing is under way. */
bool registry_is_idle(const struct registry *r);

/* Writes the whole state to the store thread's other journal, if it has changed since. Behind
 * registry_close it holds the clean stop. */
void registry_save(struct registry *r);
/* Writes what is dirty now. */
void registry_commit(struct registry *r);
/* The last write of a clean stop: everything dirty and a CLEAN record. */
void registry_close(struct registry *r);

#endif
