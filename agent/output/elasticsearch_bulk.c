/*
 * output/elasticsearch_bulk - applies item results to a batch
 *
 * What is accepted leaves the batch at once. What is to be sent again stays; what is rejected stays
 * until it is durable in the dead-letter box. Only items that failed are ever sent again.
 */
#include <string.h>

#include "output/elasticsearch_internal.h"

/* answers in a row that count against an item before it is rejected */
#define BOUNDED_TRIES 8
/* of a reply's items one in so many refused is back-pressure; a rarer one is only sent again */
#define BUSY_SHARE 20
/* item.tries of one that was sent before and bears no blame */
#define TRIED 2

struct tally {
    uint32_t accepted, rejected, retried, busy, stored, collided;
};

/* at most one line in half a minute */
static void tell_stored(struct output *o, const struct flight *f, uint32_t n)
{
    es_count(o, OUTPUT_FAILURE_STORE, n);
    es_tell_throttled(o, &o->store_notice, "\"%s\": %u documents went to its failure store",
                      f->target->name, n);
}

/* Whether another document has the id, though this one cannot have been taken before: then it gets
 * another. */
static bool collides(struct flight *f, struct batch_item *item)
{
    struct span_owner *owner = f->batch->spans[item->span]->owner;
    struct slice id = batch_action_value(f->batch, item, "_id");
    char generation[DOCID_GENERATION_CHARS];
    uint64_t offset, ticket;
    if (item->tries != 1 || owner->ops->collided == NULL || !docid_offset(id, &offset))
        return false;
    memcpy(generation, id.ptr, sizeof(generation));
    if (!owner->ops->collided(owner, offset, generation, &ticket))
        return false;
    batch_set_generation(f->batch, item, generation);
    if (f->barrier < ticket)
        f->barrier = ticket;
    return true;
}

/* 409: ours, sent before; or, where the id was not ours, one that the target takes for the same */
static void apply_duplicate(struct output *o, struct flight *f, struct batch_item *item,
                            struct tally *t)
{
    if (collides(f, item)) {
        item->state = ITEM_RETRY;
        item->tries = TRIED;
        t->collided++;
        return;
    }
    item->state = ITEM_DUPLICATE;
    bool is_ours = batch_action_value(f->batch, item, "_id").len > 0;
    es_count(o, is_ours ? OUTPUT_ITEMS_DUPLICATE : OUTPUT_ITEMS_CONFLICT, 1);
}

/* the ids are the fault; without one it is another */
static void apply_drop_ids(struct output *o, const struct flight *f, uint32_t i)
{
    struct batch_item *item = &f->batch->items[i];
    if (batch_action_value(f->batch, item, "_id").len == 0) {
        item->state = ITEM_REJECTED;
        es_count(o, OUTPUT_ITEMS_REJECTED, 1);
        return;
    }
    es_target_drop_ids(o, es_item_target(o, f, i));
    item->state = ITEM_RETRY;
    item->tries = TRIED;
}

/* at most one line in half a minute */
static void tell_collided(struct output *o, const struct flight *f, uint32_t n)
{
    es_count(o, OUTPUT_ITEMS_COLLISION, n);
    es_tell_throttled(o, &o->collision_notice,
                      "\"%s\": %u documents found their ids taken by others, they are sent under "
                      "new ones: is path.data a copy of another host's, or was it put back?",
                      f->target->name, n);
}

/* one item's answer */
static void apply_item(struct output *o, struct flight *f, uint32_t i, const struct reply_item *r,
                       struct tally *t)
{
    struct batch_item *item = &f->batch->items[i];
    const struct item_decision *d = decide_item_row(r->row);
    item->status = r->status;
    if (d->action != DECIDE_DUPLICATE)
        es_count(o, d->counter, 1);
    t->busy += d->busy;
    t->stored += r->failure_store;
    switch (d->action) {
    case DECIDE_ACK:
        item->state = ITEM_CREATED;
        break;
    case DECIDE_DUPLICATE:
        apply_duplicate(o, f, item, t);
        break;
    case DECIDE_REJECT:
        item->state = ITEM_REJECTED;
        break;
    case DECIDE_RETRY:
        item->state = ITEM_RETRY;
        item->tries = TRIED; /* what it was refused for is not its fault */
        break;
    case DECIDE_RETRY_BOUNDED:
        item->state = item->tries++ < BOUNDED_TRIES ? ITEM_RETRY : ITEM_REJECTED;
        es_count(o, OUTPUT_ITEMS_REJECTED, item->state == ITEM_REJECTED);
        break;
    case DECIDE_PAUSE_TARGET:
        item->state = ITEM_RETRY;
        item->tries = TRIED;
        es_target_pause(o, es_item_target(o, f, i), d->health, d->why, 0);
        return; /* the target's pause delays it, not the back-off of the batch */
    case DECIDE_DROP_IDS:
        apply_drop_ids(o, f, i);
        t->rejected += item->state == ITEM_REJECTED;
        return; /* nothing delays it */
    }
    bool accepted = item->state == ITEM_CREATED || item->state == ITEM_DUPLICATE;
    if (accepted && f->batch->kind == BATCH_METRICS)
        es_target_pass(o, es_item_target(o, f, i));
    t->accepted += accepted;
    t->rejected += item->state == ITEM_REJECTED;
    t->retried += item->state == ITEM_RETRY && d->action != DECIDE_DUPLICATE;
}

/* see header */
void es_mark_tried(struct flight *f)
{
    for (uint32_t i = f->first; i < f->first + f->count; i++) {
        if (f->batch->items[i].tries < TRIED)
            f->batch->items[i].tries = TRIED;
    }
}

/* too many are rejected to believe that it is the documents' fault: they wait */
static void spare(struct flight *f)
{
    for (uint32_t i = f->first; i < f->first + f->count; i++) {
        if (f->batch->items[i].state == ITEM_REJECTED)
            f->batch->items[i].state = ITEM_RETRY;
    }
}

/* keeps the errors of the rejected, an empty one where the reply's were too many */
static void keep_texts(struct flight *f, const struct reply *reply)
{
    size_t cursor = 0;
    struct reply_text text;
    bool more = reply_next_text(reply, &cursor, &text);
    for (uint32_t i = 0; i < f->count; i++) {
        while (more && text.item < i)
            more = reply_next_text(reply, &cursor, &text);
        if (f->batch->items[f->first + i].state != ITEM_REJECTED)
            continue;
        const struct slice none = {0};
        bool has = more && text.item == i;
        es_keep_text(f, has ? text.type : none, has ? text.reason : none);
    }
    f->burying = true;
}

/* The range may grow again once something passed. */
static void progress(struct output *o, struct flight *f)
{
    es_target_pass(o, f->target);
    if (f->target->passed < f->send)
        f->target->passed = f->send;
    f->suspects = 0;
    f->cursor = f->singles ? f->first : 0; /* those before stand where it breaks */
    f->range_max = f->range_max > UINT32_MAX / 2 ? 0 : f->range_max * 2;
}

/* the usual reply to a whole batch of log lines: all of it was taken */
static void accept_all(struct output *o, struct flight *f)
{
    es_count(o, OUTPUT_ITEMS_CREATED, f->count);
    progress(o, f);
    (void)es_target_guards(f->target, f->count, 0); /* nothing bad: it only counts */
    f->unsure = false;
    f->failures = 0;
    batch_accept(f->batch);
    es_finish(o, f);
}

/* see header; whether it was back-pressure */
bool es_apply_items(struct output *o, struct flight *f, const struct sender_job *job)
{
    struct tally t = {0};
    if (f->count == f->batch->item_count && f->batch->kind == BATCH_LOGS &&
        reply_all_created(job->items)) {
        accept_all(o, f);
        return false;
    }
    const struct reply_item *results = reply_items(job->items);
    if (job->reply.repeated)
        es_mark_tried(f);
    if (f->count == f->batch->item_count)
        f->unsure = false;
    for (uint32_t i = 0; i < f->count; i++)
        apply_item(o, f, f->first + i, &results[i], &t);
    if (t.stored > 0)
        tell_stored(o, f, t.stored);
    if (t.collided > 0)
        tell_collided(o, f, t.collided);
    if (t.accepted > 0)
        progress(o, f);
    if (es_target_guards(f->target, t.accepted + t.rejected, t.rejected)) {
        spare(f);
        es_target_pause(o, f->target, OUTPUT_FAILED, "rejects more than half of the documents", 0);
    } else if (t.rejected > 0) {
        keep_texts(f, job->items);
    }
    f->failures = t.retried > 0 ? f->failures + 1 : 0;
    bool busy = t.busy * BUSY_SHARE >= f->count && t.busy > 0 && !f->is_retry;
    int64_t retry_after = t.retried > 0 ? job->reply.retry_after_ms : 0;
    es_settle(o, f, /* may free the flight */
              t.busy > 0 ? es_busy_delay(o, f->failures, retry_after)
                         : es_delay(o, f->failures, retry_after));
    return busy;
}

/* its status and the beginning of the answer's body tell why */
void es_reject_single(struct output *o, struct flight *f, const struct sender_job *job)
{
    struct batch_item *item = &f->batch->items[f->first];
    item->status = (uint16_t)job->reply.status;
    item->state = ITEM_REJECTED;
    es_count(o, OUTPUT_ITEMS_REJECTED, 1);
    if (es_target_guards(f->target, 1, 1)) {
        item->state = ITEM_PENDING;
        es_target_pause(o, f->target, OUTPUT_FAILED, "rejects more than half of the documents", 0);
    } else {
        es_keep_text(f, control_error_type(buf_slice(&job->head)), buf_slice(&job->head));
        f->burying = true;
    }
    es_settle(o, f, 0);
}

/* what can leave the batch leaves it */
void es_settle(struct output *o, struct flight *f, int64_t delay_ms)
{
    int64_t now = loop_now_ms(o->loop);
    f->not_before_ms = delay_ms > 0 ? now + delay_ms : f->not_before_ms;
    if (batch_resolve(f->batch) == 0)
        es_finish(o, f);
    else if (f->burying && !o->stopped)
        es_bury(o, f);
    else if (!es_retry_wants(o, f) || !es_retry_take(o, f, delay_ms))
        es_requeue(o, f, f->not_before_ms <= now);
}
