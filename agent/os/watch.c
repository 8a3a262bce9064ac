/*
 * os/watch - watching directories
 *
 * A table of directories by watch descriptor, which is the id, and the decoder of what inotify
 * delivers. The backend (watch_internal.h) makes the fd, adds and removes.
 *
 * A directory leaves the table before its WATCH_DIR_GONE is delivered, so that the callback can add
 * the path again at once. Descriptors are not used twice by the kernel (until 2^31 of them), so an
 * event that waits for a forgotten directory finds nothing and is dropped.
 *
 * Failures: errno of the calls; bytes from the kernel that are no events give -EBADMSG.
 *
 * Limits: a directory that is removed while somebody has it open is told as gone when it is closed;
 * the watch of its parent tells at once.
 */
#include "os/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "os/watch_internal.h"

#define STRUCTURE                                                                                  \
    ((uint32_t)(IN_CREATE | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF |    \
                IN_MOVE_SELF))
#define LOUD ((uint32_t)IN_MODIFY)
/* IN_EXCL_UNLINK: writes to a file that has no name in the directory any more are no news of it. */
#define HOW           ((uint32_t)(IN_ONLYDIR | IN_EXCL_UNLINK))
#define READ_SIZE     8192 /* room for an event with the longest name many times */
#define READS_AT_ONCE 64

struct directory {
    struct map_node node;
    int id;
    bool is_quiet;
    char *path; /* owned; as given to watch_add */
};

struct watch {
    const struct watch_ops *ops;
    int fd;
    watch_fn fn;
    void *ctx;
    struct map directories; /* by id */
};

/* whether the node is the directory of that id */
static bool directory_eq(const struct map_node *node, const void *key)
{
    return MAP_ENTRY(node, const struct directory, node)->id == *(const int *)key;
}

/* NULL for an id that is dead */
static struct directory *find(const struct watch *w, int id)
{
    struct map_node *node = map_find(&w->directories, hash64_u64((uint64_t)id), &id);
    return node == NULL ? NULL : MAP_ENTRY(node, struct directory, node);
}

/* the backend of this build */
static const struct watch_ops *default_ops(void)
{
#if WHERRY_INOTIFY_TOOLS
    return watch_tools_ops();
#else
    return watch_raw_ops();
#endif
}

/* for the log */
const char *watch_backend(void)
{
    return default_ops()->name;
}

/* with the backend of this build */
struct watch *watch_new(watch_fn fn, void *ctx, int *ret_error)
{
    return watch_new_with(default_ops(), fn, ctx, ret_error);
}

/* no directories yet */
struct watch *watch_new_with(const struct watch_ops *ops, watch_fn fn, void *ctx, int *ret_error)
{
    int fd = ops->open();
    if (fd < 0) {
        *ret_error = fd;
        return NULL;
    }
    struct watch *w = mem_zalloc(sizeof(*w));
    w->ops = ops;
    w->fd = fd;
    w->fn = fn;
    w->ctx = ctx;
    map_init(&w->directories, directory_eq);
    return w;
}

/* takes it out of the table */
static void forget(struct watch *w, struct directory *d)
{
    map_remove(&w->directories, &d->node);
    mem_free(d->path);
    mem_free(d);
}

/* closing the fd drops the kernel's watches all at once */
void watch_free(struct watch **w)
{
    if (*w == NULL)
        return;
    struct map_node *node = map_next(&(*w)->directories, NULL);
    while (node != NULL) {
        struct map_node *next = map_next(&(*w)->directories, node);
        forget(*w, MAP_ENTRY(node, struct directory, node));
        node = next;
    }
    map_clear(&(*w)->directories);
    (*w)->ops->close((*w)->fd);
    mem_free(*w);
    *w = NULL;
}

/* owned by the watch */
int watch_fd(const struct watch *w)
{
    return w->fd;
}

/* directories in the table */
unsigned watch_count(const struct watch *w)
{
    return (unsigned)w->directories.count;
}

/* what a directory's watch asks the kernel for */
static uint32_t mask_for(bool is_quiet)
{
    return STRUCTURE | HOW | (is_quiet ? 0 : LOUD);
}

/* a directory that is known keeps its first path and its quiet state */
int watch_add(struct watch *w, const char *path)
{
    bool is_reset = false;
    int id = w->ops->add(w->fd, path, mask_for(false), &is_reset);
    if (id < 0)
        return id;
    struct directory *known = find(w, id);
    if (known != NULL) {
        /* by this path, which named the directory just now; failing costs wake-ups, no events */
        if (is_reset && known->is_quiet)
            (void)inotify_add_watch(w->fd, path, mask_for(true));
        return id;
    }
    struct directory *d = mem_zalloc(sizeof(*d));
    d->id = id;
    d->path = mem_strdup(path);
    map_insert(&w->directories, &d->node, hash64_u64((uint64_t)id));
    return id;
}

/* gives back what was done to another directory by calling inotify_add_watch with our path */
static void undo_foreign(struct watch *w, int foreign_id, const char *path)
{
    const struct directory *other = find(w, foreign_id);
    if (other == NULL)
        (void)inotify_rm_watch(w->fd, foreign_id); /* the call made it: nobody else knows it */
    else
        (void)inotify_add_watch(w->fd, path, mask_for(other->is_quiet)); /* gone again: harmless */
}

/* the kernel changes a mask by path only, so the descriptor tells whether it was the right one */
int watch_set_quiet(struct watch *w, int id, bool quiet)
{
    struct directory *d = find(w, id);
    if (d == NULL)
        return -ENOENT;
    if (d->is_quiet == quiet)
        return 0;
    int found = inotify_add_watch(w->fd, d->path, mask_for(quiet));
    if (found < 0)
        return errno == ENOTDIR ? -ENOENT : -errno;
    if (found != id) {
        undo_foreign(w, found, d->path);
        return -ENOENT;
    }
    d->is_quiet = quiet;
    return 0;
}

/* the IN_IGNORED that follows finds nothing */
void watch_remove(struct watch *w, int id)
{
    struct directory *d = find(w, id);
    if (d == NULL)
        return;
    forget(w, d);
    w->ops->remove(w->fd, id);
}

/* passes one event on; returns 1, the number of callbacks */
static int emit(struct watch *w, enum watch_event_kind kind, int id, uint32_t mask,
                struct slice name)
{
    struct watch_event ev = {
        .kind = kind, .id = id, .is_dir = (mask & IN_ISDIR) != 0, .name = name};
    w->fn(w->ctx, &ev);
    return 1;
}

/* forgets the directory, then tells */
static int emit_gone(struct watch *w, int id)
{
    watch_remove(w, id);
    return emit(w, WATCH_DIR_GONE, id, IN_ISDIR, SLICE_LIT(""));
}

/* what an event with a name means; false for one that we did not ask for */
static bool kind_of(uint32_t mask, enum watch_event_kind *ret_kind)
{
    static const struct {
        uint32_t bits;
        enum watch_event_kind kind;
    } table[] = {
        {IN_CREATE | IN_MOVED_TO, WATCH_CREATED},
        {IN_DELETE | IN_MOVED_FROM, WATCH_REMOVED},
        {IN_MODIFY, WATCH_MODIFIED},
        {IN_CLOSE_WRITE, WATCH_CLOSED},
        {IN_ATTRIB, WATCH_ATTRIB},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if ((mask & table[i].bits) != 0) {
            *ret_kind = table[i].kind;
            return true;
        }
    }
    return false;
}

/* one event; returns the number of callbacks, 0 or 1 */
static int handle(struct watch *w, const struct inotify_event *ev, struct slice name)
{
    if ((ev->mask & IN_Q_OVERFLOW) != 0)
        return emit(w, WATCH_OVERFLOW, -1, 0, SLICE_LIT(""));
    if (find(w, ev->wd) == NULL)
        return 0;
    if ((ev->mask & (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)) != 0)
        return emit_gone(w, ev->wd);
    enum watch_event_kind kind;
    /* without a name it is about the directory itself, whose metadata nobody asked for */
    if (name.len == 0 || !kind_of(ev->mask, &kind))
        return 0;
    return emit(w, kind, ev->wd, ev->mask, name);
}

/* the header is copied out, so the buffer needs no alignment; the name ends at its first NUL */
int watch_decode(struct watch *w, const char *p, size_t n)
{
    int count = 0;
    while (n > 0) {
        struct inotify_event ev;
        if (n < sizeof(ev))
            return -EBADMSG;
        memcpy(&ev, p, sizeof(ev));
        if (ev.len > n - sizeof(ev))
            return -EBADMSG;
        struct slice name = slice_of(p + sizeof(ev), ev.len);
        name.len = slice_find(name, '\0');
        count += handle(w, &ev, name);
        p += sizeof(ev) + ev.len;
        n -= sizeof(ev) + ev.len;
    }
    return count;
}

/* bounded, so that a storm of events cannot keep the loop from everything else; the fd stays
 * readable then and the next round goes on */
int watch_dispatch(struct watch *w)
{
    char buffer[READ_SIZE];
    int count = 0;
    for (unsigned i = 0; i < READS_AT_ONCE; i++) {
        ssize_t n = read(w->fd, buffer, sizeof(buffer));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return -errno;
        if (n <= 0)
            break;
        int r = watch_decode(w, buffer, (size_t)n);
        if (r < 0)
            return r;
        count += r;
    }
    return count;
}
