#ifndef METRICS_TIME_H
#define METRICS_TIME_H

/* Set time: whether the clock is held by a time server, and how far it may be off, from
 * adjtimex(2). */
#include <stdint.h>
#include <sys/timex.h>

#include "metrics/set.h"

struct time_sample {
    struct timex timex;
};

/* Offset of the clock in microseconds; the kernel's unit is another one with STA_NANO. */
double time_offset_us(const struct timex *t);

extern const struct metric_set time_set;

#endif
