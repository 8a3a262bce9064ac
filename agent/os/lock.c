/*
 * os/lock - single instance per data directory
 *
 * The lock is the kernel's (F_OFD_SETLK), the text in the file is for people. It is written after
 * the lock is held and its failure is ignored: a full disk must not refuse a start.
 *
 * Failures: the file cannot be opened (errno), another process holds the lock (-EBUSY), the file
 * system has no locks (errno of fcntl).
 */
#include "os/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/num.h"
#include "base/slice.h"

#define PID_TEXT_MAX 20

/* the pid that the holder wrote, 0 when the text is no number */
static uint64_t read_pid(int fd)
{
    char text[PID_TEXT_MAX + 1];
    ssize_t n = pread(fd, text, sizeof(text), 0);
    uint64_t pid = 0;
    if (n <= 0 || num_u64(slice_trim(slice_of(text, (size_t)n)), &pid) < 0)
        return 0;
    return pid;
}

/* our pid and a newline as the whole content */
static void write_pid(int fd)
{
    char text[PID_TEXT_MAX + 1];
    size_t n = num_write_u64(text, (uint64_t)getpid());
    text[n++] = '\n';
    if (ftruncate(fd, 0) == 0) {
        ssize_t written UNUSED = pwrite(fd, text, n, 0);
    }
}

/* takes the whole-file lock or says who has it */
static int take(int fd, const char *name, struct err *e)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return 0;
    int r = -errno;
    if (r != -EAGAIN && r != -EACCES)
        return err_set_errno(e, r, "lock \"%s\"", name);
    uint64_t pid = read_pid(fd);
    if (pid == 0)
        return err_set(e, -EBUSY, "another instance holds \"%s\"", name);
    return err_set(e, -EBUSY, "another instance (pid %llu) holds \"%s\"", (unsigned long long)pid,
                   name);
}

/* opens without truncating: the text in the file is the holder's until the lock is ours */
int lock_take(int dir, const char *name, struct err *e)
{
    int fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (fd < 0)
        return err_set_errno(e, -errno, "open lock file \"%s\"", name);
    int r = take(fd, name, e);
    if (r < 0) {
        (void)close(fd); /* the failure above is the one to tell */
        return r;
    }
    write_pid(fd);
    return fd;
}
