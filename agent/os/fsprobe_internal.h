#ifndef OS_FSPROBE_INTERNAL_H
#define OS_FSPROBE_INTERNAL_H

/* What the two ends of a helper's socket agree on: a datagram with the path, without a NUL, then
 * one with a struct fsprobe_answer. */
#define FSPROBE_PATH_MAX 4096 /* with the NUL */

#endif
