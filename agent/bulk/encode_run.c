/*
 * bulk/encode_run - many lines to many items
 *
 * Nearly all lines are whole, short and raw, and follow one another in one file. Of their items
 * only offset and text differ, so everything else is put together once for a run, and each item is
 * five copies. The first line that is anything else ends the run: encode_line takes it.
 *
 * An item's bytes are those that encode_line would write.
 */
#include <string.h>

#include "base/escape.h"
#include "base/num.h"
#include "bulk/encode_internal.h"

#define HEAD_ROOM   64   /* copied whole, whatever its length */
#define MIDDLE_ROOM 1024 /* of longer paths each line is encoded alone */
#define LOW_DIGITS  8    /* of the offset, which differ; the others are in the head */
#define LOW_BITS    32

/* What all items of a run share. */
struct frame {
    char head[HEAD_ROOM]; /* action line up to the offset's lower half */
    size_t head_bytes;
    char middle[MIDDLE_ROOM]; /* from there to the text, or to the offset */
    size_t middle_bytes;
    struct slice to_text; /* from the offset to the text */
    size_t action_bytes;
    bool has_id, has_offset;
};

/* appends a slice */
static void add(char *dst, size_t *len, struct slice s)
{
    memcpy(dst + *len, s.ptr, s.len);
    *len += s.len;
}

/* Puts the frame together; false when it does not fit. */
static bool make_frame(struct frame *fr, const struct encode_file *f, const struct encode_run *run)
{
    char high[DOCID_OFFSET_DIGITS - LOW_DIGITS];
    fr->has_id = !f->auto_ids;
    fr->has_offset = (f->parts & PART_OFFSET) != 0;
    fr->head_bytes = fr->middle_bytes = 0;
    if (f->action.len + sizeof(high) > HEAD_ROOM ||
        f->before_flags.len + f->before_text.len + run->time.len + 64 > MIDDLE_ROOM)
        return false;
    add(fr->head, &fr->head_bytes, f->action);
    fr->action_bytes = fr->head_bytes;
    if (fr->has_id) {
        num_write_hex(high, run->offset >> LOW_BITS, sizeof(high));
        add(fr->head, &fr->head_bytes, slice_of(high, sizeof(high)));
        add(fr->middle, &fr->middle_bytes, SLICE_LIT(ENCODE_ACTION_END));
        fr->action_bytes = fr->head_bytes + LOW_DIGITS + fr->middle_bytes;
    }
    add(fr->middle, &fr->middle_bytes, SLICE_LIT(ENCODE_TIME));
    add(fr->middle, &fr->middle_bytes, run->time);
    add(fr->middle, &fr->middle_bytes, f->before_flags);
    add(fr->middle, &fr->middle_bytes, fr->has_offset ? SLICE_LIT(ENCODE_OFFSET) : f->before_text);
    fr->to_text = f->before_text;
    return true;
}

/* one item; its end */
static char *put_item(char *p, const struct frame *fr, const struct encode_file *f, uint64_t offset,
                      struct slice text, uint64_t *bad)
{
    memcpy(p, fr->head, HEAD_ROOM);
    p += fr->head_bytes;
    if (fr->has_id) {
        num_write_hex8(p, (uint32_t)offset);
        p += LOW_DIGITS;
    }
    memcpy(p, fr->middle, fr->middle_bytes);
    p += fr->middle_bytes;
    if (fr->has_offset) {
        p += num_write_u64(p, offset);
        memcpy(p, fr->to_text.ptr, fr->to_text.len);
        p += fr->to_text.len;
    }
    p += escape_json(p, text.ptr, text.len, bad);
    memcpy(p, f->after_text.ptr, f->after_text.len);
    return p + f->after_text.len;
}

/* see header */
size_t encode_run(struct batch *b, const struct encode_file *f, const struct encode_run *run,
                  uint16_t span, uint64_t *bad)
{
    struct frame fr;
    size_t taken = 0, body = b->body_bytes;
    uint32_t count = 0;
    if (b->span_count == b->span_cap || !make_frame(&fr, f, run))
        return 0;
    const size_t constant_likely = encode_likely(f, 0), constant_worst = encode_worst(f, 0);
    while (b->item_count + count < b->item_cap) {
        const char *line = run->bytes.ptr + taken;
        const char *end = memchr(line, '\n', run->bytes.len - taken);
        const uint64_t offset = run->offset + taken;
        if (end == NULL)
            break;
        struct slice text = slice_of(line, (size_t)(end - line));
        const uint32_t source = (uint32_t)text.len + 1;
        if (text.len > run->max_bytes || offset >> LOW_BITS != run->offset >> LOW_BITS)
            break;
        if (text.len > 0 && text.ptr[text.len - 1] == '\r')
            text.len--;
        if (text.len == 0 || body + constant_likely + text.len + text.len / 16 > run->body_bytes ||
            b->body_cap - body < constant_worst + 6 * text.len)
            break;
        char *to = put_item(b->body + body, &fr, f, offset, text, bad);
        const uint32_t bytes = (uint32_t)(to - (b->body + body));
        b->items[b->item_count + count++] = (struct batch_item){
            .at = (uint32_t)body,
            .action_bytes = (uint32_t)fr.action_bytes,
            .bytes = bytes,
            .source_bytes = source,
            .source_lines = 1,
            .span = span,
            .spans = 1,
        };
        body += bytes;
        taken += source;
    }
    batch_commit_run(b, span, count, body, (struct ledger_count){taken, count});
    return taken;
}
