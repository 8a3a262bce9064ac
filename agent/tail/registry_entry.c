/*
 * tail/registry_entry - what happens to one entry
 *
 * Invariants: 1. an entry's spans are in source order and the first one is not resolved.
 * 2. acked never moves back. 3. an entry is forgotten only when done and without spans.
 */
#include <assert.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "registry_internal.h"

/* the day of the present round */
static int32_t today(struct registry *r)
{
    return date_day_of(loop_wall_ns(r->loop));
}

/* see header */
struct entry *registry_mint(struct registry *r, const struct fs_identity *id, const char *path,
                            const struct evidence *start, bool unsettled)
{
    struct generation gen;
    generation_mint(&gen);
    struct entry *e = registry_add(r, &gen, slice_str(path));
    e->dev = id->dev;
    e->ino = id->ino;
    e->birth_ns = id->birth_ns;
    e->unsettled = unsettled;
    e->acked = *start;
    e->older = (struct anchor){start->offset, start->anchor};
    e->seen_ns = loop_wall_ns(r->loop);
    e->sent_to = start->offset + REGISTRY_SENT_STEP;
    e->sent_day = today(r);
    registry_index_inode(e);
    registry_put(e, record_put_gen);
    registry_put(e, record_put_offset); /* its time */
    registry_extra(e)->sent_ticket = registry_urgent(r);
    return e;
}

/* see header */
void registry_set_unsettled(struct entry *e, bool unsettled)
{
    if (e->unsettled == unsettled)
        return;
    e->unsettled = unsettled;
    registry_put(e, record_put_gen);
    registry_commit_later(e->registry);
}

/* see header */
void registry_seen(struct entry *e)
{
    e->seen_ns = loop_wall_ns(e->registry->loop);
}

/* see header */
void registry_moved(struct entry *e, const struct fs_identity *id, const char *path)
{
    registry_unindex_inode(e);
    e->dev = id->dev;
    e->ino = id->ino;
    e->birth_ns = id->birth_ns;
    registry_set_path(e, slice_str(path));
    registry_index_inode(e);
    registry_put(e, record_put_gen);
    registry_commit_later(e->registry);
}

/* see header */
void registry_set_framing(struct entry *e, uint32_t framing)
{
    e->framing = framing;
    registry_put(e, record_put_gen);
}

/* see header */
void registry_lost(struct entry *e)
{
    registry_unindex_inode(e);
    e->dev = e->ino = 0;
    e->birth_ns = 0;
    registry_put(e, record_put_gen);
    registry_commit_later(e->registry);
}

/* see header */
void registry_set_absent(struct entry *e, int64_t since_ns)
{
    if (e->extra->absent_ns == since_ns)
        return;
    registry_extra(e)->absent_ns = since_ns;
    registry_put(e, record_put_offset);
    registry_commit_later(e->registry);
}

/* see header */
void registry_head(struct entry *e, const struct evidence *first)
{
    e->acked.head = first->head;
    e->acked.head_bytes = first->head_bytes;
    registry_put(e, record_put_offset);
    registry_extra(e)->sent_ticket = registry_urgent(e->registry);
}

/* see header */
uint64_t registry_sending(struct entry *e, uint64_t to)
{
    if (to > e->sent_to) {
        e->sent_to = to + (e->extra->days != NULL ? REGISTRY_DATED_STEP : REGISTRY_SENT_STEP);
        e->sent_day = today(e->registry);
        registry_put(e, record_put_sent_to);
        registry_extra(e)->sent_ticket = registry_urgent(e->registry);
    }
    return e->extra->sent_ticket > 0 ? e->extra->sent_ticket : e->registry->durable;
}

/* the first dated byte of an entry: smaller steps from now on */
static void begin_days(struct entry *e, uint64_t offset)
{
    registry_extra(e)->days = mem_zalloc(sizeof(*e->extra->days));
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
        if (e->extra->days != NULL)
            day = sent_days_at(e->extra->days, offset, day, ret_until);
        if (*ret_until > e->resend_to)
            *ret_until = e->resend_to;
        return day;
    }
    if (e->extra->days == NULL)
        begin_days(e, offset);
    if (sent_days_add(e->extra->days, offset, day)) {
        e->sent_day = day;
        registry_put(e, record_put_sent_to);
        registry_extra(e)->sent_ticket = registry_urgent(e->registry);
    }
    return day;
}

/* see header */
void registry_span_added(struct entry *e, struct span *s)
{
    list_push_back(&registry_extra(e)->spans, &s->link);
}

/* the newest acknowledged anchor grows old in two steps, so that one is always old enough */
static void age_anchors(struct entry *e)
{
    int64_t now = loop_now_ms(e->registry->loop);
    struct entry_extra *x = registry_extra(e);
    if (x->middle_ms != 0 && now - x->middle_ms < REGISTRY_OLDER_MS)
        return;
    if (x->middle_ms != 0)
        e->older = x->middle;
    x->middle = (struct anchor){e->acked.offset, e->acked.anchor};
    x->middle_ms = now;
    registry_rest_soon(e->registry);
}

/* a done entry without spans is over */
static void forget_if_over(struct entry *e)
{
    if (!e->done || !list_is_empty(&e->extra->spans) || e->file != NULL || e->extra->holds > 0)
        return;
    registry_put(e, record_put_done);
    registry_commit_later(e->registry);
    registry_forget(e);
}

/* moves the acknowledged offset over what is resolved from the front */
static void on_span_resolved(struct span_owner *owner, struct span *span)
{
    struct entry *e = CONTAINER_OF(owner, struct entry, owner);
    bool moved = false;
    (void)span; /* marked as resolved already; only the front of the list counts */
    while (!list_is_empty(&e->extra->spans)) {
        struct span *first = LIST_ENTRY(e->extra->spans.next, struct span, link);
        if (!first->resolved)
            break;
        age_anchors(e);
        assert(first->evidence.offset >= e->acked.offset);
        e->acked = first->evidence;
        if (first->companion != NULL) {
            registry_set_dirty(e); /* its record stands before theirs */
            span_resolve_companions(first);
        }
        span_put(e->registry->spans, first);
        moved = true;
    }
    if (moved && e->extra->days != NULL)
        sent_days_prune(e->extra->days, e->acked.offset);
    if (moved)
        registry_set_dirty(e);
    forget_if_over(e);
}

/* Another generation for the same entry: what is not acknowledged yet counts as its own. */
static void change_generation(struct entry *e)
{
    struct generation gen;
    generation_mint(&gen);
    registry_put(e, record_put_done);
    if (e->extra->former == NULL)
        registry_extra(e)->former = mem_zalloc(sizeof(*e->extra->former));
    *e->extra->former = (struct former){e->gen, e->resend_to};
    e->resend_to = 0;
    registry_set_generation(e, &gen);
    registry_put(e, registry_put_whole);
    registry_extra(e)->sent_ticket = registry_urgent(e->registry);
}

/* whether an id is one of the generation before, above what its earlier life can have sent */
static bool is_former(const struct entry *e, const char *generation, uint64_t offset)
{
    char former[DOCID_GENERATION_CHARS];
    if (e->extra->former == NULL || offset < e->extra->former->resend_to)
        return false;
    generation_write(former, &e->extra->former->gen);
    return memcmp(generation, former, sizeof(former)) == 0;
}

/* Above what an earlier life can have sent the id was taken by somebody else: a copy of this host,
 * or this registry was older than what it stands for. What was encoded before the change comes
 * here under the former generation. */
static bool on_collided(struct span_owner *owner, uint64_t offset,
                        char generation[DOCID_GENERATION_CHARS], uint64_t *ret_ticket)
{
    struct entry *e = CONTAINER_OF(owner, struct entry, owner);
    char now[DOCID_GENERATION_CHARS];
    generation_write(now, &e->gen);
    if (memcmp(generation, now, sizeof(now)) == 0) {
        if (e->resend_to == 0 || offset < e->resend_to)
            return false;
        change_generation(e);
        generation_write(now, &e->gen);
    } else if (!is_former(e, generation, offset)) {
        return false;
    }
    memcpy(generation, now, sizeof(now));
    *ret_ticket = e->extra->sent_ticket;
    return true;
}

const struct span_owner_ops registry_entry_ops = {.resolved = on_span_resolved,
                                                  .collided = on_collided};

/* see header */
void registry_hold(struct entry *e)
{
    registry_extra(e)->holds++;
}

/* see header */
void registry_unhold(struct entry *e)
{
    registry_extra(e)->holds--;
    forget_if_over(e);
}

/* see header */
void registry_finish(struct entry *e)
{
    e->done = true;
    registry_unindex_inode(e);
    forget_if_over(e);
}
