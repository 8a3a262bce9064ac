/*
 * tail/registry_write - the way of records to disk
 *
 * Records gather in `pending`. Offsets wait there for the group commit (1 s); what a document must
 * not overtake (a new generation, a first head, a further SENT_TO step) is flushed at the end of
 * the present round of the loop. Each flush is one job with one ticket. The store thread asks for a
 * checkpoint by a flag; the whole state is then packed here, where it is known.
 *
 * After a failed write the registry is degraded: tickets count as reached, so shipping goes on, and
 * a checkpoint into new files is tried with growing pauses until it succeeds.
 *
 * What can fail: every write, which degrades; and memory for the whole state.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "registry_internal.h"

#define COMMIT_MS    1000
#define RETRY_MAX_MS 60000

/* the state of one entry, for a checkpoint */
int registry_put_whole(struct buf *records, const struct entry *e)
{
    int r = record_put_gen(records, e);
    if (r == 0)
        r = record_put_offset(records, e);
    return r == 0 ? record_put_days(records, e) : r;
}

static void on_job_done(struct writer_job *job);

/* hands a filled job to the store thread */
static void submit(struct registry *r, enum writer_job_kind kind, struct buf records)
{
    struct writer_job *job = mem_zalloc(sizeof(*job));
    list_init(&job->link);
    job->kind = kind;
    job->records = records;
    job->ticket = r->ticket++;
    job->ctx = r;
    job->done = on_job_done;
    r->jobs++;
    writer_submit(r->writer, job);
}

/* what a record that does not fit means: memory for the whole state cannot be had */
void registry_fail(struct registry *r, const char *why)
{
    if (!r->degraded && r->hooks.health != NULL)
        r->hooks.health(r->hooks.ctx, why);
    r->degraded = true;
    if (!r->closing && !loop_timer_is_set(r->retry_timer)) {
        loop_timer_set(r->retry_timer, r->retry_ms);
        r->retry_ms = r->retry_ms * 2 < RETRY_MAX_MS ? r->retry_ms * 2 : RETRY_MAX_MS;
    }
}

/* sends what has gathered; in degraded times the next checkpoint holds it all */
void registry_flush(struct registry *r)
{
    loop_timer_stop(r->flush_timer);
    if (r->pending.len == 0)
        return;
    struct buf records = r->pending;
    buf_init(&r->pending, REGISTRY_RECORDS_MAX);
    submit(r, WRITER_APPEND, records);
}

/* which boot wrote this, and whether it has stopped */
int registry_put_boot(struct registry *r, struct buf *records, bool stopped)
{
    return record_put_clean(records, r->boot, loop_wall_ns(r->loop), stopped);
}

/* The whole state between a start and, where it holds, a clean stop, which stands last. */
static int pack_state(const struct registry *r, struct buf *records, const char *boot, bool stopped)
{
    int64_t now = loop_wall_ns(r->loop);
    int e = record_put_clean(records, boot, now, false);
    if (e == 0)
        e = buf_add(records, r->unknown.ptr, r->unknown.len);
    LIST_EACH(node, &r->entries)
        if (e == 0)
            e = registry_put_whole(records, LIST_ENTRY(node, struct entry, link));
    return e == 0 && stopped ? record_put_clean(records, boot, now, true) : e;
}

/* see tail/registry.h */
int registry_pack(const struct registry *r, struct buf *records)
{
    return pack_state(r, records, r->last_boot, r->was_clean);
}

/* packs everything that is known and writes it as a checkpoint */
static void checkpoint(struct registry *r)
{
    struct buf records;
    registry_flush(r); /* older values must not be replayed after the state */
    buf_init(&records, REGISTRY_RECORDS_MAX);
    if (pack_state(r, &records, r->boot, r->closing) < 0) {
        buf_clear(&records);
        registry_fail(r, "the registry's state is too large to be written");
        return;
    }
    r->checkpointing = true;
    r->checkpoint_due = false;
    submit(r, WRITER_CHECKPOINT, records);
}

/* see registry_internal.h */
void registry_checkpoint_alone(struct registry *r)
{
    buf_reset(&r->pending);
    checkpoint(r);
}

/* see tail/registry.h */
void registry_save(struct registry *r)
{
    struct buf records;
    if (!r->unsaved && !r->closing)
        return;
    registry_flush(r); /* tickets are given in the order of jobs */
    buf_init(&records, REGISTRY_RECORDS_MAX);
    if (pack_state(r, &records, r->boot, r->closing) < 0) {
        buf_clear(&records);
        if (r->hooks.saved != NULL)
            r->hooks.saved(r->hooks.ctx, -ENOMEM);
        return;
    }
    r->unsaved = false;
    submit(r, WRITER_SAVE, records);
}

/* a copy has ended; nothing but the next copy depends on it */
static void on_saved(struct registry *r, int result)
{
    if (result < 0)
        r->unsaved = true;
    if (r->hooks.saved != NULL)
        r->hooks.saved(r->hooks.ctx, result);
}

/* the whole state is on the disk */
static void on_checkpoint_written(struct registry *r)
{
    r->owed = false;
    if (!r->degraded && !r->copied)
        return;
    r->degraded = r->copied = false;
    r->retry_ms = REGISTRY_RETRY_MIN_MS;
    loop_timer_stop(r->retry_timer);
    if (r->hooks.health != NULL)
        r->hooks.health(r->hooks.ctx, NULL);
}

/* a write has ended */
static void on_job_done(struct writer_job *job)
{
    struct registry *r = job->ctx;
    r->jobs--;
    if (job->kind == WRITER_CHECKPOINT)
        r->checkpointing = false;
    bool full = job->kind == WRITER_APPEND && job->result == -ENOSPC && !job->poisoned;
    if (job->kind == WRITER_SAVE)
        on_saved(r, job->result);
    else if (full)
        r->checkpoint_due = r->owed = true;
    else if (job->result < 0)
        registry_fail(r, strerror(-job->result));
    else if (job->kind == WRITER_CHECKPOINT)
        on_checkpoint_written(r);
    if (!r->owed || r->degraded)
        r->durable = job->ticket;
    r->checkpoint_due |= job->wants_checkpoint;
    if (r->checkpoint_due && !r->checkpointing && !r->degraded && (full || !r->closing))
        checkpoint(r);
    buf_clear(&job->records);
    mem_free(job);
    if (r->hooks.durable != NULL)
        r->hooks.durable(r->hooks.ctx);
}

/* new files, from the whole state */
void registry_on_retry(void *ctx)
{
    struct registry *r = ctx;
    if (!r->checkpointing)
        checkpoint(r);
}

/* end of a round in which something urgent was put */
void registry_on_flush(void *ctx)
{
    registry_flush(ctx);
}

/* something must be durable before bytes leave: goes with the next round; returns its ticket */
uint64_t registry_urgent(struct registry *r)
{
    if (!loop_timer_is_set(r->flush_timer))
        loop_timer_set(r->flush_timer, 0);
    return r->ticket;
}

/* one entry's record into the next job */
void registry_put(struct entry *e, int (*record)(struct buf *, const struct entry *))
{
    e->registry->unsaved = true;
    if (record(&e->registry->pending, e) < 0)
        registry_fail(e->registry, "too many records wait to be written");
}

/* what waits goes with the next group commit */
void registry_commit_later(struct registry *r)
{
    if (!loop_timer_is_set(r->commit_timer))
        loop_timer_set(r->commit_timer, COMMIT_MS);
}

/* the entry's offset goes with the next group commit */
void registry_set_dirty(struct entry *e)
{
    struct registry *r = e->registry;
    registry_list_dirty(e);
    registry_commit_later(r);
}

/* see header */
void registry_commit(struct registry *r)
{
    loop_timer_stop(r->commit_timer);
    for (unsigned i = 0; i < r->dirty_count; i++) {
        r->dirty[i]->dirty = 0;
        registry_put(r->dirty[i], record_put_offset);
    }
    r->dirty_count = 0;
    registry_flush(r);
}

/* once a second while offsets move */
void registry_on_commit(void *ctx)
{
    registry_commit(ctx);
}

/* see header */
uint64_t registry_durable(const struct registry *r)
{
    return r->durable;
}

/* see header */
bool registry_is_idle(const struct registry *r)
{
    return r->jobs == 0 && r->pending.len == 0 && r->dirty_count == 0;
}
