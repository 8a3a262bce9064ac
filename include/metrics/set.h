#ifndef METRICS_SET_H
#define METRICS_SET_H

/*
 * What a metric set is to the scheduler. A set is one file: a pure parser (bytes -> sample), a
 * delta of two samples where there are rates, writers of its documents, and its row here. Its
 * fields stand in metrics/fields.h.
 */
#include <stddef.h>

#include "base/def.h"
#include "base/json_write.h"
#include "os/procfs.h"
#include "os/sysinfo.h"

/* What a set may read. Borrowed. */
struct set_source {
    struct procfs *procfs;
    const struct sysinfo *host;
};

struct metric_set {
    const char *name; /* "cpu": the dataset is system.cpu */
    unsigned bit;     /* enum config_metric_set */
    const char *path; /* what it reads below /proc: named when the set fails */

    /* The state between two samples: this many zeroed bytes. */
    size_t state_bytes;
    /* Takes a sample. 0; -ENOENT, -ENOTDIR, -EACCES or -EPERM when this host has no such thing;
     * -EBADMSG when the text is not understood; what procfs_read returned. After a failure the
     * state is as it was before. */
    int (*sample)(void *state, const struct set_source *source);
    /* Documents of the last sample; 0 when it was the first of a rate. */
    size_t (*documents)(const void *state);
    /* Members of document i < documents(): those of the object `host`, and those at the top. */
    void (*write_host)(const void *state, size_t i, struct json_writer *w); /* NULL: none */
    void (*write)(const void *state, size_t i, struct json_writer *w);
    /* Frees what the state owns, not the state. NULL: nothing. */
    void (*clear)(void *state);
};

#endif
