#ifndef OUTPUT_OUTPUT_OPS_H
#define OUTPUT_OUTPUT_OPS_H

/*
 * What every kind of output can do; the contract of each is that of its namesake in
 * output/output.h. `self` is what the kind's own function made.
 */
#include "base/def.h"
#include "bulk/batch.h"
#include "output/output.h"

struct output_ops {
    const char *name; /* the option is output.NAME */
    void (*submit)(void *self, struct batch *b);
    unsigned (*pending)(const void *self); /* NULL: batches that are not back, no more */
    const struct output_counters *(*counters)(const void *self);
    int (*stop)(void *self);
    void (*free)(void *self);
};

/* self: struct output */
extern const struct output_ops elasticsearch_ops;
/* self: struct stream; for files and the console */
extern const struct output_ops stream_ops;
/* self: struct discard */
extern const struct output_ops discard_ops;

#endif
