/*
 * tail/probe - whose content is in a compressed file?
 *
 * The evidence is that of identity.h, gathered forwards: generations are compared in the order of
 * their offsets, and the one with the largest offset that agrees is it. A file of which no
 * generation has the head is decided by its first bytes.
 *
 * Invariant: entries that are compared are held, so that they stay while it takes time.
 */
#include "probe.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"

/* see probe.h */
void probe_begin(struct probe *p, struct tail *t, struct candidate *c, struct entry *own)
{
    *p = (struct probe){.t = t, .c = c, .own = own, .match = -1};
}

/* see probe.h */
void probe_end(struct probe *p)
{
    for (unsigned i = 0; i < p->count; i++)
        registry_unhold(p->entries[i]);
    p->count = 0;
}

/* what a failed or short read means; a damaged file is nobody's */
static enum probe_result without_bytes(struct probe *p, ssize_t r)
{
    if (r == -EAGAIN)
        return PROBE_LATER;
    if (r == -EBUSY)
        return PROBE_BUSY;
    if (r >= 0 && content_end(&p->c->content) == CONTENT_OPEN)
        return PROBE_WAITS;
    return PROBE_NOBODYS;
}

/* Whether a generation may be the content of the file at all. A short head counts only beside a
 * name and a time that fit. */
static bool is_possible(const struct probe *p, const struct entry *e)
{
    if (e == p->own)
        return true;
    if (e->done)
        return false;
    bool kin = siblings_are_kin(e->path, p->c->path) || olddir_is_beside(p->t, e->path, p->c->path);
    if (e->acked.head_bytes < IDENTITY_MOVED_HEAD_BYTES && e->file == NULL)
        return kin && p->c->id.mtime_ns >= e->seen_ns - TAIL_CLOCK_STEP_NS;
    return e->file == NULL || kin;
}

/* Whether a generation has the head of the file, of n bytes. A living one of which next to nothing
 * was read yet is asked itself. */
static bool has_head(struct entry *e, const char *head, size_t n)
{
    char own[SPAN_HEAD_BYTES];
    const struct evidence *v = &e->acked;
    if (e->file == NULL || v->head_bytes >= IDENTITY_MOVED_HEAD_BYTES)
        return v->head_bytes > 0 && v->head_bytes <= n && hash64(head, v->head_bytes) == v->head;
    return n > 0 && e->file->content.fd >= 0 && !content_is_packed(&e->file->content) &&
           content_read_at(&e->file->content, own, n, 0) == (ssize_t)n && memcmp(own, head, n) == 0;
}

/* takes a generation among those that are compared, sorted by offset */
static void insert(struct probe *p, struct entry *e)
{
    unsigned at = p->count;
    if (p->count == PROBE_ENTRIES_MAX)
        return;
    while (at > 0 && p->entries[at - 1]->acked.offset > e->acked.offset) {
        p->entries[at] = p->entries[at - 1];
        at--;
    }
    p->entries[at] = e;
    p->count++;
    registry_hold(e);
}

/* finds the generations that have the head of the file */
static enum probe_result gather(struct probe *p)
{
    char head[SPAN_HEAD_BYTES];
    struct registry *r = p->t->registry;
    ssize_t n = content_read_at(&p->c->content, head, sizeof(head), 0);
    bool open_end = n < (ssize_t)sizeof(head) && content_end(&p->c->content) == CONTENT_OPEN;
    if (n < 0 || open_end)
        return without_bytes(p, n);
    for (struct entry *e = registry_next(r, NULL); e != NULL; e = registry_next(r, e)) {
        if (is_possible(p, e) && has_head(e, head, (size_t)n))
            insert(p, e);
    }
    p->has_head = true;
    return PROBE_LATER;
}

/* compares one generation; PROBE_LATER = the next one */
static enum probe_result compare(struct probe *p)
{
    char bytes[SPAN_ANCHOR_BYTES];
    const struct evidence *v = &p->entries[p->next]->acked;
    size_t n = v->offset < sizeof(bytes) ? (size_t)v->offset : sizeof(bytes);
    ssize_t r = content_read_at(&p->c->content, bytes, n, v->offset - n);
    if (r < (ssize_t)n) {
        enum probe_result why = without_bytes(p, r);
        if (why != PROBE_NOBODYS)
            return why;
    } else if (hash64(bytes, n) == v->anchor || v->offset == 0) {
        p->match = (int)p->next;
    }
    p->next++;
    return PROBE_LATER;
}

/* see probe.h: an entry that is so new has next to nothing acknowledged */
int probe_is_known(struct tail *t, struct candidate *c)
{
    char head[SPAN_HEAD_BYTES];
    struct probe p = {.t = t, .c = c};
    struct registry *r = t->registry;
    ssize_t n = content_read_at(&c->content, head, sizeof(head), 0);
    if (n == -EBUSY)
        return (int)n;
    if (n == 0 && content_end(&c->content) == CONTENT_WHOLE)
        return 1;
    for (struct entry *e = registry_next(r, NULL); e != NULL && n > 0; e = registry_next(r, e))
        if (e->acked.offset == 0 && is_possible(&p, e) && has_head(e, head, (size_t)n))
            return 1;
    return 0;
}

/* see probe.h */
enum probe_result probe_step(struct probe *p, struct entry **ret_entry)
{
    if (!p->has_head)
        return gather(p);
    if (p->next < p->count)
        return compare(p);
    if (p->match < 0)
        return PROBE_NOBODYS;
    *ret_entry = p->entries[p->match];
    return (*ret_entry)->file == NULL ? PROBE_LOST : PROBE_LIVING;
}
