#ifndef OS_FSPROBE_INTERNAL_H
#define OS_FSPROBE_INTERNAL_H

/* What the two ends of a helper's socket agree on: a datagram with the path, without a NUL, then
 * one with a struct fsprobe_answer. */
#include <sys/types.h>

#include "base/def.h"

#define FSPROBE_PATH_MAX 4096 /* with the NUL */

/* Starts this program as a helper whose file descriptor 0 is fd, with default signals, without the
 * environment's secrets, and in a process group of its own: what a terminal sends to ours is not
 * for it. 0, or the negative errno. */
int fsprobe_spawn(int fd, pid_t *ret_pid) MUST_CHECK;

#endif
