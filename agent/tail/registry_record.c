/*
 * tail/registry_record - entries to records and back
 */
#include "registry_record.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* a payload's largest size: a path and fixed fields */
#define PAYLOAD_MAX (PATH_MAX + 256)

/* whether evidence has marks of records in several lines */
static bool has_marks(const struct evidence *e)
{
    return (e->flags & EVIDENCE_OPEN * 3) != 0;
}

/* evidence, 28 bytes, or 36 with marks */
static int put_evidence(struct buf *b, const struct evidence *e)
{
    int r = frame_put_u64(b, e->offset);
    if (r == 0)
        r = frame_put_u64(b, e->anchor);
    if (r == 0)
        r = frame_put_u64(b, e->head);
    if (r == 0)
        r = frame_put_u16(b, e->head_bytes);
    if (r == 0)
        r = frame_put_u16(b, e->flags);
    if (r == 0 && has_marks(e))
        r = frame_put_u32(b, e->ahead);
    if (r == 0 && has_marks(e))
        r = frame_put_u32(b, e->other);
    return r;
}

/* the reverse; heads over the limit are refused */
static bool get_evidence(struct slice *s, struct evidence *e)
{
    return frame_get_u64(s, &e->offset) && frame_get_u64(s, &e->anchor) &&
           frame_get_u64(s, &e->head) && frame_get_u16(s, &e->head_bytes) &&
           frame_get_u16(s, &e->flags) && e->head_bytes <= SPAN_HEAD_BYTES &&
           (!has_marks(e) || (frame_get_u32(s, &e->ahead) && frame_get_u32(s, &e->other) &&
                              e->other <= e->ahead && e->offset <= UINT64_MAX - e->ahead));
}

/* the 9 bytes that every record of an entry begins with */
static int put_generation(struct buf *b, const struct entry *e)
{
    return buf_add(b, e->gen.bytes, sizeof(e->gen.bytes));
}

/* the reverse */
static bool get_generation(struct slice *s, struct generation *gen)
{
    if (s->len < sizeof(gen->bytes))
        return false;
    memcpy(gen->bytes, s->ptr, sizeof(gen->bytes));
    *s = slice_sub(*s, sizeof(gen->bytes), SIZE_MAX);
    return true;
}

/* packs a payload that was built with result r, and frees it */
static int pack(struct buf *records, uint8_t type, struct buf *payload, int r)
{
    if (r == 0)
        r = journal_pack(records, type, buf_slice(payload));
    buf_clear(payload);
    return r;
}

/* see header */
int record_put_gen(struct buf *records, const struct entry *e)
{
    struct buf p;
    buf_init(&p, PAYLOAD_MAX);
    int r = put_generation(&p, e);
    if (r == 0)
        r = frame_put_u64(&p, e->dev);
    if (r == 0)
        r = frame_put_u64(&p, e->ino);
    if (r == 0)
        r = frame_put_u64(&p, (uint64_t)e->birth_ns);
    if (r == 0)
        r = frame_put_u64(&p, e->sent_to);
    if (r == 0)
        r = frame_put_u32(&p, (uint32_t)e->sent_day);
    if (r == 0)
        r = put_evidence(&p, &e->acked);
    if (r == 0)
        r = frame_put_bytes(&p, slice_str(e->path));
    if (r == 0)
        r = frame_put_u32(&p, e->framing);
    if (r == 0)
        r = frame_put_u8(&p, e->unsettled ? 1 : 0);
    return pack(records, FRAME_GEN, &p, r);
}

/* see header */
int record_put_offset(struct buf *records, const struct entry *e)
{
    struct buf p;
    buf_init(&p, PAYLOAD_MAX);
    int r = put_generation(&p, e);
    if (r == 0)
        r = put_evidence(&p, &e->acked);
    if (r == 0)
        r = frame_put_u64(&p, e->older.offset);
    if (r == 0)
        r = frame_put_u64(&p, e->older.hash);
    if (r == 0)
        r = frame_put_u64(&p, (uint64_t)e->seen_ns);
    if (r == 0)
        r = frame_put_u64(&p, (uint64_t)e->extra->absent_ns);
    return pack(records, FRAME_OFFSET, &p, r);
}

/* one SENT_TO record; mark NULL: the day is not kept by offset */
static int put_sent_to(struct buf *records, const struct entry *e, const struct sent_day *mark)
{
    struct buf p;
    buf_init(&p, PAYLOAD_MAX);
    int r = put_generation(&p, e);
    if (r == 0)
        r = frame_put_u64(&p, e->sent_to);
    if (r == 0)
        r = frame_put_u32(&p, (uint32_t)(mark != NULL ? mark->day : e->sent_day));
    if (r == 0 && mark != NULL)
        r = frame_put_u64(&p, mark->from);
    return pack(records, FRAME_SENT_TO, &p, r);
}

/* see header */
int record_put_sent_to(struct buf *records, const struct entry *e)
{
    const struct sent_days *d = e->extra->days;
    return put_sent_to(records, e, d != NULL && d->count > 0 ? &d->v[d->count - 1] : NULL);
}

/* see header */
int record_put_days(struct buf *records, const struct entry *e)
{
    int r = 0;
    for (unsigned i = 0; e->extra->days != NULL && i < e->extra->days->count && r == 0; i++)
        r = put_sent_to(records, e, &e->extra->days->v[i]);
    return r;
}

/* see header */
int record_put_done(struct buf *records, const struct entry *e)
{
    struct buf p;
    buf_init(&p, PAYLOAD_MAX);
    int r = put_generation(&p, e);
    return pack(records, FRAME_DONE, &p, r);
}

/* see header */
int record_put_clean(struct buf *records, const char *boot_id, int64_t wall_ns, bool stopped)
{
    struct buf p;
    buf_init(&p, PAYLOAD_MAX);
    int r = frame_put_bytes(&p, slice_str(boot_id));
    if (r == 0)
        r = frame_put_u64(&p, (uint64_t)wall_ns);
    if (r == 0)
        r = frame_put_u8(&p, stopped ? 1 : 0);
    return pack(records, FRAME_CLEAN, &p, r);
}

/* the fields of a GEN record behind the generation */
static bool get_gen(struct slice *s, struct record *rec)
{
    uint64_t birth;
    uint32_t day;
    uint8_t unsettled;
    if (!frame_get_u64(s, &rec->dev) || !frame_get_u64(s, &rec->ino) || !frame_get_u64(s, &birth) ||
        !frame_get_u64(s, &rec->sent_to) || !frame_get_u32(s, &day) ||
        !get_evidence(s, &rec->evidence) || !frame_get_bytes(s, &rec->path) ||
        !frame_get_u32(s, &rec->framing) || !frame_get_u8(s, &unsettled))
        return false;
    rec->unsettled = unsettled != 0;
    rec->birth_ns = (int64_t)birth;
    rec->sent_day = (int32_t)day;
    return rec->path.len < PATH_MAX && slice_find(rec->path, '\0') == rec->path.len;
}

/* the fields of a SENT_TO record behind the generation */
static bool get_sent_to(struct slice *s, struct record *rec)
{
    uint32_t day;
    if (!frame_get_u64(s, &rec->sent_to) || !frame_get_u32(s, &day))
        return false;
    rec->sent_day = (int32_t)day;
    rec->has_from = frame_get_u64(s, &rec->from); /* else of an undated target */
    return true;
}

/* the fields of a CLEAN record */
static bool get_clean(struct slice *s, struct record *rec)
{
    uint64_t wall;
    uint8_t stopped;
    if (!frame_get_bytes(s, &rec->boot_id) || !frame_get_u64(s, &wall) ||
        !frame_get_u8(s, &stopped))
        return false;
    rec->seen_ns = (int64_t)wall;
    rec->stopped = stopped != 0;
    return rec->boot_id.len <= REGISTRY_BOOT_CHARS;
}

/* the fields of an OFFSET record behind the generation */
static bool get_offset(struct slice *s, struct record *rec)
{
    uint64_t seen, absent;
    if (!get_evidence(s, &rec->evidence) || !frame_get_u64(s, &rec->older.offset) ||
        !frame_get_u64(s, &rec->older.hash) || !frame_get_u64(s, &seen) ||
        !frame_get_u64(s, &absent))
        return false;
    rec->seen_ns = (int64_t)seen;
    rec->absent_ns = (int64_t)absent;
    return true;
}

/* see header */
int record_read(const struct frame *f, struct record *ret)
{
    struct record rec = {0};
    struct slice s = f->payload;
    bool ok = true;
    if (f->type == FRAME_CLEAN) {
        ok = get_clean(&s, &rec);
    } else {
        ok = get_generation(&s, &rec.gen);
        if (ok && f->type == FRAME_GEN)
            ok = get_gen(&s, &rec);
        else if (ok && f->type == FRAME_OFFSET)
            ok = get_offset(&s, &rec);
        else if (ok && f->type == FRAME_SENT_TO)
            ok = get_sent_to(&s, &rec);
    }
    if (!ok)
        return -EBADMSG;
    *ret = rec;
    return 0;
}
