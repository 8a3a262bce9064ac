/*
 * bulk/encode_run - many lines to many items
 *
 * Nearly all lines are whole, short and of one file. Of their items only offset and text differ (of
 * a container's lines time and stream as well), so everything else is put together once for a run,
 * and each item is a few copies. The first line that is anything else ends the run: encode_line
 * takes it.
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
    char middle[MIDDLE_ROOM];
    size_t head_bytes;
    struct slice to_time; /* from there to the time; empty: the time is part of what follows */
    struct slice to_text; /* on to the text, to the offset or to the stream */
    struct slice text;    /* where the offset stands before it: on to the text or to the stream */
    size_t action_bytes;
    bool has_id, has_offset;
};

/* appends a slice */
static void add(char *dst, size_t *len, struct slice s)
{
    memcpy(dst + *len, s.ptr, s.len);
    *len += s.len;
}

/* up to the offset's lower half */
static void make_head(struct frame *fr, const struct encode_file *f, uint64_t offset)
{
    char digits[DOCID_OFFSET_DIGITS];
    fr->head_bytes = 0;
    add(fr->head, &fr->head_bytes, f->action);
    fr->action_bytes = fr->head_bytes;
    if (!fr->has_id)
        return;
    docid_write_offset(digits, offset);
    add(fr->head, &fr->head_bytes, slice_of(digits, DOCID_OFFSET_DIGITS - LOW_DIGITS));
    fr->action_bytes = fr->head_bytes + LOW_DIGITS + sizeof(ENCODE_ACTION_END) - 1;
}

/* from there to the text */
static void make_middle(struct frame *fr, const struct encode_file *f, const struct encode_run *run)
{
    /* a stream stands between the brace that ends the object log and the comma behind it */
    const struct slice before_text = run->cut == NULL ? f->before_text : SLICE_LIT("}");
    size_t n = 0, time;
    if (fr->has_id)
        add(fr->middle, &n, SLICE_LIT(ENCODE_ACTION_END));
    add(fr->middle, &n, SLICE_LIT(ENCODE_TIME));
    time = run->cut == NULL ? 0 : n;
    if (run->cut == NULL)
        add(fr->middle, &n, run->time);
    add(fr->middle, &n, f->before_flags);
    add(fr->middle, &n, fr->has_offset ? SLICE_LIT(ENCODE_OFFSET) : before_text);
    fr->to_time = slice_of(fr->middle, time);
    fr->to_text = slice_of(fr->middle + time, n - time);
    fr->text = fr->has_offset ? before_text : slice_of("", 0);
}

/* Puts the frame together; false when it does not fit. */
static bool make_frame(struct frame *fr, const struct encode_file *f, const struct encode_run *run)
{
    fr->has_id = !f->auto_ids;
    fr->has_offset = (f->parts & PART_OFFSET) != 0;
    if (f->both_times || f->action.len + DOCID_OFFSET_DIGITS > HEAD_ROOM ||
        f->before_flags.len + f->before_text.len + ENCODE_TIME_MAX + 64 > MIDDLE_ROOM)
        return false;
    make_head(fr, f, run->offset);
    make_middle(fr, f, run);
    return true;
}

/* copies a slice */
static char *put(char *p, struct slice s)
{
    memcpy(p, s.ptr, s.len);
    return p + s.len;
}

/* one item; its end */
static char *put_item(char *p, const struct frame *fr, const struct encode_file *f, uint64_t offset,
                      const struct encode_cut *line, uint64_t *bad)
{
    memcpy(p, fr->head, HEAD_ROOM);
    p += fr->head_bytes;
    if (fr->has_id) {
        num_write_hex8(p, (uint32_t)offset);
        p += LOW_DIGITS;
    }
    if (fr->to_time.len > 0)
        p = put(put(p, fr->to_time), line->time);
    p = put(p, fr->to_text);
    if (fr->has_offset) {
        p += num_write_u64(p, offset);
        p = put(p, fr->text);
    }
    if (line->stream != NULL) {
        p = put(put(p, SLICE_LIT(ENCODE_STREAM)), slice_str(line->stream));
        *p++ = '"';
        p = put(p, slice_sub(f->before_text, 1, SIZE_MAX));
    }
    p += escape_json(p, line->text.ptr, line->text.len, bad);
    return put(p, f->after_text);
}

/* Takes the text out of a line; false when encode_line has to be asked. */
static bool cut_line(const struct encode_run *run, struct slice bytes, struct encode_cut *ret)
{
    *ret = (struct encode_cut){.text = bytes};
    if (bytes.len > run->max_bytes || (run->cut != NULL && !run->cut(run->ctx, bytes, ret)))
        return false;
    if (ret->text.len > 0 && ret->text.ptr[ret->text.len - 1] == '\r')
        ret->text.len--;
    return ret->text.len > 0;
}

/* see header */
size_t encode_run(struct batch *b, const struct encode_file *f, const struct encode_run *run,
                  uint16_t span, uint64_t *bad)
{
    struct frame fr;
    struct encode_cut line;
    size_t taken = 0, body = b->body_bytes;
    uint32_t count = 0;
    if (b->span_count == b->span_cap || !make_frame(&fr, f, run))
        return 0;
    const size_t likely = encode_likely(f, 0), worst = encode_worst(f, 0);
    while (b->item_count + count < b->item_cap) {
        const char *from = run->bytes.ptr + taken;
        const char *end = memchr(from, '\n', run->bytes.len - taken);
        const uint64_t offset = run->offset + taken;
        if (end == NULL || offset >> LOW_BITS != run->offset >> LOW_BITS ||
            !cut_line(run, slice_of(from, (size_t)(end - from)), &line) ||
            body + likely + line.text.len + line.text.len / 16 > run->body_bytes ||
            b->body_cap - body < worst + 6 * line.text.len)
            break;
        const char *to = put_item(b->body + body, &fr, f, offset, &line, bad);
        const uint32_t bytes = (uint32_t)(to - (b->body + body));
        b->items[b->item_count + count++] = (struct batch_item){
            .at = (uint32_t)body,
            .action_bytes = (uint32_t)fr.action_bytes,
            .bytes = bytes,
            .source_bytes = (uint32_t)(end - from) + 1,
            .source_lines = 1,
            .span = span,
            .spans = 1,
        };
        body += bytes;
        taken += (size_t)(end - from) + 1;
    }
    batch_commit_run(b, span, count, body, (struct ledger_count){taken, count});
    return taken;
}
