/*
 * metrics/outlet - documents into batches
 *
 * The sequence number is given when the document is made and kept while it waits, so ids follow the
 * order of samples whatever happens on the way; what was dropped leaves a hole in the sequence, and
 * behind a hole a new span begins.
 *
 * Invariant: a document goes to the feed only when none waits before it.
 */
#include "metrics/outlet.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "bulk/docid.h"
#include "metrics/backlog.h"
#include "metrics/handover.h"
#include "metrics/spooler.h"

#define DROP_MESSAGE_MS 60000

struct outlet {
    struct outlet_opts opts;
    struct span_owner owner; /* of all spans */
    char generation[DOCID_GENERATION_CHARS];
    uint64_t next_sequence;
    struct backlog *backlog; /* without a spool */
    struct spooler *spooler; /* with one, else NULL */
    struct handover handover;
    struct buf front; /* oldest document of the backlog, reused */
    struct log_throttle drop_throttle;
    uint64_t dropped; /* since the last message */
};

/* nothing depends on an acknowledged span: it goes back */
static void on_resolved(struct span_owner *owner, struct span *span)
{
    struct outlet *o = CONTAINER_OF(owner, struct outlet, owner);
    span_put(feed_spans(o->opts.feed), span);
}

/* what keeps documents on disk */
static struct spooler *make_spooler(const struct outlet_opts *opts)
{
    struct spooler_opts spooler = {
        .loop = opts->loop,
        .feed = opts->feed,
        .ledger = opts->ledger,
        .writer = opts->writer,
        .spool = opts->spool,
        .memory_bytes = opts->backlog_bytes,
        .message = opts->message,
        .ctx = opts->ctx,
    };
    return spooler_new(&spooler);
}

/* see header */
struct outlet *outlet_new(const struct outlet_opts *opts)
{
    static const struct span_owner_ops ops = {.resolved = on_resolved};
    struct outlet *o = mem_zalloc(sizeof(*o));
    struct generation generation;
    o->opts = *opts;
    o->owner = (struct span_owner){.ops = &ops, .ledger = opts->ledger, .source = ""};
    generation_mint(&generation);
    generation_write(o->generation, &generation);
    o->backlog = backlog_new(opts->backlog_bytes);
    o->spooler = opts->spool == NULL ? NULL : make_spooler(opts);
    handover_init(&o->handover, opts->feed);
    buf_init(&o->front, OUTLET_DOCUMENT_MAX);
    o->drop_throttle = (struct log_throttle)LOG_THROTTLE(DROP_MESSAGE_MS, 1);
    return o;
}

/* see header */
void outlet_free(struct outlet **o)
{
    if (*o == NULL)
        return;
    spooler_free(&(*o)->spooler);
    backlog_free(&(*o)->backlog);
    handover_clear(&(*o)->handover);
    buf_clear(&(*o)->front);
    mem_free(*o);
    *o = NULL;
}

/* Into the open batch. False when there is none, or no memory: then it waits. */
static bool give(struct outlet *o, const struct backlog_entry *entry, struct slice document)
{
    return handover_give(&o->handover, &o->owner, o->generation, entry->sequence,
                         slice_str(entry->target), document);
}

/* the oldest waiting document is given up */
static void abandon_front(struct outlet *o, enum ledger_abandon why)
{
    struct backlog_entry entry;
    if (!backlog_front(o->backlog, &entry))
        return;
    ledger_abandon(o->opts.ledger, why, (struct ledger_count){entry.bytes, 1});
    backlog_pop(o->backlog);
}

/* tells that documents were dropped, now and then */
static void tell_dropped(struct outlet *o)
{
    char text[160];
    uint64_t held; /* counted in documents here */
    if (o->opts.message == NULL ||
        !log_throttle_pass(&o->drop_throttle, loop_now_ms(o->opts.loop), &held))
        return;
    (void)snprintf(text, sizeof(text),
                   "metrics wait for the output and the queue is full, dropped the %" PRIu64
                   " oldest documents",
                   o->dropped); /* cut at worst */
    o->dropped = 0;
    o->opts.message(o->opts.ctx, LOG_WARN, text);
}

/* into the backlog; the oldest make room */
static void keep(struct outlet *o, const struct backlog_entry *entry, struct slice document)
{
    uint64_t before = o->dropped;
    while (!backlog_has_room(o->backlog, document.len) && !backlog_is_empty(o->backlog)) {
        abandon_front(o, ABANDON_QUEUE);
        o->dropped++;
    }
    if (backlog_has_room(o->backlog, document.len)) {
        backlog_push(o->backlog, entry, document);
    } else { /* larger than the whole queue */
        ledger_abandon(o->opts.ledger, ABANDON_QUEUE, (struct ledger_count){entry->bytes, 1});
        o->dropped++;
    }
    if (o->dropped > before)
        tell_dropped(o);
}

/* see header */
void outlet_put(struct outlet *o, const char *target, struct slice document)
{
    assert(document.len <= OUTLET_DOCUMENT_MAX);
    struct backlog_entry entry = {
        .sequence = o->next_sequence++, .target = target, .bytes = (uint32_t)document.len};
    if (o->spooler != NULL) {
        spooler_put(o->spooler, o->generation, entry.sequence, slice_str(target), document);
        return;
    }
    outlet_drain(o);
    if (!backlog_is_empty(o->backlog) || !give(o, &entry, document))
        keep(o, &entry, document);
}

/* see header */
void outlet_drain(struct outlet *o)
{
    struct backlog_entry entry;
    if (o->spooler != NULL)
        spooler_drain(o->spooler);
    while (backlog_front(o->backlog, &entry)) {
        if (backlog_document(o->backlog, &o->front) < 0 || !give(o, &entry, buf_slice(&o->front)))
            return;
        backlog_pop(o->backlog);
    }
    buf_clear(&o->front);
}

/* see header */
void outlet_close(struct outlet *o)
{
    if (o->spooler != NULL)
        spooler_close(o->spooler);
    outlet_drain(o);
    while (!backlog_is_empty(o->backlog))
        abandon_front(o, ABANDON_SHUTDOWN);
}

/* see header */
void outlet_end(struct outlet *o)
{
    if (o->spooler != NULL)
        spooler_end(o->spooler);
}
