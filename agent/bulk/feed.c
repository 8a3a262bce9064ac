/*
 * bulk/feed - open batches and the pool behind them
 *
 * Open batches are listed in the order in which they were opened, so the first is the next to be
 * too old.
 *
 * Shares: a record for each target says whether it is paused and how many sealed batches it has
 * under way, so that none can take the whole pool. Idle records stay, up to SHARES_MAX.
 *
 * The batch returned last is opened next: its pages are warm, and a quiet agent keeps touching one
 * batch instead of all. Those that were not used for REST_MS give their pages back; large ones
 * that were filled slowly do so at once. In the free list they stand behind the others.
 */
#include "bulk/feed.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* the smallest item a body can hold is near this, so the item table never limits a full body */
#define ITEM_BYTES_MIN 96
#define SPANS_MAX      4096
#define SHARES_MAX     64
#define REST_MS        5000
/* what takes so long to fill costs more while it is kept than it costs to touch its pages again */
#define SLOW_MS     50
#define LARGE_BYTES ((size_t)256 * 1024)

/* What one target has of the pool. */
struct share {
    struct list link;
    unsigned outstanding; /* sealed and not back */
    bool paused;
    bool refused; /* somebody asked and got none */
    char target[BATCH_TARGET_MAX + 1];
};

struct feed {
    struct loop *loop;
    struct feed_opts opts;
    struct feed_hooks hooks;
    struct span_pool *spans;
    struct list free;
    struct list open; /* oldest first */
    struct list shares;
    unsigned share_count;
    size_t max_bytes; /* of a batch, now */
    struct batch **all;
    unsigned outstanding;
    bool starved; /* somebody asked and got none */
    struct loop_timer *linger;
    struct loop_timer *ready;
    struct loop_timer *rest;
};

/* whether a batch carries nothing */
static bool is_blank(const struct batch *b)
{
    return b->item_count == 0 && b->span_count == 0;
}

/* wakes for the oldest open batch that carries something */
static void set_linger(struct feed *f)
{
    loop_timer_stop(f->linger);
    LIST_EACH(node, &f->open) {
        const struct batch *b = LIST_ENTRY(node, struct batch, link);
        if (is_blank(b))
            continue;
        loop_timer_set_at(f->linger, b->opened_ms + f->opts.linger_ms);
        return;
    }
}

/* seals what is old enough */
static void on_linger(void *ctx)
{
    struct feed *f = ctx;
    int64_t now = loop_now_ms(f->loop);
    LIST_EACH(node, &f->open) {
        struct batch *b = LIST_ENTRY(node, struct batch, link);
        if (now - b->opened_ms >= f->opts.linger_ms)
            feed_seal(f, b);
    }
    set_linger(f);
}

/* gives back the pages of what has not been used for a while */
static void on_rest(void *ctx)
{
    struct feed *f = ctx;
    int64_t now = loop_now_ms(f->loop);
    LIST_EACH(node, &f->free) {
        struct batch *b = LIST_ENTRY(node, struct batch, link);
        if (b->returned_ms == 0)
            continue;
        if (now - b->returned_ms < REST_MS)
            loop_timer_set_at(f->rest, b->returned_ms + REST_MS); /* the oldest is the last */
        else
            batch_rest(b);
    }
    if (!loop_timer_is_set(f->rest))
        span_pool_rest(f->spans);
}

/* tells the producers that they may go on */
static void on_ready(void *ctx)
{
    struct feed *f = ctx;
    if (f->hooks.ready != NULL)
        f->hooks.ready(f->hooks.ctx);
}

/* makes the whole pool */
COLD struct feed *feed_new(struct loop *loop, const struct feed_opts *opts,
                           const struct feed_hooks *hooks)
{
    struct feed *f = mem_zalloc(sizeof(*f));
    f->loop = loop;
    f->opts = *opts;
    f->hooks = *hooks;
    f->spans = span_pool_new();
    list_init(&f->free);
    list_init(&f->open);
    list_init(&f->shares);
    f->max_bytes = opts->max_bytes;
    f->linger = loop_timer_new(loop, on_linger, f);
    f->ready = loop_timer_new(loop, on_ready, f);
    f->rest = loop_timer_new(loop, on_rest, f);
    f->all = mem_zalloc_array(opts->batches, sizeof(struct batch *));
    size_t cap = opts->max_bytes + opts->slack_bytes;
    uint32_t items = (uint32_t)(opts->max_bytes / ITEM_BYTES_MIN) + 1;
    if (opts->max_items != 0 && opts->max_items < items)
        items = opts->max_items;
    for (unsigned i = 0; i < opts->batches; i++) {
        f->all[i] = batch_new(opts->kind, cap, items, SPANS_MAX);
        list_push_back(&f->free, &f->all[i]->link);
    }
    return f;
}

/* Items of batches that never came back are dropped here: their source offsets were not moved, so
 * the next run reads them again. */
COLD void feed_free(struct feed **fp)
{
    struct feed *f = *fp;
    if (f == NULL)
        return;
    loop_timer_cancel(&f->linger);
    loop_timer_cancel(&f->ready);
    loop_timer_cancel(&f->rest);
    for (unsigned i = 0; i < f->opts.batches; i++) {
        batch_abandon(f->all[i]);
        batch_free(&f->all[i]);
    }
    struct list *node;
    while ((node = list_pop_front(&f->shares)) != NULL)
        mem_free(LIST_ENTRY(node, struct share, link));
    mem_free(f->all);
    span_pool_free(&f->spans);
    mem_free(f);
    *fp = NULL;
}

/* ---- shares ---- */

/* that of a target, NULL if it has none */
static struct share *find_share(struct feed *f, const char *target)
{
    if (target == NULL)
        return NULL;
    LIST_EACH(node, &f->shares) {
        struct share *s = LIST_ENTRY(node, struct share, link);
        if (strcmp(s->target, target) == 0)
            return s;
    }
    return NULL;
}

/* whether a record says nothing */
static bool is_idle(const struct share *s)
{
    return s->outstanding == 0 && !s->paused && !s->refused;
}

/* forgets idle records when there are too many: dated names come and go */
COLD static void prune_shares(struct feed *f)
{
    LIST_EACH(node, &f->shares) {
        struct share *s = LIST_ENTRY(node, struct share, link);
        if (f->share_count < SHARES_MAX || !is_idle(s))
            continue;
        list_remove(&s->link);
        mem_free(s);
        f->share_count--;
    }
}

/* the same, made if there is none */
static struct share *get_share(struct feed *f, const char *target)
{
    struct share *s = find_share(f, target);
    if (s != NULL)
        return s;
    prune_shares(f);
    s = mem_zalloc(sizeof(*s));
    f->share_count++;
    (void)snprintf(s->target, sizeof(s->target), "%s", target); /* a target fits */
    list_push_back(&f->shares, &s->link);
    return s;
}

/* whether a target may have nothing more */
static bool is_used_up(const struct feed *f, const struct share *s)
{
    return s != NULL &&
           (s->paused || (f->opts.max_per_target > 0 && s->outstanding >= f->opts.max_per_target));
}

/* tells those who asked in vain */
static void share_changed(struct feed *f, struct share *s)
{
    if (!s->refused || is_used_up(f, s))
        return;
    s->refused = false;
    loop_timer_set(f->ready, 0);
}

/* see header */
COLD void feed_pause(struct feed *f, const char *target, bool paused)
{
    struct share *s = paused ? get_share(f, target) : find_share(f, target);
    if (s == NULL)
        return;
    s->paused = paused;
    share_changed(f, s);
}

/* see header */
bool feed_holds(struct feed *f, const char *target)
{
    struct share *s = find_share(f, target);
    if (s == NULL || (!s->paused && !s->refused))
        return false;
    s->refused = true;
    return true;
}

/* see header */
void feed_set_max_bytes(struct feed *f, size_t bytes)
{
    f->max_bytes = bytes < f->opts.max_bytes ? bytes : f->opts.max_bytes;
}

/* whether a batch must go before `likely` more bytes */
static bool is_full(const struct feed *f, const struct batch *b, size_t likely, size_t worst)
{
    if (b->item_count == 0)
        return !batch_has_room(b, worst);
    return b->body_bytes + likely > f->max_bytes || !batch_has_room(b, worst);
}

/* see header */
size_t feed_max_bytes(const struct feed *f)
{
    return f->max_bytes;
}

/* see header */
bool feed_fits(const struct feed *f, const struct batch *b, size_t likely, size_t worst)
{
    return !is_full(f, b, likely, worst);
}

/* the open batch of a target, NULL if there is none */
static struct batch *find_open(struct feed *f, const char *target)
{
    LIST_EACH(node, &f->open) {
        struct batch *b = LIST_ENTRY(node, struct batch, link);
        if (target == NULL || strcmp(b->target, target) == 0)
            return b;
    }
    return NULL;
}

/* a free batch, or an open one that carries nothing */
static struct batch *take_blank(struct feed *f)
{
    struct list *node = list_pop_front(&f->free);
    if (node != NULL)
        return LIST_ENTRY(node, struct batch, link);
    LIST_EACH(open, &f->open) {
        struct batch *b = LIST_ENTRY(open, struct batch, link);
        if (!is_blank(b))
            continue;
        list_remove(open);
        return b;
    }
    return NULL;
}

/* Opens a batch. When all are open for other targets, the oldest goes, and comes back. */
static struct batch *open_next(struct feed *f, const char *target)
{
    struct batch *b = take_blank(f);
    if (b == NULL) {
        f->starved = true;
        if (!list_is_empty(&f->open))
            feed_seal(f, LIST_ENTRY(f->open.next, struct batch, link));
        return NULL;
    }
    list_push_back(&f->open, &b->link);
    b->target[0] = '\0';
    if (target != NULL) {
        assert(strlen(target) <= BATCH_TARGET_MAX);
        memcpy(b->target, target, strlen(target) + 1);
    }
    return b;
}

/* see header */
struct batch *feed_open(struct feed *f, const char *target, size_t likely, size_t worst)
{
    assert(worst <= f->opts.max_bytes + f->opts.slack_bytes);
    struct share *s = find_share(f, target);
    struct batch *b = find_open(f, target);
    if (b != NULL && is_full(f, b, likely, worst) && !is_used_up(f, s)) {
        feed_seal(f, b);
        s = find_share(f, target);
        b = NULL;
    }
    if (is_used_up(f, s) && (b == NULL || s->paused || is_full(f, b, likely, worst))) {
        s->refused = true;
        return NULL;
    }
    if (b == NULL)
        b = open_next(f, target);
    if (b == NULL)
        return NULL;
    if (is_blank(b)) {
        b->opened_ms = loop_now_ms(f->loop);
        list_remove(&b->link);
        list_push_back(&f->open, &b->link);
        if (!loop_timer_is_set(f->linger))
            loop_timer_set(f->linger, f->opts.linger_ms);
    }
    return b;
}

/* see header */
void feed_seal(struct feed *f, struct batch *b)
{
    if (is_blank(b))
        return;
    list_remove(&b->link);
    b->slow = b->body_bytes >= LARGE_BYTES && loop_now_ms(f->loop) - b->opened_ms >= SLOW_MS;
    f->outstanding++;
    if (f->opts.max_per_target > 0)
        get_share(f, b->target)->outstanding++;
    f->hooks.sealed(f->hooks.ctx, b);
}

/* see header */
COLD void feed_flush(struct feed *f)
{
    LIST_EACH(node, &f->open)
        feed_seal(f, LIST_ENTRY(node, struct batch, link));
}

/* in front if it keeps its pages */
static void put_free(struct feed *f, struct batch *b)
{
    if (b->slow) {
        batch_rest(b);
        list_push_back(&f->free, &b->link);
        return;
    }
    b->returned_ms = loop_now_ms(f->loop);
    list_push_front(&f->free, &b->link);
    if (!loop_timer_is_set(f->rest))
        loop_timer_set(f->rest, REST_MS);
}

/* back into the pool */
void feed_return(struct feed *f, struct batch *b)
{
    assert(b->item_count == 0);
    struct share *s = f->opts.max_per_target > 0 ? find_share(f, b->target) : NULL;
    if (s != NULL && s->outstanding > 0) {
        s->outstanding--;
        share_changed(f, s);
    }
    batch_reset(b, f->opts.max_bytes);
    list_remove(&b->link);
    put_free(f, b);
    f->outstanding--;
    if (f->starved) {
        f->starved = false;
        loop_timer_set(f->ready, 0);
    }
}

/* sealed and not back */
unsigned feed_outstanding(const struct feed *f)
{
    return f->outstanding;
}

/* the pool that the feed's batches take their spans from */
struct span_pool *feed_spans(struct feed *f)
{
    return f->spans;
}
