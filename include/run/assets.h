#ifndef RUN_ASSETS_H
#define RUN_ASSETS_H

/* From the configuration and the tables of fields to what assets/assets.h makes. */
#include "assets/assets.h"
#include "base/err.h"
#include "config/config.h"

struct assets_plan;

/* Where the configuration's documents go, with the mappings for it. e: an index cannot be called
 * so. The configuration outlives the plan. */
int assets_plan_new(const struct config *c, struct assets_plan **ret_plan,
                    struct err *e) MUST_CHECK;
/* NULL is allowed. */
void assets_plan_free(struct assets_plan **p);

/* Borrowed from the plan. */
const struct asset_opts *assets_plan_opts(const struct assets_plan *p);

#endif
