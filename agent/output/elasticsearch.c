/*
 * output/elasticsearch - life of the output: making, taking batches, stopping
 *
 *     submit --> queue --es_pump--> sender --es_on_job--> resolved: finish, hooks.returned
 *                  ^                                  +-> rejected: es_bury --> store thread
 *                  +------- again, after a delay <----+                            |
 *                  +------- again, without the dead-lettered <---------------------+
 *
 * Invariants: 1. a batch under way has one job at most. 2. pending counts the flights made and not
 * finished. 3. Nothing is sent after output_stop.
 *
 * Failures: none of the server's ends a batch; it waits here until it is resolved.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "os/compress.h"
#include "os/entropy.h"
#include "output/elasticsearch_internal.h"

#define STOP_WAIT_MS 1000
/* longest pause that back-pressure alone can cause */
#define BUSY_MAX_MS 10000
/* between two lines about single documents */
#define NOTICE_MS 30000

/* with jitter from the output's own generator */
int64_t es_delay(struct output *o, unsigned failures, int64_t retry_after_ms)
{
    return backoff_delay(&o->backoff, failures, retry_after_ms, prng_next(&o->prng));
}

/* see header */
int64_t es_busy_delay(struct output *o, unsigned failures, int64_t retry_after_ms)
{
    struct backoff_opts opts = o->backoff;
    if (opts.max_ms > BUSY_MAX_MS)
        opts.max_ms = opts.init_ms > BUSY_MAX_MS ? opts.init_ms : BUSY_MAX_MS;
    return backoff_delay(&opts, failures, retry_after_ms, prng_next(&o->prng));
}

/* the timer is the way out of the caller */
void es_kick(struct output *o)
{
    if (!o->stopped)
        loop_timer_set(o->timer, 0);
}

/* waits for es_pump */
void es_requeue(struct output *o, struct flight *f, bool front)
{
    if (front)
        list_push_front(&o->queue, &f->link);
    else
        list_push_back(&o->queue, &f->link);
    es_kick(o);
}

/* lets go of the batch */
static struct batch *release(struct output *o, struct flight *f)
{
    struct batch *b = f->batch;
    b->owner_data = NULL;
    list_remove(&f->link);
    if (--f->target->flights == 0)
        es_target_idle(o, f->target);
    o->pending--;
    buf_clear(&f->texts);
    buf_clear(&f->query);
    buf_clear(&f->dead_job.records);
    list_push_front(&o->spare, &f->link);
    return b;
}

/* hands the batch back */
void es_finish(struct output *o, struct flight *f)
{
    bool is_own = f->is_retry;
    struct target *t = f->target;
    struct batch *b = release(o, f);
    if (is_own)
        es_retry_free(o, t, b);
    else
        o->hooks.returned(o->hooks.ctx, b);
    if (o->pending == 0)
        o->hooks.idle(o->hooks.ctx);
}

/* the timer: something may be sent */
static void on_timer(void *ctx)
{
    es_pump(ctx);
}

/* refuses what cannot work */
static int check_opts(const struct output_opts *opts)
{
    if (opts->compression_level < COMPRESS_LEVEL_MIN ||
        opts->compression_level > COMPRESS_LEVEL_MAX)
        return -EINVAL;
    if (opts->host_count == 0 || opts->workers == 0 || opts->max_bytes == 0 ||
        opts->backoff_init_ms < 1 || opts->backoff_max_ms < opts->backoff_init_ms)
        return -EINVAL;
    return 0;
}

/* the jobs, all idle: one more than bulk requests, so that a host that does not answer a question
 * holds up none of them */
static void make_jobs(struct output *o)
{
    o->job_count = o->opts.workers + 1;
    o->jobs = mem_zalloc_array(o->job_count, sizeof(*o->jobs));
    list_init(&o->idle);
    for (unsigned i = 0; i < o->job_count; i++) {
        sender_job_init(&o->jobs[i]);
        list_push_back(&o->idle, &o->jobs[i].link);
    }
}

/* makes everything but threads */
int output_new(struct loop *loop, const struct output_opts *opts, const struct output_hooks *hooks,
               struct writer *writer, struct output **ret_output)
{
    int err = check_opts(opts);
    if (err != 0)
        return err;
    struct output *o = mem_zalloc(sizeof(*o));
    o->loop = loop;
    o->opts = *opts;
    o->hooks = *hooks;
    o->writer = writer;
    o->backoff = (struct backoff_opts){opts->backoff_init_ms, opts->backoff_max_ms};
    o->max_bytes = SIZE_MAX;
    es_pace_init(o);
    o->dead_notice = (struct log_throttle)LOG_THROTTLE(NOTICE_MS, 1);
    o->store_notice = o->collision_notice = o->dead_notice;
    o->drop_notice = o->dead_notice;
    list_init(&o->targets);
    list_init(&o->queue);
    list_init(&o->spare);
    make_jobs(o);
    o->hosts = mem_zalloc_array(opts->host_count, sizeof(*o->hosts));
    for (size_t i = 0; i < opts->host_count; i++)
        es_host_init(&o->hosts[i], opts->hosts[i]);
    uint64_t seed;
    entropy_fill(&seed, sizeof(seed));
    prng_init(&o->prng, seed);
    o->timer = loop_timer_new(loop, on_timer, o);
    struct http_opts http = es_http_opts(opts);
    o->sender = sender_new(loop, &http, opts->compression_level, o->job_count, es_on_job, o);
    *ret_output = o;
    return 0;
}

/* a blank flight; as many are kept as batches were ever on their way at once */
static struct flight *blank_flight(struct output *o)
{
    struct list *node = list_pop_front(&o->spare);
    if (node == NULL)
        return mem_zalloc(sizeof(struct flight));
    struct flight *f = LIST_ENTRY(node, struct flight, link);
    memset(f, 0, sizeof(*f));
    return f;
}

/* see header */
struct flight *es_new_flight(struct output *o, struct batch *b)
{
    struct flight *f = blank_flight(o);
    f->output = o;
    f->batch = b;
    f->target = es_target(o, slice_str(b->target));
    f->target->plain_index = b->kind == BATCH_LOGS ? o->opts.plain_index : o->opts.plain_metrics;
    f->target->flights++;
    buf_init(&f->texts, 0);
    buf_init(&f->query, 0);
    buf_init(&f->dead_job.records, 0);
    list_init(&f->link);
    b->owner_data = f;
    o->pending++;
    return f;
}

/* a flight of its own */
void output_submit(struct output *o, struct batch *b)
{
    es_requeue(o, es_new_flight(o, b), false);
}

/* flights */
unsigned output_pending(const struct output *o)
{
    return o->pending;
}

/* as last reported */
enum output_health output_health(const struct output *o)
{
    return o->health;
}

/* since it was made */
const struct output_counters *output_counters(const struct output *o)
{
    return &o->counters;
}

/* ends the threads; flights that were under way go back into the queue */
int output_stop(struct output *o)
{
    if (o->stopped)
        return o->hanging ? -EBUSY : 0;
    o->stopped = true;
    loop_timer_stop(o->timer);
    int err = sender_stop(o->sender, STOP_WAIT_MS);
    o->hanging = err != 0;
    return err;
}

/* lets go of a flight and of what it kept */
static void drop_flight(struct output *o, struct flight *f)
{
    bool is_own = f->is_retry;
    struct target *t = f->target;
    struct batch *b = release(o, f);
    if (!is_own)
        return;
    batch_abandon(b);
    es_retry_free(o, t, b);
}

/* frees all but the batches */
void output_free(struct output **op)
{
    struct output *o = *op;
    *op = NULL;
    if (o == NULL || output_stop(o) != 0)
        return;
    sender_free(&o->sender);
    loop_timer_cancel(&o->timer);
    struct list *node;
    while ((node = list_pop_front(&o->queue)) != NULL)
        drop_flight(o, LIST_ENTRY(node, struct flight, link));
    while ((node = list_pop_front(&o->spare)) != NULL)
        mem_free(LIST_ENTRY(node, struct flight, link));
    for (unsigned i = 0; i < o->job_count; i++)
        sender_job_clear(&o->jobs[i]);
    for (size_t i = 0; i < o->opts.host_count; i++)
        es_host_clear(&o->hosts[i]);
    es_targets_free(o);
    mem_free(o->jobs);
    mem_free(o->hosts);
    mem_free(o);
}
