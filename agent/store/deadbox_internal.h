#ifndef STORE_DEADBOX_INTERNAL_H
#define STORE_DEADBOX_INTERNAL_H

/* Segments on disk, as deadbox.c (appending), deadbox_segment.c (reading) and deadbox_remove.c
 * (taking out) know them. */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "os/fs.h"
#include "store/deadbox.h"

#define DEADBOX_NAME_BYTES 24 /* dead-NNNNNNNNNN.wdl and NUL */
#define DEADBOX_NUMBER_MAX UINT64_C(9999999999)
/* The largest segment: filled to the limit, or one letter of any size. */
#define DEADBOX_SEGMENT_READ_MAX ((size_t)DEADBOX_SEGMENT_BYTES + FRAME_PAYLOAD_MAX + 4096)

/* Writes DEADBOX_NAME_BYTES to dst. */
void deadbox_segment_name(char *dst, uint64_t number);
/* Closes *fd if it is one, sets it to -1. */
void deadbox_segment_close(const struct fs *fs, int *fd);

struct deadbox_list {
    struct buf bytes_of_numbers;
    uint64_t *numbers; /* ascending; in the buffer */
    size_t count;
    uint64_t bytes; /* sizes, in sum */
};

/* Lists the segments of a directory. Clear the list after a failure as well. */
int deadbox_list_segments(int dir, struct deadbox_list *ret_list) MUST_CHECK;
void deadbox_list_clear(struct deadbox_list *list);

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
