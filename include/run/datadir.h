#ifndef RUN_DATADIR_H
#define RUN_DATADIR_H

/* The directory path.data: lock, agent id, the directories of the registry, the dead letters and
 * the spool. */
#include "base/err.h"
#include "config/config.h"

#define DATADIR_ID_CHARS 36

struct datadir {
    int dir, lock, registry, dead_letter; /* fds, -1 = not open */
    int spool;                            /* likewise; only where it is enabled and can be opened */
    int saved, volatile_dir, volatile_lock; /* state volatile: registry lies in path.volatile, saved
                                             * is the place of its copy; else -1 */
    char agent_id[DATADIR_ID_CHARS + 1];    /* UUID, minted at the first start and kept */
};

/* Makes what is missing (0700), takes the lock. A negative errno with e filled; -EBUSY: another
 * instance runs on it. A spool that cannot be opened is told in the log: metrics go on without. */
int datadir_open(struct datadir *d, const struct config *c, struct err *e) MUST_CHECK;
/* The directory in which the registry is now, for who only looks: nothing is made, no lock is
 * taken. With state volatile that is path.volatile if a registry is there, else path.data. An fd,
 * or a negative errno with e filled; -ENOENT: there is none. */
int datadir_open_registry(const struct config *c, struct err *e) MUST_CHECK;
/* Releases the lock. A zeroed struct is not open: set the fds to -1 by datadir_init first. */
void datadir_init(struct datadir *d);
void datadir_close(struct datadir *d);

#endif
