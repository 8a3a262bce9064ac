/*
 * tail/registry - life cycle and replay of the registry
 */
#include "tail/registry.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "registry_internal.h"

/* empty, before replay */
struct registry *registry_new(struct loop *loop, const struct registry_hooks *hooks)
{
    struct registry *r = mem_zalloc(sizeof(*r));
    r->loop = loop;
    r->hooks = *hooks;
    r->ticket = 1;
    r->retry_ms = REGISTRY_RETRY_MIN_MS;
    registry_index_init(r);
    buf_init(&r->pending, REGISTRY_RECORDS_MAX);
    buf_init(&r->unknown, REGISTRY_UNKNOWN_MAX);
    r->commit_timer = loop_timer_new(loop, registry_on_commit, r);
    r->flush_timer = loop_timer_new(loop, registry_on_flush, r);
    r->retry_timer = loop_timer_new(loop, registry_on_retry, r);
    r->rest_timer = loop_timer_new(loop, registry_on_rest, r);
    return r;
}

/* see header */
void registry_free(struct registry **rp)
{
    struct registry *r = *rp;
    if (r == NULL)
        return;
    registry_index_clear(r);
    buf_clear(&r->pending);
    buf_clear(&r->unknown);
    loop_timer_cancel(&r->commit_timer);
    loop_timer_cancel(&r->flush_timer);
    loop_timer_cancel(&r->retry_timer);
    loop_timer_cancel(&r->rest_timer);
    mem_free(r);
    *rp = NULL;
}

/* ---- replay ---- */

/* applies a GEN record: a new entry, or the present state of one */
static void replay_gen(struct registry *r, struct entry *e, const struct record *rec)
{
    bool stays = e != NULL && e->dev == rec->dev && e->ino == rec->ino &&
                 e->birth_ns == rec->birth_ns && slice_eq_str(rec->path, e->path);
    if (e == NULL)
        e = registry_add(r, &rec->gen, rec->path);
    else
        registry_set_path(e, rec->path);
    if (!stays) { /* else a newer one may have the number by now */
        registry_unindex_inode(e);
        e->dev = rec->dev;
        e->ino = rec->ino;
        registry_index_inode(e);
    }
    e->birth_ns = rec->birth_ns;
    e->acked = rec->evidence;
    e->sent_to = e->resend_to = rec->sent_to;
    e->sent_day = rec->sent_day;
    e->framing = rec->framing;
    e->unsettled = rec->unsettled;
    e->loaded = true;
}

/* applies a SENT_TO record */
static void replay_sent_to(struct entry *e, const struct record *rec)
{
    e->sent_to = e->resend_to = rec->sent_to;
    e->sent_day = rec->sent_day;
    if (!rec->has_from)
        return;
    if (e->extra->days == NULL)
        registry_extra(e)->days = mem_zalloc(sizeof(*e->extra->days));
    (void)sent_days_add(e->extra->days, rec->from, rec->sent_day); /* known already: no matter */
}

/* records that this version has no use for stay in the next checkpoints */
static void keep_unknown(struct registry *r, const struct frame *f)
{
    if (journal_pack(&r->unknown, f->type, f->payload) < 0)
        return; /* the limit: nothing of ours */
}

/* when the registry was written last */
static void note_time(struct registry *r, int64_t wall_ns)
{
    if (wall_ns > r->written_ns)
        r->written_ns = wall_ns;
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
        note_time(r, rec.seen_ns);
        return;
    }
    struct entry *e = registry_find_generation(r, &rec.gen);
    if (f->type == FRAME_GEN) {
        replay_gen(r, e, &rec);
    } else if (e != NULL && f->type == FRAME_OFFSET) {
        e->acked = rec.evidence;
        e->older = rec.older;
        e->seen_ns = rec.seen_ns;
        note_time(r, rec.seen_ns);
        if (rec.absent_ns != e->extra->absent_ns)
            registry_extra(e)->absent_ns = rec.absent_ns;
    } else if (e != NULL && f->type == FRAME_SENT_TO) {
        replay_sent_to(e, &rec);
    } else if (e != NULL) {
        registry_forget(e);
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

/* The host went down: what was acknowledged may be gone from the files. Known until each is found
 * again, in whatever life. */
static void set_unsure(struct registry *r)
{
    LIST_EACH(node, &r->entries) {
        struct entry *e = LIST_ENTRY(node, struct entry, link);
        e->acked.flags |= EVIDENCE_UNSURE;
        registry_put(e, record_put_offset);
    }
}

/* goes on with another machine's registry */
static void begin_copy(struct registry *r)
{
    char text[160];
    const char *why = registry_copied(r);
    if (why == NULL)
        return;
    registry_begin_anew(r);
    r->copied = true;
    (void)snprintf(text, sizeof(text), "a copy: %s; %zu files go on under new generations", why,
                   r->count);
    if (r->hooks.health != NULL)
        r->hooks.health(r->hooks.ctx, text);
}

/* see header */
void registry_start(struct registry *r, struct writer *writer, struct span_pool *spans,
                    const char *boot_id)
{
    r->writer = writer;
    r->spans = spans;
    registry_index_end_replay(r);
    (void)snprintf(r->boot, sizeof(r->boot), "%s", boot_id);
    r->unclean_boot =
        r->last_boot[0] != '\0' && !r->was_clean && strcmp(r->boot, r->last_boot) != 0;
    if (r->unclean_boot)
        set_unsure(r);
    if (registry_put_boot(r, &r->pending, false) < 0)
        registry_fail(r, "too many records wait to be written");
    (void)registry_urgent(r); /* nothing waits for it */
    begin_copy(r);
    if (r->elsewhere)
        registry_checkpoint_alone(r);
}

/* see header */
void registry_set_elsewhere(struct registry *r)
{
    r->elsewhere = r->owed = true;
}

/* see header */
bool registry_is_unclean_boot(const struct registry *r)
{
    return r->unclean_boot;
}

/* What was not sent has no day yet: the next life gives it its own. */
static void end_days(struct entry *e)
{
    if (e->extra->days == NULL || !list_is_empty(&e->extra->spans) || e->sent_to == e->acked.offset)
        return;
    e->sent_to = e->acked.offset;
    registry_put(e, record_put_sent_to);
}

/* see header */
void registry_release(struct registry *r)
{
    if (r == NULL)
        return;
    LIST_EACH(entry, &r->entries) {
        LIST_EACH(node, &LIST_ENTRY(entry, struct entry, link)->extra->spans) {
            struct span *s = LIST_ENTRY(node, struct span, link);
            if (s->resolved)
                span_put(r->spans, s);
        }
    }
}

/* see header */
void registry_close(struct registry *r)
{
    LIST_EACH(node, &r->entries) {
        struct entry *e = LIST_ENTRY(node, struct entry, link);
        end_days(e);
    }
    registry_commit(r);
    if (registry_put_boot(r, &r->pending, true) == 0)
        registry_flush(r);
    r->closing = true;
}
