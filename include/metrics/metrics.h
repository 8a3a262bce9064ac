#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

/*
 * The scheduler of the host metrics: reads /proc once a period for each set, turns the samples into
 * documents and gives them to the feed.
 *
 * Periods follow the wall clock (a period of 10 s samples at :00, :10, ...) plus a small jitter
 * that is fixed for the process, so that a fleet does not send in one instant. Rates are taken over
 * monotonic time. After a suspend or a stall there is one sample, not a burst. The first sample of
 * a rate gives no document. A set whose file is missing is switched off with one message. A sample
 * that takes its time (what mounts say) holds nobody up but its own set.
 *
 * While the feed has no free batch, documents wait in a bounded queue; when it is full the oldest
 * go and are counted in the ledger (ABANDON_QUEUE). With a spool they wait on disk
 * (metrics/spooler.h).
 *
 * The ledger counts document bytes as source bytes and documents as source lines; a span's range is
 * [first sequence number, last + 1). Steady state allocates no memory.
 */
#include <stdint.h>

#include "base/log.h"
#include "bulk/encode.h"
#include "bulk/feed.h"
#include "bulk/ledger.h"
#include "bulk/target.h"
#include "config/config.h"
#include "os/loop.h"
#include "os/procfs.h"
#include "os/sysinfo.h"

struct metrics;

/* Everything is borrowed and outlives the metrics. */
struct metrics_opts {
    struct procfs *procfs;
    const char *hostfs; /* where the root directory of the host is: "" or "/hostfs" */
    const struct sysinfo *host;
    const struct encode_agent *agent;
    const char *namespace;
    const struct config_metrics *config; /* periods are at least 1 ms */
    /* Profile isp: documents of one value each (metrics/isp.h), to indices of a day. NULL: none of
     * that, data streams. */
    const struct target *isp_index;
    /* What an operator should read: a set switched off, documents dropped (at most once a minute).
     * May be NULL. */
    void (*message)(void *ctx, enum log_level level, const char *text);
    void *ctx;
    struct spool *spool;   /* NULL = none */
    struct writer *writer; /* for the spool */
};

/* Mints the generation of the ids. Nothing is read before metrics_start. The feed takes items of
 * 64 KiB. */
struct metrics *metrics_new(struct loop *loop, const struct metrics_opts *opts, struct feed *feed,
                            struct ledger *ledger);
/* The first samples are taken from the loop at once, the following ones at each period. */
void metrics_start(struct metrics *m);
/* The feed has a free batch again: what waits in the queue flows on. */
void metrics_resume(struct metrics *m);
/* No more samples. What waits and cannot be given to the feed now goes into the spool; without one
 * it is counted as abandoned (ABANDON_SHUTDOWN). */
void metrics_stop(struct metrics *m);
/* After metrics_stop, when no batch comes back any more and before writer_free: what is not
 * acknowledged goes into the spool, if there is one. */
void metrics_end(struct metrics *m);
/* Every span must be resolved, or its batch freed unsent; implies metrics_stop. With a
 * spool after writer_free. NULL is allowed. */
void metrics_free(struct metrics **m);

#endif
