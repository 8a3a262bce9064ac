/*
 * tail/discover - patterns to directories to paths
 *
 * A scan walks every pattern from the root of the file system, one directory a step. Directories in
 * which something can appear that matters (a wildcard, a file, a missing part of the path) are
 * watched, first, and then listed, so that nothing falls between. Events only say where to look
 * again; the scan, which runs at least every minute, is the truth.
 *
 * Names that are followed by a wildcard are taken as they are found, never through a symlink;
 * parts of a pattern that are spelled out may be links, since the user named them.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tail_internal.h"

/* directories one scan visits at most, in depth */
#define DEPTH_MAX 64

/* map equality by path */
static bool path_is(const struct map_node *node, const void *key)
{
    return strcmp(MAP_ENTRY(node, const struct dir, by_path)->path, key) == 0;
}

/* map equality by watch id */
static bool watch_is(const struct map_node *node, const void *key)
{
    return MAP_ENTRY(node, const struct dir, by_watch)->watch == *(const int *)key;
}

/* ---- directories ---- */

/* the directory at a path, if it is known */
static struct dir *dir_find(struct tail *t, const char *path)
{
    if (t->dirs_by_path.eq == NULL) {
        map_init(&t->dirs_by_path, path_is);
        map_init(&t->dirs_by_watch, watch_is);
    }
    struct map_node *node = map_find(&t->dirs_by_path, hash64(path, strlen(path)), path);
    return node == NULL ? NULL : MAP_ENTRY(node, struct dir, by_path);
}

/* the same, made when it is new */
static struct dir *dir_get(struct tail *t, const char *path)
{
    struct dir *d = dir_find(t, path);
    if (d != NULL)
        return d;
    d = mem_zalloc(sizeof(*d));
    d->path = mem_strdup(path);
    d->watch = -1;
    list_init(&d->files);
    list_push_back(&t->dirs, &d->link);
    map_insert(&t->dirs_by_path, &d->by_path, hash64(path, strlen(path)));
    t->dir_count++;
    return d;
}

/* see tail_internal.h */
struct dir *discover_dir_of(struct tail *t, const char *path)
{
    char *dir = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
    struct dir *d = dir_get(t, dir);
    mem_free(dir);
    return d;
}

/* frees a directory without files */
static void dir_free(struct tail *t, struct dir *d)
{
    poll_forget(t, d);
    list_remove(&d->link);
    map_remove(&t->dirs_by_path, &d->by_path);
    t->dir_count--;
    mem_free(d->positions);
    mem_free(d->path);
    mem_free(d);
}

/* whether a position is known in a directory */
static bool dir_has_position(const struct dir *d, struct position at)
{
    for (unsigned i = 0; i < d->position_count; i++)
        if (d->positions[i].pattern == at.pattern &&
            d->positions[i].at.component == at.at.component &&
            d->positions[i].at.depth <= at.at.depth)
            return true;
    return false;
}

/* the directory at a path, met by this scan */
static struct dir *dir_met(struct tail *t, const char *path)
{
    struct dir *d = dir_get(t, path);
    if (d->epoch != t->epoch) {
        d->epoch = t->epoch;
        d->position_count = 0;
        d->has_links = false;
    }
    return d;
}

/* see tail_internal.h */
struct dir *discover_hop(struct tail *t, const char *path)
{
    struct dir *d = dir_met(t, path);
    d->has_links = true;
    poll_watch(t, d);
    return d;
}

/* the same for the directory of a path */
static struct dir *discover_hop_of(struct tail *t, const char *path)
{
    char *dir = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
    struct dir *d = discover_hop(t, dir);
    mem_free(dir);
    return d;
}

/* ---- scanning ---- */

static void visit(struct tail *t, const char *path, struct position at, unsigned depth);

/* dir/name, or false when it is too long for any system call */
static bool join(char *dst, const char *dir, const char *name)
{
    int n = snprintf(dst, PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < PATH_MAX;
}

/* what a file type is called in a warning; NULL for regular files and links */
static const char *kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "it is a directory, not a file";
    case S_IFIFO:
        return "it is a FIFO, not a regular file";
    case S_IFSOCK:
        return "it is a socket, not a regular file";
    case S_IFCHR:
    case S_IFBLK:
        return "it is a device, not a regular file";
    default:
        return NULL;
    }
}

/* whether an input leaves the path out */
static bool is_excluded(const struct tail_input *input, const char *path)
{
    for (size_t i = 0; i < input->exclude_count; i++)
        if (glob_path_matches(input->excludes[i], path))
            return true;
    return false;
}

/* A path that matches wholly leads to a file that is followed. */
static void met(struct tail *t, struct dir *d, struct file *f, const char *path,
                const struct fs_identity *id)
{
    bool known_as = content_is_packed(&f->content) && olddir_is_beside(t, f->entry->path, path);
    if (f->epoch != t->epoch && strcmp(f->entry->path, path) != 0 && !known_as) {
        registry_moved(f->entry, id, path);
        file_set_dir(f, d);
        f->linked = false;
    }
    f->epoch = t->epoch;
    orphan_remove(f);
    if ((f->failed || content_differs(&f->content, id->size, file_scanned_to(f))) && !t->opts.once)
        file_retry(f);
}

/* a link that matches wholly */
static void found_link(struct tail *t, unsigned input, const char *path)
{
    char target[PATH_MAX];
    struct fs_identity id;
    if (!t->opts.inputs[input].symlinks) {
        warned_once(t, path, "it is a symbolic link");
        return;
    }
    if (symlink_resolve(t, input, path, &id, target) < 0)
        return;
    struct file *f = file_find(t, id.dev, id.ino);
    if (f == NULL)
        adopt_add_link(t, input, path, target, &id);
    else if (f->epoch == t->epoch || strcmp(f->entry->path, path) == 0)
        met(t, f->dir, f, f->entry->path, &id);
    else if (f->linked || !fds_is_at_path(f)) { /* its own name counts more than a link */
        met(t, discover_hop_of(t, target), f, path, &id);
        f->linked = true;
    }
}

/* A path that matches wholly. */
static void found(struct tail *t, struct dir *d, unsigned input, const char *path)
{
    struct fs_identity id;
    mode_t mode;
    if (is_excluded(&t->opts.inputs[input], path))
        return;
    if (reach_identify_path(path, false, &id, &mode) < 0)
        return; /* gone again, or not to be known now */
    if (S_ISLNK(mode)) {
        found_link(t, input, path);
        return;
    }
    const char *odd = kind_of(mode);
    if (odd != NULL) {
        warned_once(t, path, odd);
        return;
    }
    struct file *f = file_find(t, id.dev, id.ino);
    if (f == NULL)
        adopt_add(t, d, input, path, &id);
    else
        met(t, d, f, path, &id);
}

/* One name in a directory, for one position there. */
static bool consider(struct tail *t, struct dir *d, const char *name, struct position at,
                     unsigned depth, bool literal)
{
    char path[PATH_MAX];
    struct glob_match m;
    const struct pattern *p = &t->patterns[at.pattern];
    glob_step(&p->glob, at.at, name, &m);
    if ((!m.is_file && m.next_count == 0) || !join(path, d->path, name))
        return false;
    struct fs_identity id;
    mode_t mode = 0;
    int r = reach_identify_path(path, literal && m.next_count > 0, &id, &mode);
    tail_note_failure(t, r);
    if (r < 0)
        return true;
    bool is_dir = S_ISDIR(mode);
    if (m.is_file && !(is_dir && m.next_count > 0))
        found(t, d, p->input, path);
    for (unsigned i = 0; i < m.next_count && is_dir; i++)
        visit(t, path, (struct position){at.pattern, m.next[i]}, depth + 1);
    return true;
}

/* A directory that cannot be listed now: what is in it is not gone. */
static void set_unseen(struct tail *t, struct dir *d, int error)
{
    warned_once(t, d->path, error == EACCES ? "permission denied" : strerror(error));
    LIST_EACH(node, &d->files) {
        LIST_ENTRY(node, struct file, in_dir)->epoch = t->epoch;
    }
}

/* One position in a directory that is listed. */
struct listed {
    struct tail *t;
    struct dir *d;
    struct position at;
    unsigned depth;
};

/* one name there */
static void consider_listed(void *ctx, const char *name, uint64_t ino)
{
    const struct listed *l = ctx;
    (void)ino; /* asked together with the rest */
    (void)consider(l->t, l->d, name, l->at, l->depth, false);
}

/* every name of a directory, for one position there */
static void list(struct tail *t, struct dir *d, struct position at, unsigned depth)
{
    struct listed l = {t, d, at, depth};
    int r = reach_list(d->path, consider_listed, &l);
    tail_note_failure(t, r);
    if (r < 0 && r != -ENOENT && r != -ENOTDIR && r != -EBUSY)
        set_unseen(t, d, -r);
}

/* whether a spelled-out part of the path is a directory already: then its parent needs no watch */
static bool is_passed(const struct tail *t, const struct dir *d, struct position at,
                      const char *literal)
{
    char path[PATH_MAX];
    struct fs_identity id;
    mode_t mode;
    const struct glob *g = &t->patterns[at.pattern].glob;
    return at.at.component + 1 < g->count && join(path, d->path, literal) &&
           reach_identify_path(path, false, &id, &mode) == 0 &&
           S_ISDIR(mode); /* a link may be switched */
}

/* one position in one directory: watch, then look */
static void visit(struct tail *t, const char *path, struct position at, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return;
    struct dir *d = dir_met(t, path);
    if (dir_has_position(d, at))
        return;
    d->positions = mem_resize(d->positions, (d->position_count + 1) * sizeof(*d->positions));
    d->positions[d->position_count++] = at;
    const char *literal = glob_literal(&t->patterns[at.pattern].glob, at.at);
    if (literal == NULL) {
        poll_watch(t, d);
        list(t, d, at, depth);
        return;
    }
    if (!is_passed(t, d, at, literal))
        poll_watch(t, d);
    (void)consider(t, d, literal, at, depth, true);
}

/* files that the scan did not meet at any matching path */
static void find_orphans(struct tail *t)
{
    LIST_EACH(dir, &t->dirs) {
        LIST_EACH(node, &LIST_ENTRY(dir, struct dir, link)->files) {
            struct file *f = LIST_ENTRY(node, struct file, in_dir);
            if (f->epoch != t->epoch)
                orphan_add(f);
        }
    }
}

/* directories that the scan did not meet */
static void drop_dirs(struct tail *t)
{
    LIST_EACH(node, &t->dirs) {
        struct dir *d = LIST_ENTRY(node, struct dir, link);
        if (d->epoch == t->epoch)
            continue;
        if (list_is_empty(&d->files))
            dir_free(t, d);
        else
            poll_unwatch(t, d, true);
    }
}

/* see header */
void discover_scan(struct tail *t)
{
    t->epoch++;
    poll_begin_scan(t);
    reach_begin();
    for (unsigned i = 0; i < t->pattern_count; i++)
        visit(t, "", (struct position){i, {0, 0}}, 0);
    adopt_all(t);
    poll_keep_refused(t);
    reach_end();
    find_orphans(t);
    drop_dirs(t);
    poll_schedule(t);
    listing_free(t);
}

/* whether the rest of a path matches a pattern from a position on */
static bool rest_matches(const struct glob *g, struct glob_at at, const char *rest)
{
    char name[NAME_MAX + 1];
    struct glob_match m;
    const char *slash = strchr(rest, '/');
    size_t n = slash == NULL ? strlen(rest) : (size_t)(slash - rest);
    if (n > NAME_MAX)
        return false;
    memcpy(name, rest, n);
    name[n] = '\0';
    glob_step(g, at, name, &m);
    if (slash == NULL)
        return m.is_file;
    for (unsigned i = 0; i < m.next_count; i++)
        if (rest_matches(g, m.next[i], slash + 1))
            return true;
    return false;
}

/* see tail_internal.h */
int discover_input_of(const struct tail *t, const char *path)
{
    for (unsigned i = 0; i < t->pattern_count && path[0] == '/'; i++) {
        unsigned input = t->patterns[i].input;
        if (rest_matches(&t->patterns[i].glob, (struct glob_at){0, 0}, path + 1) &&
            !is_excluded(&t->opts.inputs[input], path))
            return (int)input;
    }
    return -1;
}

/* see tail_internal.h */
void discover_look(struct tail *t, struct dir *d)
{
    unsigned count = d->position_count; /* none is added while it is of this scan */
    for (unsigned i = 0; i < count; i++) {
        struct position at = d->positions[i];
        const char *literal = glob_literal(&t->patterns[at.pattern].glob, at.at);
        if (literal == NULL)
            list(t, d, at, 0);
        else
            (void)consider(t, d, literal, at, 0, true);
    }
}

/* ---- events ---- */

/* the name was created, written, or renamed into the directory */
static void look_at(struct tail *t, struct dir *d, const char *name)
{
    char path[PATH_MAX];
    struct fs_identity id;
    mode_t mode;
    if (join(path, d->path, name) && reach_identify_path(path, false, &id, &mode) == 0 &&
        S_ISLNK(mode) && reach_identify_path(path, true, &id, &mode) == 0 && S_ISDIR(mode)) {
        loop_timer_set(t->reconcile_timer, 0); /* another directory at a path that is known */
        return;
    }
    bool matches = false;
    for (unsigned i = 0; i < d->position_count; i++) {
        struct position at = d->positions[i];
        matches |=
            consider(t, d, name, at, 0, glob_literal(&t->patterns[at.pattern].glob, at.at) != NULL);
    }
    if (!matches)
        d->other_ms = loop_now_ms(t->loop);
    adopt_all(t);
}

/* A write to a name, or other permissions: only the file's inode matters, so a renamed file is
 * found too. */
static void written(struct tail *t, struct dir *d, const char *name, bool permission)
{
    char path[PATH_MAX];
    struct fs_identity id;
    if (!join(path, d->path, name) || reach_identify_path(path, false, &id, NULL) < 0)
        return;
    struct file *f = file_find(t, id.dev, id.ino);
    if (f == NULL)
        look_at(t, d, name);
    else if (permission)
        file_retry(f);
    else
        file_heat(f);
}

/* A name left its directory: the file whose path it was may have moved or be gone. */
static void removed(struct tail *t, struct dir *d, const char *name)
{
    char path[PATH_MAX];
    if (!join(path, d->path, name))
        return;
    for (struct entry *e = registry_next_at(t->registry, path, NULL); e != NULL;
         e = registry_next_at(t->registry, path, e)) {
        struct fs_identity id;
        if (e->file == NULL || (reach_identify_path(path, e->file->linked, &id, NULL) == 0 &&
                                id.ino == e->ino && id.dev == e->dev))
            continue;
        e->file->epoch = t->epoch - 1;
        orphan_add(e->file);
    }
}

/* see header */
void discover_event(struct tail *t, const struct watch_event *ev)
{
    char name[NAME_MAX + 1];
    struct map_node *node = map_find(&t->dirs_by_watch, hash64_u64((uint64_t)ev->id), &ev->id);
    if (ev->kind == WATCH_OVERFLOW || node == NULL || ev->name.len > NAME_MAX) {
        loop_timer_set(t->reconcile_timer, 0);
        return;
    }
    struct dir *d = MAP_ENTRY(node, struct dir, by_watch);
    memcpy(name, ev->name.ptr, ev->name.len);
    name[ev->name.len] = '\0';
    if (d->has_links && (ev->kind == WATCH_CREATED || ev->kind == WATCH_REMOVED))
        loop_timer_set(t->reconcile_timer, 0); /* a link may lead elsewhere now */
    switch (ev->kind) {
    case WATCH_CREATED:
        look_at(t, d, name);
        break;
    case WATCH_MODIFIED:
    case WATCH_CLOSED:
    case WATCH_ATTRIB:
        if (ev->is_dir)
            loop_timer_set(t->reconcile_timer, 0); /* it may be readable now */
        else
            written(t, d, name, ev->kind == WATCH_ATTRIB);
        break;
    case WATCH_REMOVED:
        if (ev->is_dir)
            loop_timer_set(t->reconcile_timer, 0);
        else
            removed(t, d, name);
        break;
    case WATCH_DIR_GONE:
        poll_unwatch(t, d, false);
        loop_timer_set(t->reconcile_timer, 0);
        break;
    case WATCH_OVERFLOW:
        break;
    }
}

/* see header */
void discover_free(struct tail *t)
{
    LIST_EACH(n, &t->dirs)
        dir_free(t, LIST_ENTRY(n, struct dir, link));
    map_clear(&t->dirs_by_path);
    map_clear(&t->dirs_by_watch);
}
