/*
 * output/elasticsearch_apply - what a finished exchange means
 *
 * Control requests change their host or target. Bulk requests are judged by the request table; a
 * request that was understood goes on to the item table (elasticsearch_bulk.c).
 *
 * Isolating: a 400 for a whole body is sent again in halves until one document stands alone, then
 * in growing ranges again. That document is rejected only when another of its target was accepted
 * by a request that left after the 400s began; else it is passed over for now. Where document after
 * document fails and none passes, the fault is not theirs: the target waits and nothing is
 * dead-lettered.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "output/elasticsearch_internal.h"

/* single documents answered 400 in a row before the target is blamed */
#define SUSPECTS_MAX 16
/* a host that seems to take no compressed bodies is not tried with one before */
#define PLAIN_MS 600000
/* a missing template is looked for again after this */
#define RECHECK_MS    30000
#define NOT_BULK_TEXT "answered with something that is no whole _bulk reply"

/* what the request table says */
static const struct request_decision *judge(const struct sender_job *job)
{
    return decide_request(job->reply.outcome, job->reply.status,
                          control_error_type(buf_slice(&job->head)));
}

/* "why (error.type)" into dst; where the table has no text, the transport's without its URL */
static void explain(const struct request_decision *d, const struct sender_job *job,
                    char dst[WHY_BYTES])
{
    struct slice type = control_error_type(buf_slice(&job->head));
    const char *why = d->why;
    if (why == NULL) {
        const char *mark = strstr(job->reply.err.text, ": ");
        why = mark != NULL ? mark + 2 : job->reply.err.text;
        type.len = 0;
    }
    (void)snprintf(dst, WHY_BYTES, "%.160s%s%.*s%s", why, type.len > 0 ? " (" : "", (int)type.len,
                   type.len > 0 ? type.ptr : "", type.len > 0 ? ")" : "");
}

/* how bad it is: what people have to mend is worse than what passes */
static enum output_health health_of(const struct request_decision *d, const struct sender_job *job)
{
    return d->why == NULL && job->reply.lasting ? OUTPUT_FAILED : d->health;
}

/* the probe of a host came back */
static void on_probe(struct output *o, const struct sender_job *job)
{
    struct host *h = job->owner;
    const struct request_decision *d = judge(job);
    h->state = HOST_NEW;
    h->unreached |= job->reply.outcome == HTTP_REFUSED;
    if (job->reply.outcome != HTTP_REPLIED || d->action == REQUEST_RETRY) {
        char why[WHY_BYTES];
        explain(d, job, why);
        enum output_health health = job->reply.lasting ? OUTPUT_FAILED : OUTPUT_DEGRADED;
        es_host_fail(o, h, health, why, job->reply.retry_after_ms);
        return;
    }
    if (memcmp(&h->product, &job->product, sizeof(h->product)) != 0) {
        char text[64];
        product_describe(&job->product, text, sizeof(text));
        es_tell(o, LOG_INFO, "%s: %s", h->name, text);
    }
    h->product = job->product;
    h->state = HOST_READY;
    if (h->unreached)
        es_host_good(o, h);
    h->unreached = false;
}

/* every host has the same credentials */
static void fail_all_hosts(struct output *o, const struct request_decision *d, const char *why)
{
    for (size_t i = 0; i < o->opts.host_count; i++)
        es_host_fail(o, &o->hosts[i], d->health, why, 0);
}

/* the look for a template came back */
static void on_template(struct output *o, const struct sender_job *job)
{
    struct target *t = job->owner;
    t->state = TARGET_UNCHECKED;
    if (job->has_template == 1 || job->has_template == -EACCES) {
        t->state = TARGET_READY;
        if (job->has_template == -EACCES)
            es_tell(
                o, LOG_WARN,
                "%s: the server does not show its templates (HTTP %ld): where none makes a data "
                "stream of it, it makes an index",
                t->name, job->reply.status);
        return;
    }
    const struct request_decision *d = judge(job);
    int64_t wait = o->backoff.max_ms < RECHECK_MS ? o->backoff.max_ms : RECHECK_MS;
    if (job->has_template == 0)
        es_target_pause(o, t, OUTPUT_FAILED,
                        "no data-stream template matches: run \"wherry setup\"", wait);
    else if (d->action == REQUEST_CREDENTIALS)
        fail_all_hosts(o, d, d->why);
    else
        es_target_pause(o, t, OUTPUT_DEGRADED, "cannot look for its template", 0);
}

/* counts an answer by its status */
static void count_reply(struct output *o, const struct http_reply *reply)
{
    es_count(o, OUTPUT_SENT_BYTES, reply->sent_bytes);
    if (reply->outcome == HTTP_REFUSED)
        es_count(o, OUTPUT_REFUSED, 1);
    else if (reply->outcome != HTTP_REPLIED)
        es_count(o, OUTPUT_BROKEN, 1);
    static const enum output_counter classes[] = {OUTPUT_REPLIES_2XX, OUTPUT_REPLIES_3XX,
                                                  OUTPUT_REPLIES_4XX, OUTPUT_REPLIES_5XX};
    if (reply->status >= 200 && reply->status < 600)
        es_count(o, classes[reply->status / 100 - 2], 1);
}

/* One document alone, then as many more as pass: either one of them is to blame, and halving finds
 * it, or the server was away, and then nothing stays slow. What breaks alone is passed over. */
static void narrow(struct flight *f)
{
    if (!f->singles) {
        f->singles = true;
        f->range_max = 1;
    } else if (f->count == 1) {
        f->cursor = f->first + 1;
    } else if (f->broken > 0) {
        f->range_max = f->count / 2;
    }
}

/* the same bytes again; it may have been our encoding, so fewer documents at once in the end */
static void again(struct output *o, struct flight *f)
{
    es_count(o, OUTPUT_RETRIES, 1);
    if (f->singles || f->broken >= BROKEN_SINGLE)
        narrow(f);
    es_requeue(o, f, f->broken == 0);
}

/* 413: smaller from now on */
static void split(struct output *o, struct flight *f, const struct sender_job *job)
{
    es_count(o, OUTPUT_SPLITS, 1);
    if (f->count == 1) {
        es_reject_single(o, f, job);
        return;
    }
    es_pace_learn(o, job->body.len);
    es_requeue(o, f, true);
}

/* nothing passed: the target is to blame, its other batches have their turn first */
static void blame_target(struct output *o, struct flight *f, const struct request_decision *d,
                         const struct sender_job *job)
{
    char why[WHY_BYTES];
    explain(d, job, why);
    if (control_error_type(buf_slice(&job->head)).len == 0) /* no server's words */
        (void)snprintf(why, sizeof(why), "%s: does something else answer in the server's place?",
                       d->why);
    f->suspects = 0;
    es_target_pause(o, f->target, d->health, why, job->reply.retry_after_ms);
    es_requeue(o, f, false);
}

/* whether a 400 for the whole says of the ids what else the items say */
static bool refuses_ids(const struct flight *f, const struct sender_job *job)
{
    struct slice body = buf_slice(&job->head);
    const struct item_decision *d = decide_item(
        (unsigned)job->reply.status, control_error_type(body), control_error_reason(body));
    return d->action == DECIDE_DROP_IDS && !f->target->no_ids;
}

/* 400: narrows the search by one step */
static void isolate(struct output *o, struct flight *f, struct host *h,
                    const struct request_decision *d, const struct sender_job *job)
{
    if (refuses_ids(f, job)) {
        es_target_drop_ids(o, f->target);
        again(o, f);
        return;
    }
    es_count(o, OUTPUT_ISOLATIONS, 1);
    if (!f->isolating) {
        f->isolating = true;
        f->isolate_mark = f->target->sends;
        h->state = HOST_NEW; /* another version may not know our parameters */
    }
    if (f->count > 1) {
        f->range_max = f->count / 2;
        es_requeue(o, f, true);
        return;
    }
    if (f->target->passed > f->isolate_mark) {
        es_reject_single(o, f, job);
        return;
    }
    f->suspects++;
    f->cursor = f->first + 1;
    bool is_last = f->cursor >= f->batch->item_count;
    if (is_last)
        f->cursor = 0;
    if (is_last || f->suspects >= SUSPECTS_MAX)
        blame_target(o, f, d, job);
    else
        es_requeue(o, f, true);
}

/* another content type, and when both were refused the host waits */
static void change_media_type(struct output *o, struct flight *f, struct host *h,
                              const struct request_decision *d, const struct sender_job *job,
                              const char *why)
{
    if (job->plain_json)
        es_host_fail(o, h, d->health, why, job->reply.retry_after_ms);
    else
        es_tell(o, LOG_INFO, "%s: %s, going on with application/json", h->name, why);
    h->plain_json = !job->plain_json;
    again(o, f);
}

/* a request that was not understood, or not answered */
static void on_failure(struct output *o, struct flight *f, struct host *h,
                       const struct request_decision *d, const struct sender_job *job)
{
    char why[WHY_BYTES];
    explain(d, job, why);
    const int64_t retry_after = job->reply.retry_after_ms;
    switch (d->action) {
    case REQUEST_UNKNOWN:
    case REQUEST_RETRY:
        if (job->reply.outcome != HTTP_REPLIED)
            h->state = HOST_NEW;
        h->unreached |= job->reply.outcome == HTTP_REFUSED;
        if (d->busy)
            es_host_busy(o, h, d->health, why, retry_after);
        else
            es_host_fail(o, h, health_of(d, job), why, retry_after);
        again(o, f);
        break;
    case REQUEST_SPLIT:
        split(o, f, job);
        break;
    case REQUEST_ISOLATE:
        isolate(o, f, h, d, job);
        break;
    case REQUEST_CREDENTIALS:
        if (!job->reply.new_credentials)
            fail_all_hosts(o, d, why);
        again(o, f);
        break;
    case REQUEST_PAUSE_TARGET:
        es_target_pause(o, f->target, d->health, why, retry_after);
        es_count(o, OUTPUT_RETRIES, 1);
        es_requeue(o, f, false);
        break;
    case REQUEST_PAUSE_HOST:
        es_host_fail(o, h, d->health, why, retry_after);
        again(o, f);
        break;
    case REQUEST_MEDIA_TYPE:
        change_media_type(o, f, h, d, job, why);
        break;
    case REQUEST_ITEMS: /* 200, but not with one result for each item */
        es_count(o, OUTPUT_BAD_REPLIES, 1);
        es_host_fail(o, h, OUTPUT_DEGRADED, NOT_BULK_TEXT, 0);
        again(o, f);
        break;
    }
}

/* what it did not answer compressed it answered plain */
static void blame_gzip(struct output *o, struct host *h)
{
    if (o->opts.compression == OUTPUT_COMPRESSION_NONE || loop_now_ms(o->loop) < h->plain_until_ms)
        return;
    h->plain_until_ms = loop_now_ms(o->loop) + PLAIN_MS;
    es_tell(o, LOG_WARN, "%s: answers only requests that are not compressed", h->name);
}

/* Whether an answer's loss means that documents may have been taken: no status of a server that
 * refuses before it works. */
static bool is_unsure(const struct request_decision *d, const struct http_reply *reply)
{
    if (reply->outcome == HTTP_REFUSED)
        return false;
    return d->action == REQUEST_UNKNOWN || d->action == REQUEST_ITEMS ||
           (d->action == REQUEST_RETRY && !d->busy);
}

/* a flight is back; the host that it was with */
static struct host *land(struct output *o, struct flight *f)
{
    struct host *h = f->host;
    f->host = NULL;
    h->outstanding--;
    f->target->outstanding--;
    o->in_flight--;
    return h;
}

/* the search for documents came back: they are settled, or the host waits, or it is given up */
static void on_verify(struct output *o, const struct sender_job *job)
{
    struct flight *f = job->owner;
    struct host *h = land(o, f);
    const struct request_decision *d = judge(job);
    char why[WHY_BYTES];
    if (o->stopped && job->reply.outcome == HTTP_INTERRUPTED) {
        es_requeue(o, f, true);
    } else if (d->action == REQUEST_ITEMS && job->found_error == 0) {
        es_host_good(o, h);
        es_verify_apply(o, f, job);
    } else if (d->action == REQUEST_RETRY || d->action == REQUEST_UNKNOWN ||
               d->action == REQUEST_CREDENTIALS || d->action == REQUEST_PAUSE_HOST) {
        on_failure(o, f, h, d, job);
    } else {
        explain(d, job, why);
        es_verify_give_up(o, f, d->action == REQUEST_ITEMS ? "not all of it answers" : why);
        es_requeue(o, f, true);
    }
}

/* a bulk request came back */
static void on_bulk(struct output *o, const struct sender_job *job)
{
    struct flight *f = job->owner;
    struct host *h = land(o, f);
    if (o->stopped && job->reply.outcome == HTTP_INTERRUPTED) {
        es_requeue(o, f, true);
        return;
    }
    count_reply(o, &job->reply);
    const struct request_decision *d = judge(job);
    if (job->reply.outcome == HTTP_REPLIED && !job->gzip && f->broken >= BROKEN_PLAIN &&
        !f->singles)
        blame_gzip(o, h);
    f->broken = job->reply.outcome == HTTP_BROKEN && job->reply.status == 0 ? f->broken + 1 : 0;
    if (d->busy)
        es_pace_shrink(o);
    if (d->action != REQUEST_ITEMS || job->items_error != 0) {
        es_mark_tried(f);
        if (is_unsure(d, &job->reply)) {
            f->unsure = true;
            f->verify_at = 0;
        }
        on_failure(o, f, h, d, job);
        return;
    }
    es_host_good(o, h);
    if (es_apply_items(o, f, job))
        es_pace_shrink(o);
    else
        es_pace_good(o);
}

/* by kind */
void es_on_job(void *ctx, struct sender_job *job)
{
    struct output *o = ctx;
    switch (job->kind) {
    case SENDER_PROBE:
        on_probe(o, job);
        break;
    case SENDER_TEMPLATE:
        on_template(o, job);
        break;
    case SENDER_BULK:
        on_bulk(o, job);
        break;
    case SENDER_VERIFY:
        on_verify(o, job);
        break;
    }
    list_push_front(&o->idle, &job->link);
    es_kick(o);
    es_health_update(o);
}
