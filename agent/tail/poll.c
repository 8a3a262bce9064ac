/*
 * tail/poll - directories of which events do not tell all
 *
 * A directory is watched; where the kernel has no watch left, and on file systems that may keep
 * events to themselves (overlay), it is looked at every TAIL_POLL_MS. Want of watches is told as
 * health; each look tries again to have them.
 *
 * What lies on a mount that may not answer (network, FUSE; os/reach.h) is not watched, which would
 * touch it, but looked at every second, or more seldom where that takes long. While the mount does
 * not answer everything on it stays as it was; when it does again there is a scan. Whether another
 * file system is mounted at a directory is known by the table of mounts.
 *
 * The same inode by two paths shares one watch: the path that came first has the events, the other
 * is polled.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tail_internal.h"

#define TABLE      "/proc/self/mountinfo"
#define TABLE_MS   200 /* its changes are gathered for so long */
#define FAR_MIN_MS 1000
#define FAR_MAX_MS 10000
#define FAR_SHARE  50 /* of the time at most is spent with looking */

/* see tail_internal.h */
void poll_begin_scan(struct tail *t)
{
    int error = 0;
    struct mounts *now = mounts_read(NULL, &error);
    if (now == NULL)
        return; /* what was known is as good as anything */
    mounts_free(&t->mounts);
    t->mounts = now;
    reach_refresh(now);
}

/* which mounts hold the directories */
static uint64_t hash_places(const struct tail *t)
{
    uint64_t hash = 0;
    LIST_EACH(node, &t->dirs) {
        const struct dir *d = LIST_ENTRY(node, struct dir, link);
        hash = hash64_u64(hash ^ mounts_id(t->mounts, d->path));
    }
    return hash;
}

/* the table of mounts has changed: another file system may be where a directory was */
static void on_table(void *ctx)
{
    struct tail *t = ctx;
    if (t->stopped || t->mounts == NULL)
        return;
    uint64_t before = hash_places(t);
    poll_begin_scan(t);
    if (hash_places(t) != before)
        loop_timer_set(t->reconcile_timer, 0);
}

/* the same, told by the kernel */
static void on_table_event(void *ctx, uint32_t events)
{
    struct tail *t = ctx;
    (void)events; /* EPOLLPRI, EPOLLERR: both say so */
    if (!loop_timer_is_set(t->table_timer))
        loop_timer_set(t->table_timer, TABLE_MS);
}

/* a mount has stopped answering: counted for each input that has directories on it */
static void on_away(void *ctx, const char *point)
{
    struct tail *t = ctx;
    size_t n = strlen(point);
    for (unsigned i = 0; i < t->opts.input_count; i++) {
        bool has = false;
        LIST_EACH(node, &t->dirs) {
            const struct dir *d = LIST_ENTRY(node, struct dir, link);
            for (unsigned k = 0; d->far && strncmp(d->path, point, n) == 0 && k < d->position_count;
                 k++)
                has |= t->patterns[d->positions[k].pattern].input == i;
        }
        t->opts.inputs[i].ledger->documents[DOCUMENT_MOUNT_AWAY] += has;
    }
}

/* a mount answers again, or will soon */
static void on_back(void *ctx, bool look)
{
    struct tail *t = ctx;
    if (t->stopped)
        return;
    if (look)
        loop_timer_set(t->reconcile_timer, 0);
    tail_pump_soon(t);
}

/* to the operator */
static void on_message(void *ctx, enum log_level level, const char *text)
{
    tail_message(ctx, level, "%s", text);
}

/* health of the mounts */
static void on_health(void *ctx, const char *why)
{
    const struct tail *t = ctx;
    if (t->hooks.mounts != NULL)
        t->hooks.mounts(t->hooks.ctx, why);
}

/* see tail_internal.h */
void poll_start(struct tail *t)
{
    const struct reach_hooks hooks = {
        .message = on_message, .health = on_health, .away = on_away, .back = on_back, .ctx = t};
    if (t->opts.once)
        return; /* nothing else waits */
    t->far_pause_ms = FAR_MIN_MS;
    reach_start(t->loop, &hooks);
    t->table_timer = loop_timer_new(t->loop, on_table, t);
    t->table_fd = open(TABLE, O_RDONLY | O_CLOEXEC);
    if (t->table_fd >= 0)
        t->table_io = loop_io_add(t->loop, t->table_fd, EPOLLPRI, on_table_event, t);
}

/* see tail_internal.h */
void poll_free(struct tail *t)
{
    mounts_free(&t->mounts);
    if (t->opts.once)
        return;
    loop_io_cancel(&t->table_io);
    loop_timer_cancel(&t->table_timer);
    if (t->table_fd >= 0)
        (void)close(t->table_fd); /* read only */
    reach_stop();
}

/* see tail_internal.h */
void poll_keep_refused(struct tail *t)
{
    LIST_EACH(dir, &t->dirs) {
        struct dir *d = LIST_ENTRY(dir, struct dir, link);
        if (!d->far || !reach_was_refused(d->path))
            continue;
        d->epoch = t->epoch;
        LIST_EACH(node, &d->files) {
            LIST_ENTRY(node, struct file, in_dir)->epoch = t->epoch;
        }
    }
}

/* counts a directory in or out of those that are polled */
static void set_polled(struct tail *t, struct dir *d, bool polled, bool wanting, bool far)
{
    t->polled += (unsigned)polled - (unsigned)d->polled;
    t->wanting += (unsigned)wanting - (unsigned)d->wanting;
    t->far += (unsigned)far - (unsigned)d->far;
    d->polled = polled;
    d->wanting = wanting;
    d->far = far;
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
        set_polled(t, d, true, false, false);
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
    if (reach_is_far(d->path)) {
        poll_unwatch(t, d, true);
        set_polled(t, d, true, false, true);
        return;
    }
    if (t->watch == NULL || t->opts.once)
        return;
    int id = watch_add(t->watch, d->path[0] == '\0' ? "/" : d->path);
    bool wanting = id == -ENOSPC || id == -ENOMEM || id == -EMFILE || id == -ENFILE;
    set_polled(t, d, kind != MOUNT_LOCAL || (id < 0 && id != -ENOENT), wanting, false);
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
    set_polled(t, d, false, false, false);
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
    int64_t began = clock_mono_ms(clock_system());
    bool all = loop_now_ms(t->loop) - t->polled_ms >= TAIL_POLL_MS;
    if (all)
        t->polled_ms = loop_now_ms(t->loop);
    LIST_EACH(node, &t->dirs) {
        struct dir *d = LIST_ENTRY(node, struct dir, link);
        if (!d->polled || (!all && !d->far))
            continue;
        poll_watch(t, d); /* first, so that nothing falls between */
        discover_look(t, d);
        adopt_all(t);
        find_moved(t, d);
    }
    int64_t pause = (clock_mono_ms(clock_system()) - began) * FAR_SHARE;
    t->far_pause_ms = pause < FAR_MIN_MS ? FAR_MIN_MS : pause < FAR_MAX_MS ? pause : FAR_MAX_MS;
    poll_schedule(t);
}

/* see tail_internal.h */
void poll_schedule(struct tail *t)
{
    if (t->polled > 0 && !t->opts.once && !loop_timer_is_set(t->poll_timer))
        loop_timer_set(t->poll_timer, t->far > 0 ? t->far_pause_ms : TAIL_POLL_MS);
}
