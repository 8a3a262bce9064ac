#ifndef METRICS_ENVELOPE_H
#define METRICS_ENVELOPE_H

/*
 * What every document of a set begins with: time, data stream, event, metricset, service, agent,
 * ECS version, host. What is constant for the process is built once.
 */
#include <stdint.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "bulk/encode.h"
#include "metrics/fields.h"
#include "os/sysinfo.h"

struct envelope;

/* Borrowed until envelope_new returns, but for host_members. */
struct envelope_opts {
    const struct sysinfo *host;
    const struct encode_agent *agent;
    const char *namespace;
    const char *set; /* "cpu" */
    int64_t period_ms;
    /* Members of `host` as JSON text that may change between two documents; may be empty or NULL.
     * Borrowed as long as the envelope lives. */
    const struct buf *host_members;
};

struct envelope *envelope_new(const struct envelope_opts *opts);
void envelope_free(struct envelope **e);

/* Its fields: every document has them, but for the optional ones. */
const struct field *envelope_fields(size_t *ret_count);

/* Opens the document and writes all of it but the set's own members and the object `host`. The
 * object `agent` is left open: the caller may add to it.
 * wall_ns: of the sample; duration_ns: what it took. */
void envelope_open(const struct envelope *e, struct json_writer *w, int64_t wall_ns,
                   uint64_t duration_ns);

/* Ends `agent` and leaves `host` open: the caller adds to it, ends it, adds members at the top and
 * ends the document. */
void envelope_host(const struct envelope *e, struct json_writer *w);

#endif
