/*
 * tail/registry - entries, their acknowledgement, their way to disk
 *
 * Records gather in `pending`. Offsets wait there for the group commit (1 s); what a document must
 * not overtake (a new generation, a first head, a further SENT_TO step) is flushed at the end of
 * the present round of the loop. Each flush is one job with one ticket. The store thread asks for a
 * checkpoint by a flag; the whole state is then packed here, where it is known.
 *
 * After a failed write the registry is degraded: tickets count as reached, so shipping goes on, and
 * a checkpoint into new files is tried with growing pauses until it succeeds.
 *
 * Invariants: 1. an entry's spans are in source order and the first one is not resolved.
 * 2. acked never moves back. 3. an entry is forgotten only when done and without spans.
 */
#include "tail/registry.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/date.h"
#include "base/hash.h"
#include "base/mem.h"
#include "registry_record.h"

#define COMMIT_MS    1000
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
#define RECORDS_MAX  ((size_t)64 * 1024 * 1024)
#define UNKNOWN_MAX  ((size_t)1024 * 1024)

struct registry {
    struct loop *loop;
    struct registry_hooks hooks;
    struct writer *writer;
    struct span_pool *spans;
    struct list entries;
    struct list dirty;
    struct map by_generation;
    struct map by_inode; /* entries that are not done, one for each dev and ino */
    size_t count;
    struct buf pending; /* packed records of the next job */
    struct buf unknown; /* packed records of other versions: kept in every checkpoint */
    uint64_t ticket;    /* of the next job */
    uint64_t durable;
    unsigned jobs; /* under way */
    bool degraded;
    bool checkpointing;
    bool checkpoint_due;
    bool owed;    /* records found the log full: only the next checkpoint makes them durable */
    bool closing; /* the last write was handed over */
    int64_t retry_ms;
    char boot[REGISTRY_BOOT_CHARS + 1];      /* running now */
    char last_boot[REGISTRY_BOOT_CHARS + 1]; /* of the last record that names one */
    bool was_clean;                          /* the last record was a clean stop */
    bool unclean_boot;
    struct loop_timer *commit_timer;
    struct loop_timer *flush_timer;
    struct loop_timer *retry_timer;
};

static const struct span_owner_ops entry_ops;

/* map equality by generation */
static bool generation_is(const struct map_node *node, const void *key)
{
    const struct entry *e = MAP_ENTRY(node, const struct entry, by_generation);
    return generation_eq(&e->gen, key);
}

/* key of the inode map */
struct inode_key {
    uint64_t dev, ino;
    bool any_dev;
};

/* map equality by inode; the hash is of the number alone, so another device is found too */
static bool inode_is(const struct map_node *node, const void *key)
{
    const struct entry *e = MAP_ENTRY(node, const struct entry, by_inode);
    const struct inode_key *k = key;
    return e->ino == k->ino && (k->any_dev || e->dev == k->dev);
}

/* the entry under exactly these numbers, or under any device */
static struct entry *lookup_inode(struct registry *r, uint64_t dev, uint64_t ino, bool any_dev)
{
    struct inode_key key = {dev, ino, any_dev};
    struct map_node *node = map_find(&r->by_inode, hash64_u64(ino), &key);
    return node == NULL ? NULL : MAP_ENTRY(node, struct entry, by_inode);
}

/* takes an entry out of the inode map */
static void unindex(struct entry *e)
{
    if (e->indexed)
        map_remove(&e->registry->by_inode, &e->by_inode);
    e->indexed = false;
}

/* puts an entry there in place of an older one */
static void reindex(struct entry *e)
{
    struct registry *r = e->registry;
    unindex(e);
    struct entry *older = lookup_inode(r, e->dev, e->ino, false);
    if (older != NULL)
        unindex(older);
    map_insert(&r->by_inode, &e->by_inode, hash64_u64(e->ino));
    e->indexed = true;
}

/* see header */
struct entry *registry_find_inode(struct registry *r, uint64_t dev, uint64_t ino)
{
    struct entry *e = lookup_inode(r, dev, ino, false);
    return e != NULL ? e : lookup_inode(r, dev, ino, true);
}

static void on_commit(void *ctx);
static void on_flush(void *ctx);
static void on_retry(void *ctx);

/* empty, before replay */
struct registry *registry_new(struct loop *loop, const struct registry_hooks *hooks)
{
    struct registry *r = mem_zalloc(sizeof(*r));
    r->loop = loop;
    r->hooks = *hooks;
    r->ticket = 1;
    r->retry_ms = RETRY_MIN_MS;
    list_init(&r->entries);
    list_init(&r->dirty);
    map_init(&r->by_generation, generation_is);
    map_init(&r->by_inode, inode_is);
    buf_init(&r->pending, RECORDS_MAX);
    buf_init(&r->unknown, UNKNOWN_MAX);
    r->commit_timer = loop_timer_new(loop, on_commit, r);
    r->flush_timer = loop_timer_new(loop, on_flush, r);
    r->retry_timer = loop_timer_new(loop, on_retry, r);
    return r;
}

/* a blank entry in all lists */
static struct entry *add_entry(struct registry *r, const struct generation *gen, const char *path,
                               size_t path_bytes)
{
    struct entry *e = mem_zalloc(sizeof(*e));
    e->registry = r;
    e->gen = *gen;
    e->path = mem_strndup(path, path_bytes);
    e->owner = (struct span_owner){.ops = &entry_ops, .source = e->path};
    list_init(&e->spans);
    list_init(&e->dirty);
    list_push_back(&r->entries, &e->link);
    map_insert(&r->by_generation, &e->by_generation, generation_hash(gen));
    r->count++;
    return e;
}

/* out of all lists */
static void forget(struct entry *e)
{
    struct registry *r = e->registry;
    list_remove(&e->link);
    list_remove(&e->dirty);
    map_remove(&r->by_generation, &e->by_generation);
    unindex(e);
    r->count--;
    mem_free(e->days);
    mem_free(e->path);
    mem_free(e);
}

/* see header */
void registry_free(struct registry **rp)
{
    struct registry *r = *rp;
    if (r == NULL)
        return;
    LIST_EACH(node, &r->entries)
        forget(LIST_ENTRY(node, struct entry, link));
    map_clear(&r->by_generation);
    map_clear(&r->by_inode);
    buf_clear(&r->pending);
    buf_clear(&r->unknown);
    loop_timer_cancel(&r->commit_timer);
    loop_timer_cancel(&r->flush_timer);
    loop_timer_cancel(&r->retry_timer);
    mem_free(r);
    *rp = NULL;
}

/* ---- replay ---- */

/* applies a GEN record: a new entry, or the present state of one */
static void replay_gen(struct registry *r, struct entry *e, const struct record *rec)
{
    if (e == NULL)
        e = add_entry(r, &rec->gen, rec->path.ptr, rec->path.len);
    else if (!slice_eq_str(rec->path, e->path)) {
        mem_free(e->path);
        e->path = mem_strndup(rec->path.ptr, rec->path.len);
        e->owner.source = e->path;
    }
    e->dev = rec->dev;
    e->ino = rec->ino;
    e->birth_ns = rec->birth_ns;
    e->acked = rec->evidence;
    e->sent_to = e->resend_to = rec->sent_to;
    e->sent_day = rec->sent_day;
    e->loaded = true;
    reindex(e);
}

/* applies a SENT_TO record */
static void replay_sent_to(struct entry *e, const struct record *rec)
{
    e->sent_to = e->resend_to = rec->sent_to;
    e->sent_day = rec->sent_day;
    if (!rec->has_from)
        return;
    if (e->days == NULL)
        e->days = mem_zalloc(sizeof(*e->days));
    (void)sent_days_add(e->days, rec->from, rec->sent_day); /* known already: no matter */
}

/* records that this version has no use for stay in the next checkpoints */
static void keep_unknown(struct registry *r, const struct frame *f)
{
    if (journal_pack(&r->unknown, f->type, f->payload) < 0)
        return; /* the limit: nothing of ours */
}

/* see header */
void registry_replay(void *registry, const struct frame *f)
{
    struct registry *r = registry;
    struct record rec;
    r->was_clean = false; /* only a clean stop at the very end counts */
    if (f->type < FRAME_GEN || f->type > FRAME_CLEAN) {
        keep_unknown(r, f);
        return;
    }
    if (record_read(f, &rec) < 0)
        return; /* its checksum was right, so a newer version wrote more than we know */
    if (f->type == FRAME_CLEAN) {
        memcpy(r->last_boot, rec.boot_id.ptr, rec.boot_id.len);
        r->last_boot[rec.boot_id.len] = '\0';
        r->was_clean = rec.stopped;
        return;
    }
    struct map_node *node = map_find(&r->by_generation, generation_hash(&rec.gen), &rec.gen);
    struct entry *e = node == NULL ? NULL : MAP_ENTRY(node, struct entry, by_generation);
    if (f->type == FRAME_GEN) {
        replay_gen(r, e, &rec);
    } else if (e != NULL && f->type == FRAME_OFFSET) {
        e->acked = rec.evidence;
        e->older = rec.older;
        e->seen_ns = rec.seen_ns;
    } else if (e != NULL && f->type == FRAME_SENT_TO) {
        replay_sent_to(e, &rec);
    } else if (e != NULL) {
        forget(e);
    }
}

/* see header */
size_t registry_count(const struct registry *r)
{
    return r->count;
}

/* see header */
struct entry *registry_next(struct registry *r, struct entry *after)
{
    struct list *node = after == NULL ? r->entries.next : after->link.next;
    return node == &r->entries ? NULL : LIST_ENTRY(node, struct entry, link);
}

/* ---- writing ---- */

/* the state of one entry, for a checkpoint */
static int put_whole(struct buf *records, const struct entry *e)
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
static void fail(struct registry *r, const char *why)
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
static void flush(struct registry *r)
{
    loop_timer_stop(r->flush_timer);
    if (r->pending.len == 0)
        return;
    struct buf records = r->pending;
    buf_init(&r->pending, RECORDS_MAX);
    submit(r, WRITER_APPEND, records);
}

/* which boot wrote this, and whether it has stopped */
static int put_boot(struct registry *r, struct buf *records, bool stopped)
{
    return record_put_clean(records, r->boot, loop_wall_ns(r->loop), stopped);
}

/* packs everything that is known and writes it as a checkpoint */
static void checkpoint(struct registry *r)
{
    struct buf records;
    flush(r); /* older values must not be replayed after the state */
    buf_init(&records, RECORDS_MAX);
    int e = put_boot(r, &records, false);
    if (e == 0)
        e = buf_add(&records, r->unknown.ptr, r->unknown.len);
    LIST_EACH(node, &r->entries)
        if (e == 0)
            e = put_whole(&records, LIST_ENTRY(node, struct entry, link));
    if (e == 0 && r->closing)
        e = put_boot(r, &records, true); /* the clean stop stands last */
    if (e < 0) {
        buf_clear(&records);
        fail(r, "the registry's state is too large to be written");
        return;
    }
    r->checkpointing = true;
    r->checkpoint_due = false;
    submit(r, WRITER_CHECKPOINT, records);
}

/* the whole state is on the disk */
static void on_checkpoint_written(struct registry *r)
{
    r->owed = false;
    if (!r->degraded)
        return;
    r->degraded = false;
    r->retry_ms = RETRY_MIN_MS;
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
    if (full)
        r->checkpoint_due = r->owed = true;
    else if (job->result < 0)
        fail(r, strerror(-job->result));
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
static void on_retry(void *ctx)
{
    struct registry *r = ctx;
    if (!r->checkpointing)
        checkpoint(r);
}

/* end of a round in which something urgent was put */
static void on_flush(void *ctx)
{
    flush(ctx);
}

/* something must be durable before bytes leave: goes with the next round; returns its ticket */
static uint64_t urgent(struct registry *r)
{
    if (!loop_timer_is_set(r->flush_timer))
        loop_timer_set(r->flush_timer, 0);
    return r->ticket;
}

/* one entry's record into the next job */
static void put(struct entry *e, int (*record)(struct buf *, const struct entry *))
{
    if (record(&e->registry->pending, e) < 0)
        fail(e->registry, "too many records wait to be written");
}

/* the entry's offset goes with the next group commit */
static void set_dirty(struct entry *e)
{
    struct registry *r = e->registry;
    e->seen_ns = loop_wall_ns(r->loop);
    if (list_is_empty(&e->dirty))
        list_push_back(&r->dirty, &e->dirty);
    if (!loop_timer_is_set(r->commit_timer))
        loop_timer_set(r->commit_timer, COMMIT_MS);
}

/* see header */
void registry_commit(struct registry *r)
{
    struct list *node;
    loop_timer_stop(r->commit_timer);
    while ((node = list_pop_front(&r->dirty)) != NULL)
        put(LIST_ENTRY(node, struct entry, dirty), record_put_offset);
    flush(r);
}

/* once a second while offsets move */
static void on_commit(void *ctx)
{
    registry_commit(ctx);
}

/* ---- entries ---- */

/* the day of the present round */
static int32_t today(struct registry *r)
{
    return date_day_of(loop_wall_ns(r->loop));
}

/* see header */
struct entry *registry_mint(struct registry *r, const struct fs_identity *id, const char *path,
                            const struct evidence *start)
{
    struct generation gen;
    generation_mint(&gen);
    struct entry *e = add_entry(r, &gen, path, strlen(path));
    e->dev = id->dev;
    e->ino = id->ino;
    e->birth_ns = id->birth_ns;
    e->acked = *start;
    e->seen_ns = loop_wall_ns(r->loop);
    e->sent_to = start->offset + REGISTRY_SENT_STEP;
    e->sent_day = today(r);
    reindex(e);
    put(e, record_put_gen);
    put(e, record_put_offset); /* its time */
    e->sent_ticket = urgent(r);
    return e;
}

/* see header */
void registry_moved(struct entry *e, const struct fs_identity *id, const char *path)
{
    e->dev = id->dev;
    e->ino = id->ino;
    e->birth_ns = id->birth_ns;
    if (strcmp(e->path, path) != 0) {
        mem_free(e->path);
        e->path = mem_strdup(path);
        e->owner.source = e->path;
    }
    reindex(e);
    put(e, record_put_gen);
    set_dirty(e);
}

/* see header */
void registry_head(struct entry *e, const struct evidence *first)
{
    e->acked.head = first->head;
    e->acked.head_bytes = first->head_bytes;
    put(e, record_put_offset);
    e->sent_ticket = urgent(e->registry);
}

/* see header */
uint64_t registry_sending(struct entry *e, uint64_t to)
{
    if (to > e->sent_to) {
        e->sent_to = to + (e->days != NULL ? REGISTRY_DATED_STEP : REGISTRY_SENT_STEP);
        e->sent_day = today(e->registry);
        put(e, record_put_sent_to);
        e->sent_ticket = urgent(e->registry);
    }
    return e->sent_ticket;
}

/* the first dated byte of an entry: smaller steps from now on */
static void begin_days(struct entry *e, uint64_t offset)
{
    e->days = mem_zalloc(sizeof(*e->days));
    if (e->sent_to > offset + REGISTRY_DATED_STEP)
        e->sent_to = offset + REGISTRY_DATED_STEP;
}

/* see header */
int32_t registry_day(struct entry *e, uint64_t offset, uint64_t *ret_until)
{
    int32_t day = today(e->registry);
    *ret_until = UINT64_MAX;
    if (offset < e->resend_to) {
        day = e->sent_day;
        if (e->days != NULL)
            day = sent_days_at(e->days, offset, day, ret_until);
        if (*ret_until > e->resend_to)
            *ret_until = e->resend_to;
        return day;
    }
    if (e->days == NULL)
        begin_days(e, offset);
    if (sent_days_add(e->days, offset, day)) {
        e->sent_day = day;
        put(e, record_put_sent_to);
        e->sent_ticket = urgent(e->registry);
    }
    return day;
}

/* see header */
void registry_span_added(struct entry *e, struct span *s)
{
    list_push_back(&e->spans, &s->link);
}

/* the newest acknowledged anchor grows old in two steps, so that one is always old enough */
static void age_anchors(struct entry *e)
{
    int64_t now = loop_now_ms(e->registry->loop);
    if (e->middle_ms != 0 && now - e->middle_ms < REGISTRY_OLDER_MS)
        return;
    if (e->middle_ms != 0)
        e->older = e->middle;
    e->middle = (struct anchor){e->acked.offset, e->acked.anchor};
    e->middle_ms = now;
}

/* a done entry without spans is over */
static void forget_if_over(struct entry *e)
{
    if (!e->done || !list_is_empty(&e->spans) || e->file != NULL || e->holds > 0)
        return;
    put(e, record_put_done);
    if (!loop_timer_is_set(e->registry->commit_timer))
        loop_timer_set(e->registry->commit_timer, COMMIT_MS);
    forget(e);
}

/* moves the acknowledged offset over what is resolved from the front */
static void on_span_resolved(struct span_owner *owner, struct span *span)
{
    struct entry *e = CONTAINER_OF(owner, struct entry, owner);
    bool moved = false;
    (void)span; /* marked as resolved already; only the front of the list counts */
    while (!list_is_empty(&e->spans)) {
        struct span *first = LIST_ENTRY(e->spans.next, struct span, link);
        if (!first->resolved)
            break;
        age_anchors(e);
        assert(first->evidence.offset >= e->acked.offset);
        e->acked = first->evidence;
        span_put(e->registry->spans, first);
        moved = true;
    }
    if (moved && e->days != NULL)
        sent_days_prune(e->days, e->acked.offset);
    if (moved)
        set_dirty(e);
    forget_if_over(e);
}

/* Another generation for the same entry: what is not acknowledged yet counts as its own. */
static void change_generation(struct entry *e)
{
    struct registry *r = e->registry;
    put(e, record_put_done);
    map_remove(&r->by_generation, &e->by_generation);
    e->former = e->gen;
    e->former_to = e->resend_to;
    e->resend_to = 0;
    generation_mint(&e->gen);
    map_insert(&r->by_generation, &e->by_generation, generation_hash(&e->gen));
    put(e, put_whole);
    e->sent_ticket = urgent(r);
}

/* Above what an earlier life can have sent the id was taken by somebody else: a copy of this host,
 * or this registry was older than what it stands for. What was encoded before the change comes
 * here under the former generation. */
static bool on_collided(struct span_owner *owner, uint64_t offset,
                        char generation[DOCID_GENERATION_CHARS], uint64_t *ret_ticket)
{
    struct entry *e = CONTAINER_OF(owner, struct entry, owner);
    char now[DOCID_GENERATION_CHARS], former[DOCID_GENERATION_CHARS];
    generation_write(now, &e->gen);
    generation_write(former, &e->former);
    if (memcmp(generation, now, sizeof(now)) == 0) {
        if (e->resend_to == 0 || offset < e->resend_to)
            return false;
        change_generation(e);
        generation_write(now, &e->gen);
    } else if (e->former_to == 0 || offset < e->former_to ||
               memcmp(generation, former, sizeof(former)) != 0) {
        return false;
    }
    memcpy(generation, now, sizeof(now));
    *ret_ticket = e->sent_ticket;
    return true;
}

static const struct span_owner_ops entry_ops = {.resolved = on_span_resolved,
                                                .collided = on_collided};

/* see header */
void registry_hold(struct entry *e)
{
    e->holds++;
}

/* see header */
void registry_unhold(struct entry *e)
{
    e->holds--;
    forget_if_over(e);
}

/* see header */
void registry_finish(struct entry *e)
{
    e->done = true;
    unindex(e);
    forget_if_over(e);
}

/* see header */
uint64_t registry_durable(const struct registry *r)
{
    return r->durable;
}

/* see header */
bool registry_is_idle(const struct registry *r)
{
    return r->jobs == 0 && r->pending.len == 0 && list_is_empty(&r->dirty);
}

/* see header */
void registry_start(struct registry *r, struct writer *writer, struct span_pool *spans,
                    const char *boot_id)
{
    r->writer = writer;
    r->spans = spans;
    (void)snprintf(r->boot, sizeof(r->boot), "%s", boot_id);
    r->unclean_boot =
        r->last_boot[0] != '\0' && !r->was_clean && strcmp(r->boot, r->last_boot) != 0;
    if (put_boot(r, &r->pending, false) < 0)
        fail(r, "too many records wait to be written");
    (void)urgent(r); /* nothing waits for it */
}

/* see header */
bool registry_is_unclean_boot(const struct registry *r)
{
    return r->unclean_boot;
}

/* What was not sent has no day yet: the next life gives it its own. */
static void end_days(struct entry *e)
{
    if (e->days == NULL || !list_is_empty(&e->spans) || e->sent_to == e->acked.offset)
        return;
    e->sent_to = e->acked.offset;
    put(e, record_put_sent_to);
}

/* see header */
void registry_close(struct registry *r)
{
    LIST_EACH(node, &r->entries)
        end_days(LIST_ENTRY(node, struct entry, link));
    registry_commit(r);
    if (put_boot(r, &r->pending, true) == 0)
        flush(r);
    r->closing = true;
}
