#ifndef OS_ZSTD_H
#define OS_ZSTD_H

/* Zstandard (RFC 8878) for what is compressed whole: one frame that tells its length. Files that
 * others have compressed are read by os/inflate.h. */
#include <stddef.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/slice.h"

/* Appends `in` as one frame. 0, -ENOBUFS, -ENOMEM; after a failure out is as it was. */
int zstd_pack(struct slice in, struct buf *out) MUST_CHECK;

/* Appends what a frame of zstd_pack holds. 0; -EBADMSG: none, or damaged; -E2BIG: longer than max,
 * nothing is allocated for it; -ENOBUFS, -ENOMEM. After a failure out is as it was. */
int zstd_unpack(struct slice packed, size_t max, struct buf *out) MUST_CHECK;

#endif
