/*
 * os/helper - this program once more, as a helper
 *
 * posix_spawn(3) shares the memory until exec: nothing is copied, however large the agent is. The
 * name /proc/self/exe holds also when the program's file was replaced meanwhile.
 */
#include "helper_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROGRAM         "/proc/self/exe"
#define ENVIRONMENT_MAX 16
#define FIRST_OTHER     (STDERR_FILENO + 1)
#define LAST_OTHER      4095 /* where the kernel cannot close them all at once (before 5.9) */

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

/* see helper_internal.h */
int helper_detach(void)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        return -errno;
    close_others();
    return 0;
}

/* what the dynamic linker needs, and none of the secrets that may be there */
static void choose_environment(char *ret[ENVIRONMENT_MAX + 1])
{
    size_t n = 0;
    for (char **e = environ; *e != NULL && n < ENVIRONMENT_MAX; e++)
        if (strncmp(*e, "LD_", 3) == 0)
            ret[n++] = *e;
    ret[n] = NULL;
}

/* see helper_internal.h */
int helper_spawn(const char *command, int in, int out, pid_t *ret_pid)
{
    static char name[] = "wherry";
    char *const arguments[] = {name, (char *)(uintptr_t)command, NULL};
    char *environment[ENVIRONMENT_MAX + 1];
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    (void)sigemptyset(&none); /* never fails */
    (void)sigfillset(&all);
    choose_environment(environment);
    int r = posix_spawn_file_actions_init(&files);
    if (r != 0)
        return -r;
    r = posix_spawnattr_init(&attributes);
    if (r != 0) {
        (void)posix_spawn_file_actions_destroy(&files); /* never fails */
        return -r;
    }
    r = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_RDWR, 0);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&files, out < 0 ? STDERR_FILENO : out, STDOUT_FILENO);
    if (r == 0)
        r = posix_spawnattr_setsigmask(&attributes, &none);
    if (r == 0)
        r = posix_spawnattr_setsigdefault(&attributes, &all);
    if (r == 0)
        r = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                      POSIX_SPAWN_SETPGROUP);
    if (r == 0)
        r = posix_spawn(ret_pid, PROGRAM, &files, &attributes, arguments, environment);
    (void)posix_spawnattr_destroy(&attributes); /* never fail */
    (void)posix_spawn_file_actions_destroy(&files);
    return -r;
}
