#ifndef RUN_INDEX_H
#define RUN_INDEX_H

/* The names of the indices that documents go to, where those are no data streams: option index, and
 * the profile isp. */
#include "base/err.h"
#include "bulk/target.h"
#include "config/config.h"

/* Whether documents of log files go to indices instead of data streams; the same for metrics. */
bool index_is_used(const struct config *c);
bool index_is_used_for_metrics(const struct config *c);

/* The names for an input, whose constant fields the pattern may use: data_stream.type, .dataset and
 * .namespace, event.dataset, host.name, agent.name, .type and .version, input.type, fields.*. 0, or
 * -EINVAL with e filled. */
int index_of_input(const struct config *c, const struct config_input *in, const char *host_name,
                   struct target **ret_target, struct err *e) MUST_CHECK;

/* The names for metrics, always dated. 0, or -EINVAL with e filled. */
int index_of_metrics(const struct config *c, struct target **ret_target, struct err *e) MUST_CHECK;

/* Name of this host, as that of the documents; returned to caller. */
char *index_host_name(const struct config *c);

/* Checks them for all inputs and for metrics, on this host. */
int index_check(const struct config *c, struct err *e) MUST_CHECK;

#endif
