/*
 * tail/poll - directories of which events do not tell all
 *
 * A directory is watched; where the kernel has no watch left, and on file systems that others write
 * too (network, FUSE) or that may keep events to themselves (overlay), it is looked at every
 * TAIL_POLL_MS. Want of watches is told as health; each look tries again to have them.
 *
 * The same inode by two paths shares one watch: the path that came first has the events, the other
 * is polled.
 */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "tail_internal.h"

/* see tail_internal.h */
void poll_begin_scan(struct tail *t)
{
    int error = 0;
    struct mounts *now = mounts_read(NULL, &error);
    if (now == NULL)
        return; /* what was known is as good as anything */
    mounts_free(&t->mounts);
    t->mounts = now;
}

/* see tail_internal.h */
void poll_free(struct tail *t)
{
    mounts_free(&t->mounts);
}

/* counts a directory in or out of those that are polled */
static void set_polled(struct tail *t, struct dir *d, bool polled, bool wanting)
{
    t->polled += (unsigned)polled - (unsigned)d->polled;
    t->wanting += (unsigned)wanting - (unsigned)d->wanting;
    d->polled = polled;
    d->wanting = wanting;
}

/* tells a change of health */
static void tell_health(struct tail *t, int error)
{
    char why[160];
    bool degraded = t->wanting > 0;
    if (degraded == t->degraded)
        return;
    t->degraded = degraded;
    (void)snprintf(why, sizeof(why),
                   "inotify gives no more watches (%s): looking every %d s instead; raise "
                   "fs.inotify.max_user_watches",
                   strerror(-error), TAIL_POLL_MS / 1000);
    if (t->hooks.health != NULL)
        t->hooks.health(t->hooks.ctx, degraded ? why : NULL);
}

/* a watch that the directory did not have before */
static void take_watch(struct tail *t, struct dir *d, int id)
{
    poll_unwatch(t, d, true);
    if (map_find(&t->dirs_by_watch, hash64_u64((uint64_t)id), &id) != NULL) {
        set_polled(t, d, true, false);
        return;
    }
    d->watch = id;
    map_insert(&t->dirs_by_watch, &d->by_watch, hash64_u64((uint64_t)id));
    if (d->hot > 0)
        (void)watch_set_quiet(t->watch, id, true); /* only saves wake-ups */
}

/* see tail_internal.h */
void poll_watch(struct tail *t, struct dir *d)
{
    enum mount_kind kind = t->mounts == NULL ? MOUNT_LOCAL : mounts_kind(t->mounts, d->path);
    if (t->watch == NULL || t->opts.once)
        return;
    int id = watch_add(t->watch, d->path[0] == '\0' ? "/" : d->path);
    bool wanting = id == -ENOSPC || id == -ENOMEM || id == -EMFILE || id == -ENFILE;
    set_polled(t, d, kind != MOUNT_LOCAL || (id < 0 && id != -ENOENT), wanting);
    if (id >= 0 && id != d->watch)
        take_watch(t, d, id);
    tell_health(t, id);
}

/* see tail_internal.h */
void poll_unwatch(struct tail *t, struct dir *d, bool alive)
{
    if (d->watch < 0)
        return;
    map_remove(&t->dirs_by_watch, &d->by_watch);
    if (alive)
        watch_remove(t->watch, d->watch);
    d->watch = -1;
}

/* see tail_internal.h */
void poll_forget(struct tail *t, struct dir *d)
{
    poll_unwatch(t, d, true);
    set_polled(t, d, false, false);
    tell_health(t, 0);
}

/* files of a directory that are not at their path any more */
static void find_moved(struct tail *t, struct dir *d)
{
    LIST_EACH(node, &d->files) {
        struct file *f = LIST_ENTRY(node, struct file, in_dir);
        if (f->extra->orphan == NULL && !fds_is_at_path(f)) {
            f->epoch = t->epoch - 1;
            orphan_add(f);
        }
    }
}

/* see tail_internal.h */
void poll_look(struct tail *t)
{
    LIST_EACH(node, &t->dirs) {
        struct dir *d = LIST_ENTRY(node, struct dir, link);
        if (!d->polled)
            continue;
        poll_watch(t, d); /* first, so that nothing falls between */
        discover_look(t, d);
        adopt_all(t);
        find_moved(t, d);
    }
    poll_schedule(t);
}

/* see tail_internal.h */
void poll_schedule(struct tail *t)
{
    if (t->polled > 0 && !t->opts.once && !loop_timer_is_set(t->poll_timer))
        loop_timer_set(t->poll_timer, TAIL_POLL_MS);
}
