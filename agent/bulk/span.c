/*
 * bulk/span - spans and their pool
 *
 * Spans that come back are kept in a free list for the life of the pool: their number is bounded by
 * batches times files in a batch.
 */
#include "bulk/span.h"

#include <assert.h>

#include "base/mem.h"

struct span_pool {
    struct list free;
    unsigned used;
};

/* an empty pool */
struct span_pool *span_pool_new(void)
{
    struct span_pool *p = mem_zalloc(sizeof(*p));
    list_init(&p->free);
    return p;
}

/* frees the kept spans */
void span_pool_free(struct span_pool **p)
{
    if (*p == NULL)
        return;
    assert((*p)->used == 0);
    struct list *node;
    while ((node = list_pop_front(&(*p)->free)) != NULL)
        mem_free(LIST_ENTRY(node, struct span, link));
    mem_free(*p);
    *p = NULL;
}

/* a kept span, or a new one */
struct span *span_get(struct span_pool *p, struct span_owner *owner, uint64_t at)
{
    struct list *node = list_pop_front(&p->free);
    struct span *s =
        node != NULL ? LIST_ENTRY(node, struct span, link) : mem_zalloc(sizeof(struct span));
    *s = (struct span){.owner = owner, .from = at, .to = at};
    list_init(&s->link);
    p->used++;
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
    list_push_front(&p->free, &s->link);
    p->used--;
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
    return p->used;
}
