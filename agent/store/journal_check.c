/*
 * store/journal_check - one file of a journal, looked at by itself
 *
 * A checkpoint is judged by its COUNT, a log by what stands behind the last record that follows:
 * records of a later append prove damage, anything else is what a crash leaves of the last one.
 *
 * Nothing can fail: bytes are bytes.
 */
#include "store/journal_check.h"

#include <errno.h>

#include "base/crc32c.h"

/* see header */
bool journal_check_checkpoint(struct slice bytes, uint64_t epoch, uint64_t *ret_sequence)
{
    struct frame f = {.type = FRAME_END};
    uint64_t count = 0;
    size_t at = FRAME_HEADER_BYTES;
    size_t before = at;
    while (f.type != FRAME_COUNT) {
        before = at;
        if (frame_next(bytes, epoch, &at, &f) != 1 || f.sequence != ++count)
            return false;
    }
    uint64_t stored;
    uint32_t crc;
    return frame_get_u64(&f.payload, &stored) && frame_get_u64(&f.payload, ret_sequence) &&
           frame_get_u32(&f.payload, &crc) && stored == count - 1 &&
           crc == crc32c(0, bytes.ptr, before);
}

/* Visits the records that follow each other, COUNT left out. Returns what frame_next said at the
 * end; 1 = a good record that does not follow. */
static int visit(struct slice bytes, journal_check_fn fn, void *ctx, struct journal_check *c,
                 uint64_t *ret_sequence)
{
    size_t at = FRAME_HEADER_BYTES;
    struct frame f;
    int r;
    c->end = at;
    *ret_sequence = 0;
    while ((r = frame_next(bytes, c->header.epoch, &at, &f)) == 1) {
        bool is_first = c->records == 0 && c->header.kind == FRAME_KIND_LOG;
        if (!is_first && f.sequence != *ret_sequence + 1)
            return 1;
        *ret_sequence = f.sequence;
        if (f.type == FRAME_COUNT)
            return 0;
        fn(ctx, c->end, &f);
        c->records++;
        c->end = at;
    }
    return r;
}

/* how a log ends */
static enum journal_verdict judge_log(struct slice bytes, const struct journal_check *c,
                                      uint64_t sequence, int last)
{
    if (last == 1 ||
        frame_find_later(bytes, c->header.epoch, (size_t)c->end, sequence) == FRAME_LATER_NEXT)
        return JOURNAL_DAMAGED;
    bool is_torn =
        last < 0 || c->end >= bytes.len ||
        frame_find_later(bytes, c->header.epoch, (size_t)c->end, sequence) != FRAME_LATER_NONE;
    return is_torn ? JOURNAL_TORN : JOURNAL_GOOD;
}

/* see header */
void journal_check(struct slice bytes, journal_check_fn fn, void *ctx, struct journal_check *ret)
{
    uint64_t sequence;
    *ret = (struct journal_check){0};
    int r = bytes.len < FRAME_HEADER_BYTES
                ? -EBADMSG
                : frame_header_read(slice_sub(bytes, 0, FRAME_HEADER_BYTES), &ret->header);
    if (r < 0) {
        ret->verdict = r == -ENODATA           ? JOURNAL_UNUSED
                       : r == -EPROTONOSUPPORT ? JOURNAL_NEWER
                                               : JOURNAL_NO_HEADER;
        return;
    }
    if (ret->header.kind != FRAME_KIND_LOG && ret->header.kind != FRAME_KIND_CHECKPOINT) {
        ret->verdict = JOURNAL_OTHER_KIND;
        return;
    }
    int last = visit(bytes, fn, ctx, ret, &sequence);
    if (ret->header.kind == FRAME_KIND_LOG)
        ret->verdict = judge_log(bytes, ret, sequence, last);
    else if (journal_check_checkpoint(bytes, ret->header.epoch, &ret->base_sequence))
        ret->verdict = JOURNAL_GOOD;
    else
        ret->verdict = JOURNAL_TORN;
}
