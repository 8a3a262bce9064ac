/*
 * tail/joins - records that stand in several lines
 *
 * The text of an open record is kept, up to partial.max_bytes; what would pass the limit goes as a
 * record of its own kind, flagged. All open records together are bounded too. A record that nothing
 * was added to for partial.timeout goes as it is.
 *
 * Invariants: 1. a span's evidence stands at the first byte of the oldest open record, so that the
 * offset does not pass it. 2. below taken_to nothing is given and no span is made.
 */
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "carry_internal.h"
#include "framing_internal.h"
#include "pass.h"

#define JOINED_MAX ((size_t)16 * MIB)   /* text of all open records */
#define WINDOW     ((uint64_t)64 * MIB) /* from the first byte of an open record to what is read */
#define KEEP_BYTES ((size_t)64 * KIB)   /* buffers that stay for the next record */

/* those of a file, NULL if there are none */
static struct joins *joins_in(const struct file *f)
{
    return f->extra->framing == NULL ? NULL : f->extra->framing->joins;
}

/* see carry_internal.h */
struct joins *joins_of(struct file *f)
{
    const struct tail_input *input = tail_input_of(f);
    size_t limit =
        input->partial_max_bytes > input->max_bytes ? input->partial_max_bytes : input->max_bytes;
    struct framing *framing = framing_of(f);
    if (framing->joins != NULL)
        return framing->joins;
    struct joins *j = mem_zalloc(sizeof(*j));
    framing->joins = j;
    j->file = f;
    list_init(&j->link);
    for (unsigned s = 0; s < DECODE_STREAMS; s++) {
        buf_init(&j->stream[s].text, charset_room(limit));
        j->reopen[s] = JOIN_NOWHERE;
    }
    return j;
}

/* whether a record is open */
static bool any_open(const struct joins *j)
{
    return j->stream[0].start.open || j->stream[1].start.open;
}

/* see carry_internal.h */
void join_reset(struct tail *t, struct join *o)
{
    struct buf text = o->text;
    t->joined_bytes -= text.len;
    if (text.cap > KEEP_BYTES)
        buf_clear(&text);
    buf_reset(&text);
    *o = (struct join){.text = text};
}

/* see header */
void joins_cool(struct file *f)
{
    struct joins *j = joins_in(f);
    if (j != NULL && !any_open(j) && j->taken_to <= file_at(f)->offset && j->earlier == NULL &&
        j->away == NULL)
        joins_free(&f->extra->framing->joins);
}

/* see header */
COLD void joins_free(struct joins **jp)
{
    struct joins *j = *jp;
    if (j == NULL)
        return;
    for (unsigned s = 0; s < DECODE_STREAMS; s++) {
        join_reset(j->file->tail, &j->stream[s]);
        buf_clear(&j->stream[s].text);
    }
    carry_free(j);
    list_remove(&j->link);
    mem_free(j);
    *jp = NULL;
}

/* see header */
struct joins *joins_detach(struct file *f)
{
    struct joins *j = joins_in(f);
    if (j == NULL || !any_open(j))
        return NULL;
    f->extra->framing->joins = NULL;
    return j;
}

/* ---- marks ---- */

/* see carry_internal.h */
struct evidence join_mark(struct evidence at, const struct join_start start[DECODE_STREAMS])
{
    bool here[DECODE_STREAMS];
    for (unsigned s = 0; s < DECODE_STREAMS; s++) {
        here[s] = start[s].open && start[s].here;
        if (here[s])
            at.flags |= (uint16_t)(EVIDENCE_OPEN << s);
        if (start[s].open && start[s].carried)
            at.flags |= (uint16_t)(EVIDENCE_CARRIED << s);
    }
    if (!here[0] && !here[1])
        return at;
    unsigned first = !here[0] || (here[1] && start[1].offset < start[0].offset) ? 1 : 0;
    uint64_t ahead = at.offset - start[first].offset;
    at.offset = start[first].offset;
    at.anchor = start[first].anchor;
    at.ahead = ahead < UINT32_MAX ? (uint32_t)ahead : UINT32_MAX;
    if (here[1 - first])
        at.other = (uint32_t)(start[1 - first].offset - at.offset);
    if (first == 1)
        at.flags |= EVIDENCE_SECOND_FIRST;
    return at;
}

/* see header */
struct evidence joins_evidence(const struct file *f, struct evidence at)
{
    const struct joins *j = joins_in(f);
    struct join_start start[DECODE_STREAMS];
    if (j == NULL)
        return at;
    if (j->away != NULL)
        j->away->end = at;
    for (unsigned s = 0; s < DECODE_STREAMS; s++) {
        start[s] = j->stream[s].start;
        if (!start[s].open && j->away != NULL)
            start[s] = j->away->start[s];
    }
    return join_mark(at, start);
}

/* see header */
COLD void joins_resume(struct file *f, uint64_t size)
{
    const struct evidence e = *file_at(f);
    const unsigned marks = EVIDENCE_OPEN * 3 | EVIDENCE_CARRIED * 3;
    if ((e.flags & marks) == 0)
        return;
    struct joins *j = joins_of(f);
    for (unsigned s = 0; s < DECODE_STREAMS; s++) {
        bool second = (s == 1) != ((e.flags & EVIDENCE_SECOND_FIRST) != 0);
        j->expected[s] = (e.flags & EVIDENCE_CARRIED << s) != 0;
        if (e.flags & EVIDENCE_OPEN << s)
            j->reopen[s] = e.offset + (second ? e.other : 0);
    }
    if (e.offset + e.ahead <= size)
        j->taken_to = e.offset + e.ahead; /* else what was taken is not there any more */
    j->was_oversize = (e.flags & EVIDENCE_IN_OVERSIZE) != 0;
    struct evidence *at = &extra_of(f)->at;
    at->ahead = at->other = 0;
    at->flags = e.ahead == 0 ? e.flags & EVIDENCE_IN_OVERSIZE : 0;
}

/* see header */
uint64_t joins_taken_to(const struct file *f)
{
    return joins_in(f) == NULL ? 0 : joins_in(f)->taken_to;
}

/* see header */
bool joins_was_oversize(const struct file *f)
{
    return joins_in(f) != NULL && joins_in(f)->was_oversize;
}

/* see header */
bool joins_is_open(const struct file *f, enum decode_stream s)
{
    return joins_in(f) != NULL && joins_in(f)->stream[s].start.open;
}

/* see header */
uint64_t joins_bytes(const struct file *f)
{
    const struct joins *j = joins_in(f);
    return j == NULL ? 0 : j->stream[0].bytes + j->stream[1].bytes;
}

/* ---- lines ---- */

/* the tail looks at it once a second while something is open */
static void set_open(struct joins *j)
{
    struct tail *t = j->file->tail;
    if (list_is_empty(&j->link))
        list_push_back(&t->joining, &j->link);
    if (!loop_timer_is_set(t->check_timer))
        loop_timer_set(t->check_timer, TAIL_CHECK_MS);
}

/* A partial line at pos becomes part of its record; room was made. */
static void append(struct pass *p, struct joins *j, const struct pass_record *r,
                   const struct decode_line *line)
{
    struct tail *t = p->f->tail;
    struct join *o = &j->stream[line->stream];
    if (!o->start.open) {
        o->time_len = line->time.len;
        memcpy(o->time, line->time.ptr, line->time.len);
        o->start.open = true;
        set_open(j);
    }
    if (!o->start.here) {
        size_t n = pass_anchor_bytes(p->pos);
        o->start.here = true;
        o->start.offset = p->pos;
        o->start.anchor = hash64(pass_at(p, p->pos) - n, n);
    }
    memcpy(o->text.ptr + o->text.len, line->text.ptr, line->text.len);
    o->text.len += line->text.len;
    t->joined_bytes += line->text.len;
    o->bytes += r->take;
    o->lines++;
    o->flags |= r->flags;
    o->bad += r->bad;
    o->since_ms = loop_now_ms(t->loop);
}

/* see header */
bool joins_take_again(struct pass *p, const struct pass_record *r, const struct decode_line *line)
{
    struct joins *j = joins_in(p->f);
    if (j == NULL || p->pos < j->reopen[line->stream])
        return true;
    if (buf_reserve(&j->stream[line->stream].text, line->text.len + 1) < 0)
        return false;
    append(p, j, r, line);
    return true;
}

/* Gives an open record, of which `take` bytes at pos are the last; cut: its end has not come. */
static bool give(struct pass *p, struct joins *j, enum decode_stream s, size_t take, bool cut)
{
    struct join *o = &j->stream[s];
    struct pass_record r = {
        .text = buf_slice(&o->text),
        .time = slice_of(o->time, o->time_len),
        .stream = decode_stream_name(s),
        .generation = o->origin != NULL ? &o->origin->gen : NULL,
        .offset = o->origin != NULL ? o->origin_offset : o->start.offset,
        .take = take,
        .before = o->bytes,
        .lines = o->lines + (take > 0),
        .flags = o->flags | (cut ? ENCODE_PARTIAL : 0),
        .open_end = cut,
        .bad = o->bad,
    };
    if (!cut && r.text.len > 0 && r.text.ptr[r.text.len - 1] == '\r')
        r.text.len--;
    if (!pass_emit(p, &r))
        return false;
    carry_close(j, s, p->batch->spans[p->span]);
    join_reset(p->f->tail, o);
    if (!any_open(j))
        list_remove(&j->link);
    return true;
}

/* whether a record can take n more bytes */
static bool fits(const struct pass *p, struct join *o, size_t n)
{
    return o->text.len + n <= p->input->partial_max_bytes &&
           p->f->tail->joined_bytes + n <= JOINED_MAX && buf_reserve(&o->text, n + 1) == 0;
}

/* see header */
bool joins_add(struct pass *p, struct pass_record *r, const struct decode_line *line)
{
    struct joins *j = joins_of(p->f);
    struct join *o = &j->stream[line->stream];
    size_t before = o->text.len, n = line->text.len;
    bool room = fits(p, o, n);
    if (o->start.open && !room) {
        if (!give(p, j, line->stream, 0, true))
            return false;
        room = fits(p, o, n);
    }
    if (!o->start.open && (!line->partial || !room)) {
        r->flags |= line->partial ? ENCODE_PARTIAL : 0;
        r->open_end |= line->partial;
        return pass_give(p, r);
    }
    if (line->partial) {
        if (!pass_enter(p))
            return false;
        append(p, j, r, line);
        p->pos += r->take;
        return true;
    }
    memcpy(o->text.ptr + before, line->text.ptr, n);
    o->text.len += n;
    unsigned flags = o->flags;
    uint64_t bad = o->bad;
    o->flags |= r->flags;
    o->bad += r->bad;
    p->f->tail->joined_bytes += n;
    if (give(p, j, line->stream, r->take, false))
        return true;
    o->text.len = before;
    o->flags = flags;
    o->bad = bad;
    p->f->tail->joined_bytes -= n;
    return false;
}

/* ---- records whose end does not come ---- */

/* whether an open record has waited long enough */
static bool is_due(const struct joins *j, const struct join *o)
{
    const struct file *f = j->file;
    int64_t quiet = loop_now_ms(f->tail->loop) - o->since_ms;
    if (o->start.here && file_at(f)->offset - o->start.offset > WINDOW)
        return true;
    return f->at_end && quiet >= tail_input_of(f)->partial_timeout_ms;
}

/* gives open records, all or those that are due */
static bool flush(struct joins *j, bool all)
{
    struct file *f = j->file;
    struct pass p = pass_without_bytes(f);
    bool done = true;
    if (file_at(f)->offset < j->taken_to)
        return true;
    for (unsigned s = 0; s < DECODE_STREAMS && done; s++) {
        const struct join *o = &j->stream[s];
        if (o->start.open && (all || is_due(j, o)))
            done = give(&p, j, s, 0, true);
    }
    pass_leave_span(&p);
    if (!f->is_hot)
        extra_drop_encode(f); /* made for this */
    return done;
}

/* see header */
bool joins_flush(struct file *f)
{
    struct joins *j = joins_in(f);
    return j == NULL || flush(j, true);
}

/* see header */
void joins_check(struct tail *t)
{
    LIST_EACH(node, &t->joining)
        (void)flush(LIST_ENTRY(node, struct joins, link), false); /* blocked: the next second */
}
