#ifndef OS_COMPRESS_H
#define OS_COMPRESS_H

/* gzip of whole request bodies: libdeflate, or for level 1 ISA-L where the build has it and the
 * processor is one it is fast on. One compressor per sender thread. */
#include "base/buf.h"
#include "base/def.h"
#include "base/slice.h"

struct compress;

enum compress_backend { COMPRESS_AUTO, COMPRESS_LIBDEFLATE, COMPRESS_ISAL };

#define COMPRESS_LEVEL_MIN 1 /* fastest */
#define COMPRESS_LEVEL_MAX 9

/* NULL when the build lacks that backend, or the backend that level. AUTO is ISA-L for level 1 on
 * x86-64 and arm64 where built in. */
struct compress *compress_new(enum compress_backend backend, unsigned level);
void compress_free(struct compress **c);
const char *compress_name(const struct compress *c);

/* Replaces out's content by one gzip member of `in` (RFC 1952). 0; -ENOBUFS (longer than out's
 * limit) or -ENOMEM, out is then empty. No allocation once out has the room of the worst case, a
 * little more than in.len. */
int compress_gzip(struct compress *c, struct slice in, struct buf *out) MUST_CHECK;

#endif
