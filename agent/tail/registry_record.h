#ifndef TAIL_REGISTRY_RECORD_H
#define TAIL_REGISTRY_RECORD_H

/*
 * The registry's record payloads, little-endian; read back as hostile bytes.
 *
 *     GEN      generation 9, dev u64, ino u64, birth i64, sent_to u64, sent_day u32,
 *              evidence, path (u32 length and bytes), framing u32, u8 1 = unsettled
 *     OFFSET   generation 9, evidence, older anchor (offset u64, hash u64), wall ns i64,
 *              absent since i64
 *     SENT_TO  generation 9, sent_to u64, sent_day u32, and where targets are dated from u64: bytes
 *              from there on were read on that day
 *     DONE     generation 9
 *     CLEAN    boot id (u32 length and bytes), wall ns i64, u8 1 = clean stop, 0 = start
 *     evidence = offset u64, anchor u64, head u64, head_bytes u16, flags u16, and with an OPEN flag
 *              ahead u32, other u32
 */
#include "base/buf.h"
#include "tail/registry.h"

/* Each appends one packed record (journal_pack). */
int record_put_gen(struct buf *records, const struct entry *e) MUST_CHECK;
int record_put_offset(struct buf *records, const struct entry *e) MUST_CHECK;
int record_put_sent_to(struct buf *records, const struct entry *e) MUST_CHECK;
/* SENT_TO records for all days that are kept. */
int record_put_days(struct buf *records, const struct entry *e) MUST_CHECK;
int record_put_done(struct buf *records, const struct entry *e) MUST_CHECK;
int record_put_clean(struct buf *records, const char *boot_id, int64_t wall_ns,
                     bool stopped) MUST_CHECK;

/* What a payload says; fields that its type does not have stay zero. path borrows. */
struct record {
    struct generation gen;
    uint64_t dev, ino;
    int64_t birth_ns;
    uint64_t sent_to;
    int32_t sent_day;
    bool has_from;
    uint64_t from;
    struct evidence evidence;
    struct anchor older;
    int64_t seen_ns;
    int64_t absent_ns;
    uint32_t framing;
    bool unsettled;
    struct slice path;
    struct slice boot_id;
    bool stopped;
};
/* -EBADMSG: too short or with an impossible value. */
int record_read(const struct frame *f, struct record *ret) MUST_CHECK;

#endif
