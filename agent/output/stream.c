/*
 * output/stream - a thread that writes
 *
 *     submit --> queue --> the one job --> thread: sink.write --> accepted: hooks.returned
 *                  ^                                          +-> failed: back, after a pause
 *                  +------------------------------------------+
 *
 * The thread copies the documents out of the batch, without the action lines, and hands them to the
 * sink. A write that hangs (a pipe that nobody reads) leaves the thread behind at the end.
 *
 * Failures: all of the sink's are repeated. A console whose reader has gone ends the agent: nothing
 * could ever be written again.
 */
#include "output/stream.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/prng.h"
#include "os/entropy.h"
#include "os/mailbox.h"
#include "output/backoff.h"
#include "output/output_ops.h"
#include "settle.h"

#define STOP_WAIT_MS 1000
#define LINES_MAX    (256 * MIB)
#define LINES_KEEP   (2 * MIB)
#define WHY_BYTES    256

struct job {
    struct list link;
    struct batch *batch; /* NULL: idle */
    int result;
};

struct stream {
    struct loop *loop;
    struct output_hooks hooks;
    struct backoff_opts backoff;
    struct prng prng;
    struct stream_sink *sink;
    struct list queue;
    struct job job;
    struct list ended_link;
    struct mailbox *jobs, *results, *ended;
    struct loop_wake *wake;
    struct loop_timer *timer;
    pthread_t thread;
    bool has_thread;
    bool stopped;
    bool hangs;
    unsigned failures;
    char why[WHY_BYTES]; /* "" = well */
    struct output_counters counters;
};

/* ---- the thread ---- */

/* the documents of a batch, one after the other */
static int gather(const struct batch *b, struct buf *lines)
{
    int r = 0;
    buf_reset(lines);
    for (uint32_t i = 0; i < b->item_count && r == 0; i++) {
        struct slice document = batch_document(b, &b->items[i]);
        r = buf_add(lines, document.ptr, document.len + 1); /* with its newline */
    }
    return r;
}

/* until the box is closed */
static void *work(void *arg)
{
    struct stream *s = arg;
    struct list *node;
    struct buf lines;
    buf_init(&lines, LINES_MAX);
    while ((node = mailbox_wait(s->jobs, -1)) != NULL) {
        struct job *job = LIST_ENTRY(node, struct job, link);
        job->result = gather(job->batch, &lines);
        if (job->result == 0 && lines.len > 0)
            job->result = s->sink->write(s->sink, buf_slice(&lines));
        if (lines.cap > LINES_KEEP)
            buf_clear(&lines);
        mailbox_send(s->results, node);
        loop_wake_send(s->wake);
    }
    buf_clear(&lines);
    mailbox_send(s->ended, &s->ended_link);
    return NULL;
}

/* with all signals blocked: they belong to the loop */
static int start_thread(struct stream *s)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&s->thread, NULL, work, s);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->has_thread = err == 0;
    return -err;
}

/* ---- the loop's side ---- */

/* tells a change of health */
static void set_health(struct stream *s, const char *why)
{
    if (strcmp(s->why, why) == 0)
        return;
    (void)snprintf(s->why, sizeof(s->why), "%s", why);
    s->hooks.health(s->hooks.ctx, why[0] == '\0' ? OUTPUT_OK : OUTPUT_DEGRADED, s->why);
}

/* not now: later again */
static void postpone(struct stream *s, int error)
{
    char why[WHY_BYTES];
    s->failures++;
    s->counters.n[OUTPUT_RETRIES]++;
    (void)snprintf(why, sizeof(why), "write to %.160s: %s", s->sink->name, strerror(-error));
    set_health(s, why);
    loop_timer_set(s->timer, 1 + backoff_delay(&s->backoff, s->failures, 0, prng_next(&s->prng)));
}

/* gives the next batch to the thread */
static void pump(void *ctx)
{
    struct stream *s = ctx;
    if (s->stopped || s->job.batch != NULL || list_is_empty(&s->queue))
        return;
    int r = s->has_thread ? 0 : start_thread(s);
    if (r < 0) {
        postpone(s, r);
        return;
    }
    s->job.batch = LIST_ENTRY(list_pop_front(&s->queue), struct batch, link);
    mailbox_send(s->jobs, &s->job.link);
}

/* the batch is written or is not */
static void on_result(void *ctx)
{
    struct stream *s = ctx;
    if (mailbox_take(s->results) == NULL)
        return;
    struct batch *b = s->job.batch;
    s->job.batch = NULL;
    if (s->job.result < 0) {
        list_push_front(&s->queue, &b->link);
        postpone(s, s->job.result);
        if (s->job.result == -EPIPE && !s->stopped) {
            s->hooks.message(s->hooks.ctx, LOG_ERROR, "nobody reads standard output any more");
            (void)kill(getpid(), SIGTERM); /* an orderly end */
        }
        return;
    }
    s->failures = 0;
    set_health(s, "");
    settle_all(b, &s->counters);
    s->hooks.returned(s->hooks.ctx, b);
    pump(s);
}

/* see header */
struct stream *stream_new(struct loop *loop, const struct stream_opts *opts,
                          const struct output_hooks *hooks, struct stream_sink *sink)
{
    struct stream *s = mem_zalloc(sizeof(*s));
    uint64_t seed;
    s->loop = loop;
    s->hooks = *hooks;
    s->backoff = (struct backoff_opts){opts->backoff_init_ms, opts->backoff_max_ms};
    s->sink = sink;
    list_init(&s->queue);
    list_init(&s->job.link);
    list_init(&s->ended_link);
    s->jobs = mailbox_new();
    s->results = mailbox_new();
    s->ended = mailbox_new();
    s->wake = loop_wake_new(loop, on_result, s);
    s->timer = loop_timer_new(loop, pump, s);
    entropy_fill(&seed, sizeof(seed));
    prng_init(&s->prng, seed);
    return s;
}

/* takes a batch; a pause under way runs out first */
static void submit(void *self, struct batch *b)
{
    struct stream *s = self;
    list_push_back(&s->queue, &b->link);
    if (!loop_timer_is_set(s->timer))
        loop_timer_set(s->timer, 0);
}

/* since it was made */
static const struct output_counters *counters(const void *self)
{
    const struct stream *s = self;
    return &s->counters;
}

/* ends the thread; what was written is still applied */
static int stop(void *self)
{
    struct stream *s = self;
    if (s->stopped)
        return s->hangs ? -EBUSY : 0;
    s->stopped = true;
    loop_timer_stop(s->timer);
    mailbox_close(s->jobs);
    if (!s->has_thread)
        return 0;
    s->hangs = mailbox_wait(s->ended, STOP_WAIT_MS) == NULL;
    if (s->hangs)
        return -EBUSY;
    (void)pthread_join(s->thread, NULL); /* it has nothing left to do */
    on_result(s);
    return 0;
}

/* frees all but the batches, or nothing while the thread hangs */
static void free_stream(void *self)
{
    struct stream *s = self;
    if (stop(s) != 0)
        return;
    while (list_pop_front(&s->queue) != NULL)
        continue;
    s->sink->close(s->sink);
    loop_wake_cancel(&s->wake);
    loop_timer_cancel(&s->timer);
    mailbox_free(&s->jobs);
    mailbox_free(&s->results);
    mailbox_free(&s->ended);
    mem_free(s);
}

const struct output_ops stream_ops = {
    .name = "stream",
    .submit = submit,
    .counters = counters,
    .stop = stop,
    .free = free_stream,
};
