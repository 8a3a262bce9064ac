/*
 * os/fsprobe_spawn - this program once more, as a helper
 *
 * posix_spawn(3) shares the memory until exec: nothing is copied, however large the agent is. The
 * name /proc/self/exe holds also when the program's file was replaced meanwhile.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "fsprobe_internal.h"
#include "os/fsprobe.h"

#define PROGRAM         "/proc/self/exe"
#define ENVIRONMENT_MAX 16

/* what the dynamic linker needs, and none of the secrets that may be there */
static void choose_environment(char *ret[ENVIRONMENT_MAX + 1])
{
    size_t n = 0;
    for (char **e = environ; *e != NULL && n < ENVIRONMENT_MAX; e++)
        if (strncmp(*e, "LD_", 3) == 0)
            ret[n++] = *e;
    ret[n] = NULL;
}

/* see agent/os/fsprobe_internal.h */
int fsprobe_spawn(int fd, pid_t *ret_pid)
{
    static char name[] = "wherry";
    static char command[] = FSPROBE_COMMAND;
    char *const arguments[] = {name, command, NULL};
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
    r = posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
    if (r == 0)
        r = posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_RDWR, 0);
    if (r == 0)
        r = posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
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
