/*
 * tail/life - how long a generation that nobody reads is remembered
 *
 * Entries of files that are followed stay. The others are looked for now and then, a few
 * directories a round: one whose inode lies in the directory of its path (or the input's olddir)
 * stays, whatever its name. One whose content was read to its end, or replaced, stays only as long
 * as a sibling holds its content, so that no copy is read again. One that was not read to its end
 * may come back, from a backup or with its file system: it is kept for LIFE_ABSENT_NS.
 *
 * Compressed siblings are not unpacked for this: each keeps the one entry that was written next
 * before it was.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "tail_internal.h"

/* what was not found for so long is forgotten */
#define LIFE_ABSENT_NS ((int64_t)24 * 3600 * 1000000000)
/* clocks of file servers differ from ours, and commits come later than writes */
#define LIFE_SLACK_NS ((int64_t)60 * 1000000000)
/* directories that are listed in one round of the loop */
#define LIFE_DIRS 16

/* The entries of one directory that nobody reads, and what there is in it. */
struct life {
    struct tail *t;
    struct entry **entries; /* all that rest, by path */
    size_t count;
    bool waits;       /* one that has ended is still on its way */
    uint64_t *inodes; /* of the present directory, and its olddir */
    size_t inode_count, inode_room;
    uint64_t dev; /* of the directory; 0 = it is not there */
};

/* whether nobody reads an entry, or waits for it */
static bool rests(const struct entry *e)
{
    return e->file == NULL && list_is_empty(&e->extra->spans) && e->extra->holds == 0 &&
           e->path[0] == '/';
}

/* length of the directory part of a path */
static size_t dir_bytes(const char *path)
{
    return (size_t)(strrchr(path, '/') - path);
}

/* directory, then path, then age */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = *(struct entry *const *)a, *y = *(struct entry *const *)b;
    size_t m = dir_bytes(x->path), n = dir_bytes(y->path);
    int r = memcmp(x->path, y->path, m < n ? m : n);
    if (r == 0 && m != n)
        r = m < n ? -1 : 1;
    if (r == 0)
        r = strcmp(x->path, y->path);
    if (r == 0 && x->seen_ns != y->seen_ns)
        r = x->seen_ns < y->seen_ns ? -1 : 1;
    return r;
}

/* ascending */
static int compare_inodes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* adds what lies in a directory */
static void add_inode(void *ctx, const char *name, uint64_t ino)
{
    struct life *l = ctx;
    (void)name; /* whatever it is */
    if (l->inode_count == l->inode_room) {
        l->inode_room = l->inode_room < 64 ? 64 : l->inode_room * 2;
        l->inodes = mem_resize(l->inodes, l->inode_room * sizeof(*l->inodes));
    }
    l->inodes[l->inode_count++] = ino;
}

/* whether a failure to list a directory says that nothing is in it */
static bool is_known(int listed)
{
    return listed == 0 || listed == -ENOENT || listed == -ENOTDIR;
}

/* What is in the directory of the first of these entries, and in the olddir of their input; false =
 * that cannot be known now. */
static bool list_inodes(struct life *l, const struct entry *e)
{
    char dir[PATH_MAX];
    struct fs_identity id;
    l->inode_count = 0;
    (void)snprintf(dir, sizeof(dir), "%.*s", (int)dir_bytes(e->path), e->path);
    l->dev = reach_identify_path(dir[0] == '\0' ? "/" : dir, true, &id, NULL) == 0 ? id.dev : 0;
    bool known = is_known(reach_list(dir, add_inode, l));
    if (olddir_of(l->t, e->path, dir))
        known &= is_known(reach_list(dir, add_inode, l));
    if (l->inode_count > 0)
        qsort(l->inodes, l->inode_count, sizeof(*l->inodes), compare_inodes);
    return known;
}

/* whether an entry's file lies there */
static bool is_there(const struct life *l, const struct entry *e)
{
    return e->indexed && e->ino != 0 && l->inode_count > 0 &&
           bsearch(&e->ino, l->inodes, l->inode_count, sizeof(*l->inodes), compare_inodes) != NULL;
}

/* The entries of one path of which no file was found, oldest first. */
struct absent {
    struct life *life;
    const char *dir, *base; /* borrowed: where their siblings are looked for, and of what name */
    struct entry **entries;
    size_t count;
};

/* forgets that one was absent */
static void found(struct absent *a, size_t i)
{
    registry_set_absent(a->entries[i], 0);
    a->entries[i] = NULL;
}

/* A compressed sibling keeps the entry that was written last when it was, or soon after. */
static void keep_by_packed(struct absent *a, const struct fs_identity *id)
{
    for (size_t i = 0; i < a->count; i++) {
        struct entry *e = a->entries[i];
        if (e != NULL && e->seen_ns + LIFE_SLACK_NS >= id->mtime_ns) {
            found(a, i);
            return;
        }
    }
}

/* A sibling that is no entry's file may be a copy of what an entry stands for. */
static void keep_by_content(struct absent *a, const char *path, const struct fs_identity *id)
{
    struct fs_identity now;
    struct content content;
    int fd = reach_open(path, &now);
    if (fd < 0)
        return;
    content_open(&content, fd);
    for (size_t i = 0; i < a->count; i++) {
        struct entry *e = a->entries[i];
        if (e == NULL || e->acked.head_bytes < IDENTITY_MOVED_HEAD_BYTES ||
            !identity_evidence_holds(&content, now.size, &e->acked))
            continue;
        registry_moved(e, id, e->path);
        found(a, i);
        break;
    }
    content_close(&content);
}

/* one name in the directory */
static void keep_by_sibling(void *ctx, const char *name, uint64_t ino)
{
    struct absent *a = ctx;
    char path[PATH_MAX];
    struct fs_identity id;
    mode_t mode;
    int n = snprintf(path, sizeof(path), "%s/%s", a->dir, name);
    (void)ino; /* asked together with the rest */
    if (!siblings_is(a->base, name) || n <= 0 || n >= PATH_MAX ||
        reach_identify_path(path, false, &id, &mode) < 0 || !S_ISREG(mode) ||
        registry_find_inode(a->life->t->registry, id.dev, id.ino) != NULL)
        return;
    if (siblings_is_compressed(name))
        keep_by_packed(a, &id);
    else
        keep_by_content(a, path, &id);
}

/* What is to become of an entry without any file. One whose file system is not there now may come
 * back with it. */
static void judge(struct life *l, struct entry *e)
{
    int64_t now = loop_wall_ns(l->t->loop);
    bool over = e->ended && (e->dev == l->dev || e->ino == 0);
    if (!over && e->extra->absent_ns == 0)
        registry_set_absent(e, now);
    else if (over || now - e->extra->absent_ns >= LIFE_ABSENT_NS)
        registry_finish(e);
}

/* the entries of one path */
static void look_at_path(struct life *l, struct entry **entries, size_t count)
{
    struct absent a = {.life = l, .entries = entries};
    char dir[PATH_MAX];
    char *path = mem_strdup(entries[0]->path);
    for (size_t i = 0; i < count; i++) {
        struct entry *e = entries[i];
        e->looked = l->t->life_round;
        if (is_there(l, e))
            registry_set_absent(e, 0);
        else
            entries[a.count++] = e;
    }
    if (a.count > 0) {
        (void)snprintf(dir, sizeof(dir), "%.*s", (int)dir_bytes(path), path);
        a.dir = dir;
        a.base = strrchr(path, '/') + 1;
        unsigned refusals = reach_refusals(dir);
        (void)reach_list(dir, keep_by_sibling, &a); /* a failure was seen before */
        a.count = reach_refusals(dir) == refusals ? a.count : 0;
        if (a.count > 0 && olddir_of(l->t, path, dir)) {
            refusals = reach_refusals(dir);
            (void)reach_list(dir, keep_by_sibling, &a);
            a.count = reach_refusals(dir) == refusals ? a.count : 0;
        }
    }
    for (size_t i = 0; i < a.count; i++)
        if (entries[i] != NULL)
            judge(l, entries[i]);
    mem_free(path);
}

/* how many of the entries from `from` on have the same first n bytes of their path */
static size_t run_of(const struct life *l, size_t from, bool whole)
{
    const char *path = l->entries[from]->path;
    size_t n = dir_bytes(path), end = from + 1;
    while (end < l->count) {
        const char *other = l->entries[end]->path;
        bool same = dir_bytes(other) == n && memcmp(path, other, n) == 0;
        if (!same || (whole && strcmp(path, other) != 0))
            break;
        end++;
    }
    return end - from;
}

/* the entries of one directory; returns how many they are */
static size_t look_at_dir(struct life *l, size_t from)
{
    size_t count = run_of(l, from, false);
    bool known = list_inodes(l, l->entries[from]);
    for (size_t i = from; i < from + count && !known; i++)
        l->entries[i]->looked = l->t->life_round; /* the next round asks again */
    for (size_t i = from; i < from + count && known;) {
        size_t n = run_of(l, i, true);
        size_t next = i + n;
        look_at_path(l, &l->entries[i], n);
        i = next;
    }
    return count;
}

/* entries that nobody reads and that this round has not looked at */
static void gather(struct life *l)
{
    struct tail *t = l->t;
    struct entry *e = NULL;
    l->entries = mem_zalloc_array(registry_count(t->registry) + 1, sizeof(struct entry *));
    while ((e = registry_next(t->registry, e)) != NULL) {
        if (rests(e) && e->looked != t->life_round)
            l->entries[l->count++] = e;
        else if (e->ended && e->file == NULL && !rests(e))
            l->waits = true;
    }
    if (l->count > 0)
        qsort(l->entries, l->count, sizeof(struct entry *), compare_entries);
}

/* A few directories; returns when to go on. */
static int64_t look(struct tail *t)
{
    struct life l = {.t = t};
    size_t at = 0;
    gather(&l);
    for (unsigned dirs = 0; at < l.count && dirs < LIFE_DIRS; dirs++)
        at += look_at_dir(&l, at);
    mem_free(l.entries);
    mem_free(l.inodes);
    if (at < l.count)
        return 0;
    return l.waits ? TAIL_LIFE_SOON_MS : TAIL_LIFE_MS;
}

/* see tail_internal.h */
void life_check(struct tail *t)
{
    if (!t->life_goes_on)
        t->life_round++;
    int64_t pause = look(t);
    t->life_goes_on = pause == 0;
    t->life_soon = pause < TAIL_LIFE_MS;
    loop_timer_set(t->life_timer, pause);
}

/* see tail_internal.h */
void life_end(struct tail *t, struct entry *e, bool lost)
{
    e->ended = true;
    if (lost)
        registry_lost(e);
    if (!t->life_soon && !t->stopped)
        loop_timer_set(t->life_timer, TAIL_LIFE_SOON_MS);
    t->life_soon = true;
}
