/*
 * tail/siblings - what rotation did while nobody looked
 *
 * When a file is new at a path that is registered, or a registered path has no file, generations
 * of that path may have been renamed to names that no pattern matches. They are looked for among
 * the siblings by identity and read from their offset to their end. Siblings written after the
 * newest registered generation (after its last record, when it is gone) were born and rotated away
 * unseen: they are read from 0, the oldest first, all before the file that is at the path now.
 *
 * They keep the path that they were rotated away from as their name in the registry, so that the
 * next start finds them again.
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tail_internal.h"

/* siblings of one path that are looked at */
#define SIBLINGS_MAX 1024

/* times of files may lie so far behind the clock, and each other: some come from the kernel's last
 * tick */
#define CLOCK_STEP_NS 10000000

/* whether a string ends with a suffix */
static bool ends_with(const char *s, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);
    return len >= n && memcmp(s + len - n, suffix, n) == 0;
}

/* see tail_internal.h */
bool siblings_is_compressed(const char *name)
{
    size_t len = strlen(name);
    return ends_with(name, len, ".gz") || ends_with(name, len, ".zst") ||
           ends_with(name, len, ".xz") || ends_with(name, len, ".bz2");
}

/* digits and what stands between the parts of a date */
static bool is_date_text(const char *s, size_t n)
{
    bool digit = false;
    for (size_t i = 0; i < n; i++) {
        if (isdigit((unsigned char)s[i]))
            digit = true;
        else if (strchr("-_.T:", s[i]) == NULL)
            return false;
    }
    return digit;
}

/* app.log.1, app.log-20261123, app-2026-11-23.log for app.log */
bool siblings_is(const char *base, const char *name)
{
    size_t base_bytes = strlen(base);
    size_t name_bytes = strlen(name);
    if (name_bytes > base_bytes && memcmp(base, name, base_bytes) == 0 &&
        strchr(".-_", name[base_bytes]) != NULL)
        return true;
    const char *dot = strrchr(base, '.');
    size_t stem = dot == NULL ? base_bytes : (size_t)(dot - base);
    size_t end = base_bytes - stem;
    return stem > 0 && name_bytes > base_bytes && memcmp(base, name, stem) == 0 &&
           ends_with(name, name_bytes, base + stem) &&
           is_date_text(name + stem, name_bytes - stem - end);
}

/* One path and what stands beside it. */
struct family {
    struct tail *t;
    struct dir *dir;
    int input;
    char *path;
    const char *base; /* last component of the path */
    struct candidate *members[SIBLINGS_MAX];
    size_t count;
    const char *listed; /* borrowed: the directory whose names are taken */
};

/* takes one name, if it is a sibling that nobody follows */
static void add_member(void *ctx, const char *name)
{
    struct family *f = ctx;
    char path[PATH_MAX];
    struct fs_identity id;
    mode_t mode;
    int n = snprintf(path, sizeof(path), "%s/%s", f->listed, name);
    if (n <= 0 || n >= PATH_MAX || f->count == SIBLINGS_MAX || !siblings_is(f->base, name) ||
        siblings_is_compressed(name) || fs_identify_path(AT_FDCWD, path, false, &id, &mode) < 0 ||
        !S_ISREG(mode) || file_find(f->t, id.dev, id.ino) != NULL)
        return;
    struct candidate *c = mem_zalloc(sizeof(*c));
    list_init(&c->link);
    c->path = mem_strdup(path);
    c->known_as = f->path;
    c->id = id;
    content_open(&c->content, -1);
    c->dir = f->dir;
    c->input = (unsigned)f->input;
    f->members[f->count++] = c;
}

/* oldest write first; names break ties */
static int compare(const void *a, const void *b)
{
    const struct candidate *x = *(struct candidate *const *)a;
    const struct candidate *y = *(struct candidate *const *)b;
    if (x->id.mtime_ns != y->id.mtime_ns)
        return x->id.mtime_ns < y->id.mtime_ns ? -1 : 1;
    return strcmp(y->path, x->path);
}

/* lists the siblings of a path, sorted */
static void gather(struct family *f)
{
    char olddir[PATH_MAX];
    f->listed = f->dir->path;
    listing_each(f->t, f->dir, f->base, add_member, f);
    if (olddir_of(f->t, f->path, olddir) && strcmp(olddir, f->dir->path) != 0) {
        f->listed = olddir;
        olddir_each(olddir, add_member, f);
    }
    qsort(f->members, f->count, sizeof(struct candidate *), compare);
}

/* a path whose siblings are not listed yet */
static struct family *family_new(struct tail *t, struct dir *d, unsigned input, const char *path)
{
    struct family *f = mem_zalloc(sizeof(*f));
    f->t = t;
    f->dir = d;
    f->input = (int)input;
    f->path = mem_strdup(path);
    f->base = strrchr(f->path, '/') + 1;
    return f;
}

/* frees it with its members; the files that became of them stay */
static void family_free(struct family *f)
{
    for (size_t i = 0; i < f->count; i++) {
        content_close(&f->members[i]->content);
        mem_free(f->members[i]->path);
        mem_free(f->members[i]);
    }
    mem_free(f->path);
    mem_free(f);
}

/* when a generation was written last, as far as is known */
static int64_t written_ns(const struct entry *e)
{
    struct fs_identity id;
    if (e->file != NULL && fds_identify(e->file, &id) == 0)
        return id.mtime_ns;
    return e->seen_ns;
}

/* When the newest registered generation of the path was written last: what was written later and is
 * not registered was missed. */
static int64_t newest_ns(const struct family *f)
{
    int64_t newest = 0;
    for (struct entry *e = registry_next_at(f->t->registry, f->path, NULL); e != NULL;
         e = registry_next_at(f->t->registry, f->path, e))
        if (written_ns(e) > newest)
            newest = written_ns(e);
    return newest;
}

/* the newest file that was followed under the path and is not at its end */
static struct file *unread_of(struct tail *t, uint64_t born_at)
{
    struct file *newest = lineage_newest(t, born_at);
    while (newest != NULL && newest->at_end)
        newest = newest->elder;
    return newest;
}

/* makes a file the newest of its lineage, to be read after another one */
static void put_behind(struct file *file, struct file *last, uint64_t born_at)
{
    lineage_remove(file);
    lineage_add(file, born_at);
    lineage_wait(file, last);
}

/* Registered ones first, so that their last write is known, and of these first the ones whose inode
 * is: it tells what was cut off. Then what was missed. All are chained in the order of their last
 * write; a file that is at the path now, or begins there, comes behind the last. At the start what
 * is followed under the path is at the path. */
static void find_family(struct family *f)
{
    uint64_t born_at = hash64(f->path, strlen(f->path));
    struct file *present = f->t->started ? NULL : lineage_newest(f->t, born_at);
    struct file *last = present != NULL ? present->after : unread_of(f->t, born_at);
    gather(f);
    for (size_t i = 0; i < f->count; i++) {
        const struct fs_identity *id = &f->members[i]->id;
        if (registry_find_inode(f->t->registry, id->dev, id->ino) != NULL)
            (void)adopt_sibling(f->t, f->members[i], false); /* it may have been cut: tells so */
    }
    for (size_t i = 0; i < f->count; i++)
        (void)adopt_sibling(f->t, f->members[i], false); /* what is none stays for the next pass */
    int64_t newest = newest_ns(f);
    for (size_t i = 0; i < f->count; i++) {
        const struct fs_identity *id = &f->members[i]->id;
        struct file *file = file_find(f->t, id->dev, id->ino);
        if (file == NULL && id->mtime_ns > newest)
            file = adopt_sibling(f->t, f->members[i], true);
        if (file == NULL || file == last || file == present)
            continue;
        put_behind(file, last, born_at);
        last = file;
    }
    if (present != NULL && last != present->after)
        put_behind(present, last, born_at);
}

/* no entry of the path is looked for again; they are kept until they are forgotten by age */
static void set_looked_for(struct tail *t, const char *path)
{
    for (struct entry *e = registry_next_at(t->registry, path, NULL); e != NULL;
         e = registry_next_at(t->registry, path, e))
        e->loaded = false;
}

/* the whole of it, for one path */
static void search(struct tail *t, struct dir *d, unsigned input, const char *path)
{
    struct family *f = family_new(t, d, input, path);
    find_family(f);
    set_looked_for(t, f->path);
    family_free(f);
}

/* see tail_internal.h */
void siblings_before(struct tail *t, const struct candidate *c)
{
    if (registry_next_at(t->registry, c->path, NULL) != NULL)
        search(t, c->dir, c->input, c->path);
}

/* whether a member was written between the two, and is neither followed nor the second itself */
static bool is_between(const struct family *f, const struct candidate *c, int64_t since_ns,
                       const struct fs_identity *cut)
{
    return c->id.mtime_ns > since_ns - CLOCK_STEP_NS &&
           c->id.mtime_ns <= cut->mtime_ns + CLOCK_STEP_NS &&
           !(c->id.ino == cut->ino && c->id.dev == cut->dev) &&
           file_find(f->t, c->id.dev, c->id.ino) == NULL;
}

/* What was written later than that and cut off the file, each to be read after the one before it;
 * returns the last of them, `last` if there is none. */
static struct file *take_missed(struct family *f, struct file *last, int64_t since_ns,
                                const struct fs_identity *cut)
{
    for (size_t i = 0; i < f->count; i++) {
        struct candidate *c = f->members[i];
        if (!is_between(f, c, since_ns, cut))
            continue;
        struct file *file = adopt_sibling(f->t, c, true);
        if (file == NULL || file == last)
            continue;
        lineage_wait(file, last);
        last = file;
    }
    return last;
}

/* see tail_internal.h */
struct file *siblings_of_cut(struct tail *t, struct dir *d, unsigned input, struct entry *e,
                             const struct fs_identity *cut, int64_t since_ns)
{
    struct family *f = family_new(t, d, input, e->path);
    gather(f);
    for (size_t i = f->count; i > 0 && e->file == NULL; i--) /* the newest first */
        adopt_rest(t, f->members[i - 1], e);
    struct file *last = take_missed(f, e->file, e->file == NULL ? since_ns : written_ns(e), cut);
    family_free(f);
    return last;
}

/* see tail_internal.h */
bool siblings_may_hide(const struct file *f)
{
    return f->at.offset == 0 && f->at.head_bytes == 0 && f->dir->other_ms >= f->grown_ms;
}

/* see tail_internal.h */
void siblings_unseen(struct file *file)
{
    struct fs_identity id;
    if (content_identify(&file->content, &id) < 0)
        return;
    struct family *f = family_new(file->tail, file->dir, file->input, file->entry->path);
    gather(f);
    lineage_wait(file, take_missed(f, file->after, file->entry->seen_ns, &id));
    family_free(f);
}

/* whether an entry's generation was not found at any matching path */
static bool is_lost(const struct entry *e)
{
    return e->loaded && !e->done && e->path[0] == '/';
}

/* see tail_internal.h */
void siblings_find(struct tail *t)
{
    struct entry *e = registry_next(t->registry, NULL);
    while (e != NULL) {
        int input = is_lost(e) ? discover_input_of(t, e->path) : -1;
        if (input < 0) {
            e->loaded = false;
            e = registry_next(t->registry, e);
            continue;
        }
        char *dir = mem_strndup(e->path, (size_t)(strrchr(e->path, '/') - e->path));
        search(t, discover_dir(t, dir), (unsigned)input, e->path);
        mem_free(dir);
        e = registry_next(t->registry, NULL);
    }
}
