#ifndef METRICS_SET_H
#define METRICS_SET_H

/*
 * What a metric set is to the scheduler. A set is one file: a pure parser (bytes -> sample), a
 * delta of two samples where there are rates, its fields, what writes its documents, and its row in
 * metrics/sets.c.
 */
#include <stddef.h>

#include "base/def.h"
#include "base/json_write.h"
#include "config/config.h"
#include "metrics/fields.h"
#include "metrics/values.h"
#include "os/fsprobe.h"
#include "os/procfs.h"
#include "os/sysinfo.h"

/* What a set may read. What is pointed at outlives the set's state, the struct does not. */
struct set_source {
    struct procfs *procfs;
    const struct sysinfo *host;
    int64_t mono_ns;       /* when the sample is taken */
    struct fsprobe *probe; /* forgets what it was asked before the state is cleared */
    /* For a sample that comes later: its result, once. */
    void (*done)(void *ctx, int result);
    void *done_ctx;
};

struct metric_set {
    const char *name; /* "cpu": the dataset is system.cpu */
    enum config_set which;
    enum procfs_root root;      /* with path: what it reads, named when the set fails */
    const char *path;           /* NULL: no file, but a call of the kernel */
    const struct field *fields; /* beside the envelope's; sorted by name */
    size_t field_count;

    /* The state between two samples: this many zeroed bytes. */
    size_t state_bytes;
    /* Takes a sample. 0; -ENOENT, -ENOTDIR, -EACCES or -EPERM when this host has no such thing;
     * -EBADMSG when the text is not understood; what procfs_read returned. After a failure the
     * state is as it was before. -EINPROGRESS: source->done is called when the sample is there or
     * failed, and no other sample is taken before. */
    int (*sample)(void *state, const struct set_source *source);
    /* Documents of the last sample; 0 when it was the first of a rate. */
    size_t (*documents)(const void *state);
    /* The values of document i < documents(), one for each field; v is zeroed, texts are borrowed
     * from the state. NULL where the set has writers of its own: */
    void (*values)(const void *state, size_t i, struct value *v);
    /* Members of document i < documents(): those of the object `host`, and those at the top. */
    void (*write_host)(const void *state, size_t i, struct json_writer *w); /* NULL: none */
    void (*write)(const void *state, size_t i, struct json_writer *w);
    /* Frees what the state owns, not the state. NULL: nothing. */
    void (*clear)(void *state);
};

#endif
