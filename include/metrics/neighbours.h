#ifndef METRICS_NEIGHBOURS_H
#define METRICS_NEIGHBOURS_H

/* Set neighbours: how full the ARP table is, from /proc/net/arp and the kernel's limit. */
#include "base/def.h"
#include "base/slice.h"
#include "metrics/counters.h"
#include "metrics/set.h"

/* In the order of the field names, but for the share. */
enum neighbours_counter {
    NEIGHBOURS_COMPLETE, /* their hardware address is known */
    NEIGHBOURS_COUNT,
    NEIGHBOURS_MAX,
    NEIGHBOURS_COUNTERS,
};

struct neighbours_sample {
    struct counter counters[NEIGHBOURS_COUNTERS];
};

/* Text of /proc/net/arp: a heading, then a row for each neighbour; the third column holds flags,
 * of which 0x2 means complete. 0, or -EBADMSG without a heading. */
int neighbours_parse(struct slice text, struct neighbours_sample *s) MUST_CHECK;

extern const struct metric_set neighbours_set;

#endif
