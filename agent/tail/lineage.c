/*
 * tail/lineage - files that were born at one path, and who is read after whom
 *
 * The files that were first seen at one path are a chain, the newest first; a map leads from the
 * hash of the path to the newest. So a new file finds its elders without asking all files. A file
 * waits for another until that one is at its end; how many wait is counted, so that a file that
 * goes looks for waiters only if it has some.
 *
 * Invariants: 1. a file is in exactly one chain from file_new to file_free. 2. f->waiters is the
 * number of files whose `after` it is.
 */
#include "tail_internal.h"

/* map equality: the hash of the path is all that is kept of it */
static bool hash_is(const struct map_node *node, const void *key)
{
    return node->hash == *(const uint64_t *)key;
}

/* see tail_internal.h */
struct file *lineage_newest(struct tail *t, uint64_t born_at)
{
    if (t->files_by_birth.eq == NULL)
        map_init(&t->files_by_birth, hash_is);
    struct map_node *node = map_find(&t->files_by_birth, born_at, &born_at);
    return node == NULL ? NULL : MAP_ENTRY(node, struct file, by_birth);
}

/* see tail_internal.h */
void lineage_add(struct file *f, uint64_t born_at)
{
    struct tail *t = f->tail;
    f->elder = lineage_newest(t, born_at);
    if (f->elder != NULL)
        map_remove(&t->files_by_birth, &f->elder->by_birth);
    map_insert(&t->files_by_birth, &f->by_birth, born_at);
}

/* see tail_internal.h */
void lineage_remove(struct file *f)
{
    struct tail *t = f->tail;
    uint64_t born_at = f->by_birth.hash;
    struct file *younger = lineage_newest(t, born_at);
    if (younger == f) {
        map_remove(&t->files_by_birth, &f->by_birth);
        if (f->elder != NULL)
            map_insert(&t->files_by_birth, &f->elder->by_birth, born_at);
        return;
    }
    while (younger->elder != f)
        younger = younger->elder;
    younger->elder = f->elder;
}

/* whether a file waits for another one, also by way of others */
static bool waits_for(const struct file *f, const struct file *other)
{
    while (f != NULL && f != other)
        f = f->after;
    return f != NULL;
}

/* see tail_internal.h */
void lineage_wait(struct file *f, struct file *other)
{
    if (other != NULL && waits_for(other, f))
        return;
    if (f->after != NULL)
        f->after->waiters--;
    f->after = other;
    if (other != NULL)
        other->waiters++;
}

/* see tail_internal.h */
void lineage_release(struct file *gone)
{
    lineage_wait(gone, NULL);
    if (gone->waiters == 0)
        return;
    LIST_EACH(dir, &gone->tail->dirs) {
        LIST_EACH(node, &LIST_ENTRY(dir, struct dir, link)->files) {
            struct file *f = LIST_ENTRY(node, struct file, in_dir);
            if (f->after == gone)
                lineage_wait(f, NULL);
        }
    }
}
