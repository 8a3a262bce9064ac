#ifndef STORE_DEADBOX_INTERNAL_H
#define STORE_DEADBOX_INTERNAL_H

/* Segments on disk, as deadbox.c (appending), deadbox_segment.c (reading) and deadbox_remove.c
 * (taking out) know them. */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "os/fs.h"
#include "store/deadbox.h"
#include "store/segment.h"

/* The largest segment: filled to the limit, or one letter of any size. */
#define DEADBOX_SEGMENT_READ_MAX ((size_t)DEADBOX_SEGMENT_BYTES + FRAME_PAYLOAD_MAX + 4096)

/* dead-NNNNNNNNNN.wdl */
extern const struct segment_kind deadbox_segments;

/* How a segment ends. */
struct deadbox_end {
    size_t at;         /* behind the last record before the end or the first damage */
    uint64_t sequence; /* of that record */
    bool is_damaged;   /* something readable stands behind the damage, or the header is bad */
};

/* letter: NULL where the record is none. */
typedef int (*deadbox_frame_fn)(void *ctx, const struct frame *f, const struct dead_letter *letter);

/*
 * Goes through the bytes of a segment and hands every readable record to fn (may be NULL), also
 * behind damage. Returns what fn returned if not 0; -EPROTONOSUPPORT: of a newer version.
 */
int deadbox_segment_scan(struct slice bytes, uint64_t number, deadbox_frame_fn fn, void *ctx,
                         struct deadbox_end *ret_end) MUST_CHECK;

/* How long a change waits for another process's. */
#define DEADBOX_LOCK_MS 500

/* 0; -EBUSY; -ENOLCK: the file system has no such locks. */
int deadbox_lock(int dir, int64_t wait_ms) MUST_CHECK;
void deadbox_unlock(int dir);

#endif
