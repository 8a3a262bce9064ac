#ifndef METRICS_CPUFREQ_H
#define METRICS_CPUFREQ_H

/* Set cpufreq: clock rates of the processors and how often heat slowed them down, from
 * /sys/devices/system/cpu/cpuN. */
#include <stdint.h>

#include "metrics/counters.h"
#include "metrics/set.h"

struct cpufreq_sample {
    uint64_t cores; /* with a clock rate */
    uint64_t min_hz, max_hz, sum_hz;
    struct counter core_throttles, package_throttles;
};

extern const struct metric_set cpufreq_set;

#endif
