#ifndef TAIL_UNPACKED_H
#define TAIL_UNPACKED_H

/*
 * The unpacked bytes of a compressed file, by offset. Reading goes forward; what the latest read
 * gave is kept, so that the next may begin anywhere in it; farther back it begins anew.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/def.h"
#include "os/inflate.h"
#include "tail/content_end.h"

/* Bytes unpacked, or taken, by one call beyond those that were asked for. */
#define UNPACKED_SLICE ((size_t)256 * 1024)
/* Streams that are open at a time: each may hold a window of INFLATE_WINDOW_MAX. */
#define UNPACKED_OPEN_MAX 4

struct unpacked;

/* open: borrowed; counts the streams that are open. */
struct unpacked *unpacked_new(enum inflate_kind kind, unsigned *open);
void unpacked_free(struct unpacked **u);

/* Fewer than n bytes only at the end of what can be unpacked now. -EAGAIN: the slice was used up on
 * the way to `at`; -EBUSY: too many streams are open. */
ssize_t unpacked_read_at(struct unpacked *u, int fd, void *p, size_t n, uint64_t at) MUST_CHECK;

/* How it ends; known once a read was short. */
enum content_end unpacked_end(const struct unpacked *u);
/* An unfinished stream will not be finished. */
void unpacked_give_up(struct unpacked *u);
/* Size of the file when its end was met last. */
uint64_t unpacked_size_seen(const struct unpacked *u);
/* Compressed bytes that were of no use. */
uint64_t unpacked_useless(const struct unpacked *u);

/* Gives the stream up until the next read. */
void unpacked_rest(struct unpacked *u);

#endif
