/*
 * tail/carry - records that begin in one generation and end in another
 *
 * The record is given by the file in which it ends, under the id of the generation in which it
 * begins. Its span there has companions, one in each earlier generation: they are resolved when the
 * offset has moved over the span, so that an earlier offset is never ahead of a later one. A
 * generation whose record has not ended stays at the record's first byte.
 */
#include "base/mem.h"
#include "carry_internal.h"
#include "framing_internal.h"

/* whether nothing of a generation is open any more */
static bool is_over(const struct carried *c)
{
    return !c->start[0].open && !c->start[1].open;
}

/* lets go of an earlier generation */
static void let_go(struct carried *c)
{
    if (c->from != NULL)
        c->from->away = NULL;
    registry_unhold(c->entry);
    mem_free(c);
}

/* An earlier generation moves as far as what is still open allows. */
static void release(struct tail *t, struct carried *c, struct span *with)
{
    struct span *s = span_get(feed_spans(t->feed), &c->entry->owner, c->end.offset);
    s->evidence = join_mark(c->end, c->start);
    registry_span_added(c->entry, s);
    if (with != NULL) {
        span_add_companion(with, s);
        return;
    }
    s->resolved = true;
    s->owner->ops->resolved(s->owner, s);
}

/* see carry_internal.h */
void carry_close(struct joins *j, enum decode_stream s, struct span *with)
{
    struct carried **at = &j->earlier;
    while (*at != NULL) {
        struct carried *c = *at;
        if (c->start[s].open) {
            c->start[s].open = false;
            release(j->file->tail, c, with);
        }
        if (!is_over(c)) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        let_go(c);
    }
}

/* see carry_internal.h */
void carry_free(struct joins *j)
{
    if (j->away != NULL)
        j->away->from = NULL;
    while (j->earlier != NULL) {
        struct carried *c = j->earlier;
        j->earlier = c->next;
        let_go(c);
    }
}

/* one open record goes over to a later generation */
static void move(struct join *to, struct join *from, struct entry *entry)
{
    struct buf empty = to->text;
    *to = *from;
    if (to->origin == NULL) {
        to->origin = entry;
        to->origin_offset = from->start.offset;
    }
    to->start = (struct join_start){.open = true, .carried = true};
    *from = (struct join){.text = empty};
}

/* What is open in `a`, which was read to `end`, goes on in f; what f is not to go on with was given
 * by an earlier life. */
static void carry(struct joins *a, struct entry *entry, const struct evidence *end, struct file *f)
{
    struct joins *b = joins_of(f);
    bool fresh = file_at(f)->offset == 0 && b->taken_to == 0;
    struct carried *c = mem_zalloc(sizeof(*c));
    c->entry = entry;
    c->end = *end;
    c->from = a;
    a->away = c;
    registry_hold(entry);
    c->next = a->earlier;
    a->earlier = NULL;
    b->earlier = c;
    for (unsigned s = 0; s < DECODE_STREAMS; s++)
        c->start[s] = a->stream[s].start;
    for (unsigned s = 0; s < DECODE_STREAMS; s++) {
        if (!a->stream[s].start.open)
            continue;
        if (fresh || b->expected[s]) {
            move(&b->stream[s], &a->stream[s], entry);
        } else {
            join_reset(f->tail, &a->stream[s]);
            carry_close(b, s, NULL);
        }
    }
    list_remove(&a->link);
    if (b->stream[0].start.open || b->stream[1].start.open)
        list_push_back(&f->tail->joining, &b->link);
}

/* whether a file has something that can go on elsewhere */
static bool may_be_carried(const struct file *f)
{
    const struct joins *j = f->extra->framing == NULL ? NULL : f->extra->framing->joins;
    return j != NULL && !list_is_empty(&j->link) && j->away == NULL &&
           file_at(f)->offset >= j->taken_to;
}

/* see header */
void joins_before_read(struct file *f)
{
    struct file *before = f->extra->after;
    if (before != NULL && before->at_end && may_be_carried(before) &&
        (f->extra->framing == NULL || f->extra->framing->joins == NULL ||
         f->extra->framing->joins->earlier == NULL))
        carry(before->extra->framing->joins, before->entry, file_at(before), f);
    if (f->extra->framing == NULL || f->extra->framing->joins == NULL)
        return;
    for (unsigned s = 0; s < DECODE_STREAMS; s++)
        f->extra->framing->joins->expected[s] = false; /* it came, or never will */
}

/* see header */
void joins_inherit(struct file *f, struct joins **jp, struct entry *entry,
                   const struct evidence *end)
{
    carry(*jp, entry, end, f);
    joins_free(jp);
}
