/*
 * tail/lineage - files that were born at one path, and who is read after whom
 *
 * The files that were first seen at one path are a chain, the newest first; a table leads from the
 * hash of the path to the newest. So a new file finds its elders without asking all files. A file
 * waits for another until that one is at its end; how many wait is counted, so that a file that
 * goes looks for waiters only if it has some.
 *
 * Invariants: 1. a file is in exactly one chain from file_new to file_free. 2. f->extra->waiters is
 * the number of files whose `after` it is.
 */
#include "tail_internal.h"

/* hash and equality: the hash of the path is all that is kept of it */
static uint64_t born_at_of(const void *file)
{
    return ((const struct file *)file)->born_at;
}

static bool is_born_at(const void *file, const void *born_at)
{
    return ((const struct file *)file)->born_at == *(const uint64_t *)born_at;
}

/* see tail_internal.h */
void lineage_init(struct tail *t)
{
    table_init(&t->files_by_birth, born_at_of, is_born_at);
}

/* see tail_internal.h */
struct file *lineage_newest(struct tail *t, uint64_t born_at)
{
    return table_find(&t->files_by_birth, born_at, &born_at);
}

/* see tail_internal.h */
void lineage_add(struct file *f, uint64_t born_at)
{
    struct tail *t = f->tail;
    f->born_at = born_at;
    struct file *elder = lineage_newest(t, born_at);
    if (f->extra->elder != elder)
        extra_of(f)->elder = elder;
    if (elder != NULL)
        table_remove(&t->files_by_birth, elder);
    table_insert(&t->files_by_birth, f);
}

/* see tail_internal.h */
void lineage_remove(struct file *f)
{
    struct tail *t = f->tail;
    struct file *younger = lineage_newest(t, f->born_at);
    if (younger == f) {
        table_remove(&t->files_by_birth, f);
        if (f->extra->elder != NULL)
            table_insert(&t->files_by_birth, f->extra->elder);
        return;
    }
    while (younger->extra->elder != f)
        younger = younger->extra->elder;
    extra_of(younger)->elder = f->extra->elder;
}

/* whether a file waits for another one, also by way of others */
static bool waits_for(const struct file *f, const struct file *other)
{
    while (f != NULL && f != other)
        f = f->extra->after;
    return f != NULL;
}

/* see tail_internal.h */
void lineage_wait(struct file *f, struct file *other)
{
    if (f->extra->after == other || (other != NULL && waits_for(other, f)))
        return;
    if (f->extra->after != NULL)
        extra_of(f->extra->after)->waiters--;
    extra_of(f)->after = other;
    if (other != NULL)
        extra_of(other)->waiters++;
}

/* see tail_internal.h */
void lineage_release(struct file *gone)
{
    lineage_wait(gone, NULL);
    if (gone->extra->waiters == 0)
        return;
    LIST_EACH(dir, &gone->tail->dirs) {
        LIST_EACH(node, &LIST_ENTRY(dir, struct dir, link)->files) {
            struct file *f = LIST_ENTRY(node, struct file, in_dir);
            if (f->extra->after == gone)
                lineage_wait(f, NULL);
        }
    }
}
