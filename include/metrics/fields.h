#ifndef METRICS_FIELDS_H
#define METRICS_FIELDS_H

/*
 * Every field that metric documents have: the source of the mapping, of the documentation and of
 * the test that compares it with what the sets emit.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum field_type { FIELD_DATE, FIELD_KEYWORD, FIELD_LONG, FIELD_SCALED_FLOAT };

/* Elasticsearch's meta.unit; FIELD_PERCENT means a fraction of 1. */
enum field_unit { FIELD_NO_UNIT, FIELD_PERCENT, FIELD_BYTE, FIELD_MS, FIELD_NANOS };

enum field_kind { FIELD_NO_METRIC, FIELD_GAUGE, FIELD_COUNTER };

struct field {
    const char *name; /* dotted path */
    unsigned sets;    /* enum config_metric_set: whose documents have it */
    enum field_type type;
    unsigned scale; /* of a scaled_float, else 0 */
    enum field_unit unit;
    enum field_kind kind;
    bool optional; /* left out where the host does not tell it */
    const char *description;
};

/* All of them, static, sorted by name. */
const struct field *field_table(size_t *ret_count);
/* NULL when there is none of that name. */
const struct field *field_find(struct slice name);

/* Elasticsearch's names: "scaled_float"; "" for FIELD_NO_UNIT and FIELD_NO_METRIC. */
const char *field_type_name(enum field_type t);
const char *field_unit_name(enum field_unit u);
const char *field_kind_name(enum field_kind k);

#endif
