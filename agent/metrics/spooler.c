/*
 * metrics/spooler - what becomes of documents until they are acknowledged
 *
 *   put --> flying   given to the open batch, copied in case it does not come back soon
 *       \-> waiting  no batch is free: in memory, oldest first
 *             |  \-> on disk, when patience is over
 *             v        | loaded: one block at a time, when the feed may take it
 *           away  <----+  given, not acknowledged
 *             |
 *             v
 *           done: marked in the spool if it is there
 *
 * One timer ends the patience with everything that is not on disk at that time.
 *
 * Invariants: a parcel is in one list, or the flying one, or the loaded one, or with its job only;
 * it has one job at a time, and does not end before that is over. A document is given directly only
 * when none waits. `left` is the store thread's last word on blocks that nobody has taken.
 *
 * What can fail: writing. What is on its way then stays so; what waits stays in memory.
 */
#include "metrics/spooler.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "metrics/handover.h"
#include "metrics/parcel.h"

/* A block is closed beyond this. */
#define PARCEL_BYTES ((size_t)128 * 1024)
/* What is given directly within the patience, at most. */
#define FLYING_BYTES ((size_t)512 * 1024)

#define RETRY_MS   10000
#define MESSAGE_MS 60000

struct spooler {
    struct spooler_opts opts;
    struct handover handover;
    struct parcel *flying; /* NULL = none */
    struct list waiting;
    struct parcel *loaded; /* NULL = none, or with its job */
    struct list away;
    size_t waiting_bytes;
    uint64_t left;
    uint64_t gone;
    bool is_loading;
    bool is_late;    /* the output has not taken something in time */
    bool is_failing; /* the last write failed */
    bool is_closed;
    struct loop_timer *timer;
    bool is_armed;
    struct log_throttle drop_throttle;
    struct log_throttle fail_throttle;
    uint64_t dropped; /* documents since the last message */
};

/* ---- what is given up ---- */

/* tells that documents were dropped, now and then */
static void tell_dropped(struct spooler *s)
{
    char text[160];
    uint64_t held;
    if (s->dropped == 0 || s->opts.message == NULL ||
        !log_throttle_pass(&s->drop_throttle, loop_now_ms(s->opts.loop), &held))
        return;
    (void)snprintf(text, sizeof(text),
                   "metrics wait for the output and the spool is full, dropped the %" PRIu64
                   " oldest documents",
                   s->dropped); /* cut at worst */
    s->dropped = 0;
    s->opts.message(s->opts.ctx, LOG_WARN, text);
}

/* documents that will never be sent */
static void abandon(struct spooler *s, enum ledger_abandon why, struct ledger_count c)
{
    if (c.lines == 0)
        return;
    ledger_abandon(s->opts.ledger, why, c);
    s->dropped += c.lines;
}

/* a failed write */
static void tell_failed(struct spooler *s, int error)
{
    char text[200];
    uint64_t held;
    if (s->opts.message == NULL ||
        !log_throttle_pass(&s->fail_throttle, loop_now_ms(s->opts.loop), &held))
        return;
    (void)snprintf(text, sizeof(text), "cannot write the spool of metrics: %s; they wait in memory",
                   strerror(-error)); /* cut at worst */
    s->opts.message(s->opts.ctx, LOG_WARN, text);
}

/* ---- the store thread ---- */

/* what a job has told */
static void take_report(struct spooler *s, const struct parcel *p)
{
    s->left = p->left;
    s->gone = p->gone;
    abandon(s, ABANDON_SPOOL, p->dropped);
    tell_dropped(s);
}

/* ---- the timer ---- */

static bool write_out(struct spooler *s);

/* patience is over */
static void on_timer(void *ctx)
{
    struct spooler *s = ctx;
    s->is_armed = false;
    if (write_out(s))
        s->is_late = true;
}

/* from now on there is something that is not on disk */
static void arm(struct spooler *s)
{
    if (s->is_armed || s->is_closed)
        return;
    s->is_armed = true;
    loop_timer_set(s->timer, s->is_failing ? RETRY_MS
                             : s->is_late  ? SPOOLER_HASTE_MS
                                           : SPOOLER_PATIENCE_MS);
}

/* everything came in time: what comes next has a patience of its own */
static void disarm(struct spooler *s)
{
    loop_timer_stop(s->timer);
    s->is_armed = false;
}

/* ---- ends ---- */

/* the mark is made, or nobody minds */
static void on_done(struct writer_job *job)
{
    struct parcel *p = job->ctx;
    struct spooler *s = p->ctx;
    take_report(s, p);
    parcel_free(&p);
}

/* All of a parcel is acknowledged: it ends, on disk too. It is in no list. */
static void end_parcel(struct parcel *p)
{
    if (p->sequence > 0)
        parcel_mark_done(p, on_done);
    else
        parcel_free(&p);
}

/* whether nothing is kept back */
static bool is_idle(const struct spooler *s)
{
    return list_is_empty(&s->waiting) && list_is_empty(&s->away) && s->loaded == NULL &&
           !s->is_loading && s->left == 0;
}

/* looks whether a parcel that was given is at its end */
static void settle(struct spooler *s, struct parcel *p)
{
    if (p->is_writing || p == s->loaded || !parcel_is_done(p))
        return;
    if (p == s->flying)
        s->flying = NULL;
    list_remove(&p->link);
    end_parcel(p);
    if (!is_idle(s))
        return;
    s->is_late = false;
    if (s->flying == NULL)
        disarm(s);
}

/* a batch's part of a parcel is acknowledged */
static void on_resolved(struct span_owner *owner, struct span *span)
{
    struct parcel *p = CONTAINER_OF(owner, struct parcel, owner);
    struct spooler *s = p->ctx;
    assert(p->open >= span->shipped.lines);
    p->open -= span->shipped.lines;
    span_put(feed_spans(s->opts.feed), span);
    settle(s, p);
}

/* an empty one */
static struct parcel *new_parcel(struct spooler *s)
{
    static const struct span_owner_ops ops = {.resolved = on_resolved};
    struct parcel *p = parcel_new(&ops, s->opts.ledger, s);
    p->writer = s->opts.writer;
    p->spool = s->opts.spool;
    return p;
}

/* ---- onto the disk ---- */

/* what could not be written stays where it is, and is tried again later */
static void fail(struct spooler *s, struct parcel *p, int error)
{
    s->is_failing = true;
    tell_failed(s, error);
    arm(s);
    settle(s, p);
}

/* a block is on disk, or is not to be had there */
static void on_written(struct writer_job *job)
{
    struct parcel *p = job->ctx;
    struct spooler *s = p->ctx;
    p->is_writing = false;
    take_report(s, p);
    if (job->result < 0) {
        fail(s, p, job->result);
        return;
    }
    s->is_failing = false;
    if (p->given.lines > 0) { /* a reader has it already: this one */
        if (p->given.lines == p->held.lines)
            buf_clear(&p->block);
        settle(s, p);
        return;
    }
    s->waiting_bytes -= p->block.len;
    list_remove(&p->link);
    parcel_free(&p);
    spooler_drain(s);
}

/* what of a list is not on disk; false: there is nothing */
static bool write_list(const struct list *head)
{
    bool is_any = false;
    for (struct list *n = head->next; n != head; n = n->next) {
        struct parcel *p = LIST_ENTRY(n, struct parcel, link);
        if (p->is_writing || p->sequence > 0 || p->block.len == 0)
            continue;
        parcel_write(p, on_written);
        is_any = true;
    }
    return is_any;
}

/* everything that is not on disk; false: there is nothing */
static bool write_out(struct spooler *s)
{
    if (s->flying != NULL)
        list_push_back(&s->away, &s->flying->link);
    s->flying = NULL;
    bool is_away = write_list(&s->away);
    return write_list(&s->waiting) || is_away;
}

/* ---- giving ---- */

/* a parcel that was given wholly waits for its answers */
static void send_away(struct spooler *s, struct parcel *p)
{
    if (p->sequence > 0)
        buf_clear(&p->block);
    else
        arm(s);
    list_push_back(&s->away, &p->link);
    settle(s, p);
}

/* a block came from the disk, or none was there */
static void on_loaded(struct writer_job *job)
{
    struct parcel *p = job->ctx;
    struct spooler *s = p->ctx;
    s->is_loading = p->is_writing = false;
    take_report(s, p);
    if (job->result <= 0) { /* without memory it is tried again when a batch is free */
        parcel_free(&p);
        if (job->result == 0)
            spooler_drain(s);
        return;
    }
    if (parcel_count(p) < 0)
        log_debug("spool: a block holds what is no document");
    s->loaded = p;
    spooler_drain(s);
}

/* the next block from the disk */
static void load(struct spooler *s)
{
    struct parcel *p = new_parcel(s);
    s->is_loading = true;
    parcel_load(p, on_loaded);
}

/* see header */
void spooler_drain(struct spooler *s)
{
    if (s->is_closed)
        return;
    if (s->loaded != NULL) {
        struct parcel *p = s->loaded;
        if (!parcel_give(p, &s->handover))
            return;
        s->loaded = NULL;
        send_away(s, p);
    }
    if (s->left > 0 && !s->is_loading)
        load(s);
    while (!s->is_loading && !list_is_empty(&s->waiting)) {
        struct parcel *p = LIST_ENTRY(s->waiting.next, struct parcel, link);
        if (p->is_writing || !parcel_give(p, &s->handover))
            return;
        s->waiting_bytes -= p->block.len;
        list_remove(&p->link);
        send_away(s, p);
    }
}

/* ---- taking ---- */

/* whether a document must wait for others */
static bool must_wait(const struct spooler *s)
{
    return s->loaded != NULL || s->is_loading || s->left > 0 || !list_is_empty(&s->waiting);
}

/* into the open batch, with a copy */
static bool fly(struct spooler *s, const char *generation, const struct block_document *d)
{
    if (s->flying == NULL)
        s->flying = new_parcel(s);
    struct parcel *p = s->flying;
    if (p->block.len + d->document.len > FLYING_BYTES) {
        (void)write_out(s); /* no more of it is kept in memory alone */
        p = s->flying = new_parcel(s);
    }
    bool was_given =
        handover_give(&s->handover, &p->owner, generation, d->sequence, d->target, d->document);
    if (was_given && parcel_add(p, generation, d, true) < 0) { /* no memory for a copy */
        p->open++;
        p->held.lines++;
        p->given.lines++;
    }
    if (!was_given && p->held.lines == 0)
        parcel_free(&s->flying);
    if (was_given)
        arm(s);
    return was_given;
}

/* the oldest that wait in memory make room */
static void make_room(struct spooler *s, size_t bytes)
{
    while (s->waiting_bytes + bytes > s->opts.memory_bytes && !list_is_empty(&s->waiting)) {
        struct parcel *p = LIST_ENTRY(s->waiting.next, struct parcel, link);
        if (p->is_writing)
            return; /* its memory comes back soon, or can be had then */
        abandon(s, ABANDON_QUEUE, parcel_rest(p));
        s->waiting_bytes -= p->block.len;
        list_remove(&p->link);
        p->held = p->given;
        if (p->open > 0) {
            buf_clear(&p->block);
            list_push_back(&s->away, &p->link);
        } else {
            end_parcel(p);
        }
    }
    tell_dropped(s);
}

/* behind what waits */
static void keep(struct spooler *s, const char *generation, const struct block_document *d)
{
    struct parcel *p = NULL;
    make_room(s, d->document.len);
    if (!list_is_empty(&s->waiting))
        p = LIST_ENTRY(s->waiting.prev, struct parcel, link);
    if (p == NULL || p->is_writing || p->sequence > 0 || p->given.lines > 0 ||
        p->block.len + d->document.len > PARCEL_BYTES) {
        p = new_parcel(s);
        list_push_back(&s->waiting, &p->link);
    }
    size_t before = p->block.len;
    bool is_over = s->waiting_bytes + d->document.len > s->opts.memory_bytes;
    if (is_over || parcel_add(p, generation, d, false) < 0)
        abandon(s, ABANDON_QUEUE, (struct ledger_count){d->document.len, 1});
    s->waiting_bytes += p->block.len - before;
    if (p->held.lines == 0) {
        s->waiting_bytes -= p->block.len;
        list_remove(&p->link);
        parcel_free(&p);
    }
    tell_dropped(s);
    arm(s);
}

/* see header */
void spooler_put(struct spooler *s, const char generation[DOCID_GENERATION_CHARS],
                 uint64_t sequence, struct slice target, struct slice document)
{
    struct block_document d = {sequence, target, document};
    spooler_drain(s);
    if (must_wait(s) || !fly(s, generation, &d))
        keep(s, generation, &d);
}

/* ---- life ---- */

/* see header */
struct spooler *spooler_new(const struct spooler_opts *opts)
{
    struct spooler *s = mem_zalloc(sizeof(*s));
    s->opts = *opts;
    s->left = spool_left(opts->spool);
    s->is_late = s->left > 0;
    handover_init(&s->handover, opts->feed);
    list_init(&s->waiting);
    list_init(&s->away);
    s->timer = loop_timer_new(opts->loop, on_timer, s);
    s->drop_throttle = (struct log_throttle)LOG_THROTTLE(MESSAGE_MS, 1);
    s->fail_throttle = (struct log_throttle)LOG_THROTTLE(MESSAGE_MS, 1);
    return s;
}

/* see header */
void spooler_close(struct spooler *s)
{
    if (s->is_closed)
        return;
    spooler_drain(s);
    s->is_closed = true;
    (void)write_list(&s->waiting); /* what is on its way may still come back */
}

/* see header */
void spooler_end(struct spooler *s)
{
    spooler_close(s);
    loop_timer_stop(s->timer);
    (void)write_out(s); /* nothing else is done for it */
}

/* counts what of a parcel is neither given nor on disk, and frees it */
static void free_parcel(struct spooler *s, struct parcel *p)
{
    if (p == NULL)
        return;
    if (p->sequence == 0)
        abandon(s, ABANDON_SHUTDOWN, parcel_rest(p));
    else if (p->sequence <= s->gone)
        abandon(s, ABANDON_SPOOL, parcel_rest(p));
    parcel_free(&p);
}

/* the same for a list of them */
static void free_list(struct spooler *s, struct list *head)
{
    struct list *node;
    while ((node = list_pop_front(head)) != NULL)
        free_parcel(s, LIST_ENTRY(node, struct parcel, link));
}

/* see header */
void spooler_free(struct spooler **sp)
{
    struct spooler *s = *sp;
    if (s == NULL)
        return;
    loop_timer_cancel(&s->timer);
    free_list(s, &s->waiting);
    free_list(s, &s->away);
    free_parcel(s, s->flying);
    free_parcel(s, s->loaded);
    handover_clear(&s->handover);
    mem_free(s);
    *sp = NULL;
}
