/*
 * output/replay - letters gathered by target, sent, judged item by item
 *
 * Letters that follow each other and go the same way make one request. It is judged by the same
 * tables as the output's: what cannot be understood as a whole is sent in smaller ranges, down to
 * single documents; a host that does not answer gives way to the next, a few rounds long.
 *
 * Every letter taken is told once, or not at all when replaying ends early: it stays in its box
 * then, and its id makes the next replay harmless.
 */
#include "output/replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "output/elasticsearch_internal.h"

#define ITEMS_MAX    1000
#define BODY_SOFT    MIB
#define BODY_MAX     ((size_t)FRAME_PAYLOAD_MAX + MIB)
#define PACKED_MAX   (64 * MIB)
#define NAME_BYTES   256
#define ROUNDS       3
#define PAUSE_MS_MAX 1000

/* A letter in the body. */
struct gathered {
    struct dead_letter_id at;
    uint32_t from, bytes;
};

struct replay {
    const struct output_opts *opts;
    replay_done_fn done;
    void *ctx;
    struct http *http;
    struct host *hosts;
    size_t host; /* in use */
    struct buf packed;
    struct sender_job job;
    struct buf body;
    struct gathered items[ITEMS_MAX];
    uint32_t count;
    char target[BATCH_TARGET_MAX + 1]; /* of all of them */
    char pipeline[NAME_BYTES];
    bool plain_index;
};

/* see header */
struct replay *replay_new(const struct output_opts *opts, replay_done_fn done, void *ctx,
                          struct err *e)
{
    struct http_opts http_opts = es_http_opts(opts);
    struct http *http = http_new(&http_opts);
    if (http == NULL) {
        (void)err_set(e, -ENOMEM, "no HTTP client can be made");
        return NULL;
    }
    struct replay *r = mem_zalloc(sizeof(*r));
    r->opts = opts;
    r->done = done;
    r->ctx = ctx;
    r->http = http;
    r->hosts = mem_zalloc_array(opts->host_count, sizeof(*r->hosts));
    for (size_t i = 0; i < opts->host_count; i++)
        es_host_init(&r->hosts[i], opts->hosts[i]);
    buf_init(&r->packed, PACKED_MAX);
    buf_init(&r->body, BODY_MAX);
    sender_job_init(&r->job);
    return r;
}

/* see header */
void replay_free(struct replay **rp)
{
    struct replay *r = *rp;
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->opts->host_count; i++)
        es_host_clear(&r->hosts[i]);
    mem_free(r->hosts);
    sender_job_clear(&r->job);
    buf_clear(&r->packed);
    buf_clear(&r->body);
    http_free(&r->http);
    mem_free(r);
    *rp = NULL;
}

/* ---- hosts ---- */

/* whether the last exchange was answered, by something that is no passing trouble */
static bool is_answered(const struct sender_job *job, const struct request_decision *d)
{
    return job->reply.outcome == HTTP_REPLIED && d->action != REQUEST_RETRY &&
           d->action != REQUEST_UNKNOWN;
}

/* waits before the next round */
static void pause_round(const struct replay *r)
{
    int64_t ms = r->opts->backoff_init_ms < PAUSE_MS_MAX ? r->opts->backoff_init_ms : PAUSE_MS_MAX;
    const struct timespec pause = {(time_t)(ms / 1000), (long)(ms % 1000 * 1000000)};
    (void)nanosleep(&pause, NULL); /* cut short by a signal: tried sooner */
}

/* asks a host who it is, once */
static bool know_host(struct replay *r, struct host *h, const struct request_decision **ret_d)
{
    if (h->state == HOST_READY)
        return true;
    r->job.kind = SENDER_PROBE;
    sender_exchange(r->http, NULL, &r->packed, &r->job);
    *ret_d = decide_request(r->job.reply.outcome, r->job.reply.status,
                            control_error_type(buf_slice(&r->job.head)));
    if (!is_answered(&r->job, *ret_d))
        return false;
    h->product = r->job.product;
    h->state = HOST_READY;
    return true;
}

/* one request to the present host; what it means */
static const struct request_decision *post(struct replay *r, uint32_t first, uint32_t count)
{
    const struct request_decision *d = NULL;
    const struct gathered *last = &r->items[first + count - 1];
    const size_t from = r->items[first].from;
    struct host *h = &r->hosts[r->host];
    struct sender_job *job = &r->job;
    job->host = h->url;
    if (!know_host(r, h, &d))
        return d;
    job->kind = SENDER_BULK;
    job->target = r->target;
    job->pipeline = r->pipeline[0] != '\0' ? r->pipeline : NULL;
    job->require_data_stream = !r->plain_index && product_knows_require_data_stream(&h->product);
    job->body = slice_of(r->body.ptr + from, last->from + last->bytes - from);
    job->item_count = count;
    sender_exchange(r->http, NULL, &r->packed, job);
    return decide_request(job->reply.outcome, job->reply.status,
                          control_error_type(buf_slice(&job->head)));
}

/* the same through every host, a few times; NULL with e filled when none answers */
static const struct request_decision *try_hosts(struct replay *r, uint32_t first, uint32_t count,
                                                struct err *e)
{
    const struct request_decision *d = NULL;
    for (size_t i = 0; i < r->opts->host_count * ROUNDS; i++) {
        d = post(r, first, count);
        bool is_whole = d->action != REQUEST_ITEMS || r->job.items_error == 0;
        if (is_answered(&r->job, d) && is_whole && d->action != REQUEST_PAUSE_HOST &&
            d->action != REQUEST_MEDIA_TYPE)
            return d;
        const char *why = d->why != NULL ? d->why : r->job.reply.err.text;
        (void)err_set(e, -ENOTCONN, "%s: %s", r->hosts[r->host].name,
                      is_whole ? why : "answered with something that is no whole _bulk reply");
        r->host = (r->host + 1) % r->opts->host_count;
        if (r->host == 0)
            pause_round(r);
    }
    return NULL;
}

/* ---- requests ---- */

/* tells the same of a range */
static void tell(struct replay *r, uint32_t first, uint32_t count, enum replay_outcome outcome,
                 const char *why)
{
    for (uint32_t i = first; i < first + count; i++)
        r->done(r->ctx, r->items[i].at, outcome, why);
}

/* tells each item's own result */
static void tell_items(struct replay *r, uint32_t first, uint32_t count)
{
    static const enum replay_outcome outcomes[] = {
        [DECIDE_ACK] = REPLAY_CREATED,           [DECIDE_DUPLICATE] = REPLAY_DUPLICATE,
        [DECIDE_REJECT] = REPLAY_REJECTED,       [DECIDE_RETRY] = REPLAY_REFUSED,
        [DECIDE_RETRY_BOUNDED] = REPLAY_REFUSED, [DECIDE_PAUSE_TARGET] = REPLAY_REFUSED,
        [DECIDE_DROP_IDS] = REPLAY_REFUSED,
    };
    const struct reply_item *items = reply_items(r->job.items);
    for (uint32_t i = 0; i < count; i++) {
        const struct item_decision *d = decide_item_row(items[i].row);
        r->done(r->ctx, r->items[first + i].at, outcomes[d->action], d->why);
    }
}

/* What a request's answer does to its range. *size is what the next range may hold; 1 = the range
 * is done. */
static int apply(struct replay *r, const struct request_decision *d, uint32_t first, uint32_t count,
                 uint32_t *size, struct err *e)
{
    switch (d->action) {
    case REQUEST_ITEMS:
        tell_items(r, first, count);
        *size = *size > ITEMS_MAX / 2 ? ITEMS_MAX : *size * 2;
        return 1;
    case REQUEST_SPLIT:
    case REQUEST_ISOLATE:
        if (count > 1) {
            *size = count / 2;
            return 0;
        }
        tell(r, first, count, REPLAY_REJECTED, d->why);
        return 1;
    case REQUEST_CREDENTIALS:
        return err_set(e, -EACCES, "%s: %s", r->hosts[r->host].name, d->why);
    case REQUEST_PAUSE_TARGET:
    case REQUEST_PAUSE_HOST:
    case REQUEST_MEDIA_TYPE:
    case REQUEST_RETRY:
    case REQUEST_UNKNOWN:
        break;
    }
    tell(r, first, count, REPLAY_REFUSED, d->why);
    return 1;
}

/* see header */
int replay_flush(struct replay *r, struct err *e)
{
    uint32_t size = ITEMS_MAX;
    int result = 0;
    for (uint32_t at = 0; at < r->count && result >= 0;) {
        uint32_t count = r->count - at < size ? r->count - at : size;
        const struct request_decision *d = try_hosts(r, at, count, e);
        result = d != NULL ? apply(r, d, at, count, &size, e) : e->code;
        if (result == 1)
            at += count;
    }
    r->count = 0;
    buf_reset(&r->body);
    return result < 0 ? result : 0;
}

/* ---- gathering ---- */

/* appends both lines; the texts were ours once, but a disk may have changed them */
static int put_item(struct buf *body, const struct dead_letter *l)
{
    size_t before = body->len;
    int r = buf_add_str(body, l->id.len > 0 ? "{\"create\":{\"_id\":\"" : "{\"create\":{");
    if (r == 0 && l->id.len > 0)
        r = json_escape(body, l->id, NULL);
    if (r == 0)
        r = buf_add_str(body, l->id.len > 0 ? "\"}}\n" : "}}\n");
    if (r == 0)
        r = buf_add_slice(body, l->document);
    if (r == 0)
        r = buf_add_byte(body, '\n');
    if (r < 0)
        buf_cut(body, before);
    return r;
}

/* whether a letter goes where those gathered go */
static bool is_same_way(const struct replay *r, const struct dead_letter *l)
{
    return slice_eq_str(l->target, r->target) && slice_eq_str(l->pipeline, r->pipeline) &&
           l->plain_index == r->plain_index;
}

/* remembers the way of the first letter; false where no way can be so long */
static bool set_way(struct replay *r, const struct dead_letter *l)
{
    if (l->target.len == 0 || l->target.len > BATCH_TARGET_MAX || l->pipeline.len >= NAME_BYTES)
        return false;
    memcpy(r->target, l->target.ptr, l->target.len);
    r->target[l->target.len] = '\0';
    if (l->pipeline.len > 0)
        memcpy(r->pipeline, l->pipeline.ptr, l->pipeline.len);
    r->pipeline[l->pipeline.len] = '\0';
    r->plain_index = l->plain_index;
    return true;
}

/* see header */
int replay_add(struct replay *r, const struct dead_letter *letter, struct err *e)
{
    bool fits = r->count < ITEMS_MAX && r->body.len + letter->document.len <= BODY_SOFT;
    if (r->count > 0 && (!fits || !is_same_way(r, letter))) {
        int error = replay_flush(r, e);
        if (error < 0)
            return error;
    }
    uint32_t from = (uint32_t)r->body.len;
    if ((r->count == 0 && !set_way(r, letter)) ||
        slice_find(letter->document, '\n') < letter->document.len ||
        put_item(&r->body, letter) < 0) {
        r->done(r->ctx, letter->at, REPLAY_REJECTED, "it is no document that can be sent");
        return 0;
    }
    r->items[r->count++] = (struct gathered){letter->at, from, (uint32_t)r->body.len - from};
    return 0;
}
