#ifndef METRICS_CORE_H
#define METRICS_CORE_H

/* Set core: where each processor's time went between two samples of /proc/stat. One document for
 * each processor. */
#include <stddef.h>

#include "base/def.h"
#include "base/slice.h"
#include "metrics/cpu.h"
#include "metrics/set.h"

#define CORE_MAX 4096

struct core_one {
    unsigned id; /* N of the line cpuN; offline processors leave holes */
    struct cpu_sample sample;
};

struct core_sample {
    struct core_one *cores; /* owned; room is kept from sample to sample */
    size_t count, room;
};

/* Text of /proc/stat: its lines cpuN, at most CORE_MAX, in their order. 0, or -EBADMSG without any.
 */
int core_parse(struct slice stat, struct core_sample *s) MUST_CHECK;
/* Frees the room. */
void core_sample_clear(struct core_sample *s);

extern const struct metric_set core_set;

#endif
