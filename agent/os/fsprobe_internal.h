#ifndef OS_FSPROBE_INTERNAL_H
#define OS_FSPROBE_INTERNAL_H

/* What the two ends of a helper's socket agree on: a datagram with the path, without a NUL, then
 * one with a struct fsprobe_answer. */
#include "os/fsprobe.h"

#define FSPROBE_PATH_MAX 4096 /* with the NUL */

/* The kernel's answer; this is what may hang. ret is zeroed. */
void fsprobe_ask_kernel(const char *path, struct fsprobe_answer *ret);

#endif
