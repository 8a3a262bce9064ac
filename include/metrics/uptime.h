#ifndef METRICS_UPTIME_H
#define METRICS_UPTIME_H

/* Set uptime: how long the host has been up, from /proc/uptime. */
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"
#include "metrics/set.h"

struct uptime_sample {
    uint64_t ms;
};

/* Text of /proc/uptime. 0, or -EBADMSG. */
int uptime_parse(struct slice text, struct uptime_sample *ret) MUST_CHECK;

extern const struct metric_set uptime_set;

#endif
