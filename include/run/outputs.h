#ifndef RUN_OUTPUTS_H
#define RUN_OUTPUTS_H

/* The kinds of output, one of which is active. */
#include "base/buf.h"
#include "config/config.h"
#include "output/output_ops.h"

/* The active output. */
struct outputs {
    const struct output_ops *ops;
    void *self;
    struct output_opts elasticsearch; /* borrowed by that output */
};

/* Makes the configured output. hooks as in output/output.h; writer: for dead letters. 0, or a
 * negative errno with e filled. */
int outputs_open(struct outputs *o, struct loop *loop, const struct config *c,
                 const struct output_hooks *hooks, struct writer *writer, struct err *e) MUST_CHECK;
/* The same as ops->free, after ops->stop; nothing where none was made. */
void outputs_close(struct outputs *o);

/* `wherry test output` where it is not Elasticsearch: appends a line for people. 0, or a negative
 * errno. */
int outputs_test(const struct config *c, struct buf *report) MUST_CHECK;

#endif
