/*
 * tail/registry_extra - what only some entries need
 *
 * An entry of which nothing is on its way and nothing unusual is to be known shares
 * entry_extra_none. Another one has a struct of its own, which is given back when it says the same
 * and its middle anchor is old enough to be the older one.
 *
 * Nothing can fail.
 */
#include "base/mem.h"
#include "registry_internal.h"

/* looks at them again not sooner */
#define REST_MS 5000

/* an empty list that nobody changes */
#define NO_SPANS ((struct list *)(uintptr_t)&entry_extra_none.spans)

const struct entry_extra entry_extra_none = {.spans = {NO_SPANS, NO_SPANS}};

/* see registry_internal.h */
struct entry_extra *registry_extra(struct entry *e)
{
    struct registry *r = e->registry;
    if (e->extra != &entry_extra_none)
        return LIST_ENTRY(&e->extra->link, struct entry_extra, link);
    struct entry_extra *x = slab_get(&r->extra_slab);
    x->entry = e;
    list_init(&x->spans);
    list_push_back(&r->extras, &x->link);
    e->extra = x;
    registry_rest_soon(r);
    return x;
}

/* see registry_internal.h */
void registry_drop_extra(struct entry *e)
{
    if (e->extra == &entry_extra_none)
        return;
    struct entry_extra *x = registry_extra(e);
    e->extra = &entry_extra_none;
    mem_free(x->days);
    mem_free(x->former);
    list_remove(&x->link);
    slab_put(&e->registry->extra_slab, x);
}

/* How long something of it will change by itself, as far as it is known; 0 = not at all. */
static int64_t wait_of(const struct registry *r, const struct entry_extra *x)
{
    int64_t old_ms = x->middle_ms + REGISTRY_OLDER_MS;
    int64_t now = loop_now_ms(r->loop);
    if (x->middle_ms != 0 && now < old_ms)
        return old_ms - now;
    return list_is_empty(&x->spans) && x->sent_ticket <= r->durable ? 0 : REST_MS;
}

/* whether it says what entry_extra_none does, apart from the above */
static bool is_usual(const struct entry_extra *x)
{
    return x->absent_ns == 0 && x->former == NULL && x->days == NULL && x->holds == 0;
}

/* see registry_internal.h */
void registry_on_rest(void *registry)
{
    struct registry *r = registry;
    int64_t next = INT64_MAX;
    LIST_EACH(node, &r->extras) {
        struct entry_extra *x = LIST_ENTRY(node, struct entry_extra, link);
        struct entry *e = x->entry;
        int64_t wait = wait_of(r, x);
        if (wait > 0 && wait < next)
            next = wait;
        if (wait > 0 || !is_usual(x))
            continue;
        if (x->middle_ms != 0)
            e->older = x->middle;
        registry_drop_extra(e);
    }
    if (next != INT64_MAX)
        loop_timer_set(r->rest_timer, next > REST_MS ? next : REST_MS);
    slab_trim(&r->extra_slab);
    if (r->dirty_count == 0)
        mem_forget(r->dirty, r->dirty_room * sizeof(r->dirty[0]));
}

/* see registry_internal.h */
void registry_rest_soon(struct registry *r)
{
    if (!loop_timer_is_set(r->rest_timer))
        loop_timer_set(r->rest_timer, REGISTRY_OLDER_MS);
}
