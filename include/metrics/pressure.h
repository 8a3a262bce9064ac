#ifndef METRICS_PRESSURE_H
#define METRICS_PRESSURE_H

/*
 * Set pressure: how long tasks waited for processors, memory and input or output, as the kernel's
 * pressure stall information tells it (Documentation/accounting/psi.rst), since Linux 4.20.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"
#include "metrics/set.h"

/* Each in the order of the field names. */
enum pressure_resource { PRESSURE_CPU, PRESSURE_IO, PRESSURE_MEMORY, PRESSURE_RESOURCES };
enum pressure_share { PRESSURE_FULL, PRESSURE_SOME, PRESSURE_SHARES };
enum pressure_window { PRESSURE_10, PRESSURE_300, PRESSURE_60, PRESSURE_WINDOWS };

struct pressure_line {
    bool is_set;                      /* "full" of cpu is told since Linux 5.13 */
    double average[PRESSURE_WINDOWS]; /* fractions of the time */
    uint64_t total_us;                /* since boot */
};

struct pressure_sample {
    struct pressure_line lines[PRESSURE_RESOURCES][PRESSURE_SHARES];
};

/* Text of one file of /proc/pressure; unknown lines and words are passed over. 0, or -EBADMSG
 * without a whole line "some". */
int pressure_parse(struct slice text, struct pressure_line ret[PRESSURE_SHARES]) MUST_CHECK;

extern const struct metric_set pressure_set;

#endif
