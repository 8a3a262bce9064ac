#ifndef OS_INFLATE_H
#define OS_INFLATE_H

/*
 * Files that were compressed by rotation, as a stream: gzip (RFC 1952, any number of members, zeros
 * behind the last) and Zstandard (RFC 8878, any number of frames). Hostile bytes cost no more than
 * the window and what the caller asks for.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/def.h"
#include "base/slice.h"

/* The largest window, in bytes: what a frame may look back on. */
#define INFLATE_WINDOW_MAX ((size_t)8 * 1024 * 1024)
/* Bytes that tell the kind. */
#define INFLATE_MAGIC_BYTES 4

enum inflate_kind { INFLATE_NONE, INFLATE_GZIP, INFLATE_ZSTD };

struct inflate;

/* By a file's first bytes. */
enum inflate_kind inflate_kind_of(struct slice first);

/* NULL: no memory. */
struct inflate *inflate_new(enum inflate_kind kind) MUST_CHECK;
void inflate_free(struct inflate **i);

/* Takes bytes from the front of *in, writes up to n bytes to dst. Returns how many; 0 with *in used
 * up: more is needed, or that was all. -EBADMSG: no such stream; -E2BIG: its window is too large.
 * After a failure every call fails alike. */
ssize_t inflate_some(struct inflate *i, struct slice *in, char *dst, size_t n) MUST_CHECK;

/* Whether what was taken so far may be all: it ends with a member or frame, and there was one. */
bool inflate_is_whole(const struct inflate *i);

#endif
