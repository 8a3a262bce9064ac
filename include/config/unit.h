#ifndef CONFIG_UNIT_H
#define CONFIG_UNIT_H

/* Sizes and durations as people write them, in the form that base/num.h reads back. */
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"

/* The largest unit that divides: "64KiB", "1000", "0". */
int unit_write_bytes(uint64_t bytes, struct buf *out) MUST_CHECK;

/* A sum of units: "1m30s", "36h", "7d", "0". ms >= 0. */
int unit_write_duration(int64_t ms, struct buf *out) MUST_CHECK;

#endif
