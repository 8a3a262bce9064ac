#ifndef METRICS_CONNTRACK_H
#define METRICS_CONNTRACK_H

/*
 * Set conntrack: how full the table of tracked connections is (sys/net/netfilter), and what was
 * dropped for it (net/stat/nf_conntrack, where the kernel has it).
 */
#include "base/def.h"
#include "base/slice.h"
#include "metrics/counters.h"
#include "metrics/set.h"

/* In the order of the field names, but for the share. */
enum conntrack_counter {
    CONNTRACK_DROP,
    CONNTRACK_EARLY_DROP,
    CONNTRACK_ENTRIES,
    CONNTRACK_FOUND,
    CONNTRACK_IGNORE,
    CONNTRACK_INSERT_FAILED,
    CONNTRACK_INVALID,
    CONNTRACK_MAX,
    CONNTRACK_SEARCH_RESTART,
    CONNTRACK_COUNTERS,
};

struct conntrack_sample {
    struct counter counters[CONNTRACK_COUNTERS];
};

/*
 * Text of /proc/net/stat/nf_conntrack: a heading, then a row of hexadecimal numbers for each
 * processor; columns are found by their names. Rows are summed, but for `entries`, which each row
 * repeats: it is not taken from here. Nothing is set when the text is another.
 */
void conntrack_parse_stat(struct slice text, struct conntrack_sample *s);

extern const struct metric_set conntrack_set;

#endif
