/*
 * tail/listing - the names of a directory, sorted, for a moment
 *
 * When many files of one directory are rotated at once the siblings of each are looked for. So that
 * this takes no step for each pair of names, the names are read once, sorted, and kept as long as
 * the directory is as it was: by its time of change, if that is old enough that a further change
 * would have made it another.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "tail_internal.h"

/* the clock of file times ticks every 10 ms at worst */
#define SETTLED_NS 50000000

/* names that are kept at most: two million bytes of pointers */
#define KEPT_MAX 262144

/* see tail_internal.h */
void listing_free(struct tail *t)
{
    struct listing *l = &t->listing;
    for (size_t i = 0; i < l->count; i++)
        mem_free(l->names[i]);
    mem_free(l->names);
    *l = (struct listing){0};
}

/* order of names */
static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* takes one name */
static void add(void *ctx, const char *name, uint64_t ino)
{
    struct listing *l = ctx;
    (void)ino; /* asked when it matters */
    if ((l->count & (l->count - 1)) == 0)
        l->names = mem_resize(l->names, (l->count == 0 ? 1 : 2 * l->count) * sizeof(char *));
    l->names[l->count++] = mem_strdup(name);
}

/* reads the names of a directory; false = it could not be listed whole */
static bool fill(struct tail *t, const char *path)
{
    struct listing *l = &t->listing;
    listing_free(t);
    int r = reach_list(path, add, l);
    tail_note_failure(t, r);
    if (l->count > 0)
        qsort(l->names, l->count, sizeof(char *), compare);
    return r == 0;
}

/* the names of a directory as it is now */
static const struct listing *names_of(struct tail *t, const struct dir *d)
{
    struct listing *l = &t->listing;
    struct timespec now;
    struct fs_identity id = {0};
    const char *path = d->path[0] == '\0' ? "/" : d->path;
    bool known = reach_identify_path(path, true, &id, NULL) == 0;
    if (known && l->settled && l->dev == id.dev && l->ino == id.ino && l->mtime_ns == id.mtime_ns)
        return l;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* that of file times; cannot fail */
    known &= fill(t, path);
    l->dev = id.dev;
    l->ino = id.ino;
    l->mtime_ns = id.mtime_ns;
    int64_t age = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - id.mtime_ns;
    l->settled = known && age > SETTLED_NS && l->count <= KEPT_MAX;
    return l;
}

/* see tail_internal.h */
bool listing_is_settled(struct tail *t, const struct dir *d)
{
    const struct listing *l = &t->listing;
    struct fs_identity id = {0};
    return l->settled &&
           reach_identify_path(d->path[0] == '\0' ? "/" : d->path, true, &id, NULL) == 0 &&
           l->dev == id.dev && l->ino == id.ino && l->mtime_ns == id.mtime_ns;
}

/* see tail_internal.h */
void listing_each(struct tail *t, const struct dir *d, const char *base, reach_name_fn fn,
                  void *ctx)
{
    const struct listing *l = names_of(t, d);
    size_t stem = siblings_stem(base);
    size_t low = 0, high = l->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strncmp(l->names[middle], base, stem) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < l->count && strncmp(l->names[low], base, stem) == 0; low++)
        fn(ctx, l->names[low], 0);
}
