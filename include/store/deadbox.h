#ifndef STORE_DEADBOX_H
#define STORE_DEADBOX_H

/*
 * Append-only box of rejected documents: segment files `dead-NNNNNNNNNN.wdl` of frames in one
 * directory, bounded in bytes over all segments. A record is durable (fdatasync) before append
 * returns 0. A torn tail left by a crash is cut at opening; a damaged segment is kept as it is and
 * a new one begun. A segment is closed when it would pass DEADBOX_SEGMENT_BYTES; only one that
 * holds a single large letter is larger. Blocking; used from one thread at a time.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "os/fs.h"
#include "store/frame.h"

#define DEADBOX_SEGMENT_BYTES ((uint64_t)8 * 1024 * 1024)

struct deadbox;

/* One rejected document. All slices borrowed. Stored as a FRAME_DEAD payload: u16 status, u64 wall
 * ms, u64 offset, then each slice with its u32 length in the order below. */
struct dead_letter {
    uint16_t status;       /* HTTP status of the item or of the request */
    int64_t wall_ms;       /* when it was rejected */
    uint64_t offset;       /* of the record's first byte in its source */
    struct slice type;     /* error.type: document_parsing_exception */
    struct slice reason;   /* error.reason as the server gave it (it may quote the document), cut */
    struct slice target;   /* data stream or index */
    struct slice id;       /* _id that was sent, "" = none */
    struct slice source;   /* path of the file, "" for metrics */
    struct slice document; /* the JSON document, without newline */
};

int dead_letter_pack(struct buf *payload, const struct dead_letter *d) MUST_CHECK;
/* -EBADMSG when the payload is not one. Slices borrow from payload. */
int dead_letter_unpack(struct slice payload, struct dead_letter *ret) MUST_CHECK;

/* dir: borrowed fd. max_bytes: over all segments. Never fails because of what is on disk. */
int deadbox_open(const struct fs *fs, int dir, uint64_t max_bytes, int64_t now_ns,
                 struct deadbox **ret_box) MUST_CHECK;
void deadbox_free(struct deadbox **d);

/*
 * Appends packed records (journal_pack) durably. 0; -EDQUOT: they would pass max_bytes, nothing
 * was written (the caller keeps the documents and tries later); -EINVAL: not packed records,
 * nothing was written; other errno: nothing is certain, the segment is never synced again, the
 * next append begins a new one.
 */
int deadbox_append(struct deadbox *d, struct slice records) MUST_CHECK;
uint64_t deadbox_bytes(const struct deadbox *d);

/* Visits every readable letter, oldest first, also those behind damage; a non-zero return of fn
 * ends the visit with it. Usable on a directory that another process appends to. 0 also where
 * segments are damaged or of a newer version; negative errno when one cannot be read. */
typedef int (*deadbox_fn)(void *ctx, const struct dead_letter *letter);
int deadbox_each(const struct fs *fs, int dir, deadbox_fn fn, void *ctx) MUST_CHECK;

#endif
