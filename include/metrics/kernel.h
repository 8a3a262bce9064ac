#ifndef METRICS_KERNEL_H
#define METRICS_KERNEL_H

/* Set kernel: context switches, interrupts, forks (/proc/stat), open files (sys/fs/file-nr) and
 * entropy (sys/kernel/random). */
#include "base/def.h"
#include "base/slice.h"
#include "metrics/counters.h"
#include "metrics/set.h"

/* In the order of the field names, but for the two shares. */
enum kernel_counter {
    KERNEL_ENTROPY,      /* bits available */
    KERNEL_ENTROPY_POOL, /* bits of the pool; no field of its own */
    KERNEL_SWITCHES,
    KERNEL_FILES,
    KERNEL_FILES_MAX,
    KERNEL_FORKS,
    KERNEL_INTERRUPTS,
    KERNEL_SOFTIRQS,
    KERNEL_COUNTERS,
};

struct kernel_sample {
    struct counter counters[KERNEL_COUNTERS];
};

/* Text of /proc/stat; sets switches, forks, interrupts and softirqs. 0, or -EBADMSG without the
 * first. */
int kernel_parse_stat(struct slice text, struct kernel_sample *s) MUST_CHECK;
/* Text of /proc/sys/fs/file-nr: allocated, unused (always 0), limit. Nothing is set when it is
 * another. */
void kernel_parse_files(struct slice text, struct kernel_sample *s);

extern const struct metric_set kernel_set;

#endif
