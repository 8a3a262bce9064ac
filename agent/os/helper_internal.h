#ifndef OS_HELPER_INTERNAL_H
#define OS_HELPER_INTERNAL_H

/* This program once more, as a process that does what may take for ever. */
#include <sys/types.h>

#include "base/def.h"

/* Starts it with the one argument `command` and default signals, without the environment's secrets,
 * in a process group of its own: what a terminal sends to ours is not for it. Its file descriptor 0
 * is in, 1 is out (-1 = /dev/null). 0, or the negative errno. */
int helper_spawn(const char *command, int in, int out, pid_t *ret_pid) MUST_CHECK;

/* In the helper, first: it ends with the process that started it, and whatever was inherited beyond
 * the first three file descriptors is closed, so that a helper that hangs in the kernel keeps no
 * lock and no file. 0, or the negative errno. */
int helper_detach(void) MUST_CHECK;

#endif
