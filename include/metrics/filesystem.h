#ifndef METRICS_FILESYSTEM_H
#define METRICS_FILESYSTEM_H

/*
 * Sets filesystem (how full each filesystem is) and fsstat (their sums): which ones there are from
 * mountinfo of the first process, whose mounts are the host's whatever this process was given, or
 * our own where that cannot be read; their sizes from os/fsprobe.h. A mount that does not answer
 * is left out until it does.
 */
#include <stdbool.h>
#include <stdint.h>

#include "metrics/set.h"
#include "metrics/volumes.h"

/* Bytes and inodes; never above INT64_MAX, parts never larger than the whole. */
struct filesystem_usage {
    uint64_t total, free, available, used;
    uint64_t files, free_files; /* files is 0 where there is no limit */
};

/* free: for root; available: for others; used = total - free. False when it has no size. */
bool filesystem_usage(const struct fsprobe_answer *a, struct filesystem_usage *ret);

/* used / (used + available), as df; false when both are 0 */
bool filesystem_used_share(const struct filesystem_usage *u, double *ret);

/* The state of both sets: after a sample, usage[i] is that of volumes.all[i]. */
struct filesystem_sample {
    struct volumes volumes;
    struct fsprobe_item *items; /* owned, as many as mounts have room */
    size_t room;
    struct filesystem_usage *usage; /* owned */
    struct fsprobe_batch batch;
    bool is_ready; /* buffers have their limits */
    void (*done)(void *ctx, int result);
    void *done_ctx;
};

extern const struct metric_set filesystem_set;
extern const struct metric_set fsstat_set;

#endif
