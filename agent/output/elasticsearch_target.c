/*
 * output/elasticsearch_target - data streams, each of which may refuse on its own
 *
 * A target that refuses waits, longer each time, until it accepts a document again. Invariant:
 * target_count is the length of the list. Targets that no batch names are forgotten when there are
 * too many: names may come from metrics of containers.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "output/elasticsearch_internal.h"

#define TARGETS_MAX 256
/* a judgement over a target's documents needs this many */
#define GUARD_ITEMS 1000

/* forgets targets without flights, the longest unused first, until there is room */
static void make_room(struct output *o)
{
    struct list *node = o->targets.prev;
    while (o->target_count >= TARGETS_MAX && node != &o->targets) {
        struct target *t = LIST_ENTRY(node, struct target, link);
        node = node->prev;
        if (t->flights > 0 || t->gave_back || t->state == TARGET_CHECKING)
            continue;
        list_remove(&t->link);
        mem_free(t);
        o->target_count--;
    }
}

/* moves what it finds to the front */
struct target *es_target(struct output *o, struct slice name)
{
    name = slice_sub(name, 0, BATCH_TARGET_MAX);
    LIST_EACH(node, &o->targets) {
        struct target *t = LIST_ENTRY(node, struct target, link);
        if (!slice_eq_str(name, t->name))
            continue;
        list_remove(&t->link);
        list_push_front(&o->targets, &t->link);
        return t;
    }
    make_room(o);
    struct target *t = mem_zalloc(sizeof(*t));
    if (name.len > 0)
        memcpy(t->name, name.ptr, name.len);
    t->no_ids = o->opts.auto_ids;
    list_push_front(&o->targets, &t->link);
    o->target_count++;
    return t;
}

/* that of its `_index`, else the batch's */
struct target *es_item_target(struct output *o, const struct flight *f, uint32_t item)
{
    if (f->batch->kind != BATCH_METRICS)
        return f->target;
    struct slice name = batch_action_value(f->batch, &f->batch->items[item], "_index");
    return name.len > 0 ? es_target(o, name) : f->target;
}

/* tells whoever reads for it */
static void hold(struct output *o, struct target *t, bool held)
{
    if (t->held == held)
        return;
    t->held = held;
    o->hooks.paused(o->hooks.ctx, t->name, held);
}

/* without flights nobody would find out that it takes documents again */
void es_target_idle(struct output *o, struct target *t)
{
    if (!t->gave_back || t->not_before_ms <= loop_now_ms(o->loop))
        hold(o, t, false);
}

/* see header: they find out by reading */
int64_t es_target_wake(struct output *o, int64_t now_ms)
{
    int64_t next = INT64_MAX;
    LIST_EACH(node, &o->targets) {
        struct target *t = LIST_ENTRY(node, struct target, link);
        if (!t->gave_back || t->flights > 0)
            continue;
        if (t->not_before_ms <= now_ms) {
            t->gave_back = false;
            hold(o, t, false);
        } else if (t->not_before_ms < next) {
            next = t->not_before_ms;
        }
    }
    return next;
}

/* until a time, or until the one request that tries it is back */
bool es_target_waits(const struct target *t, int64_t now_ms)
{
    return t->not_before_ms > now_ms || (t->failures > 0 && t->outstanding > 0);
}

/* one step of the back-off for each time it was tried */
void es_target_pause(struct output *o, struct target *t, enum output_health health, const char *why,
                     int64_t retry_after_ms)
{
    int64_t now = loop_now_ms(o->loop);
    if (t->not_before_ms > now)
        return;
    t->failures++;
    t->not_before_ms = now + 1 + es_delay(o, t->failures, retry_after_ms);
    es_trouble(o, &t->trouble, health, "\"%s\": %s", t->name, why);
    hold(o, t, t->flights > 0);
}

/* A pause under way runs out first: what refused stands beside what was accepted, or was answered
 * later. */
void es_target_pass(struct output *o, struct target *t)
{
    if (t->not_before_ms > loop_now_ms(o->loop))
        return;
    t->failures = 0;
    t->gave_back = false;
    t->not_before_ms = 0;
    hold(o, t, false);
    es_trouble_end(o, &t->trouble, "\"%s\": accepts documents again", t->name);
}

/* What may have been taken already comes twice from now on if it is sent again. */
void es_target_drop_ids(struct output *o, struct target *t)
{
    if (t->no_ids)
        return;
    t->no_ids = true;
    es_tell(o, LOG_WARN,
            "\"%s\": takes no ids of ours, its documents go without: one that must be sent again "
            "may come twice",
            t->name);
}

/* The window forgets by halving: it always speaks of between one and two times GUARD_ITEMS. */
bool es_target_guards(struct target *t, uint32_t items, uint32_t bad)
{
    t->seen_items += items;
    t->bad_items += bad;
    bool guards = bad > 0 && t->seen_items >= GUARD_ITEMS && t->bad_items * 2 > t->seen_items;
    while (t->seen_items >= (uint64_t)2 * GUARD_ITEMS) {
        t->seen_items /= 2;
        t->bad_items /= 2;
    }
    return guards;
}

/* frees all */
void es_targets_free(struct output *o)
{
    struct list *node;
    while ((node = list_pop_front(&o->targets)) != NULL)
        mem_free(LIST_ENTRY(node, struct target, link));
    o->target_count = 0;
}
