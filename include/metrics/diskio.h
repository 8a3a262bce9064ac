#ifndef METRICS_DISKIO_H
#define METRICS_DISKIO_H

/*
 * Set diskio: the counters of each disk and what the host read and wrote since the last sample,
 * from /proc/diskstats (Documentation/admin-guide/iostats.rst). Partitions have no documents; disks
 * that are made of others (dm, md, loop, ram, zram) have, but are no part of the host's sums: their
 * bytes are in the others' already, or on no disk.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"
#include "metrics/set.h"

#define DISKIO_NAME_BYTES 32 /* DISK_NAME_LEN: with the NUL */
#define DISKIO_DISKS_MAX  1024

struct diskio_counters {
    uint64_t count, bytes;
    uint32_t ms; /* wraps at 2^32 */
};

struct diskio_disk {
    char name[DISKIO_NAME_BYTES];
    struct diskio_counters read, write;
    uint64_t in_flight;
    uint32_t busy_ms;     /* wraps at 2^32, as the next */
    uint32_t weighted_ms; /* time of all requests together */
    bool is_whole;        /* no partition */
};

struct diskio_sample {
    struct diskio_disk *disks; /* owned; room is kept from sample to sample */
    size_t count;
    size_t room;
    int64_t mono_ns;
};

/* What a disk did between two samples. */
struct diskio_rates {
    double await_ms;   /* of one request */
    double busy;       /* fraction of the time, at most 1 */
    double queue_size; /* requests that waited, on average */
};

/* Text of /proc/diskstats, in its order, at most DISKIO_DISKS_MAX; is_whole is guessed from the
 * name. Rows that no kernel writes are passed over. 0, or -EBADMSG without a row. */
int diskio_parse(struct slice text, struct diskio_sample *s) MUST_CHECK;

/* Whether a name is that of a partition, as far as can be told without /sys: sda1, nvme0n1p2. */
bool diskio_is_partition(struct slice name);
/* Whether a disk's bytes count for the host. */
bool diskio_is_physical(const struct diskio_disk *d);

/* False when the disk is another one or was set back, or no time passed. */
bool diskio_rate(const struct diskio_disk *prev, const struct diskio_disk *now, int64_t ns,
                 struct diskio_rates *ret);

/* Frees the room. */
void diskio_sample_clear(struct diskio_sample *s);

extern const struct metric_set diskio_set;

#endif
