#ifndef METRICS_COLUMN_H
#define METRICS_COLUMN_H

/* What the tables of /proc are made of: whole lines, and numbers between blanks. */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"

/* Cuts the next whole line off *text, without its newline. False when no newline is left: a last
 * line without one was cut off, and its last number with it. */
bool column_line(struct slice *text, struct slice *ret_line);

/* Cuts the next word off *line and reads it as a number that fits Elasticsearch's type long.
 * 0, -ENODATA (no word left), -EINVAL (no number), -ERANGE. */
int column_number(struct slice *line, uint64_t *ret) MUST_CHECK;

#endif
