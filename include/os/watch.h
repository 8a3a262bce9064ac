#ifndef OS_WATCH_H
#define OS_WATCH_H

/*
 * Watching directories: one interface, two backends (libinotifytools, raw inotify(7)), chosen when
 * the program is built (INOTIFY=tools|raw); both pass the same tests.
 *
 * Events are hints. Overflow and unmount are told as such; the caller scans then. Only directories
 * are watched. A watch that the kernel dropped (IN_IGNORED) is forgotten just before its
 * WATCH_DIR_GONE event, whose callback may add the path again.
 *
 * The libinotifytools backend keeps one process-wide instance: at most one `struct watch` exists
 * at a time (-EBUSY), and it is made before any other fd above 1023 exists.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"

struct watch;

enum watch_event_kind {
    WATCH_CREATED,  /* name appeared in the directory, by creation or by rename into it */
    WATCH_REMOVED,  /* name left, by unlink or by rename out of it */
    WATCH_MODIFIED, /* name was written or truncated */
    WATCH_CLOSED,   /* name was closed after writing */
    WATCH_ATTRIB,   /* metadata of name changed: permissions, link count */
    WATCH_DIR_GONE, /* the directory itself was removed, moved or unmounted; its id is dead */
    WATCH_OVERFLOW, /* events were lost, WATCH_DIR_GONE too: scan everything; id = -1 */
};

struct watch_event {
    enum watch_event_kind kind;
    int id;            /* what watch_add returned */
    bool is_dir;       /* name is a directory */
    struct slice name; /* one path component; empty for WATCH_DIR_GONE and WATCH_OVERFLOW */
};

typedef void (*watch_fn)(void *ctx, const struct watch_event *ev);

/* Name of the backend: "libinotifytools" or "inotify". */
const char *watch_backend(void);

/* NULL with a negative errno in *ret_error (EMFILE: max_user_instances). */
struct watch *watch_new(watch_fn fn, void *ctx, int *ret_error);
void watch_free(struct watch **w);

/* For the event loop: readable when events wait. Non-blocking. */
int watch_fd(const struct watch *w);

/* Reads what waits, to EAGAIN (but at most 512 KiB, so that a storm of events cannot hold the loop:
 * the fd stays readable then), and calls fn for each event. The callback may add, remove and quiet
 * watches. Returns the number of events or a negative errno. */
int watch_dispatch(struct watch *w);

/*
 * Watches the directory at path. Returns its id (>= 0); the same directory (inode) gives the same
 * id again, and stays quiet if it was. -ENOSPC: max_user_watches reached; -ENOENT, -ENOTDIR,
 * -EACCES as the kernel says.
 */
int watch_add(struct watch *w, const char *path) MUST_CHECK;

/* Takes WATCH_MODIFIED (quiet = true) out of the directory's events or puts it back; structural
 * events stay. -ENOENT when the directory is gone or path names another inode by now. */
int watch_set_quiet(struct watch *w, int id, bool quiet);

/* Forgets the watch; ids that are dead already are ignored. No event of it follows. */
void watch_remove(struct watch *w, int id);

/* Directories watched now. */
unsigned watch_count(const struct watch *w);

#endif
