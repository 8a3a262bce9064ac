#ifndef METRICS_SOFTNET_H
#define METRICS_SOFTNET_H

/* Set softnet: packets that the kernel took from network cards, and could not, from
 * /proc/net/softnet_stat (net/core/net-procfs.c). Sums over the processors. */
#include "base/def.h"
#include "base/slice.h"
#include "metrics/counters.h"
#include "metrics/set.h"

/* In the order of the field names. */
enum softnet_counter {
    SOFTNET_BACKLOG, /* since Linux 5.10 */
    SOFTNET_DROPPED,
    SOFTNET_FLOW_LIMIT, /* since Linux 3.11 */
    SOFTNET_PROCESSED,
    SOFTNET_RECEIVED_RPS,
    SOFTNET_TIME_SQUEEZE,
    SOFTNET_COUNTERS,
};

struct softnet_sample {
    struct counter counters[SOFTNET_COUNTERS];
};

/* 0, or -EBADMSG without a whole row of three hexadecimal numbers. */
int softnet_parse(struct slice text, struct softnet_sample *ret) MUST_CHECK;

extern const struct metric_set softnet_set;

#endif
