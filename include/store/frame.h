#ifndef STORE_FRAME_H
#define STORE_FRAME_H

/*
 * The record format of everything wherry keeps on disk: registry logs and checkpoints, dead
 * letters, the spool. Little-endian, 8-byte aligned:
 *
 *     offset  size  field
 *     0       4     length   of the payload in bytes; 0 together with type 0 = END
 *     4       4     crc32c   over epoch (8), sequence (8), bytes 16 to 23, payload; 0 is stored as
 *                            all ones, so that 8 zero bytes are always END
 *     8       8     sequence
 *     16      1     type
 *     17      1     1 = the record opens an append (one write and one sync), else 0
 *     18      6     zero
 *     24      n     payload, padded with zeros to a multiple of 8
 *
 * A file begins with a header of 64 bytes: magic (8), version u32, kind u32, epoch u64, machine id
 * (16), created wall ns i64, zero (12), crc32c u32 over the first 60. `epoch` counts the lives of
 * a reused file: records of an earlier life do not verify.
 *
 * Reading treats every byte as hostile.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/slice.h"

#define FRAME_HEADER_BYTES 64
#define FRAME_RECORD_BYTES 24
#define FRAME_PAYLOAD_MAX  ((size_t)16 * 1024 * 1024)
#define FRAME_VERSION      1

/* One row per type that may stand on disk. Readers skip types they do not know, and keep them
 * when they rewrite a file. */
enum frame_type {
    FRAME_END = 0,
    FRAME_GEN = 1,     /* a generation was minted */
    FRAME_OFFSET = 2,  /* acknowledged offset with anchor and head */
    FRAME_SENT_TO = 3, /* bytes that may have left, with their day */
    FRAME_DONE = 4,    /* a generation was finished */
    FRAME_CLEAN = 5,   /* clean stop: boot id and time */
    FRAME_CURSOR = 6,  /* opaque position of a source that is not a file */
    FRAME_DEAD = 7,    /* one dead letter */
    FRAME_COUNT = 8,   /* in a checkpoint, last: u64 number of records before it, u64 sequence of
                        * the log record before the checkpoint, u32 crc32c over all bytes of the
                        * file before this record */
    FRAME_GONE = 9,    /* no payload: a dead letter was taken out; keeps its sequence in use */
    FRAME_SPOOL = 10,  /* a block of the spool (store/spool.h) */
    FRAME_SPOOL_DONE = 11, /* u64 sequence: that block of the spool is done with */
};

enum frame_kind {
    FRAME_KIND_LOG = 1,
    FRAME_KIND_CHECKPOINT = 2,
    FRAME_KIND_DEAD_LETTER = 3,
    FRAME_KIND_SPOOL = 4
};

struct frame_header {
    uint32_t version;
    uint32_t kind;
    uint64_t epoch;
    uint8_t machine_id[16]; /* zero: unknown */
    int64_t created_ns;
};

/* Writes FRAME_HEADER_BYTES to dst. */
void frame_header_write(uint8_t *dst, const struct frame_header *h);
/* 0; -ENODATA: all zero (never written); -EBADMSG: not a header or damaged; -EPROTONOSUPPORT: a
 * valid header of a newer version (*ret is set). */
int frame_header_read(struct slice bytes, struct frame_header *ret) MUST_CHECK;

struct frame {
    uint64_t sequence;
    uint8_t type;
    bool opens;           /* the first record of its append */
    struct slice payload; /* borrowed from the bytes read */
};

/* Bytes that a record with n bytes of payload takes. */
size_t frame_size(size_t n);

/* Appends one record. -ENOBUFS, -ENOMEM, -EMSGSIZE (payload over the limit), -EINVAL (type END). */
int frame_add(struct buf *out, uint64_t epoch, const struct frame *f) MUST_CHECK;
/* Appends the 8 zero bytes of an END mark; not counted as used space, the next append covers it. */
int frame_add_end(struct buf *out) MUST_CHECK;

/*
 * Reads the record at *at. 1 = *ret is set and *at moved behind it; 0 = END or end of bytes at a
 * record boundary; -EBADMSG = damaged or torn at *at.
 */
int frame_next(struct slice bytes, uint64_t epoch, size_t *at, struct frame *ret) MUST_CHECK;

/* Checksum work that a search through n bytes may do; forged lengths cannot make it more. */
#define FRAME_SEEK_BUDGET(n) ((uint64_t)(n)*4)

/*
 * After 0 or -EBADMSG at *at: moves *at to the next aligned place behind it where a whole valid
 * record of this epoch with a sequence above `after` stands. False when there is none, or when
 * *budget (bytes) was used up: it is 0 then.
 */
bool frame_seek(struct slice bytes, uint64_t epoch, uint64_t after, uint64_t *budget, size_t *at);

/* What stands behind the place where reading ended. */
enum frame_later {
    FRAME_LATER_NONE, /* no record of this epoch */
    FRAME_LATER_SAME, /* records of the append that ended there: its write was torn */
    FRAME_LATER_NEXT, /* records of a later append: what is missing had been synced */
};

/* After 0 or -EBADMSG at `at`; FRAME_LATER_NEXT also where the search would cost too much. */
enum frame_later frame_find_later(struct slice bytes, uint64_t epoch, size_t at, uint64_t after);

/* Little-endian fields for payloads. The getters return false when the slice is too short, and cut
 * what they read off its front. */
int frame_put_u8(struct buf *b, uint8_t v) MUST_CHECK;
int frame_put_u16(struct buf *b, uint16_t v) MUST_CHECK;
int frame_put_u32(struct buf *b, uint32_t v) MUST_CHECK;
int frame_put_u64(struct buf *b, uint64_t v) MUST_CHECK;
/* u32 length, then the bytes. */
int frame_put_bytes(struct buf *b, struct slice s) MUST_CHECK;
bool frame_get_u8(struct slice *s, uint8_t *ret) MUST_CHECK;
bool frame_get_u16(struct slice *s, uint16_t *ret) MUST_CHECK;
bool frame_get_u32(struct slice *s, uint32_t *ret) MUST_CHECK;
bool frame_get_u64(struct slice *s, uint64_t *ret) MUST_CHECK;
bool frame_get_bytes(struct slice *s, struct slice *ret) MUST_CHECK;

#endif
