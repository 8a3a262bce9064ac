/*
 * tail/pass - records to batches, span by span
 *
 * What leaves in one batch of one generation is one span. Head and anchor of a span are hashed from
 * the buffer when it is left.
 *
 * Invariant: a span that is left has its evidence, and its batch the ticket it must wait for.
 */
#include "pass.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "framing_internal.h"
#include "joins_internal.h"
#include "json_lines_internal.h"

/* see header */
const char *pass_at(const struct pass *p, uint64_t offset)
{
    return p->bytes + (offset - p->base);
}

/* see header */
size_t pass_anchor_bytes(uint64_t offset)
{
    return offset < SPAN_ANCHOR_BYTES ? (size_t)offset : SPAN_ANCHOR_BYTES;
}

/* evidence at pos, from the buffer */
static struct evidence evidence_here(const struct pass *p)
{
    struct evidence e = *file_at(p->f);
    size_t n = pass_anchor_bytes(p->pos);
    e.offset = p->pos;
    e.anchor = hash64(pass_at(p, p->pos) - n, n);
    e.flags = p->oversize ? EVIDENCE_IN_OVERSIZE : 0;
    if (e.head_bytes < SPAN_HEAD_BYTES && p->base == 0) {
        e.head_bytes = (uint16_t)(p->pos < SPAN_HEAD_BYTES ? p->pos : SPAN_HEAD_BYTES);
        e.head = hash64(p->bytes, e.head_bytes);
    }
    return e;
}

/* see header */
void pass_leave_span(struct pass *p)
{
    struct entry *entry = p->f->entry;
    if (p->pos != file_at(p->f)->offset)
        extra_of(p->f)->at = evidence_here(p);
    if (!p->has_span)
        return;
    struct span *s = p->batch->spans[p->span];
    s->to = p->pos;
    s->evidence = joins_evidence(p->f, *file_at(p->f));
    if (entry->acked.head_bytes < IDENTITY_MOVED_HEAD_BYTES &&
        entry->acked.head_bytes < file_at(p->f)->head_bytes)
        registry_head(entry, file_at(p->f));
    uint64_t ticket = registry_sending(entry, p->pos);
    if (p->batch->barrier < ticket)
        p->batch->barrier = ticket;
    p->has_span = false;
}

/* the index or data stream of what comes next */
static const char *target_here(struct pass *p)
{
    p->target_until = UINT64_MAX;
    if (p->input->index == NULL)
        return p->input->encode.target;
    return tail_index_of(p->f->tail, p->f->input,
                         registry_day(p->f->entry, p->pos, &p->target_until));
}

/* Makes sure that the open batch has room and a span of this file ends at pos. False: blocked. */
static bool enter_span(struct pass *p, size_t likely, size_t worst)
{
    struct tail *t = p->f->tail;
    if (p->has_span && p->pos < p->target_until && feed_fits(t->feed, p->batch, likely, worst))
        return true;
    pass_leave_span(p);
    p->batch = feed_open(t->feed, target_here(p), likely, worst);
    if (p->batch == NULL) {
        p->blocked = true;
        p->f->held = feed_holds(t->feed, target_here(p));
        return false;
    }
    if (batch_span_for(p->batch, feed_spans(t->feed), &p->f->entry->owner, p->pos, &p->span) < 0) {
        /* the span table was filled by other files: the next batch has room */
        feed_seal(t->feed, p->batch);
        return enter_span(p, likely, worst);
    }
    struct span *s = p->batch->spans[p->span];
    if (list_is_empty(&s->link))
        registry_span_added(p->f->entry, s);
    p->has_span = true;
    return true;
}

/* The prebuilt parts of the file's documents; made anew when the generation was replaced. */
static struct encode_file *encoder(struct file *f, const struct tail_input *input)
{
    if (f->extra->encode != NULL && !generation_eq(&f->extra->encoded, &f->entry->gen))
        extra_drop_encode(f); /* after a collision */
    if (f->extra->encode == NULL) {
        struct extra *x = extra_of(f);
        x->encode = encode_file_new(f->tail->opts.agent, &input->encode, slice_str(f->entry->path),
                                    &f->entry->gen);
        x->encoded = f->entry->gen;
    }
    return f->extra->encode;
}

/* what is told of a record beside its bytes */
static void count_record(const struct pass *p, const struct pass_record *r, bool undecoded,
                         uint64_t bad)
{
    struct ledger *l = p->input->ledger;
    if (p->pos < p->f->extra->skipped_to)
        return; /* read once more */
    l->documents[DOCUMENT_BAD_UTF8] += r->bad + bad;
    l->documents[DOCUMENT_TRUNCATED] += (r->flags & ENCODE_TRUNCATED) != 0;
    l->documents[DOCUMENT_PARTIAL] += (r->flags & ENCODE_PARTIAL) != 0;
    l->documents[DOCUMENT_UNDECODED] += undecoded;
    l->documents[DOCUMENT_MAYBE_REPEAT] += recovery_may_repeat(p->f, p->pos);
}

/* a record as it is */
static bool emit_text(struct pass *p, const struct encode_file *encode,
                      const struct encode_line *line, uint64_t *ret_bad)
{
    size_t text = line->text.len;
    if (!enter_span(p, encode_likely(encode, text), encode_worst(encode, text)))
        return false;
    *ret_bad = encode_line(p->batch, encode, line, p->span);
    return true;
}

/* a record that is a JSON object */
static bool emit_document(struct pass *p, const struct encode_file *encode,
                          const struct encode_line *line, struct document *d, uint64_t *ret_bad)
{
    size_t bytes = encode_document_bytes(encode, d);
    if (!enter_span(p, bytes, bytes))
        return false;
    encode_document(p->batch, encode, line, d, p->span);
    *ret_bad = !utf8_is_valid(line->text);
    return true;
}

/* see header */
bool pass_emit(struct pass *p, const struct pass_record *r)
{
    const struct encode_file *encode = encoder(p->f, p->input);
    struct encode_line line = {
        .text = r->text,
        .offset = r->offset,
        .source_bytes = (uint32_t)(r->before + r->take),
        .source_lines = r->lines,
        .flags = r->flags,
        .open_end = r->open_end,
        .time = r->time.len > 0 ? r->time : slice_of(p->f->tail->time, DATE_RFC3339_MS_LEN),
        .stream = r->stream,
        .error = r->error,
        .generation = r->generation,
    };
    uint64_t bad = 0;
    struct document *d = p->input->json == TAIL_JSON_OFF ? NULL : json_lines_take(p->f, &line);
    if (!(d == NULL ? emit_text(p, encode, &line, &bad) : emit_document(p, encode, &line, d, &bad)))
        return false;
    count_record(p, r, line.error != NULL, bad);
    p->pos += r->take;
    return true;
}

/* up to where lines need no look of their own: before padding and another day's target */
static uint64_t plain_until(struct pass *p)
{
    uint64_t until = p->end < p->target_until ? p->end : p->target_until;
    return padding_is_before(p, until) ? p->padding : until;
}

/* see header; a byte order mark may stand at 0 */
bool pass_emit_run(struct pass *p)
{
    const struct tail *t = p->f->tail;
    uint64_t bad = 0, until;
    encode_cut_fn cut = NULL;
    if (!p->has_span || p->pos == 0 || p->input->json != TAIL_JSON_OFF ||
        !decoded_may_run(p->f, &cut) || recovery_may_repeat(p->f, p->pos) ||
        (until = plain_until(p)) <= p->pos)
        return false;
    struct encode_run run = {
        .bytes = slice_of(pass_at(p, p->pos), (size_t)(until - p->pos)),
        .offset = p->pos,
        .time = slice_of(t->time, DATE_RFC3339_MS_LEN),
        .max_bytes = p->input->max_bytes,
        .body_bytes = feed_max_bytes(t->feed),
        .cut = cut,
        .ctx = p->f,
    };
    size_t taken = encode_run(p->batch, encoder(p->f, p->input), &run, p->span, &bad);
    p->input->ledger->documents[DOCUMENT_BAD_UTF8] += bad;
    p->pos += taken;
    return taken > 0;
}

/* see header */
bool pass_enter(struct pass *p)
{
    return enter_span(p, 0, 0);
}

/* see header */
struct pass pass_without_bytes(struct file *f)
{
    return (struct pass){.f = f,
                         .input = tail_input_of(f),
                         .pos = file_at(f)->offset,
                         .end = file_at(f)->offset,
                         .unit = framing_unit(f)};
}

/* see header */
bool pass_skip(struct pass *p, enum ledger_skip why, size_t take, uint64_t lines)
{
    if (!enter_span(p, 0, 0))
        return false;
    if (p->pos >= p->f->extra->skipped_to) /* else it was counted then */
        ledger_skip(p->input->ledger, why, (struct ledger_count){take, lines});
    p->pos += take;
    return true;
}
