/*
 * output/elasticsearch_ops - the Elasticsearch output as one kind among others
 */
#include "output/output_ops.h"

/* see output/output.h */
static void submit(void *self, struct batch *b)
{
    output_submit(self, b);
}

/* see output/output.h */
static unsigned pending(const void *self)
{
    return output_pending(self);
}

/* see output/output.h */
static const struct output_counters *counters(const void *self)
{
    return output_counters(self);
}

/* see output/output.h */
static int stop(void *self)
{
    return output_stop(self);
}

/* see output/output.h */
static void free_output(void *self)
{
    struct output *o = self;
    output_free(&o);
}

const struct output_ops elasticsearch_ops = {
    .name = "elasticsearch",
    .submit = submit,
    .pending = pending,
    .counters = counters,
    .stop = stop,
    .free = free_output,
};
