#ifndef CONFIG_CLOUD_H
#define CONFIG_CLOUD_H

/* Elastic Cloud's id of a deployment: "name:base64 of host[:port]$elasticsearch$kibana". */
#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"
#include "base/slice.h"

/* Appends the address of the deployment's Elasticsearch, https://host:port. An address of that form
 * and the empty text stay as they are. -EINVAL with why filled: not such an id. */
int cloud_id_normalise(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

#endif
