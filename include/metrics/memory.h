#ifndef METRICS_MEMORY_H
#define METRICS_MEMORY_H

/* Set memory: main memory and swap of /proc/meminfo, in bytes. */
#include <stdint.h>

#include "base/def.h"
#include "base/json_write.h"
#include "base/slice.h"
#include "metrics/set.h"

struct memory_sample {
    uint64_t total;
    uint64_t free;        /* at most total, as the other two */
    uint64_t cached;      /* page cache */
    uint64_t actual_free; /* what programs can get without swapping: MemAvailable; before Linux
                             3.14 free + buffers + cached */
    uint64_t swap_total;  /* 0 without swap */
    uint64_t swap_free;   /* at most swap_total */
    uint64_t dirty;       /* waits to be written */
    uint64_t writeback;   /* is being written */
    uint64_t slab;
    uint64_t slab_reclaimable; /* at most slab */
    uint64_t hugepages_total;  /* of the default size */
    uint64_t hugepages_free;   /* at most hugepages_total */
};

/* Text of /proc/meminfo. 0, or -EBADMSG without MemTotal or MemFree. */
int memory_parse(struct slice meminfo, struct memory_sample *ret) MUST_CHECK;

/* system.memory */
void memory_write(const struct memory_sample *s, struct json_writer *w);

extern const struct metric_set memory_set;

#endif
