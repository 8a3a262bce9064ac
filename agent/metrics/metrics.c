/*
 * metrics/metrics - when sets are sampled
 *
 * Each set has a timer that is armed for one sample only, from the time at which the sample before
 * was taken: whatever held the process up, one sample follows and not the missed ones.
 *
 *   metrics_start -> sample -> arm -> ... -> metrics_stop
 *                      |
 *                      +-> the file is not there: off until the process starts again
 *
 * The next sample is due at the next multiple of the period on the wall clock, plus the jitter, but
 * not within half a period: a timer that fires a moment early, or a wall clock that jumps, moves a
 * sample by at most half a period and never doubles it.
 *
 * A sample that is not there at once (-EINPROGRESS) arms its timer when it is: a set has one sample
 * on its way at most.
 *
 * Other failures skip the sample; they are told once, until the set works again.
 */
#include "metrics/metrics.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/prng.h"
#include "metrics/addresses.h"
#include "metrics/envelope.h"
#include "metrics/isp.h"
#include "metrics/outlet.h"
#include "metrics/sets.h"
#include "os/entropy.h"

#define BACKLOG_BYTES ((size_t)2 * MIB)

/* part of the period, and at most this */
#define JITTER_PART   20
#define JITTER_MAX_MS 500

#define NS_PER_MS 1000000

/* The name of an index of a day. Documents that wait point at it, so that it stays. */
struct day {
    struct day *before;
    int32_t day;
    char name[BATCH_TARGET_MAX + 1];
};

/* a set that was chosen */
struct source {
    struct metrics *metrics;
    const struct metric_set *set;
    void *state;
    struct envelope *envelope;
    char target[BATCH_TARGET_MAX + 1];
    int64_t period_ms;
    struct loop_timer *timer;
    bool is_failing;
    int64_t begin_ns; /* of the sample that is taken */
};

struct metrics {
    struct loop *loop;
    struct metrics_opts opts;
    struct outlet *outlet;
    struct fsprobe *probe;
    struct addresses *addresses;
    int64_t jitter_ms;
    struct source *sources;
    size_t source_count;
    struct buf document; /* reused */
    struct buf value;    /* the same, profile isp */
    struct day *today;   /* profile isp: the latest, or NULL */
};

/* to the operator */
static void tell(const struct source *s, int error, const char *what)
{
    const struct metrics *m = s->metrics;
    char text[512];
    if (m->opts.message == NULL)
        return;
    const char *why = error == -EBADMSG ? "not understood" : strerror(-error);
    char *path =
        s->set->path == NULL ? NULL : procfs_path(m->opts.procfs, s->set->root, s->set->path);
    (void)snprintf(text, sizeof(text), "metrics: %s is %s: %s%s%s", s->set->name, what,
                   path == NULL ? "" : path, path == NULL ? "" : ": ", why); /* cut at worst */
    mem_free(path);
    m->opts.message(m->opts.ctx, LOG_WARN, text);
}

/* arms the timer for the next sample, from now */
static void arm(struct source *s)
{
    int64_t period = s->period_ms;
    int64_t wall_ms = loop_wall_ns(s->metrics->loop) / NS_PER_MS - s->metrics->jitter_ms;
    int64_t delay = period - wall_ms % period;
    if (delay > period) /* a wall clock before 1970 */
        delay -= period;
    if (delay < period - period / 2)
        delay += period;
    loop_timer_set(s->timer, delay);
}

/* whether an error says that this host has no such thing */
static bool is_missing(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -EACCES || error == -EPERM;
}

/* a sample that was not to be had; false when the set is off from now on */
static bool fail(struct source *s, int error)
{
    if (is_missing(error)) {
        tell(s, error, "off");
        return false;
    }
    if (!s->is_failing)
        tell(s, error, "skipped");
    s->is_failing = true;
    return true;
}

/* the index of today */
static const char *today(struct metrics *m)
{
    int32_t day = date_day_of(loop_wall_ns(m->loop));
    if (m->today != NULL && m->today->day == day)
        return m->today->name;
    struct day *d = mem_zalloc(sizeof(*d));
    *d = (struct day){.before = m->today, .day = day};
    target_name(m->opts.isp_index, day, d->name);
    m->today = d;
    return d->name;
}

/* one value of a document */
static void on_value(void *ctx, struct slice document)
{
    struct metrics *m = ctx;
    outlet_put(m->outlet, today(m), document);
}

/* one document of the last sample */
static void emit(struct source *s, size_t i, uint64_t duration_ns)
{
    struct metrics *m = s->metrics;
    struct json_writer w;
    buf_reset(&m->document);
    json_begin(&w, &m->document);
    envelope_open(s->envelope, &w, loop_wall_ns(m->loop), duration_ns);
    sets_write(s->set, s->state, i, s->envelope, &w);
    int r = json_done(&w);
    assert(r == 0); /* the buffer has room for any document */
    (void)r;
    if (m->opts.isp_index == NULL)
        outlet_put(m->outlet, s->target, buf_slice(&m->document));
    else
        isp_write(s->set->name, buf_slice(&m->document), m->opts.agent->host_name, &m->value,
                  on_value, m);
}

/* a sample is there, or failed */
static void complete(void *ctx, int r)
{
    struct source *s = ctx;
    const struct clock *clock = loop_clock(s->metrics->loop);
    int64_t duration_ns = clock->mono_ns(clock) - s->begin_ns;
    if (r < 0 && !fail(s, r))
        return;
    arm(s);
    if (r < 0)
        return;
    s->is_failing = false;
    addresses_refresh(s->metrics->addresses, loop_now_ms(s->metrics->loop));
    size_t count = s->set->documents(s->state);
    for (size_t i = 0; i < count; i++)
        emit(s, i, (uint64_t)duration_ns);
}

/* a set's time has come */
static void on_timer(void *ctx)
{
    struct source *s = ctx;
    struct metrics *m = s->metrics;
    const struct clock *clock = loop_clock(m->loop);
    s->begin_ns = clock->mono_ns(clock);
    struct set_source source = {
        .procfs = m->opts.procfs,
        .host = m->opts.host,
        .mono_ns = s->begin_ns,
        .probe = m->probe,
        .done = complete,
        .done_ctx = s,
    };
    int r = s->set->sample(s->state, &source);
    if (r != -EINPROGRESS)
        complete(s, r);
}

/* one chosen set */
static void add_source(struct metrics *m, const struct metric_set *set)
{
    struct source *s = &m->sources[m->source_count++];
    struct envelope_opts opts = {
        .host = m->opts.host,
        .agent = m->opts.agent,
        .namespace = m->opts.namespace,
        .set = set->name,
        .period_ms = m->opts.config->set_period_ms[set->which],
        .host_members = addresses_members(m->addresses),
    };
    s->metrics = m;
    s->set = set;
    s->period_ms = opts.period_ms;
    s->state = mem_zalloc(set->state_bytes);
    s->envelope = envelope_new(&opts);
    int printed = snprintf(s->target, sizeof(s->target), "metrics-system.%s-%s", set->name,
                           m->opts.namespace);
    assert(printed > 0 && (size_t)printed < sizeof(s->target));
    (void)printed;
    s->timer = loop_timer_new(m->loop, on_timer, s);
}

/* a random part of the period, the same for all sets so that they share a wake-up */
static int64_t choose_jitter(int64_t period_ms)
{
    uint64_t seed;
    struct prng r;
    int64_t limit = period_ms / JITTER_PART;
    entropy_fill(&seed, sizeof(seed));
    prng_init(&r, seed);
    return prng_upto(&r, limit < JITTER_MAX_MS ? limit : JITTER_MAX_MS);
}

/* a mount hangs, or answers again */
static void on_probe_message(void *ctx, enum log_level level, const char *probe_text)
{
    const struct metrics *m = ctx;
    char text[640];
    (void)snprintf(text, sizeof(text), "metrics: %s", probe_text); /* cut at worst */
    if (m->opts.message != NULL)
        m->opts.message(m->opts.ctx, level, text);
}

/* who asks mounts for their size */
static struct fsprobe *new_probe(struct metrics *m)
{
    struct fsprobe_opts opts = {
        .prefix = m->opts.hostfs == NULL ? "" : m->opts.hostfs,
        .message = on_probe_message,
        .ctx = m,
    };
    return fsprobe_new(m->loop, &opts);
}

/* see header */
struct metrics *metrics_new(struct loop *loop, const struct metrics_opts *opts, struct feed *feed,
                            struct ledger *ledger)
{
    struct metrics *m = mem_zalloc(sizeof(*m));
    struct outlet_opts outlet = {
        .loop = loop,
        .feed = feed,
        .ledger = ledger,
        .backlog_bytes = BACKLOG_BYTES,
        .spool = opts->spool,
        .writer = opts->writer,
        .message = opts->message,
        .ctx = opts->ctx,
    };
    m->loop = loop;
    m->opts = *opts;
    m->outlet = outlet_new(&outlet);
    m->probe = new_probe(m);
    m->addresses = addresses_new();
    m->jitter_ms = choose_jitter(opts->config->period_ms);
    buf_init(&m->document, OUTLET_DOCUMENT_MAX);
    buf_init(&m->value, OUTLET_DOCUMENT_MAX);
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    m->sources = mem_zalloc_array(count, sizeof(*m->sources));
    for (size_t i = 0; i < count; i++)
        if ((opts->config->sets & (1U << table[i]->which)) != 0 &&
            (opts->isp_index == NULL || isp_has_set(table[i]->name)))
            add_source(m, table[i]);
    return m;
}

/* see header */
void metrics_start(struct metrics *m)
{
    for (size_t i = 0; i < m->source_count; i++)
        loop_timer_set(m->sources[i].timer, 0);
    outlet_drain(m->outlet); /* what an earlier life has left */
}

/* see header */
void metrics_resume(struct metrics *m)
{
    outlet_drain(m->outlet);
}

/* see header */
void metrics_stop(struct metrics *m)
{
    for (size_t i = 0; i < m->source_count; i++)
        loop_timer_stop(m->sources[i].timer);
    fsprobe_free(&m->probe); /* samples on their way are forgotten */
    outlet_close(m->outlet);
}

/* see header */
void metrics_end(struct metrics *m)
{
    outlet_end(m->outlet);
}

/* one set's part of metrics_free */
static void clear_source(struct source *s)
{
    loop_timer_cancel(&s->timer);
    envelope_free(&s->envelope);
    if (s->set->clear != NULL)
        s->set->clear(s->state);
    mem_free(s->state);
}

/* see header */
void metrics_free(struct metrics **mp)
{
    struct metrics *m = *mp;
    if (m == NULL)
        return;
    metrics_stop(m);
    for (size_t i = 0; i < m->source_count; i++)
        clear_source(&m->sources[i]);
    mem_free(m->sources);
    outlet_free(&m->outlet);
    addresses_free(&m->addresses);
    buf_clear(&m->document);
    buf_clear(&m->value);
    while (m->today != NULL) {
        struct day *before = m->today->before;
        mem_free(m->today);
        m->today = before;
    }
    mem_free(m);
    *mp = NULL;
}
