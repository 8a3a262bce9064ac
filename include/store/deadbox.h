#ifndef STORE_DEADBOX_H
#define STORE_DEADBOX_H

/*
 * Box of rejected documents: segment files `dead-NNNNNNNNNN.wdl` of frames in one directory,
 * bounded in bytes over all segments. A record is durable (fdatasync) before append returns 0. A
 * torn tail left by a crash is cut at opening; a damaged segment is kept as it is and a new one
 * begun. A segment is closed when it would pass DEADBOX_SEGMENT_BYTES; only one that holds a single
 * large letter is larger. Blocking; used from one thread at a time.
 *
 * Several processes may use one directory: whoever changes it holds flock(2) on the directory for
 * as long as that takes, so `wherry deadletter` works beside a running agent. Where the file system
 * has no such locks, appending works without and deadbox_remove refuses.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "os/fs.h"
#include "store/frame.h"

#define DEADBOX_SEGMENT_BYTES ((uint64_t)8 * 1024 * 1024)

struct deadbox;

/* Names a letter in its box; never used again for another one. */
struct dead_letter_id {
    uint64_t segment, sequence;
};

/* One rejected document. All slices borrowed. Stored as a FRAME_DEAD payload: u16 status, u64 wall
 * ms, u64 offset, then each slice up to the document with its u32 length in the order below; then,
 * unless they are false and empty, u8 plain_index and the pipeline. */
struct dead_letter {
    struct dead_letter_id at; /* set by deadbox_each, not packed */
    uint16_t status;          /* HTTP status of the item or of the request */
    int64_t wall_ms;          /* when it was rejected */
    uint64_t offset;          /* of the record's first byte in its source */
    struct slice type;        /* error.type: document_parsing_exception */
    struct slice reason;   /* error.reason as the server gave it (it may quote the document), cut */
    struct slice target;   /* data stream or index */
    struct slice id;       /* _id that was sent, "" = none */
    struct slice source;   /* path of the file, "" for metrics */
    struct slice document; /* the JSON document, without newline */
    bool plain_index;      /* the target is an index, not a data stream */
    struct slice pipeline; /* that it was sent through, "" = none */
};

int dead_letter_pack(struct buf *payload, const struct dead_letter *d) MUST_CHECK;
/* -EBADMSG when the payload is not one. Slices borrow from payload. */
int dead_letter_unpack(struct slice payload, struct dead_letter *ret) MUST_CHECK;

/* dir: borrowed fd. max_bytes: over all segments. Never fails because of what is on disk. */
int deadbox_open(const struct fs *fs, int dir, uint64_t max_bytes, int64_t now_ns,
                 struct deadbox **ret_box) MUST_CHECK;
void deadbox_free(struct deadbox **d);

/* From now on a full box removes its oldest segments to make room; segments are an eighth of
 * max_bytes then, if that is less. */
void deadbox_drop_oldest(struct deadbox *d);

/*
 * Appends packed records (journal_pack) durably. 0; -EDQUOT: they would pass max_bytes, nothing
 * was written (the caller keeps the documents and tries later); -EBUSY: another process holds the
 * box, nothing was written; -EINVAL: not packed records, nothing was written; other errno: nothing
 * is certain, the segment is never synced again, the next append begins a new one.
 */
int deadbox_append(struct deadbox *d, struct slice records) MUST_CHECK;
uint64_t deadbox_bytes(const struct deadbox *d);
/* Letters removed to make room since this was last asked. */
uint64_t deadbox_take_dropped(struct deadbox *d);

/* Visits every readable letter, oldest first, also those behind damage; a non-zero return of fn
 * ends the visit with it. Usable on a directory that another process appends to. 0 also where
 * segments are damaged or of a newer version; negative errno when one cannot be read. */
typedef int (*deadbox_fn)(void *ctx, const struct dead_letter *letter);
int deadbox_each(const struct fs *fs, int dir, deadbox_fn fn, void *ctx) MUST_CHECK;

/*
 * Takes out the letters for which gone() is true: segment after segment is replaced by one without
 * them, and removed when none is left. The original of a damaged segment is kept beside it as
 * NAME.damaged. *ret_removed counts them, after a failure too. -EBUSY: the box is held by another
 * process; -ENOLCK: the file system has no locks.
 */
typedef bool (*deadbox_gone_fn)(void *ctx, const struct dead_letter *letter);
int deadbox_remove(const struct fs *fs, int dir, deadbox_gone_fn gone, void *ctx,
                   uint64_t *ret_removed) MUST_CHECK;

#endif
