/*
 * tail/fds - more files than file descriptors
 *
 * Only so many files are open at once. When another one is to be opened the file that has been idle
 * longest is closed; where all open ones are hot, the one that has just been read is. A closed file
 * is opened again by its path when it is read, and is the same one only by device, inode and time
 * of birth; its content is then compared by the read itself.
 *
 *   open, hot --cools--> open, idle --others need its place--> closed --is read--> open
 *
 * A file is closed only while a path leads to it: a deleted one would be lost, and a renamed one
 * gets the path at which it is now. One that was renamed while it was closed is looked for in its
 * directory by its inode number, all such files of a directory by one listing.
 *
 * Invariants: 1. t->fds.open counts the files with an open content. 2. Idle open files that may be
 * closed stand in t->fds.idle, in the order in which they became idle.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "tail_internal.h"

/* what everything else needs: store, sockets, directories */
#define RESERVED 96
#define LEAST    16

/* see tail_internal.h */
void fds_init(struct tail *t)
{
    struct rlimit limit;
    list_init(&t->fds.idle);
    t->fds.limit = LEAST;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    rlim_t most = limit.rlim_cur < INT_MAX ? limit.rlim_cur : INT_MAX;
    if (most > RESERVED + LEAST)
        t->fds.limit = (unsigned)(most - RESERVED);
}

/* whether an identity is the file's, as far as it can be told without reading */
static bool is_it(const struct file *f, const struct fs_identity *id)
{
    const struct entry *e = f->entry;
    return id->ino == e->ino && id->dev == e->dev &&
           (id->birth_ns == e->birth_ns || id->birth_ns == 0 || e->birth_ns == 0);
}

/* whether the file is known by a link there */
static bool is_link(const struct file *f, const char *path)
{
    return f->linked && path == f->entry->path;
}

/* whether a path leads to the file */
static bool is_at(const struct file *f, const char *path)
{
    struct fs_identity id;
    return reach_identify_path(path, is_link(f, path), &id, NULL) == 0 && is_it(f, &id);
}

/* see tail_internal.h */
bool fds_is_at_path(const struct file *f)
{
    struct fs_identity id;
    const char *path = f->entry->path;
    int r = reach_identify_path(path, is_link(f, path), &id, NULL);
    return r == 0 ? is_it(f, &id) : r != -ENOENT && r != -ENOTDIR && r != -ELOOP;
}

/* where the file is now, if that is known */
static const char *path_of(const struct file *f)
{
    return f->extra->orphan != NULL ? f->extra->orphan->path : f->entry->path;
}

/* the path of an open orphan, as the kernel knows it */
static bool find_path(struct file *f)
{
    char path[PATH_MAX];
    if (reach_name(f->content.fd, path) < 0 || !is_at(f, path))
        return false; /* deleted, or out of our sight */
    mem_free(f->extra->orphan->path);
    f->extra->orphan->path = mem_strdup(path);
    return true;
}

/* closes a file that can be opened again */
static bool try_close(struct file *f)
{
    if (f->extra->orphan != NULL ? !find_path(f) : !is_at(f, f->entry->path))
        return false;
    f->unread = !f->at_end;
    fds_close(f);
    return true;
}

/* see tail_internal.h */
void fds_close(struct file *f)
{
    if (f->content.fd < 0)
        return;
    if (!f->is_hot)
        list_remove(&f->queue);
    content_shut(&f->content);
    f->tail->fds.open--;
}

/* closes idle files down to a number, or what can be closed of them */
static void close_idle(struct tail *t, unsigned most)
{
    while (t->fds.open > most && !list_is_empty(&t->fds.idle)) {
        struct file *f = LIST_ENTRY(t->fds.idle.next, struct file, queue);
        if (!try_close(f))
            list_remove(&f->queue); /* asked again when it has been active */
    }
}

/* see tail_internal.h */
void fds_rest(struct file *f)
{
    struct tail *t = f->tail;
    if (f->content.fd < 0)
        return;
    if (!f->is_hot) {
        list_remove(&f->queue);
        list_push_back(&t->fds.idle, &f->queue);
    }
    close_idle(t, t->fds.limit);
    if (f->is_hot && t->fds.open > t->fds.limit)
        (void)try_close(f); /* else it stays: there is room for some such */
}

/* see tail_internal.h */
void fds_let_go(struct file *f)
{
    if (f->content.fd >= 0)
        (void)try_close(f); /* at no path any more: this fd is all there is */
}

/* see tail_internal.h */
void fds_took(struct file *f)
{
    f->tail->fds.open++;
    fds_rest(f);
}

/* A directory whose names are looked at, and its device. */
struct place {
    struct tail *t;
    struct dir *d;
    uint64_t dev;
};

/* one name: whether it is that of a closed orphan */
static void locate_name(void *ctx, const char *name, uint64_t ino)
{
    const struct place *p = ctx;
    char path[PATH_MAX];
    const struct entry *e = registry_find_inode(p->t->registry, p->dev, ino);
    struct file *f = e == NULL ? NULL : e->file;
    if (f == NULL || f->extra->orphan == NULL || f->extra->orphan->path != NULL ||
        f->content.fd >= 0)
        return;
    int n = snprintf(path, sizeof(path), "%s/%s", p->d->path, name);
    if (n > 0 && n < PATH_MAX && is_at(f, path))
        f->extra->orphan->path = mem_strdup(path);
}

/* Looks for the closed orphans of a directory at its other names. -EBUSY: it cannot be known now.
 */
static int locate(struct tail *t, struct dir *d, uint64_t dev)
{
    struct place p = {t, d, dev};
    unsigned refusals = reach_refusals(d->path);
    (void)reach_list(d->path, locate_name, &p); /* what cannot be listed has no names */
    if (reach_refusals(d->path) != refusals)
        return -EBUSY;
    LIST_EACH(node, &d->files) {
        struct file *f = LIST_ENTRY(node, struct file, in_dir);
        if (f->extra->orphan != NULL && f->extra->orphan->path == NULL)
            f->extra->orphan->sought = true;
    }
    return 0;
}

/* opens the file at a path, if it is there */
static int open_at(struct file *f, const char *path)
{
    struct fs_identity id;
    if (path == NULL)
        return -ENOENT;
    int fd = is_link(f, path) ? symlink_open(f->tail, f->input, path, &id) : reach_open(path, &id);
    if (fd < 0)
        return fd;
    if (!is_it(f, &id)) {
        reach_close(fd);
        return -ENOENT;
    }
    content_reopen(&f->content, fd);
    f->tail->fds.open++;
    if (!f->is_hot)
        list_push_back(&f->tail->fds.idle, &f->queue);
    return 0;
}

/* whether an error says that something else is at the path */
static bool is_elsewhere(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -ENXIO || error == -EISDIR ||
           error == -ELOOP;
}

/* see tail_internal.h */
int fds_open(struct file *f)
{
    struct tail *t = f->tail;
    if (f->content.fd >= 0)
        return 0;
    close_idle(t, t->fds.limit - 1);
    int r = open_at(f, path_of(f));
    if (!is_elsewhere(r))
        return r;
    orphan_add(f);
    mem_free(f->extra->orphan->path);
    f->extra->orphan->path = NULL;
    if (!f->extra->orphan->sought && locate(t, f->dir, f->entry->dev) < 0)
        return -EBUSY;
    r = open_at(f, f->extra->orphan->path);
    return is_elsewhere(r) ? -ENOENT : r;
}

/* see tail_internal.h */
int fds_identify(struct file *f, struct fs_identity *ret_id)
{
    if (f->content.fd >= 0)
        return content_identify(&f->content, ret_id);
    const char *path = path_of(f);
    if (path == NULL)
        return -ENOENT;
    int r = reach_identify_path(path, is_link(f, path), ret_id, NULL);
    return r == 0 && !is_it(f, ret_id) ? -ENOENT : r;
}

/* see tail_internal.h */
bool fds_has_changed(struct file *f, uint64_t seen)
{
    struct fs_identity id;
    bool changed = f->content.fd >= 0 && content_has_changed(&f->content, seen);
    if (fds_identify(f, &id) < 0)
        return changed;
    changed |= fds_was_written(f, &id);
    return changed || (f->content.fd < 0 && content_differs(&f->content, id.size, seen));
}

/* see tail_internal.h */
bool fds_was_written(struct file *f, const struct fs_identity *id)
{
    uint32_t now = (uint32_t)(id->mtime_ns / 1000);
    bool changed = f->written != now;
    f->written = now;
    return changed;
}

/* see tail_internal.h */
void fds_lost(struct file *f)
{
    struct tail *t = f->tail;
    struct entry *e = f->entry;
    uint64_t held;
    bool unread = f->unread || file_scanned_to(f) > file_at(f)->offset;
    if (unread && log_throttle_pass(&t->io_throttle, loop_now_ms(t->loop), &held))
        tail_message(t, LOG_WARN,
                     "\"%s\" went away unread, it was closed for want of file descriptors",
                     e->path);
    file_free(f);
    t->none_loaded = false;
    e->loaded = true; /* its content is looked for as after a start */
}
