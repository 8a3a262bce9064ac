/*
 * tail/extra - what only some files need
 *
 * An idle file whose bytes are all acknowledged is where its entry says, and nothing else is to be
 * known of it: it shares extra_none. Everything else is in a struct of its own, which is made when
 * something of it changes and is given back, a while after the file has cooled, when it says the
 * same as extra_none.
 *
 * Invariant: a file without extra has no spans on their way, so its entry's offset does not move.
 */
#include "bulk/encode.h"
#include "tail_internal.h"

#define REST_MS 5000

const struct extra extra_none = {.stop_at = UINT64_MAX};

/* whether a file with nothing under way is at an acknowledged offset */
static bool is_acked(const struct entry *e, const struct evidence *at)
{
    const struct evidence *a = &e->acked;
    return list_is_empty(&e->extra->spans) && at->offset == a->offset && at->anchor == a->anchor &&
           at->head == a->head && at->head_bytes == a->head_bytes && at->flags == a->flags &&
           at->ahead == a->ahead && at->other == a->other;
}

/* see tail_internal.h */
struct extra *extra_of(struct file *f)
{
    struct tail *t = f->tail;
    if (f->extra != &extra_none)
        return LIST_ENTRY(&f->extra->link, struct extra, link);
    struct extra *x = slab_get(&t->extra_slab);
    x->file = f;
    x->stop_at = UINT64_MAX;
    x->at = f->entry->acked;
    x->scanned_to = x->at.offset;
    list_push_back(&t->extras, &x->link);
    f->extra = x;
    return x;
}

/* see tail_internal.h */
void extra_begin(struct file *f, const struct evidence *at)
{
    f->extra = &extra_none;
    if (is_acked(f->entry, at))
        return;
    struct extra *x = extra_of(f);
    x->at = *at;
    x->scanned_to = at->offset;
}

/* see tail_internal.h */
void extra_drop(struct file *f)
{
    if (f->extra == &extra_none)
        return;
    extra_drop_encode(f);
    struct extra *x = extra_of(f);
    f->extra = &extra_none;
    list_remove(&x->link);
    slab_put(&f->tail->extra_slab, x);
}

/* see tail_internal.h */
void extra_drop_encode(struct file *f)
{
    if (f->extra->encode != NULL)
        encode_file_free(&extra_of(f)->encode);
}

/* whether it says what extra_none does */
static bool is_none(const struct extra *x)
{
    return x->elder == NULL && x->after == NULL && x->waiters == 0 && x->orphan == NULL &&
           x->recovery == NULL && x->parked == NULL && x->framing == NULL && x->encode == NULL &&
           x->stop_at == UINT64_MAX && x->scanned_to == x->at.offset &&
           is_acked(x->file->entry, &x->at);
}

/* gives back what is needed no more; looks again where an answer is still to come */
static void on_rest(void *ctx)
{
    struct tail *t = ctx;
    LIST_EACH(node, &t->extras) {
        struct file *f = LIST_ENTRY(node, struct extra, link)->file;
        if (f->is_hot)
            continue;
        if (is_none(f->extra))
            extra_drop(f);
        else if (!list_is_empty(&f->entry->extra->spans))
            extra_rest_soon(t);
    }
    slab_trim(&t->extra_slab);
}

/* see tail_internal.h */
void extra_rest_soon(struct tail *t)
{
    if (!loop_timer_is_set(t->rest_timer))
        loop_timer_set(t->rest_timer, REST_MS);
}

/* see tail_internal.h */
void extra_init(struct tail *t)
{
    list_init(&t->extras);
    slab_init(&t->extra_slab, sizeof(struct extra));
    t->rest_timer = loop_timer_new(t->loop, on_rest, t);
}

/* see tail_internal.h */
void extra_free(struct tail *t)
{
    loop_timer_cancel(&t->rest_timer);
    slab_clear(&t->extra_slab);
}
