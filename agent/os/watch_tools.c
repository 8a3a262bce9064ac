/*
 * os/watch_tools - the libinotifytools backend of os/watch
 *
 * The library makes the inotify instance and keeps a record of each watch; events are read from
 * its fd by watch.c, never by its next_event(s), which block and buffer behind epoll's back. It
 * does not tell its fd, so that is found by comparing /proc/self/fd before and after.
 *
 * Three of its habits are met here:
 * - Adding a directory twice leaks a record. IN_MASK_CREATE makes the second call fail with EEXIST
 *   before the library files anything; the descriptor is then asked of the kernel.
 * - It returns no descriptor, and its look-up by name finds another directory's when one was moved
 *   away and a new one took the name. So the directory is opened (O_PATH) and named to the library
 *   as /proc/self/fd/N: both calls mean one inode, whatever is renamed in between.
 * - It keeps the record of a watch that the kernel has dropped for ever, and prints to stderr,
 *   because inotify_rm_watch fails then. See the function of that name below.
 *
 * Failures: errno of the calls; -EBUSY when the one instance is in use, -ESRCH without
 * /proc. Limit: kernels before 4.18 ignore IN_MASK_CREATE, so there adding a
 * directory again leaks a record.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inotifytools/inotifytools.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/num.h"
#include "base/slice.h"
#include "os/watch_internal.h"

#define FD_LIST_MAX 64
#define PROC_FD     "/proc/self/fd/"
#define PROC_FD_LEN (sizeof(PROC_FD) - 1)
#define NUMBER_MAX  20

int inotify_rm_watch(int fd, int wd) __attribute__((visibility("default")));

/* Takes the place of libc's function of this name, for the library too: "the kernel has dropped it
 * already" counts as removed, so that the library frees its record and prints nothing. */
int inotify_rm_watch(int fd, int wd)
{
    long r = syscall(SYS_inotify_rm_watch, fd, wd);
    return r < 0 && errno != EINVAL ? -1 : 0;
}

/* the inotify fds of this process */
struct fd_list {
    int fds[FD_LIST_MAX];
    size_t count;
};

/* whether the link /proc/self/fd/name is an inotify instance */
static bool is_inotify(int dir, const char *name)
{
    static const char wanted[] = "anon_inode:inotify";
    char target[sizeof(wanted)];
    ssize_t n = readlinkat(dir, name, target, sizeof(target));
    return n > 0 && slice_eq_str(slice_of(target, (size_t)n), wanted);
}

/* reads d from its start; what does not fit is left out */
static void list_inotify_fds(DIR *d, struct fd_list *ret_list)
{
    ret_list->count = 0;
    rewinddir(d);
    for (struct dirent *e; ret_list->count < FD_LIST_MAX && (e = readdir(d)) != NULL;) {
        uint64_t number;
        if (num_u64(slice_str(e->d_name), &number) == 0 && is_inotify(dirfd(d), e->d_name))
            ret_list->fds[ret_list->count++] = (int)number;
    }
}

/* whether the list holds fd */
static bool has_fd(const struct fd_list *list, int fd)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->fds[i] == fd)
            return true;
    }
    return false;
}

/* initialises between two listings. No new fd means that somebody has initialised the library
 * before: it is theirs and stays as it is */
static int initialise(DIR *d)
{
    struct fd_list before;
    struct fd_list after;
    list_inotify_fds(d, &before);
    if (before.count == FD_LIST_MAX)
        return -EMFILE;
    if (!inotifytools_initialize())
        return inotifytools_error() > 0 ? -inotifytools_error() : -EMFILE;
    list_inotify_fds(d, &after);
    for (size_t i = 0; i < after.count; i++) {
        if (!has_fd(&before, after.fds[i]))
            return after.fds[i];
    }
    return -EBUSY;
}

/* the library's instance, made non-blocking and close-on-exec */
static int tools_open(void)
{
    DIR *d = opendir("/proc/self/fd");
    if (d == NULL)
        return -ESRCH;
    int fd = initialise(d);
    (void)closedir(d); /* read only: nothing can be lost */
    if (fd < 0)
        return fd;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        int r = -errno;
        inotifytools_cleanup();
        return r;
    }
    return fd;
}

/* the fd is the library's, it goes with the instance */
static void tools_close(int fd)
{
    (void)fd;
    inotifytools_cleanup();
}

/* adds what the name means, or asks the kernel which watch there is already. IN_MASK_ADD with an
 * event that is in every mask changes nothing */
static int add_or_find(int fd, const char *name, uint32_t mask)
{
    bool is_new = inotifytools_watch_file(name, (int)(mask | IN_MASK_CREATE)) != 0;
    if (!is_new && inotifytools_error() != EEXIST)
        return inotifytools_error() > 0 ? -inotifytools_error() : -EIO;
    int wd = inotify_add_watch(fd, name, IN_CREATE | IN_MASK_ADD | IN_ONLYDIR);
    return wd < 0 ? -errno : wd;
}

/* through a link that names the opened directory */
static int tools_add(int fd, const char *path, uint32_t mask, bool *ret_is_reset)
{
    int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    char name[PROC_FD_LEN + NUMBER_MAX + 1] = PROC_FD;
    name[PROC_FD_LEN + num_write_u64(name + PROC_FD_LEN, (uint64_t)dir)] = '\0';
    int wd = add_or_find(fd, name, mask);
    (void)close(dir); /* O_PATH: nothing can be lost */
    if (wd >= 0)
        *ret_is_reset = false;
    return wd;
}

/* kernel and record */
static void tools_remove(int fd, int wd)
{
    (void)fd;
    (void)inotifytools_remove_watch_by_wd(wd); /* fails only for another's descriptor */
}

/* static, never freed */
const struct watch_ops *watch_tools_ops(void)
{
    static const struct watch_ops ops = {
        .name = "libinotifytools",
        .open = tools_open,
        .close = tools_close,
        .add = tools_add,
        .remove = tools_remove,
    };
    return &ops;
}
