#ifndef STORE_SPOOL_INTERNAL_H
#define STORE_SPOOL_INTERNAL_H

/* What spool.c (appending, dropping) and spool_index.c (which blocks there are) share. */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "store/segment.h"
#include "store/spool.h"

/* spool-NNNNNNNNNN.wsp */
extern const struct segment_kind spool_segments;

enum spool_state { SPOOL_WAITING, SPOOL_TAKEN, SPOOL_DONE };

/* One block. */
struct spool_entry {
    uint64_t sequence;
    uint64_t segment;
    uint64_t bytes;     /* of its documents */
    uint32_t documents; /* in it */
    uint32_t at;        /* of its frame in the segment */
    uint32_t size;      /* of its frame */
    uint32_t state;     /* enum spool_state */
};

/* One file. */
struct spool_segment {
    uint64_t number;
    uint64_t size;
    uint64_t live;   /* blocks in it that are not done */
    bool is_foreign; /* of a newer version */
};

/* Both arrays ascend: sequences rise with segments. */
struct spool_index {
    struct buf entries;  /* struct spool_entry */
    struct buf segments; /* struct spool_segment */
    size_t next;         /* no waiting entry before this one */
    uint64_t left;       /* waiting entries */
    uint64_t bytes;      /* of all segments */
};

void spool_index_init(struct spool_index *x);
void spool_index_clear(struct spool_index *x);

/* NULL beyond the last. */
struct spool_entry *spool_index_entry(const struct spool_index *x, size_t i);
struct spool_segment *spool_index_segment(const struct spool_index *x, size_t i);
/* NULL when there is none. */
struct spool_entry *spool_index_find(const struct spool_index *x, uint64_t sequence);
struct spool_segment *spool_index_find_segment(const struct spool_index *x, uint64_t number);

/* At the end; the segment is there. 0, -ENOBUFS, -ENOMEM: nothing is changed. */
int spool_index_add(struct spool_index *x, const struct spool_entry *e) MUST_CHECK;
int spool_index_add_segment(struct spool_index *x, const struct spool_segment *g) MUST_CHECK;
/* Moves an entry to another state. */
void spool_index_set(struct spool_index *x, struct spool_entry *e, enum spool_state state);
/* The oldest entry that waits, NULL when none does. */
struct spool_entry *spool_index_waiting(struct spool_index *x);
/* Forgets a segment and its entries, which are done or dropped. */
void spool_index_remove(struct spool_index *x, uint64_t number);

/* Reads the bytes of one segment into the index. *sequence: the highest so far, set. */
void spool_index_scan(struct spool_index *x, struct slice bytes, uint64_t number,
                      uint64_t *sequence, struct spool_found *found);

/* A payload without its block. False: it is none. */
bool spool_read_payload(struct slice payload, struct spool_count *ret_held, uint32_t *ret_length,
                        struct slice *ret_packed);

#endif
