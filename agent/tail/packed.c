/*
 * tail/packed - compressed files: which are read, and how they end
 *
 * A compressed file that a pattern matches is new data only where the input says so; else it is
 * read only as what became of a generation (siblings.c). Those that were found to be read elsewhere
 * are remembered, so that they are not unpacked by each scan.
 *
 * A stream that ends in the midst is waited for as long as it grows: its writer may be at work.
 */
#include <string.h>

#include "base/mem.h"
#include "tail_internal.h"

/* compressed files that are remembered; beyond it the oldest is decided again */
#define PACKED_MAX 4096

/* One that need not be read. */
struct packed {
    struct list link;
    uint64_t dev, ino, size;
    int64_t mtime_ns;
};

/* frees one */
static void forget(struct tail *t, struct packed *p)
{
    list_remove(&p->link);
    mem_free(p);
    t->packed_count--;
}

/* the one with that inode number; NULL = none */
static struct packed *find(struct tail *t, const struct fs_identity *id)
{
    LIST_EACH(node, &t->packed) {
        struct packed *p = LIST_ENTRY(node, struct packed, link);
        if (p->ino == id->ino && p->dev == id->dev)
            return p;
    }
    return NULL;
}

/* see tail_internal.h */
void packed_remember(struct tail *t, const struct fs_identity *id)
{
    struct packed *p = find(t, id);
    if (p != NULL)
        forget(t, p);
    if (t->packed_count == PACKED_MAX)
        forget(t, LIST_ENTRY(t->packed.next, struct packed, link));
    p = mem_zalloc(sizeof(*p));
    p->dev = id->dev;
    p->ino = id->ino;
    p->size = id->size;
    p->mtime_ns = id->mtime_ns;
    list_push_back(&t->packed, &p->link);
    t->packed_count++;
}

/* see tail_internal.h */
void packed_free(struct tail *t)
{
    while (!list_is_empty(&t->packed))
        forget(t, LIST_ENTRY(t->packed.next, struct packed, link));
}

/* whether it need not be looked at */
static bool is_remembered(struct tail *t, const struct fs_identity *id)
{
    const struct packed *p = find(t, id);
    return p != NULL && p->size == id->size && p->mtime_ns == id->mtime_ns;
}

/* see tail_internal.h */
bool packed_is_read(struct tail *t, const struct fs_identity *id)
{
    const struct entry *e = registry_find_inode(t->registry, id->dev, id->ino);
    bool reused = e != NULL && e->birth_ns != 0 && id->birth_ns != 0 && e->birth_ns != id->birth_ns;
    return e != NULL && !reused && e->dev == id->dev && e->file == NULL && !e->loaded;
}

/* what the options of the input pass over; it is counted as it is on the disk */
static bool is_passed_over(struct tail *t, const struct candidate *c)
{
    const struct tail_input *input = &t->opts.inputs[c->input];
    int64_t age_ms = (loop_wall_ns(t->loop) - c->id.mtime_ns) / 1000000;
    bool old = input->ignore_older_ms > 0 && age_ms > input->ignore_older_ms;
    bool known = registry_find_inode(t->registry, c->id.dev, c->id.ino) != NULL;
    if (known || !(old || (input->start_at_end && !t->started)))
        return false;
    ledger_skip(input->ledger, old ? SKIP_IGNORE_OLDER : SKIP_START_AT,
                (struct ledger_count){c->id.size, 0});
    packed_remember(t, &c->id);
    return true;
}

/* A file with such a name that is empty may be in the making: nobody can tell what it will be, nor
 * need its first bytes be told while its directory is busy. */
static void look_again(struct tail *t, const struct fs_identity *id)
{
    int64_t age_ms = (loop_wall_ns(t->loop) - id->mtime_ns) / 1000000;
    if (t->opts.once || age_ms > TAIL_COPY_HOLD_MS)
        return;
    tail_scan_soon(t);
}

/* see tail_internal.h */
bool packed_takes(struct tail *t, struct candidate *c)
{
    if (adopt_open(t, c) < 0) {
        adopt_free_candidate(c);
        return true;
    }
    bool packed = content_is_packed(&c->content);
    content_close(&c->content);
    if (!packed && c->id.size == 0) {
        look_again(t, &c->id);
        adopt_free_candidate(c);
        return true;
    }
    if (!packed)
        return false;
    if (!t->opts.inputs[c->input].unpack || is_remembered(t, &c->id) || packed_is_read(t, &c->id) ||
        is_passed_over(t, c)) {
        adopt_free_candidate(c);
        return true;
    }
    list_remove(&c->link);
    siblings_decide(t, c);
    return true;
}

/* what is lost with a damaged file; its length is known only as it is on the disk */
static void tell(struct file *f, enum content_end end)
{
    uint64_t useless = content_useless(&f->content);
    enum ledger_abandon why = end == CONTENT_WINDOW ? ABANDON_WINDOW : ABANDON_CORRUPT;
    if (f->told)
        return;
    f->told = true;
    ledger_abandon(tail_input_of(f)->ledger, why, (struct ledger_count){useless, 0});
    tail_message(f->tail, LOG_WARN,
                 "compressed file of \"%s\" %s behind offset %llu: %llu compressed bytes are lost",
                 f->entry->path,
                 end == CONTENT_WINDOW ? "needs too large a window" : "is damaged or cut off",
                 (unsigned long long)file_at(f)->offset, (unsigned long long)useless);
}

/* see tail_internal.h */
bool packed_waits(struct file *f)
{
    if (!content_is_packed(&f->content))
        return false;
    enum content_end end = content_end(&f->content);
    if (end == CONTENT_OPEN) {
        if (loop_now_ms(f->tail->loop) - f->grown_ms < TAIL_COPY_HOLD_MS)
            return true;
        content_give_up(&f->content);
        (void)read_flush_partial(f); /* blocked: it was cut off in any case */
        end = content_end(&f->content);
    }
    if (end != CONTENT_WHOLE)
        tell(f, end);
    return false;
}
