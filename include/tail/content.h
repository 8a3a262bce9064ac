#ifndef TAIL_CONTENT_H
#define TAIL_CONTENT_H

/*
 * The bytes of a log file, by offset: what identity, reading and the limits look at instead of a
 * file descriptor. Of a compressed file they are the unpacked ones.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/def.h"
#include "os/fs.h"
#include "tail/content_end.h"

struct unpacked;

struct content {
    int fd;                    /* owned, of reach.h; -1 = closed */
    bool failed;               /* a read has failed, other than with -EAGAIN, since it was opened */
    struct unpacked *unpacked; /* owned; NULL = the bytes are those of the file */
};

/* Takes an open file. */
void content_open(struct content *c, int fd);
/* Closes it; one that is closed already stays so. */
void content_close(struct content *c);
/* Closes it until content_reopen gives it the same file again. */
void content_shut(struct content *c);
void content_reopen(struct content *c, int fd);
/* When its first bytes are those of a compressed file its content is the unpacked one from now on.
 * open: borrowed; counts the streams that are open. */
void content_unpack(struct content *c, unsigned *open);
bool content_is_packed(const struct content *c);

/* Reads whole: fewer than n bytes only at the end. Negative errno; of compressed content also
 * -EAGAIN: the offset is far, ask again. -EBUSY: its mount does not answer, or too many streams are
 * open, ask again later. */
ssize_t content_read_at(struct content *c, void *p, size_t n, uint64_t at) MUST_CHECK;
/* Known once a read was short. */
enum content_end content_end(const struct content *c);
/* What is compressed and open-ended will not be gone on with. */
void content_give_up(struct content *c);
/* Bytes of a compressed file that were of no use. */
uint64_t content_useless(const struct content *c);
/* Nothing is read for now: gives memory back. */
void content_rest(struct content *c);

/* What the file is now; its size is that on disk. */
int content_identify(struct content *c, struct fs_identity *ret) MUST_CHECK;

/* Whether a size on disk tells that there may be other bytes than the first `seen`. */
bool content_differs(const struct content *c, uint64_t disk_size, uint64_t seen);
/* The same, asked of the file. False when it cannot be known. */
bool content_has_changed(struct content *c, uint64_t seen);
/* Whether it is known to be shorter than that now. */
bool content_is_cut(struct content *c, uint64_t seen);

#endif
