#ifndef METRICS_CPU_H
#define METRICS_CPU_H

/* Set cpu: where the processors' time went between two samples of /proc/stat. */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/json_write.h"
#include "base/slice.h"
#include "metrics/set.h"

/* In the order of the columns. The two guest columns are left out: user and nice contain them. */
enum cpu_state {
    CPU_USER,
    CPU_NICE,
    CPU_SYSTEM,
    CPU_IDLE,
    CPU_IOWAIT,
    CPU_IRQ,
    CPU_SOFTIRQ,
    CPU_STEAL,
    CPU_STATES,
};

struct cpu_sample {
    uint64_t ticks[CPU_STATES]; /* since boot; 0 for a column that an old kernel has not */
    unsigned cores;             /* lines cpu0, cpu1...; 0 when there are none */
};

struct cpu_usage {
    double state[CPU_STATES]; /* fractions of all processors' time; they sum to 1 */
    double total;             /* all but idle and iowait */
    unsigned cores;           /* of the later sample */
};

/* The numbers of one line, behind its name: at least four of them. 0, or -EBADMSG. */
int cpu_take_columns(struct slice line, struct cpu_sample *s) MUST_CHECK;

/* Text of /proc/stat. 0, or -EBADMSG without a whole line "cpu" of at least four numbers. */
int cpu_parse(struct slice stat, struct cpu_sample *ret) MUST_CHECK;

/* False when no time passed or the counters were set back. A single state that runs backwards, as
 * idle and iowait may (proc(5)), counts as 0. */
bool cpu_delta(const struct cpu_sample *prev, const struct cpu_sample *now, struct cpu_usage *ret);

/* host.cpu */
void cpu_write_host(const struct cpu_usage *u, struct json_writer *w);
/* system.cpu */
void cpu_write(const struct cpu_usage *u, struct json_writer *w);

extern const struct metric_set cpu_set;

#endif
