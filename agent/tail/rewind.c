/*
 * tail/rewind - reading again what cannot be kept in memory
 *
 * Where a target refuses, and what it refused finds no room apart, its files are the buffer: the
 * newest span of a generation is forgotten, and reading goes on where it began, when the target
 * takes documents again. Not where reading the same bytes again would not give the same records:
 * records in several lines, compressed content, what is unsure after a crash of the host.
 */
#include "tail_internal.h"

/* the evidence at which the newest span of an entry begins */
static const struct evidence *start_of(const struct entry *e, const struct span *newest)
{
    if (newest->link.prev == &e->extra->spans)
        return &e->acked;
    return &LIST_ENTRY(newest->link.prev, struct span, link)->evidence;
}

/* whether a span can be read again */
static bool can_rewind(const struct entry *e, const struct span *s)
{
    const struct file *f = e->file;
    if (f == NULL || f->tail->opts.once || f->tail->stopped || e->extra->former != NULL ||
        e->extra->spans.prev != &s->link)
        return false;
    const struct evidence *at = start_of(e, s);
    return at->offset == s->from && at->ahead == 0 && (at->flags & ~EVIDENCE_IN_OVERSIZE) == 0 &&
           file_at(f)->ahead == 0 && f->extra->framing == NULL && f->extra->recovery == NULL &&
           !content_is_packed(&f->content);
}

/* see tail_internal.h */
bool rewind_span(struct entry *e, struct span *s, bool commit)
{
    if (!commit || !can_rewind(e, s))
        return !commit && can_rewind(e, s);
    struct file *f = e->file;
    struct evidence at = *start_of(e, s);
    struct extra *x = extra_of(f);
    if (x->skipped_to < file_at(f)->offset)
        x->skipped_to = file_at(f)->offset;
    list_remove(&s->link);
    x->at = at;
    x->scanned_to = at.offset;
    file_heat(f);
    return true;
}
