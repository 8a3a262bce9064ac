/*
 * output/elasticsearch_retry - a buffer for each target, of what must be sent again
 *
 * What one target refused, or the few documents of a batch that were refused for now, move into a
 * batch of the output's own with a flight of its own, and the batch they came in serves others.
 * New items are put behind those that are there, even while these are under way: a request borrows
 * the bytes of its range only, and nothing moves before it is back.
 *
 * The buffer is made when it is needed and freed when it is empty. Where it is full, or too many
 * others are, the batch is given back to its files, the newest first; one that cannot be waits with
 * its flight, and its feed sees to it that one target cannot keep all batches.
 */
#include <string.h>

#include "output/elasticsearch_internal.h"

#define RETRY_BYTES ((size_t)1 * MIB)
#define RETRY_ITEMS 8192
#define RETRY_SPANS 4096
/* of all buffers together */
#define KEPT_BYTES_MAX (16 * RETRY_BYTES)
/* no more than this is taken where the target does not wait */
#define LITTLE_BYTES (64 * KIB)

/* whether it goes its usual way: what is being narrowed down or asked for stays together */
static bool is_plain(const struct output *o, const struct flight *f)
{
    if (f->unsure && o->opts.verify_resend)
        return false;
    return !f->isolating && !f->singles && !f->burying && f->broken == 0 && f->range_max == 0;
}

/* see header; a mixed batch holds up all metrics */
bool es_retry_wants(const struct output *o, const struct flight *f)
{
    const struct batch *b = f->batch;
    if (o->stopped || f->is_retry || b->item_count == 0 || !is_plain(o, f))
        return false;
    return b->body_bytes <= LITTLE_BYTES || b->kind == BATCH_METRICS ||
           es_target_waits(f->target, loop_now_ms(o->loop));
}

/* the flight of a target's buffer, made if there is none; NULL: too many have one */
static struct flight *buffer_of(struct output *o, const struct flight *from, int64_t delay_ms)
{
    struct target *t = from->target;
    if (t->retry != NULL)
        return t->retry;
    if (o->kept_bytes + RETRY_BYTES > KEPT_BYTES_MAX)
        return NULL;
    struct batch *b = batch_new(from->batch->kind, RETRY_BYTES, RETRY_ITEMS, RETRY_SPANS);
    memcpy(b->target, from->batch->target, sizeof(b->target));
    t->retry = es_new_flight(o, b);
    t->retry->is_retry = true;
    t->retry->failures = from->failures;
    t->retry->not_before_ms = loop_now_ms(o->loop) + delay_ms;
    o->kept_bytes += RETRY_BYTES;
    es_requeue(o, t->retry, false);
    return t->retry;
}

/* see header */
bool es_retry_take(struct output *o, struct flight *f, int64_t delay_ms)
{
    const struct batch *b = f->batch;
    if (b->body_bytes > RETRY_BYTES || b->item_count > RETRY_ITEMS)
        return false;
    struct flight *buffer = buffer_of(o, f, delay_ms);
    if (buffer == NULL || batch_move(buffer->batch, f->batch) != 0)
        return false;
    buffer->batch->sends += f->batch->sends;
    if (buffer->barrier < f->barrier)
        buffer->barrier = f->barrier;
    es_finish(o, f);
    return true;
}

/* see header: what may have been taken is kept, and what is narrowed down */
bool es_retry_give_back(struct output *o, struct flight *f)
{
    if (f->is_retry || f->unsure || f->batch->kind != BATCH_LOGS || !batch_unread(f->batch))
        return false;
    f->target->gave_back = true;
    es_finish(o, f);
    es_kick(o); /* the one before it may be given back now */
    return true;
}

/* see header */
void es_retry_free(struct output *o, struct target *t, struct batch *b)
{
    t->retry = NULL;
    o->kept_bytes -= RETRY_BYTES;
    batch_free(&b);
}
