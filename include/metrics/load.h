#ifndef METRICS_LOAD_H
#define METRICS_LOAD_H

/* Set load: load averages of /proc/loadavg. */
#include "base/def.h"
#include "base/json_write.h"
#include "base/slice.h"
#include "metrics/set.h"

struct load_sample {
    double average[3]; /* over 1, 5 and 15 minutes */
    unsigned cores;    /* left alone by the parser */
};

/* Text of /proc/loadavg. 0, or -EBADMSG. */
int load_parse(struct slice loadavg, struct load_sample *ret) MUST_CHECK;

/* system.load */
void load_write(const struct load_sample *s, struct json_writer *w);

extern const struct metric_set load_set;

#endif
