/*
 * output/elasticsearch_send - what is sent next, and when to look again
 *
 * Every look goes through the queue in order and sends what may be sent: a job is free, the limit
 * of requests under way is not reached, a host and the target do not wait. What waits for a time
 * sets the timer; what waits for an answer is looked at again when that has come.
 *
 * A request carries a contiguous range of a batch's items, so that a part of a batch (split,
 * isolated, or between items whose targets wait) is sent without a copy.
 */
#include <string.h>

#include "output/elasticsearch_internal.h"

/* before another try to start a sender thread */
#define NO_THREAD_MS 1000
/* between looks whether a ticket is durable */
#define BARRIER_MS 10
/* sent to a target that refused, until it accepts */
#define TRIAL_BYTES (64 * KIB)

struct look {
    int64_t now;
    int64_t wake; /* earliest time at which something may be sent; INT64_MAX: none known */
};

/* something may be sent at a time */
static void wait_until(struct look *look, int64_t at)
{
    if (at < look->wake)
        look->wake = at;
}

/* a free job, asked for nothing yet; NULL if none */
static struct sender_job *take_job(struct output *o, enum sender_kind kind, void *owner,
                                   const struct host *h)
{
    struct list *node = list_pop_front(&o->idle);
    if (node == NULL)
        return NULL;
    struct sender_job *job = LIST_ENTRY(node, struct sender_job, link);
    job->kind = kind;
    job->owner = owner;
    job->host = h->url;
    job->target = "";
    job->pipeline = NULL;
    return job;
}

/* gives it to the sender */
static bool submit(struct output *o, struct sender_job *job, struct look *look)
{
    if (sender_submit(o->sender, job) == 0)
        return true;
    list_push_front(&o->idle, &job->link);
    es_tell(o, LOG_DEBUG, "no sender thread can be started");
    wait_until(look, look->now + NO_THREAD_MS);
    return false;
}

/* Whether some host takes requests now, and another is being asked: the others can be asked one
 * after the other. */
static bool may_wait(const struct output *o, int64_t now)
{
    bool works = false, asked = false;
    for (size_t i = 0; i < o->opts.host_count; i++) {
        works |= o->hosts[i].state == HOST_READY && o->hosts[i].not_before_ms <= now;
        asked |= o->hosts[i].state == HOST_PROBING;
    }
    return works && asked;
}

/* Asks every host that is not known yet who it is. With nothing to send only those that could not
 * be reached, so that it is known when they are back. */
static void probe_hosts(struct output *o, struct look *look)
{
    for (size_t i = 0; i < o->opts.host_count; i++) {
        struct host *h = &o->hosts[i];
        if (list_is_empty(&o->queue) && !h->unreached)
            continue;
        if (h->not_before_ms > look->now) {
            wait_until(look, h->not_before_ms);
            continue;
        }
        if (h->state != HOST_NEW || may_wait(o, look->now))
            continue;
        struct sender_job *job = take_job(o, SENDER_PROBE, h, h);
        if (job != NULL && submit(o, job, look))
            h->state = HOST_PROBING;
    }
}

/* asks for the template of a target */
static void check_target(struct output *o, const struct host *h, struct target *t,
                         struct look *look)
{
    struct sender_job *job = take_job(o, SENDER_TEMPLATE, t, h);
    if (job == NULL)
        return;
    job->target = t->name;
    if (submit(o, job, look))
        t->state = TARGET_CHECKING;
}

/* Whether documents may go to a target through a host. Where the host does not know
 * require_data_stream, a template must be seen first: else a plain index would be made. */
static bool target_is_open(struct output *o, const struct host *h, struct target *t,
                           struct look *look)
{
    if (es_target_waits(t, look->now)) {
        if (t->not_before_ms > look->now)
            wait_until(look, t->not_before_ms);
        return false;
    }
    if (t->name[0] == '\0' || t->state == TARGET_READY || t->plain_index ||
        product_knows_require_data_stream(&h->product))
        return true;
    if (t->state == TARGET_UNCHECKED)
        check_target(o, h, t, look);
    return false;
}

/* a target that refused is tried with little */
static size_t range_bytes(const struct output *o, const struct flight *f)
{
    size_t bytes = es_pace_bytes(o);
    return f->target->failures > 0 && bytes > TRIAL_BYTES ? TRIAL_BYTES : bytes;
}

/* Chooses the items that go next; false if none may. */
static bool choose_range(struct output *o, struct flight *f, const struct host *h,
                         struct look *look)
{
    const struct batch *b = f->batch;
    const bool mixed = b->kind == BATCH_METRICS;
    if (!mixed && !target_is_open(o, h, f->target, look))
        return false;
    uint32_t i = f->cursor < b->item_count ? f->cursor : 0;
    while (mixed && i < b->item_count && !target_is_open(o, h, es_item_target(o, f, i), look))
        i++;
    f->first = i;
    const size_t max_bytes = range_bytes(o, f);
    size_t bytes = 0;
    if (!mixed && i == 0 && f->range_max == 0 && b->body_bytes <= max_bytes)
        i = b->item_count; /* all of it, as mostly */
    for (; i < b->item_count; i++) {
        const uint32_t n = i - f->first;
        bytes += b->items[i].bytes;
        if (n > 0 && (bytes > max_bytes || n == f->range_max))
            break;
        if (mixed && n > 0 && !target_is_open(o, h, es_item_target(o, f, i), look))
            break;
    }
    f->count = i - f->first;
    if (f->count == 0)
        f->cursor = 0; /* the next look begins in front again */
    return f->count > 0;
}

/* takes the ids off what goes to targets that take none */
static void drop_ids(struct output *o, struct flight *f)
{
    if (f->batch->kind != BATCH_METRICS) {
        if (f->target->no_ids)
            batch_drop_ids(f->batch, slice_str(f->target->name));
        return;
    }
    LIST_EACH(node, &o->targets) {
        const struct target *t = LIST_ENTRY(node, struct target, link);
        if (t->no_ids)
            batch_drop_ids(f->batch, slice_str(t->name));
    }
}

/* counts the items as sent; those sent before as sent again */
static void count_items(struct flight *f)
{
    struct batch *b = f->batch;
    for (uint32_t i = f->first; i < f->first + f->count; i++) {
        struct batch_item *item = &b->items[i];
        if (item->tries == 0)
            item->tries = 1;
        else
            b->spans[item->span]->owner->ledger->documents[DOCUMENT_RESENT]++;
    }
    b->sends++;
}

/* whether a body to that host is compressed */
static bool wants_gzip(const struct output *o, const struct flight *f, const struct host *h)
{
    if (f->broken >= BROKEN_PLAIN || f->singles || loop_now_ms(o->loop) < h->plain_until_ms)
        return false;
    return o->opts.compression == OUTPUT_COMPRESSION_GZIP ||
           (o->opts.compression == OUTPUT_COMPRESSION_AUTO && !h->loopback);
}

/* it is under way */
static void take_off(struct output *o, struct flight *f, struct host *h)
{
    list_remove(&f->link);
    f->host = h;
    h->outstanding++;
    f->target->outstanding++;
    o->in_flight++;
}

/* asks for documents whose answer was lost */
static void send_verify(struct output *o, struct flight *f, struct host *h, struct look *look)
{
    if (!target_is_open(o, h, f->target, look))
        return;
    if (es_verify_prepare(o, f) != 0) {
        es_verify_give_up(o, f, "their ids are too long");
        return;
    }
    struct sender_job *job = take_job(o, SENDER_VERIFY, f, h);
    if (job == NULL)
        return;
    job->target = f->target->name;
    job->body = buf_slice(&f->query);
    if (submit(o, job, look))
        take_off(o, f, h);
}

/* sends the chosen range */
static void send_range(struct output *o, struct flight *f, struct host *h, struct look *look)
{
    struct batch *b = f->batch;
    struct sender_job *job = take_job(o, SENDER_BULK, f, h);
    if (job == NULL)
        return;
    drop_ids(o, f);
    const struct batch_item *last = &b->items[f->first + f->count - 1];
    const size_t from = b->items[f->first].at;
    job->target = b->target;
    job->require_data_stream =
        !f->target->plain_index && product_knows_require_data_stream(&h->product);
    job->pipeline = es_pipeline(o, b);
    job->gzip = wants_gzip(o, f, h);
    job->plain_json = h->plain_json;
    job->body = slice_of(b->body + from, last->at + last->bytes - from);
    job->item_count = f->count;
    if (!submit(o, job, look))
        return;
    take_off(o, f, h);
    f->send = ++f->target->sends;
    count_items(f);
    es_count(o, OUTPUT_REQUESTS, 1);
    es_count(o, OUTPUT_REQUEST_BYTES, job->body.len);
}

/* whether the ids that it was given here may be used */
static bool is_durable(struct output *o, struct flight *f)
{
    if (f->barrier != 0 && !o->hooks.durable(o->hooks.ctx, f->barrier))
        return false;
    f->barrier = 0;
    return true;
}

/* one flight of the queue */
static void look_at(struct output *o, struct flight *f, struct look *look)
{
    if (f->not_before_ms > look->now) {
        wait_until(look, f->not_before_ms);
        return;
    }
    if (f->batch->item_count == 0) {
        (void)batch_resolve(f->batch); /* its spans: there are no items */
        es_finish(o, f);
        return;
    }
    if (f->burying) {
        es_bury(o, f);
        return;
    }
    if (!is_durable(o, f)) {
        wait_until(look, look->now + BARRIER_MS);
        return;
    }
    if (es_target_waits(f->target, look->now) && es_retry_wants(o, f) &&
        (es_retry_take(o, f, 0) || es_retry_give_back(o, f)))
        return;
    if (o->in_flight >= o->pace.limit || list_is_empty(&o->idle))
        return;
    struct host *h = es_host_pick(o, look->now);
    if (h == NULL)
        return;
    if (es_verify_wants(o, f))
        send_verify(o, f, h, look);
    else if (choose_range(o, f, h, look))
        send_range(o, f, h, look);
}

/* one look through the queue */
void es_pump(struct output *o)
{
    if (o->stopped)
        return;
    struct look look = {loop_now_ms(o->loop), INT64_MAX};
    probe_hosts(o, &look);
    LIST_EACH(node, &o->queue) {
        look_at(o, LIST_ENTRY(node, struct flight, link), &look);
    }
    wait_until(&look, es_target_wake(o, look.now));
    if (look.wake != INT64_MAX && !(loop_timer_is_set(o->timer)))
        loop_timer_set_at(o->timer, look.wake);
}
