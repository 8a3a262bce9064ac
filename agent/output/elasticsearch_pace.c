/*
 * output/elasticsearch_pace - how much is sent at once
 *
 * Back-pressure halves both the number of requests under way and their size; a round of good
 * answers adds one request and an eighth of the full size. What the server would not take at all
 * (413) bounds the size for good. Whoever makes batches hears of a new size, so that no more is
 * read into one than is sent at once.
 */
#include "output/elasticsearch_internal.h"

/* the smallest request that back-pressure leads to, unless a batch is smaller */
#define BYTES_MIN (64 * KIB)
/* good rounds from nothing to the full size */
#define STEPS 8

/* full speed */
void es_pace_init(struct output *o)
{
    o->pace = (struct pace){
        .limit = o->opts.workers, .bytes = o->opts.max_bytes, .told_bytes = o->opts.max_bytes};
}

/* At full pace nothing is cut: a batch may be larger by one long document. */
size_t es_pace_bytes(const struct output *o)
{
    size_t bytes = o->pace.bytes < o->opts.max_bytes ? o->pace.bytes : SIZE_MAX;
    return bytes < o->max_bytes ? bytes : o->max_bytes;
}

/* the size of batches that fits it */
static void tell_size(struct output *o)
{
    size_t bytes = o->pace.bytes < o->max_bytes ? o->pace.bytes : o->max_bytes;
    if (bytes == o->pace.told_bytes)
        return;
    o->pace.told_bytes = bytes;
    o->hooks.resized(o->hooks.ctx, bytes);
}

/* At most once in the time a first retry may take: what was under way together is answered
 * together. */
void es_pace_shrink(struct output *o)
{
    struct pace *p = &o->pace;
    int64_t now = loop_now_ms(o->loop);
    p->good = 0;
    if (p->shrunk_ms != 0 && now - p->shrunk_ms < o->backoff.init_ms)
        return;
    p->shrunk_ms = now;
    if (p->limit > 1)
        p->limit /= 2;
    if (p->bytes / 2 >= BYTES_MIN)
        p->bytes /= 2;
    tell_size(o);
}

/* a round is as many answers as may be under way */
void es_pace_good(struct output *o)
{
    struct pace *p = &o->pace;
    if (p->limit >= o->opts.workers && p->bytes >= o->opts.max_bytes)
        return;
    if (++p->good < p->limit)
        return;
    p->good = 0;
    if (p->limit < o->opts.workers)
        p->limit++;
    p->bytes += o->opts.max_bytes / STEPS + 1;
    if (p->bytes > o->opts.max_bytes)
        p->bytes = o->opts.max_bytes;
    tell_size(o);
}

/* half of it, until that is too large as well */
void es_pace_learn(struct output *o, size_t bytes)
{
    if (bytes / 2 >= o->max_bytes)
        return;
    o->max_bytes = bytes / 2;
    es_tell(o, LOG_INFO, "the server takes no request of %zu bytes (413), at most %zu are sent",
            bytes, o->max_bytes);
    tell_size(o);
}
