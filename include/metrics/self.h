#ifndef METRICS_SELF_H
#define METRICS_SELF_H

/* Set self: what this agent's own process costs, from getrusage(2) and /proc/self. */
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "metrics/counters.h"
#include "metrics/set.h"

struct self_sample {
    int64_t cpu_ns; /* user and system, since the start */
    int64_t mono_ns;
    struct counter resident_kib, anonymous_kib, threads;
    uint64_t open_files;
};

/* Text of /proc/self/status: VmRSS, RssAnon, Threads. What is missing stays unset. */
void self_parse(struct slice status, struct self_sample *s);

/* Processor time between two samples as a fraction of one processor's. False when no time passed.
 */
bool self_cpu(const struct self_sample *prev, const struct self_sample *now, double *ret);

extern const struct metric_set self_set;

#endif
