#ifndef METRICS_SETS_H
#define METRICS_SETS_H

/* The one place where metric sets are listed. */
#include <stddef.h>

#include "metrics/set.h"

/* All sets, static, in the order of their bits. */
const struct metric_set *const *sets_table(size_t *ret_count);

#endif
