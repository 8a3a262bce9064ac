#ifndef METRICS_PROCESS_SUMMARY_H
#define METRICS_PROCESS_SUMMARY_H

/* Set process_summary: processes by state, from /proc/PID/stat (proc(5)), and the threads that run
 * or wait for a disk, from /proc/stat. */
#include "base/def.h"
#include "base/slice.h"
#include "metrics/counters.h"
#include "metrics/set.h"

/* In the order of the field names, but for the threads and the total. */
enum process_state {
    PROCESS_DEAD,
    PROCESS_DISK_SLEEP,
    PROCESS_IDLE,
    PROCESS_RUNNING,
    PROCESS_SLEEPING,
    PROCESS_STOPPED,
    PROCESS_UNKNOWN,
    PROCESS_ZOMBIE,
    PROCESS_STATES,
};

struct process_summary_sample {
    uint64_t count[PROCESS_STATES];
    struct counter threads_blocked;
    struct counter threads_running;
};

/* Text of /proc/PID/stat. The name may hold blanks and brackets: the state stands behind the last
 * one. PROCESS_UNKNOWN for what is not understood. */
enum process_state process_summary_state(struct slice stat);

/* Text of /proc/stat: procs_blocked and procs_running. */
void process_summary_threads(struct slice stat, struct process_summary_sample *s);

extern const struct metric_set process_summary_set;

#endif
