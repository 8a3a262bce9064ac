#ifndef METRICS_ISP_H
#define METRICS_ISP_H

/*
 * Metric documents of the profile isp: one for each value, made of the document of a set. A table
 * says which field gives which metric_type, in which unit, and what its tags are; the fields of the
 * documents are those of isp_metric_fields (bulk/fields.h). Sets that are not in it give none.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

/* A value, by its set and field. */
struct isp_metric {
    const char *set, *field;
    const char *type;      /* metric_type */
    const char *unit;      /* percent: the field is a fraction of 1 */
    const char *name;      /* tags.name, or NULL */
    const char *direction; /* tags.direction, or NULL */
    const char *of[2];     /* fields whose last part is the name of a tag; or NULL */
};

const struct isp_metric *isp_metrics(size_t *ret_count);

/* Whether a set gives any. */
bool isp_has_set(const char *set);

typedef void (*isp_emit_fn)(void *ctx, struct slice document);

/* Calls emit for each value in a document of a set; out is used for the texts and has room for one
 * (4 KiB). What is not understood gives nothing. */
void isp_write(const char *set, struct slice document, const char *host_name, struct buf *out,
               isp_emit_fn emit, void *ctx);

#endif
