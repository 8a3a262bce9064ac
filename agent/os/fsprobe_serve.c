/*
 * os/fsprobe_serve - the helper's side
 *
 * It ends by itself when the socket ends, and by a signal when its parent dies.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "fsprobe_internal.h"
#include "helper_internal.h"
#include "os/fsprobe.h"

/* see fsprobe_internal.h */
void fsprobe_ask_kernel(const char *path, struct fsprobe_answer *ret)
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
    if (helper_detach() < 0)
        return 1;
    for (;;) {
        ssize_t n = recv(STDIN_FILENO, path, sizeof(path) - 1, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? 0 : 1;
        path[n] = '\0';
        struct fsprobe_answer answer = {0};
        (ask == NULL ? fsprobe_ask_kernel : ask)(path, &answer);
        if (send(STDIN_FILENO, &answer, sizeof(answer), MSG_NOSIGNAL) != (ssize_t)sizeof(answer))
            return 1;
    }
}
