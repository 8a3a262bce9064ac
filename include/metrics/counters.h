#ifndef METRICS_COUNTERS_H
#define METRICS_COUNTERS_H

/* Named numbers of /proc: which of the wanted ones a text has. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "metrics/values.h"

struct counter {
    bool is_set;
    uint64_t n;
};

/* Index of a name among count names, or count. */
size_t counters_index(const char *const *names, size_t count, struct slice name);

/* Reads the next word of the line into the counter, unless it has a number already or the word is
 * none. */
void counters_take(struct counter *c, struct slice *line);

/* Adds, staying below 2^63. */
void counters_add(struct counter *c, uint64_t n);

/* The value of a counter; left out when it is not set. */
struct value counters_value(const struct counter *c);

/* part / whole where both are set and whole is not 0; left out else. */
struct value counters_share(const struct counter *part, const struct counter *whole);

/* struct metric_set.documents of a set in which every sample is one document. */
size_t counters_one_document(const void *state);

#endif
