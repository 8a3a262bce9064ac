/*
 * output/discard - every item counts as accepted with the next round of the loop
 */
#include "output/discard.h"

#include "base/mem.h"
#include "output/output_ops.h"
#include "settle.h"

struct discard {
    struct output_hooks hooks;
    struct output_counters counters;
    struct loop_timer *timer; /* the way out of submit */
    struct list queue;
};

/* gives back what was taken */
static void on_timer(void *ctx)
{
    struct discard *d = ctx;
    struct list *node;
    while ((node = list_pop_front(&d->queue)) != NULL) {
        struct batch *b = LIST_ENTRY(node, struct batch, link);
        settle_all(b, &d->counters);
        d->hooks.returned(d->hooks.ctx, b);
    }
}

/* see header */
struct discard *discard_new(struct loop *loop, const struct output_hooks *hooks)
{
    struct discard *d = mem_zalloc(sizeof(*d));
    d->hooks = *hooks;
    d->timer = loop_timer_new(loop, on_timer, d);
    list_init(&d->queue);
    return d;
}

/* takes a batch */
static void submit(void *self, struct batch *b)
{
    struct discard *d = self;
    list_push_back(&d->queue, &b->link);
    if (!loop_timer_is_set(d->timer))
        loop_timer_set(d->timer, 0);
}

/* since it was made */
static const struct output_counters *counters(const void *self)
{
    const struct discard *d = self;
    return &d->counters;
}

/* nothing is under way */
static int stop(void *self)
{
    struct discard *d = self;
    loop_timer_stop(d->timer);
    return 0;
}

/* lets go of what is left */
static void free_discard(void *self)
{
    struct discard *d = self;
    loop_timer_cancel(&d->timer);
    while (list_pop_front(&d->queue) != NULL)
        continue;
    mem_free(d);
}

const struct output_ops discard_ops = {
    .name = "discard",
    .submit = submit,
    .counters = counters,
    .stop = stop,
    .free = free_discard,
};
