#ifndef RUN_ASSEMBLE_H
#define RUN_ASSEMBLE_H

/* From the configuration's fields to the options of each room. */
#include "base/err.h"
#include "bulk/encode.h"
#include "config/config.h"
#include "output/output.h"
#include "run/ledgers.h"
#include "tail/tail.h"

/* The inputs of a configuration as the tail takes them. */
struct assembled {
    struct tail_input *inputs;
    char **targets;          /* where they go today */
    struct target **indices; /* NULL where that is not dated */
    char ***excludes;        /* of each input, with our own output */
    char *own_files;         /* NULL = there are none */
    size_t count;
    unsigned target_count; /* different ones */
};

/* Strings of the result borrow from c, the ledgers are those of `ledgers`. wall_ns: now. 0, or
 * -EINVAL with e filled: an index cannot be called so. Clear it after a failure as well. */
int assemble_inputs(struct assembled *a, const struct config *c, struct ledgers *ledgers,
                    const char *host_name, int64_t wall_ns, struct err *e) MUST_CHECK;
void assemble_clear(struct assembled *a);

/* Strings of the result borrow from c; assemble_output_clear frees what is its own, once nothing
 * uses the options any more. */
void assemble_output(struct output_opts *o, const struct config *c);
void assemble_output_clear(struct output_opts *o);

/* Name of the data stream of a dataset, returned to caller. */
char *assemble_target(const char *type, const char *dataset, const char *namespace);

#endif
