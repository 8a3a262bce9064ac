/*
 * tail/deleted - what deleted files may hold back
 *
 * A deleted file whose content has not been read and acknowledged whole keeps its space on disk as
 * long as its fd is open. Both limits come from the input: age since it left its path, and size, in
 * sum over the deleted files of one file system. Past them the oldest are given up: what nobody has
 * read is looked for in a rotated or compressed sibling, else abandoned(deleted); what is on its
 * way goes on.
 */
#include "joins_internal.h"
#include "tail_internal.h"

/* the size of an orphan that is deleted and not fully sent; 0 for every other */
static uint64_t held_bytes(struct file *f)
{
    struct fs_identity id;
    if (fds_identify(f, &id) < 0 || id.nlink > 0)
        return 0;
    bool sent = id.size <= file_at(f)->offset && list_is_empty(&f->entry->extra->spans);
    return sent ? 0 : id.size;
}

/* what the deleted files of one file system hold */
static uint64_t held_on(struct tail *t, uint64_t dev)
{
    uint64_t sum = 0;
    LIST_EACH(node, &t->orphans) {
        struct file *f = LIST_ENTRY(node, struct orphan, link)->file;
        if (f->entry->dev == dev)
            sum += held_bytes(f);
    }
    return sum;
}

/* Closes it, and says so; its unread rest is read in a sibling, or abandoned. */
static void give_up(struct file *f, uint64_t size, const char *limit)
{
    struct tail *t = f->tail;
    struct entry *entry = f->entry;
    unsigned input = f->input;
    uint64_t unread = (size > file_at(f)->offset ? size - file_at(f)->offset : 0) + joins_bytes(f);
    tail_message(t, LOG_WARN, "closing deleted file \"%s\" over %s, %llu bytes were not read",
                 entry->path, limit, (unsigned long long)unread);
    file_free(f);
    registry_hold(entry);
    life_end(t, entry, true);
    siblings_of_deleted(t, input, entry, (struct ledger_count){unread, 0});
    registry_unhold(entry);
}

/* see tail_internal.h */
void deleted_limit(struct tail *t)
{
    int64_t now = loop_now_ms(t->loop);
    LIST_EACH(node, &t->orphans) { /* oldest first */
        struct file *f = LIST_ENTRY(node, struct orphan, link)->file;
        const struct tail_input *input = tail_input_of(f);
        uint64_t held = held_bytes(f);
        if (held == 0)
            continue;
        if (now - f->extra->orphan->since_ms >= input->deleted_max_age_ms)
            give_up(f, held, "close.deleted.max_age");
        else if (held_on(t, f->entry->dev) > input->deleted_max_bytes)
            give_up(f, held, "close.deleted.max_bytes");
    }
}
