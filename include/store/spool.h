#ifndef STORE_SPOOL_H
#define STORE_SPOOL_H

/*
 * Blocks of bytes that wait on disk, oldest first: segment files `spool-NNNNNNNNNN.wsp` of frames
 * (store/frame.h) in one directory, bounded in bytes over all segments. What a block means is the
 * caller's; it says how many documents it holds and how many bytes of them, so that what is dropped
 * can be counted. Blocks are compressed.
 *
 * A block is durable (fdatasync) when append returns 0. It is `taken` by one reader, and `done`
 * when it need not be read again by a later life; that mark is written without a sync, since a
 * block that is read twice does no harm. A segment is removed when all its blocks are done. A full
 * spool removes its oldest segment.
 *
 * FRAME_SPOOL payload: u32 documents, u64 bytes of them, u32 length of the block, then the block as
 * one Zstandard frame. Blocking; used from one thread at a time. Memory: 48 bytes for each block.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "os/fs.h"

/* The largest block. */
#define SPOOL_BLOCK_MAX ((size_t)1024 * 1024)

struct spool;

struct spool_count {
    uint64_t bytes; /* of documents */
    uint64_t documents;
};

struct spool_opts {
    const struct fs *fs; /* borrowed */
    int dir;             /* borrowed fd */
    uint64_t max_bytes;
    int64_t now_ns; /* wall time */
};

/* What an earlier life has left. */
struct spool_found {
    struct spool_count held; /* readable, not done */
    unsigned blocks;         /* of those */
    unsigned torn;           /* segments that end within a block */
    unsigned damaged;        /* segments with damage elsewhere: what it held is lost */
    unsigned newer;          /* segments of a newer version: left alone */
};

/* Opens what is there. Never fails because of what is on disk; what cannot be read is counted, and
 * writing starts with a new segment. */
struct spool *spool_open(const struct spool_opts *opts, struct spool_found *ret_found);
void spool_free(struct spool **s);

/* Appends a block (at most SPOOL_BLOCK_MAX) as the newest; taken: nobody else shall take it. Drops
 * the oldest segments where it would pass the limit. 0; -EDQUOT: larger than the whole spool;
 * -EMSGSIZE; other errno: it is not certain to be there, the next append begins a new segment. */
int spool_append(struct spool *s, struct slice block, const struct spool_count *held, bool taken,
                 uint64_t *ret_sequence) MUST_CHECK;

/* Takes the oldest block that is not taken: replaces the content of *block. 1; 0: none is left;
 * -ENOMEM: it stays. Blocks that cannot be read any more are dropped on the way. */
int spool_take(struct spool *s, struct buf *block, uint64_t *ret_sequence) MUST_CHECK;

/* A block is not needed any more. */
void spool_done(struct spool *s, uint64_t sequence);

/* Blocks that nobody has taken. */
uint64_t spool_left(const struct spool *s);
/* Bytes of all segments. */
uint64_t spool_bytes(const struct spool *s);
/* What was dropped since this was last asked, but for what was taken. */
struct spool_count spool_take_dropped(struct spool *s);
/* Blocks up to this sequence are not on disk any more; 0 = none. */
uint64_t spool_gone(const struct spool *s);

#endif
