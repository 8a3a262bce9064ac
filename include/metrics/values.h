#ifndef METRICS_VALUES_H
#define METRICS_VALUES_H

/*
 * A document from its set's field rows and one value for each of them. Sets that need no writer of
 * their own fill values; names, nesting and number formats then come from the rows alone.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_write.h"
#include "base/slice.h"
#include "metrics/fields.h"

/* Rows that a set of this kind has at most. */
#define VALUES_MAX 64

struct value {
    bool is_set; /* false: the member is left out */
    union {
        int64_t whole;     /* FIELD_LONG */
        double real;       /* FIELD_SCALED_FLOAT; finite, its amount below 1e15 */
        bool yes;          /* FIELD_BOOLEAN */
        struct slice text; /* FIELD_KEYWORD, FIELD_IP; borrowed until it is written */
    };
};

/* v at most INT64_MAX; larger ones are left out. */
struct value value_long(uint64_t v);
struct value value_real(double v);
struct value value_boolean(bool v);
struct value value_text(struct slice v);

/* Writes the members that are set: those below an object that is open, whose name is `agent` or
 * `host`. */
void values_write_within(struct json_writer *w, const char *object, const struct field *rows,
                         size_t count, const struct value *v);
/* All others, into the open document. */
void values_write(struct json_writer *w, const struct field *rows, size_t count,
                  const struct value *v);

#endif
