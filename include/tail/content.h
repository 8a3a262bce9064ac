#ifndef TAIL_CONTENT_H
#define TAIL_CONTENT_H

/*
 * The bytes of a log file, by offset: what identity, reading and the limits look at instead of a
 * file descriptor.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/def.h"
#include "os/fs.h"

struct content {
    int fd; /* owned; -1 = closed */
};

/* Takes an open file. */
void content_open(struct content *c, int fd);
/* Closes it; one that is closed already stays so. */
void content_close(struct content *c);

/* Reads whole: fewer than n bytes only at the end. Negative errno. */
ssize_t content_read_at(struct content *c, void *p, size_t n, uint64_t at) MUST_CHECK;

/* What the file is now; its size is that on disk. */
int content_identify(struct content *c, struct fs_identity *ret) MUST_CHECK;

/* Whether there may be other bytes than the first `seen`. False when it cannot be known. */
bool content_has_changed(struct content *c, uint64_t seen);
/* Whether it is known to be shorter than that now. */
bool content_is_cut(struct content *c, uint64_t seen);

#endif
