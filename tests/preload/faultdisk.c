/*
 * tests/preload/faultdisk - a disk that fails on command, under a real wherry (LD_PRELOAD)
 *
 * Calls that change the disk are looked at when their file lies in a directory whose path holds
 * FAULTDISK_DIR. Each is counted, and written to FAULTDISK_LOG, one line: number, name, file
 * (inode and birth), result. Then it fails or kills as told:
 *
 *     FAULTDISK_KILL=n[t]   the process dies (SIGKILL) at the n-th call; with t a write is half
 * done FAULTDISK_RULES=path  a file, read at each call: lines NAME ERRNO; such calls fail. NAME is
 *                           write, sync, make (a file made), rename; an absent file has no rules
 *
 * Calls of several threads count one after the other.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned calls;

/* the C library's function */
static void *real(const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);
    if (f == NULL)
        abort();
    return f;
}

/* whether an open file or directory is one to look at */
static int is_ours(int fd)
{
    const char *dir = getenv("FAULTDISK_DIR");
    char link[64], path[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = dir == NULL ? -1 : readlink(link, path, sizeof(path) - 1);
    if (n < 0)
        return 0;
    path[n] = '\0';
    return strstr(path, dir) != NULL;
}

/* the errno of the rule for a kind of call, 0 = none */
static int rule_for(const char *kind)
{
    const char *path = getenv("FAULTDISK_RULES");
    FILE *f = path == NULL ? NULL : fopen(path, "re");
    char name[32];
    int error, found = 0;
    if (f == NULL)
        return 0;
    while (found == 0 && fscanf(f, "%31s %d", name, &error) == 2)
        if (strcmp(name, kind) == 0)
            found = error;
    (void)fclose(f);
    return found;
}

/* counts a call; 1 = the process is to die in it */
static int is_last(int *ret_torn)
{
    const char *kill_at = getenv("FAULTDISK_KILL");
    char *end;
    unsigned long n = kill_at == NULL ? 0 : strtoul(kill_at, &end, 10);
    *ret_torn = n > 0 && *end == 't';
    return ++calls == n;
}

/* one line of the log */
static void note(const char *kind, int fd, long result)
{
    const char *path = getenv("FAULTDISK_LOG");
    struct statx st = {0};
    int log = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0)
        return;
    (void)statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st);
    (void)dprintf(log, "%u %s %lu.%ld.%u %ld\n", calls, kind, (unsigned long)st.stx_ino,
                  (long)st.stx_btime.tv_sec, st.stx_btime.tv_nsec, result);
    (void)close(log);
}

/* Before a call: dies or says the errno that it is to fail with. */
static int begin(const char *kind, int fd, int *ret_torn)
{
    int torn;
    (void)pthread_mutex_lock(&mutex);
    *ret_torn = 0;
    if (is_last(&torn)) {
        if (!torn || strcmp(kind, "write") != 0)
            (void)raise(SIGKILL);
        *ret_torn = 1;
    }
    int error = rule_for(kind);
    note(kind, fd, -error);
    (void)pthread_mutex_unlock(&mutex);
    return error;
}

typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off64_t);
typedef int (*fd_fn)(int);
typedef int (*openat_fn)(int, const char *, int, ...);
typedef int (*renameat_fn)(int, const char *, int, const char *);

/* a write at an offset */
static ssize_t write_at(int fd, const void *p, size_t n, off64_t at)
{
    pwrite_fn call = (pwrite_fn)real("pwrite64");
    int torn;
    if (!is_ours(fd))
        return call(fd, p, n, at);
    int error = begin("write", fd, &torn);
    if (torn) {
        (void)call(fd, p, n / 2, at);
        (void)raise(SIGKILL);
    }
    if (error == 0)
        return call(fd, p, n, at);
    errno = error;
    return -1;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    return write_at(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    return write_at(fd, p, n, at);
}

/* a sync of either kind */
static int sync_fd(const char *name, int fd)
{
    fd_fn call = (fd_fn)real(name);
    int torn;
    int error = is_ours(fd) ? begin("sync", fd, &torn) : 0;
    if (error == 0)
        return call(fd);
    errno = error;
    return -1;
}

int fdatasync(int fd)
{
    return sync_fd("fdatasync", fd);
}

int fsync(int fd)
{
    return sync_fd("fsync", fd);
}

/* an opening; only one that may make a file is looked at */
static int open_at(int dir, const char *path, int flags, mode_t mode)
{
    openat_fn call = (openat_fn)real("openat64");
    int torn;
    int error = (flags & O_CREAT) != 0 && is_ours(dir) ? begin("make", dir, &torn) : 0;
    if (error == 0)
        return call(dir, path, flags, mode);
    errno = error;
    return -1;
}

int openat(int dir, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return open_at(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return open_at(dir, path, flags, mode);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    renameat_fn call = (renameat_fn)real("renameat");
    int torn;
    int error = is_ours(to_dir) ? begin("rename", to_dir, &torn) : 0;
    if (error == 0)
        return call(from_dir, from, to_dir, to);
    errno = error;
    return -1;
}
