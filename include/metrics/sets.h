#ifndef METRICS_SETS_H
#define METRICS_SETS_H

/* The one place where metric sets are listed. */
#include <stddef.h>

#include "metrics/envelope.h"
#include "metrics/set.h"

/* All sets, static, in the order of enum config_set. */
const struct metric_set *const *sets_table(size_t *ret_count);

/* Ends a document of a set that envelope_open began: what the set adds to `agent` and to `host`,
 * and its other members. */
void sets_write(const struct metric_set *set, const void *state, size_t i, const struct envelope *e,
                struct json_writer *w);

#endif
