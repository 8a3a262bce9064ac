#ifndef OS_LOCK_H
#define OS_LOCK_H

/* Single instance per data directory: an open-file-description lock (fcntl F_OFD_SETLK) on
 * dir/name. The lock dies with the process, so a stale file never refuses a start. */
#include "base/def.h"
#include "base/err.h"

/* Returns an fd that holds the lock until closed; -EBUSY when another instance has it (e names its
 * pid), else a negative errno. The file holds our pid as text, for people. */
int lock_take(int dir, const char *name, struct err *e) MUST_CHECK;

#endif
