/*
 * os/fsprobe_serve - the helper's side
 *
 * It holds nothing of the process that started it but the socket: whatever was inherited is closed,
 * so that a helper that hangs in the kernel keeps no lock and no file. It ends by itself when the
 * socket ends, and by a signal when its parent dies.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fsprobe_internal.h"
#include "os/fsprobe.h"

#define FIRST_OTHER (STDERR_FILENO + 1)
#define LAST_OTHER  4095 /* where the kernel cannot close them all at once (before 5.9) */

/* every file descriptor that is not one of the first three */
static void close_others(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, FIRST_OTHER, ~0U, 0) == 0)
        return;
#endif
    for (int fd = FIRST_OTHER; fd <= LAST_OTHER; fd++)
        (void)close(fd); /* most are none */
}

/* the kernel's answer; this is what may hang */
static void ask_kernel(const char *path, struct fsprobe_answer *ret)
{
    struct statfs fs;
    struct stat st;
    if (statfs(path, &fs) < 0) {
        ret->error = -errno;
        return;
    }
    ret->block_bytes = (uint64_t)(fs.f_frsize > 0 ? fs.f_frsize : fs.f_bsize);
    ret->blocks = fs.f_blocks;
    ret->free = fs.f_bfree;
    ret->available = fs.f_bavail;
    ret->files = fs.f_files;
    ret->free_files = fs.f_ffree;
    if (stat(path, &st) == 0)
        ret->device = st.st_dev;
}

/* see header */
int fsprobe_serve(void (*ask)(const char *path, struct fsprobe_answer *ret))
{
    char path[FSPROBE_PATH_MAX];
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return 1;
    close_others();
    for (;;) {
        ssize_t n = recv(STDIN_FILENO, path, sizeof(path) - 1, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? 0 : 1;
        path[n] = '\0';
        struct fsprobe_answer answer = {0};
        (ask == NULL ? ask_kernel : ask)(path, &answer);
        if (send(STDIN_FILENO, &answer, sizeof(answer), MSG_NOSIGNAL) != (ssize_t)sizeof(answer))
            return 1;
    }
}
