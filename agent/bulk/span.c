/*
 * bulk/span - spans and their pool
 *
 * Spans that come back are kept for the next ones, or go back to the system by whole blocks when
 * few are in use. Their number is bounded by batches times files in a batch.
 */
#include "bulk/span.h"

#include <assert.h>

#include "base/mem.h"
#include "base/slab.h"

struct span_pool {
    struct slab spans;
};

/* an empty pool */
struct span_pool *span_pool_new(void)
{
    struct span_pool *p = mem_zalloc(sizeof(*p));
    slab_init(&p->spans, sizeof(struct span));
    return p;
}

/* gives the memory back */
void span_pool_free(struct span_pool **p)
{
    if (*p == NULL)
        return;
    slab_clear(&(*p)->spans);
    mem_free(*p);
    *p = NULL;
}

/* from the slab */
struct span *span_get(struct span_pool *p, struct span_owner *owner, uint64_t at)
{
    struct span *s = slab_get(&p->spans);
    *s = (struct span){.owner = owner, .from = at, .to = at};
    list_init(&s->link);
    return s;
}

/* keeps it for the next span_get */
void span_put(struct span_pool *p, struct span *s)
{
    while (s->companion != NULL) {
        struct span *c = s->companion;
        s->companion = c->companion;
        c->companion = NULL;
        span_put(p, c);
    }
    list_remove(&s->link);
    slab_put(&p->spans, s);
}

/* see header */
void span_pool_rest(struct span_pool *p)
{
    slab_trim(&p->spans);
}

/* see header */
void span_add_companion(struct span *s, struct span *c)
{
    c->companion = s->companion;
    s->companion = c;
}

/* see header */
void span_resolve_companions(struct span *s)
{
    while (s->companion != NULL) {
        struct span *c = s->companion;
        s->companion = c->companion;
        c->companion = NULL;
        c->resolved = true;
        c->owner->ops->resolved(c->owner, c);
    }
}

/* handed out and not back */
unsigned span_pool_used(const struct span_pool *p)
{
    return (unsigned)p->spans.count;
}
