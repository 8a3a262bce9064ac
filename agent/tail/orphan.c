/*
 * tail/orphan - files that are at no matching path any more
 *
 * A file that was renamed or removed is followed by its fd to its end: a writer may still have it
 * open. It is over when it has been at its end for a while and nothing of it is on its way.
 */
#include "base/mem.h"
#include "joins_internal.h"
#include "tail_internal.h"

/* see tail_internal.h */
void orphan_add(struct file *f)
{
    struct tail *t = f->tail;
    if (f->extra->orphan != NULL)
        return;
    struct orphan *o = mem_zalloc(sizeof(*o));
    o->file = f;
    o->since_ms = loop_now_ms(t->loop);
    list_push_back(&t->orphans, &o->link);
    extra_of(f)->orphan = o;
    if (!loop_timer_is_set(t->check_timer))
        loop_timer_set(t->check_timer, TAIL_CHECK_MS);
    file_heat(f);
}

/* see tail_internal.h */
void orphan_remove(struct file *f)
{
    struct orphan *o = f->extra->orphan;
    if (o == NULL)
        return;
    list_remove(&o->link);
    mem_free(o->path);
    mem_free(o);
    extra_of(f)->orphan = NULL;
}

/* whether no name leads to the file any more */
static bool is_unlinked(struct file *f)
{
    struct fs_identity id;
    return fds_identify(f, &id) == 0 && id.nlink == 0;
}

/* an orphan is over when it has been at its end for a while and nothing of it is on its way */
static bool is_over(struct file *f)
{
    int64_t quiet = loop_now_ms(f->tail->loop) - f->grown_ms;
    int64_t limit = is_unlinked(f) ? TAIL_DELETED_QUIET_MS : TAIL_RENAMED_QUIET_MS;
    return (f->at_end || f->failed) && !f->is_hot && quiet >= limit &&
           list_is_empty(&f->entry->extra->spans);
}

/* closes an orphan: its unfinished last line will not be finished any more */
static void end_orphan(struct file *f)
{
    struct entry *entry = f->entry;
    struct fs_identity id;
    if (f->failed) {
        uint64_t size = fds_identify(f, &id) == 0 ? id.size : file_scanned_to(f);
        uint64_t lost =
            (size > file_at(f)->offset ? size - file_at(f)->offset : 0) + joins_bytes(f);
        if (lost > 0)
            ledger_abandon(tail_input_of(f)->ledger, ABANDON_IO, (struct ledger_count){lost, 0});
    } else if (file_scanned_to(f) > file_at(f)->offset) {
        if (fds_open(f) < 0)
            file_heat(f); /* its turn finds out */
        else if (read_flush_partial(f))
            f->grown_ms = loop_now_ms(f->tail->loop);
        return;
    } else if (joins_bytes(f) > 0) {
        if (joins_flush(f))
            f->grown_ms = loop_now_ms(f->tail->loop);
        return;
    }
    struct tail *t = f->tail;
    bool unlinked = is_unlinked(f);
    bool lost = unlinked && !siblings_inherit(f);
    file_free(f);
    life_end(t, entry, lost);
}

/* see tail_internal.h */
void orphan_check(struct tail *t)
{
    LIST_EACH(node, &t->orphans) {
        struct file *f = LIST_ENTRY(node, struct orphan, link)->file;
        if (!f->is_hot && fds_has_changed(f, file_scanned_to(f)))
            file_heat(f);
        else if (is_over(f))
            end_orphan(f);
    }
    deleted_limit(t);
}
