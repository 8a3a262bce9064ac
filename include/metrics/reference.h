#ifndef METRICS_REFERENCE_H
#define METRICS_REFERENCE_H

/* The reference page of metric sets and their fields, from their own tables. */
#include "base/buf.h"
#include "base/def.h"

/* Appends the page as Markdown. 0, -ENOBUFS, -ENOMEM. */
int reference_write(struct buf *out) MUST_CHECK;

#endif
