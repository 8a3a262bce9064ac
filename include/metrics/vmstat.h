#ifndef METRICS_VMSTAT_H
#define METRICS_VMSTAT_H

/* Set vmstat: paging, swapping and the OOM killer, from /proc/vmstat. */
#include "base/def.h"
#include "base/slice.h"
#include "metrics/counters.h"
#include "metrics/set.h"

/* In the order of the field names. */
enum vmstat_counter {
    VMSTAT_ALLOCSTALL, /* the sum over the memory zones */
    VMSTAT_OOM_KILL,   /* since Linux 4.13 */
    VMSTAT_PGFAULT,
    VMSTAT_PGMAJFAULT,
    VMSTAT_PGPGIN,
    VMSTAT_PGPGOUT,
    VMSTAT_PSWPIN,
    VMSTAT_PSWPOUT,
    VMSTAT_COUNTERS,
};

struct vmstat_sample {
    struct counter counters[VMSTAT_COUNTERS];
};

/* Text of /proc/vmstat. 0, or -EBADMSG when none of the counters is in it. */
int vmstat_parse(struct slice text, struct vmstat_sample *ret) MUST_CHECK;

extern const struct metric_set vmstat_set;

#endif
