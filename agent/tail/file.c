/*
 * tail/file - one followed file
 *
 * An idle file is an fd and two structs; what is only needed while it is read (the prebuilt parts
 * of its documents) comes with heat and goes when it cools.
 *
 *   idle --event, scan--> hot --TAIL_QUIET_TICKS ticks without a byte--> idle
 *     +--not at its path any more--> orphan --at its end, quiet, acknowledged--> freed
 *
 * While a directory has hot files, writes in it are not watched (the tick reads them); when the
 * last one cools the watch is put back, and only then each file's size is looked at once, so that
 * no write falls between.
 */
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "framing_internal.h"
#include "joins_internal.h"
#include "tail_internal.h"

/* The registry finds entries by inode; a followed one is the newest of its number on its device. */
struct file *file_find(struct tail *t, uint64_t dev, uint64_t ino)
{
    const struct entry *e = registry_find_inode(t->registry, dev, ino);
    return e != NULL && e->dev == dev && e->ino == ino ? e->file : NULL;
}

/* see header */
struct file *file_new(struct tail *t, struct candidate *c, struct entry *entry,
                      const struct evidence *at)
{
    const struct fs_identity *id = &c->id;
    struct dir *d = c->dir;
    struct file *f = slab_get(&t->file_slab);
    f->tail = t;
    f->dir = d;
    f->input = c->input;
    f->linked = c->linked;
    f->content = c->content;
    content_open(&c->content, -1); /* it is the file's now */
    f->entry = entry;
    extra_begin(f, at);
    (void)fds_was_written(f, id); /* it is read anyway */
    if (t->opts.once && !content_is_packed(&f->content))
        extra_of(f)->stop_at = id->size;
    f->epoch = t->epoch;
    f->grown_ms = loop_now_ms(t->loop);
    joins_resume(f, content_is_packed(&f->content) ? UINT64_MAX : id->size);
    list_init(&f->queue);
    list_push_back(&d->files, &f->in_dir);
    const char *seen_at = c->linked ? c->known_as : c->path;
    lineage_add(f, hash64(seen_at, strlen(seen_at)));
    assert(entry->file == NULL);
    entry->file = f;
    assert(file_find(t, id->dev, id->ino) == f);
    entry->loaded = entry->ended = false;
    registry_set_absent(entry, 0);
    entry->owner.ledger = t->opts.inputs[c->input].ledger;
    t->file_count++;
    fds_took(f);
    return f;
}

/* one hot file more in its directory: the ticks see its writes, so they need not be told */
static void add_hot(struct file *f)
{
    struct dir *d = f->dir;
    if (d->hot++ == 0 && d->watch >= 0)
        (void)watch_set_quiet(f->tail->watch, d->watch, true); /* only saves wake-ups */
}

/* one less; the directory's watch is told when it was the last */
static void remove_hot(struct file *f)
{
    struct dir *d = f->dir;
    if (--d->hot == 0 && d->watch >= 0)
        (void)watch_set_quiet(f->tail->watch, d->watch, false); /* gone: its event follows */
}

/* out of the hot list */
static void leave_hot(struct file *f)
{
    if (!f->is_hot)
        return;
    list_remove(&f->queue);
    f->is_hot = false;
    f->tail->hot_count--;
    extra_drop_encode(f);
    joins_cool(f);
    remove_hot(f);
}

/* see header */
void file_free(struct file *f)
{
    struct tail *t = f->tail;
    struct entry *entry = f->entry;
    leave_hot(f);
    recovery_end(f);
    framing_end(f);
    lineage_release(f);
    lineage_remove(f);
    list_remove(&f->in_dir);
    orphan_remove(f);
    parked_remove(f);
    t->file_count--;
    fds_close(f);
    content_close(&f->content);
    extra_drop(f); /* with what was made for an unfinished line of a file that was not hot */
    entry->file = NULL;
    slab_put(&t->file_slab, f);
}

/* see header */
void file_retry(struct file *f)
{
    f->failed = false;
    file_heat(f);
}

/* see header */
void file_heat(struct file *f)
{
    f->quiet_ticks = 0;
    f->at_end = false;
    if (f->is_hot || f->failed)
        return;
    list_remove(&f->queue);
    list_push_back(&f->tail->hot, &f->queue);
    f->is_hot = true;
    f->tail->hot_count++;
    add_hot(f);
    tail_pump_soon(f->tail);
}

/* what was written while nobody watched */
void file_look(struct dir *d)
{
    LIST_EACH(node, &d->files) {
        struct file *f = LIST_ENTRY(node, struct file, in_dir);
        if (!f->is_hot && !f->failed && f->extra->stop_at == UINT64_MAX &&
            (fds_has_changed(f, file_scanned_to(f)) || siblings_may_hide(f)))
            file_heat(f);
    }
}

/* see header */
void file_cool(struct file *f)
{
    struct dir *d = f->dir;
    leave_hot(f);
    content_rest(&f->content);
    fds_rest(f);
    extra_rest_soon(f->tail);
    if (f->tail->hot_count == 0)
        mem_forget(f->tail->buffer, f->tail->buffer_bytes);
    if (d->hot == 0 && d->watch >= 0)
        file_look(d);
}

/* see header */
void file_set_dir(struct file *f, struct dir *d)
{
    bool hot = f->is_hot;
    if (f->dir == d)
        return;
    if (hot)
        remove_hot(f);
    list_remove(&f->in_dir);
    list_push_back(&d->files, &f->in_dir);
    f->dir = d;
    if (hot)
        add_hot(f);
}

/* see header */
void file_tell_cut(struct tail *t, unsigned input, const char *path, uint64_t offset)
{
    t->opts.inputs[input].ledger->documents[DOCUMENT_FILE_CUT]++;
    tail_message(t, LOG_WARN,
                 "file \"%s\" was truncated or rewritten at offset %llu, reading it anew; what was "
                 "written before that and stands in no copy of it is lost",
                 path, (unsigned long long)offset);
}

/* see header */
void file_restart(struct file *f)
{
    struct tail *t = f->tail;
    struct entry *old = f->entry;
    struct fs_identity id = {.dev = old->dev, .ino = old->ino, .birth_ns = old->birth_ns};
    int64_t quiet_ms = loop_now_ms(t->loop) - f->grown_ms;
    struct evidence end = *file_at(f);
    struct file *last, *before = f->extra->after;
    uint64_t unfinished =
        file_scanned_to(f) > file_at(f)->offset ? file_scanned_to(f) - file_at(f)->offset : 0;
    file_tell_cut(t, f->input, old->path, file_at(f)->offset);
    struct extra *x = extra_of(f);
    x->skipped_to = 0;
    x->at = adopt_start(&f->content);
    x->scanned_to = 0;
    f->entry = registry_mint(t->registry, &id, old->path, &x->at, true);
    registry_set_framing(f->entry, cutting_of(tail_input_of(f)));
    f->entry->file = f;
    f->entry->owner.ledger = old->owner.ledger;
    f->grown_ms = loop_now_ms(t->loop);
    extra_drop_encode(f);
    recovery_end(f);
    struct joins *open = joins_detach(f);
    framing_end(f);
    old->file = NULL;
    registry_hold(old);
    life_end(t, old, true);
    adopt_check_copies(t, old);
    last = siblings_of_cut(t, f->input, f->entry->path, old, &id,
                           loop_wall_ns(t->loop) - quiet_ms * 1000000,
                           (struct ledger_count){unfinished, unfinished > 0});
    if (old->file == NULL && last == NULL && open != NULL)
        joins_inherit(f, &open, old, &end);
    joins_free(&open);
    if (old->file != NULL && before != NULL)
        lineage_wait(old->file, before);
    lineage_wait(f, last != NULL ? last : before);
    if (!siblings_is_open(t, f->entry->path))
        registry_set_unsettled(f->entry, false);
    registry_unhold(old);
}
