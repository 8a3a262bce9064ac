/*
 * tail/read - files to bytes
 *
 * One shared buffer serves all files. A read begins a little before the next record: at least
 * SPAN_ANCHOR_BYTES, and at the file's start while the head is not complete. So every read checks
 * for free that the bytes before it are still the ones that were read (a truncated or rewritten
 * file is noticed even when it has grown past the offset).
 *
 * An unfinished last line is not kept: it is read again when its end exists. While it is long only
 * the new bytes are searched first (`scanned_to`).
 *
 * Invariants: 1. file_at(f)->offset is the start of a record, or lies in the rest of an oversize
 * line.
 * 2. every byte before it belongs to a span of its generation.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "framing_internal.h"
#include "joins_internal.h"
#include "pass.h"

/* an unfinished line longer than this is searched for its end before it is read again */
#define PROBE_BYTES ((uint64_t)16 * 1024)

/* whether the bytes before the record are those that were read before */
static bool is_same_content(const struct file *f, const struct pass *p)
{
    const struct evidence *e = file_at(f);
    size_t n = pass_anchor_bytes(e->offset);
    if (p->end < e->offset)
        return false;
    if (n > 0 && hash64(pass_at(p, e->offset) - n, n) != e->anchor)
        return false;
    if (p->base > 0 || e->head_bytes == 0)
        return true;
    return p->end >= e->head_bytes && hash64(p->bytes, e->head_bytes) == e->head;
}

/* pread, whole; bytes beyond stop_at do not exist */
static ssize_t fill(struct file *f, uint64_t from, size_t want)
{
    if (from >= f->extra->stop_at)
        return 0;
    if (f->extra->stop_at - from < want)
        want = (size_t)(f->extra->stop_at - from);
    reach_hurry(true); /* it is asked again with the next tick */
    ssize_t n = content_read_at(&f->content, f->tail->buffer, want, from);
    reach_hurry(false);
    return n;
}

/* What a look at the new bytes of a long unfinished line tells. */
enum probe {
    PROBE_READ,   /* read the line: it has its end, is too long, or the file was cut */
    PROBE_NONE,   /* no new bytes */
    PROBE_MORE,   /* no end yet, and more bytes to search */
    PROBE_FAILED, /* the file cannot be read */
};

/* searches what is new of a long unfinished line; short ones are just read again, and compressed
 * ones, whose stream would have to begin anew to come back to the offset */
static enum probe probe(struct file *f)
{
    if (content_is_packed(&f->content) || file_scanned_to(f) < file_at(f)->offset + PROBE_BYTES ||
        file_scanned_to(f) >= f->extra->stop_at)
        return PROBE_READ;
    ssize_t n = fill(f, file_scanned_to(f), TAIL_QUANTUM);
    if (n == -EAGAIN || n == -EBUSY)
        return PROBE_READ; /* the read finds the same */
    if (n < 0)
        return PROBE_FAILED;
    if (n == 0)
        return content_is_cut(&f->content, file_scanned_to(f)) ? PROBE_READ : PROBE_NONE;
    if (memchr(f->tail->buffer, '\n', (size_t)n) != NULL)
        return PROBE_READ;
    extra_of(f)->scanned_to += (uint64_t)n;
    f->grown_ms = loop_now_ms(f->tail->loop);
    if (file_scanned_to(f) - file_at(f)->offset > tail_input_of(f)->max_bytes)
        return PROBE_READ;
    return (size_t)n == TAIL_QUANTUM ? PROBE_MORE : PROBE_NONE;
}

/* reads into the buffer from a little before the next record; sets up the pass */
static ssize_t load(struct file *f, struct pass *p, size_t want)
{
    uint64_t from = file_at(f)->offset;
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
        .unit = framing_unit(f),
        .taken_to = joins_taken_to(f),
        .oversize = (file_at(f)->flags & EVIDENCE_IN_OVERSIZE) != 0,
    };
    return n;
}

/* what the caller should do next; bytes read were `want` at most */
static enum read_result conclude(const struct pass *p, bool full)
{
    struct file *f = p->f;
    if (p->end > file_scanned_to(f))
        f->grown_ms = loop_now_ms(f->tail->loop);
    /* lines that found no batch are still to be taken: they were not searched in vain */
    uint64_t scanned_to = p->blocked ? p->pos : p->end;
    if (scanned_to != file_scanned_to(f))
        extra_of(f)->scanned_to = scanned_to;
    if (p->blocked)
        return f->held ? READ_HELD : READ_BLOCKED;
    return full ? READ_MORE : READ_END;
}

/* Whether content that nobody has seen comes first. Before the first bytes are taken for those of a
 * file that was empty, what its directory has to tell is listened to. */
static bool must_wait(struct file *f, bool has_bytes)
{
    if (file_at(f)->offset > 0 || file_at(f)->head_bytes > 0)
        return false;
    if (has_bytes)
        tail_catch_up(f->tail);
    if (!f->behind_search && siblings_may_hide(f) && siblings_unseen(f))
        f->grown_ms = loop_now_ms(f->tail->loop);
    return f->extra->after != NULL || f->behind_search;
}

/* The first bytes that were seen of a file are evidence, also when none is taken yet; twice at
 * most, since it is written. */
static void note_head(struct file *f, const char *bytes, uint64_t count)
{
    size_t n = count < SPAN_HEAD_BYTES ? (size_t)count : SPAN_HEAD_BYTES;
    bool tells =
        n >= IDENTITY_MOVED_HEAD_BYTES && file_at(f)->head_bytes < IDENTITY_MOVED_HEAD_BYTES;
    if (file_at(f)->offset > 0 || n == 0 || !(tells || file_at(f)->head_bytes == 0))
        return;
    struct evidence *at = &extra_of(f)->at;
    at->head = hash64(bytes, n);
    at->head_bytes = (uint16_t)n;
    registry_head(f->entry, at);
}

/* see header */
COLD void read_note_copied(struct file *f, struct content *copy, uint64_t size)
{
    char head[SPAN_HEAD_BYTES];
    size_t want = size < sizeof(head) ? (size_t)size : sizeof(head);
    if (file_at(f)->offset > 0 || content_is_packed(copy) || siblings_may_hide(f))
        return;
    ssize_t n = content_read_at(copy, head, want, 0);
    if (n > 0)
        note_head(f, head, (uint64_t)n);
}

/* see header */
COLD void read_watch(struct file *f)
{
    struct fs_identity id;
    char head[SPAN_HEAD_BYTES];
    bool blank = file_at(f)->offset == 0 && file_at(f)->head_bytes == 0;
    bool short_head = file_at(f)->offset == 0 && file_at(f)->head_bytes < IDENTITY_MOVED_HEAD_BYTES;
    if (f->content.fd < 0 || f->extra->stop_at != UINT64_MAX || content_is_packed(&f->content) ||
        content_identify(&f->content, &id) < 0 || (!fds_was_written(f, &id) && !short_head))
        return;
    if (!blank && !identity_evidence_holds(&f->content, id.size, file_at(f))) {
        tail_catch_up(f->tail);
        file_restart(f);
        return;
    }
    if (!blank)
        registry_seen(f->entry);
    if (!short_head || id.size <= file_at(f)->head_bytes)
        return;
    (void)must_wait(f, true);
    ssize_t n = content_read_at(&f->content, head, sizeof(head), 0);
    if (n > 0)
        note_head(f, head, (uint64_t)n);
}

/* what a failed read means; on the way to an offset bytes are unpacked, which counts as reading */
static enum read_result without_bytes(ssize_t failure, uint64_t *ret_bytes)
{
    if (failure == -EBUSY)
        return READ_HELD;
    if (failure != -EAGAIN)
        return READ_FAILED;
    *ret_bytes = TAIL_QUANTUM;
    return READ_MORE;
}

/* Whether compressed content has not come to the offset yet: it is still written, or damaged. */
static bool is_on_the_way(const struct file *f, const struct pass *p)
{
    return p->end < file_at(f)->offset && content_is_packed(&f->content) &&
           content_end(&f->content) != CONTENT_WHOLE;
}

/* see header */
enum read_result read_some(struct file *f, uint64_t *ret_bytes)
{
    static const enum read_result without_line[] = {
        [PROBE_NONE] = READ_END, [PROBE_MORE] = READ_MORE, [PROBE_FAILED] = READ_FAILED};
    struct pass p;
    uint64_t start = file_at(f)->offset;
    size_t want = TAIL_QUANTUM;
    *ret_bytes = 0;
    ssize_t n = framing_begin(f);
    if (n < 0)
        return without_bytes(n, ret_bytes);
    enum probe found = probe(f);
    if (found != PROBE_READ)
        return without_line[found];
    if (file_scanned_to(f) >= start + want)
        want = tail_input_of(f)->max_bytes + TAIL_QUANTUM;
    n = load(f, &p, want);
    if (n < 0)
        return without_bytes(n, ret_bytes);
    if (is_on_the_way(f, &p))
        return READ_END;
    if (must_wait(f, p.end > 0))
        return READ_MORE;
    if (!is_same_content(f, &p)) {
        tail_catch_up(f->tail); /* a copy that was made before is told of before */
        file_restart(f);
        *ret_bytes = 1;
        return READ_MORE;
    }
    bool full = p.end - start >= want;
    p.final = !full && (p.end == f->extra->stop_at || content_end(&f->content) != CONTENT_OPEN);
    lines_take(&p);
    if (p.final)
        lines_take_rest(&p); /* the end of the file ends the last line */
    pass_leave_span(&p);
    note_head(f, p.bytes, p.base == 0 ? p.end : 0);
    if (file_at(f)->head_bytes > 0)
        registry_seen(f->entry);
    recovery_passed(f, p.pos);
    *ret_bytes = p.pos - start;
    return conclude(&p, full);
}

/* see header */
bool read_flush_partial(struct file *f)
{
    struct pass p;
    uint64_t unfinished = file_scanned_to(f) - file_at(f)->offset;
    if (file_scanned_to(f) <= file_at(f)->offset)
        return true;
    if (load(f, &p, (size_t)unfinished) < 0 || !is_same_content(f, &p) || p.pos >= p.end)
        return true;
    p.final = true;
    lines_take(&p);
    lines_take_rest(&p);
    pass_leave_span(&p);
    return !p.blocked;
}
