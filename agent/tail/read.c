/*
 * tail/read - bytes to lines to batch
 *
 * One shared buffer serves all files. A read begins a little before the next record: at least
 * SPAN_ANCHOR_BYTES, and at the file's start while the head is not complete. So every read checks
 * for free that the bytes before it are still the ones that were read (a truncated or rewritten
 * file is noticed even when it has grown past the offset), and head and anchor of a span are hashed
 * from the buffer.
 *
 * An unfinished last line is not kept: it is read again when its end exists. While it is long only
 * the new bytes are searched first (`scanned_to`).
 *
 * Invariants: 1. f->at.offset is the start of a record, or lies in the rest of an oversize line.
 * 2. every byte before it belongs to a span of its generation. 3. A span that is left has its
 * evidence, and its batch the ticket it must wait for.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "tail_internal.h"

/* an unfinished line longer than this is searched for its end before it is read again */
#define PROBE_BYTES ((uint64_t)16 * 1024)

/* One pass over a part of a file in the shared buffer. */
struct pass {
    struct file *f;
    const struct tail_input *input;
    const char *bytes; /* the buffer */
    uint64_t base;     /* file offset of bytes[0] */
    uint64_t pos;      /* file offset of what comes next */
    uint64_t end;      /* file offset behind the last byte */
    struct batch *batch;
    uint64_t target_until; /* file offset up to which the present batch's target holds */
    uint16_t span;
    bool has_span;
    bool oversize; /* pos lies in the rest of an oversize line */
    bool blocked;
};

/* pointer to a file offset in the buffer */
static const char *at(const struct pass *p, uint64_t offset)
{
    return p->bytes + (offset - p->base);
}

/* length of an anchor before an offset */
static size_t anchor_bytes(uint64_t offset)
{
    return offset < SPAN_ANCHOR_BYTES ? (size_t)offset : SPAN_ANCHOR_BYTES;
}

/* evidence at pos, from the buffer */
static struct evidence evidence_here(const struct pass *p)
{
    struct evidence e = p->f->at;
    size_t n = anchor_bytes(p->pos);
    e.offset = p->pos;
    e.anchor = hash64(at(p, p->pos) - n, n);
    e.flags = p->oversize ? EVIDENCE_IN_OVERSIZE : 0;
    if (e.head_bytes < SPAN_HEAD_BYTES && p->base == 0) {
        e.head_bytes = (uint16_t)(p->pos < SPAN_HEAD_BYTES ? p->pos : SPAN_HEAD_BYTES);
        e.head = hash64(p->bytes, e.head_bytes);
    }
    return e;
}

/* Ends the present span at pos: its evidence, and what must be durable before it may leave. */
static void leave_span(struct pass *p)
{
    if (p->pos == p->f->at.offset)
        return;
    struct entry *entry = p->f->entry;
    p->f->at = evidence_here(p);
    if (!p->has_span)
        return;
    struct span *s = p->batch->spans[p->span];
    s->to = p->pos;
    s->evidence = p->f->at;
    if (entry->acked.head_bytes == 0)
        registry_head(entry, &p->f->at);
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
    leave_span(p);
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

/* Gives `text` bytes at pos as a record that takes `take` source bytes. False: blocked. */
static bool emit(struct pass *p, size_t text, size_t take, unsigned flags, bool open_end)
{
    struct file *f = p->f;
    if (f->encode != NULL && !generation_eq(&f->encoded, &f->entry->gen))
        encode_file_free(&f->encode); /* it was replaced after a collision */
    if (f->encode == NULL) {
        f->encode = encode_file_new(f->tail->opts.agent, &p->input->encode,
                                    slice_str(f->entry->path), &f->entry->gen);
        f->encoded = f->entry->gen;
    }
    if (!enter_span(p, encode_likely(f->encode, text), encode_worst(f->encode, text)))
        return false;
    struct encode_line line = {
        .text = slice_of(at(p, p->pos), text),
        .offset = p->pos,
        .source_bytes = (uint32_t)take,
        .source_lines = 1,
        .flags = flags,
        .open_end = open_end,
        .time = f->tail->time,
    };
    uint64_t bad = encode_line(p->batch, f->encode, &line, p->span);
    p->input->ledger->documents[DOCUMENT_BAD_UTF8] += bad;
    if (flags & ENCODE_TRUNCATED)
        p->input->ledger->documents[DOCUMENT_TRUNCATED]++;
    p->pos += take;
    return true;
}

/* Passes over `take` bytes at pos. False: blocked (skipped bytes belong to a span too). */
static bool skip(struct pass *p, enum ledger_skip why, size_t take, uint64_t lines)
{
    if (!enter_span(p, 0, 0))
        return false;
    ledger_skip(p->input->ledger, why, (struct ledger_count){take, lines});
    p->pos += take;
    return true;
}

/* the rest of an oversize line, up to and with its line end */
static bool skip_oversize(struct pass *p)
{
    const char *here = at(p, p->pos);
    size_t left = (size_t)(p->end - p->pos);
    const char *newline = memchr(here, '\n', left);
    size_t take = newline == NULL ? left : (size_t)(newline - here) + 1;
    if (!skip(p, SKIP_OVERSIZE_TAIL, take, 0))
        return false;
    p->oversize = newline == NULL;
    return true;
}

/* one whole line whose newline stands `length` bytes behind pos */
static bool take_line(struct pass *p, size_t length)
{
    size_t text = length;
    if (text > p->input->max_bytes) {
        if (!emit(p, p->input->max_bytes, p->input->max_bytes, ENCODE_TRUNCATED, true))
            return false;
        p->oversize = true;
        return true;
    }
    if (text > 0 && at(p, p->pos)[text - 1] == '\r')
        text--;
    if (text == 0)
        return skip(p, SKIP_EMPTY, length + 1, 1);
    return emit(p, text, length + 1, 0, false);
}

/* Takes lines until the bytes or the batches are used up; what is left is an unfinished line. */
static void take_lines(struct pass *p)
{
    while (p->pos < p->end && !p->blocked) {
        if (p->oversize) {
            if (!skip_oversize(p))
                return;
            continue;
        }
        const char *here = at(p, p->pos);
        size_t left = (size_t)(p->end - p->pos);
        const char *newline = memchr(here, '\n', left);
        if (newline == NULL && left <= p->input->max_bytes)
            return;
        if (!take_line(p, newline == NULL ? left : (size_t)(newline - here)))
            return;
    }
}

/* whether the bytes before the record are those that were read before */
static bool is_same_content(const struct file *f, const struct pass *p)
{
    const struct evidence *e = &f->at;
    size_t n = anchor_bytes(e->offset);
    if (p->end < e->offset)
        return false;
    if (n > 0 && hash64(at(p, e->offset) - n, n) != e->anchor)
        return false;
    if (p->base > 0 || e->head_bytes == 0)
        return true;
    return p->end >= e->head_bytes && hash64(p->bytes, e->head_bytes) == e->head;
}

/* pread, whole; bytes beyond stop_at do not exist */
static ssize_t fill(struct file *f, uint64_t from, size_t want)
{
    if (from >= f->stop_at)
        return 0;
    if (f->stop_at - from < want)
        want = (size_t)(f->stop_at - from);
    return content_read_at(&f->content, f->tail->buffer, want, from);
}

/* What a look at the new bytes of a long unfinished line tells. */
enum probe {
    PROBE_READ,   /* read the line: it has its end, is too long, or the file was cut */
    PROBE_NONE,   /* no new bytes */
    PROBE_MORE,   /* no end yet, and more bytes to search */
    PROBE_FAILED, /* the file cannot be read */
};

/* searches what is new of a long unfinished line; short ones are just read again */
static enum probe probe(struct file *f)
{
    if (f->scanned_to < f->at.offset + PROBE_BYTES || f->scanned_to >= f->stop_at)
        return PROBE_READ;
    ssize_t n = fill(f, f->scanned_to, TAIL_QUANTUM);
    if (n < 0)
        return PROBE_FAILED;
    if (n == 0)
        return content_is_cut(&f->content, f->scanned_to) ? PROBE_READ : PROBE_NONE;
    if (memchr(f->tail->buffer, '\n', (size_t)n) != NULL)
        return PROBE_READ;
    f->scanned_to += (uint64_t)n;
    f->grown_ms = loop_now_ms(f->tail->loop);
    if (f->scanned_to - f->at.offset > tail_input_of(f)->max_bytes)
        return PROBE_READ;
    return (size_t)n == TAIL_QUANTUM ? PROBE_MORE : PROBE_NONE;
}

/* reads into the buffer from a little before the next record; sets up the pass */
static ssize_t load(struct file *f, struct pass *p, size_t want)
{
    uint64_t from = f->at.offset;
    uint64_t before = from < SPAN_HEAD_BYTES ? from : SPAN_ANCHOR_BYTES;
    ssize_t n = fill(f, from - before, (size_t)before + want);
    if (n < 0)
        return n;
    *p = (struct pass){
        .f = f,
        .input = tail_input_of(f),
        .bytes = f->tail->buffer,
        .base = from - before,
        .pos = from,
        .end = from - before + (uint64_t)n,
        .oversize = (f->at.flags & EVIDENCE_IN_OVERSIZE) != 0,
    };
    return n;
}

/* once: the end of the file ends the last line */
static void end_last_line(struct pass *p)
{
    struct file *f = p->f;
    if (!p->blocked && p->pos < p->end && p->end == f->stop_at && !p->oversize)
        (void)emit(p, (size_t)(p->end - p->pos), (size_t)(p->end - p->pos), 0, true);
}

/* what the caller should do next; bytes read were `want` at most */
static enum read_result conclude(const struct pass *p, bool full)
{
    struct file *f = p->f;
    if (p->end > f->scanned_to)
        f->grown_ms = loop_now_ms(f->tail->loop);
    /* lines that found no batch are still to be taken: they were not searched in vain */
    f->scanned_to = p->blocked ? p->pos : p->end;
    if (p->blocked)
        return f->held ? READ_HELD : READ_BLOCKED;
    return full ? READ_MORE : READ_END;
}

/* see header */
enum read_result read_some(struct file *f, uint64_t *ret_bytes)
{
    static const enum read_result without_line[] = {
        [PROBE_NONE] = READ_END, [PROBE_MORE] = READ_MORE, [PROBE_FAILED] = READ_FAILED};
    struct pass p;
    uint64_t start = f->at.offset;
    size_t want = TAIL_QUANTUM;
    *ret_bytes = 0;
    enum probe found = probe(f);
    if (found != PROBE_READ)
        return without_line[found];
    if (f->scanned_to >= start + want)
        want = tail_input_of(f)->max_bytes + TAIL_QUANTUM;
    if (load(f, &p, want) < 0)
        return READ_FAILED;
    if (!is_same_content(f, &p)) {
        tail_catch_up(f->tail); /* a copy that was made before is told of before */
        file_restart(f);
        *ret_bytes = 1;
        return READ_MORE;
    }
    bool full = p.end - start >= want;
    take_lines(&p);
    if (!full)
        end_last_line(&p);
    leave_span(&p);
    *ret_bytes = p.pos - start;
    return conclude(&p, full);
}

/* see header */
bool read_flush_partial(struct file *f)
{
    struct pass p;
    uint64_t unfinished = f->scanned_to - f->at.offset;
    if (f->scanned_to <= f->at.offset)
        return true;
    if (load(f, &p, (size_t)unfinished) < 0 || !is_same_content(f, &p) || p.pos >= p.end)
        return true;
    take_lines(&p);
    if (!p.blocked && p.pos < p.end && !p.oversize)
        (void)emit(&p, (size_t)(p.end - p.pos), (size_t)(p.end - p.pos), 0, true);
    leave_span(&p);
    return !p.blocked;
}
