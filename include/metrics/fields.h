#ifndef METRICS_FIELDS_H
#define METRICS_FIELDS_H

/*
 * The fields that metric documents have. A set has its rows in its own file (metrics/set.h), the
 * fields of every document stand in metrics/envelope.h; together they are the one table that the
 * mapping, the documentation and the tests come from. Rows are sorted by name in byte order.
 *
 * Types and units are Metricbeat's where it has the field. A scaled_float holds two or three
 * decimals, the documents have four.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "bulk/fields.h"

/* Elasticsearch's meta.unit; FIELD_PERCENT means a fraction of 1. */
enum field_unit {
    FIELD_NO_UNIT,
    FIELD_PERCENT,
    FIELD_BYTE,
    FIELD_MS,
    FIELD_MICROS,
    FIELD_NANOS,
};

enum field_kind { FIELD_NO_METRIC, FIELD_GAUGE, FIELD_COUNTER };

struct field {
    const char *name; /* dotted path */
    enum field_type type;
    unsigned scale; /* of a scaled_float, else 0 */
    enum field_unit unit;
    enum field_kind kind;
    bool optional; /* left out where the host does not tell it */
    const char *description;
};

/* Short forms of rows. */
#define FIELD_ROW_KEYWORD(name, optional, text)                                                    \
    {                                                                                              \
        name, FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, optional, text                     \
    }
#define FIELD_ROW_LONG(name, unit, kind, optional, text)                                           \
    {                                                                                              \
        name, FIELD_LONG, 0, unit, kind, optional, text                                            \
    }
#define FIELD_ROW_PCT(name, optional, text)                                                        \
    {                                                                                              \
        name, FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, optional, text                 \
    }
#define FIELD_ROW_REAL(name, scale, unit, optional, text)                                          \
    {                                                                                              \
        name, FIELD_SCALED_FLOAT, scale, unit, FIELD_GAUGE, optional, text                         \
    }
#define FIELD_ROW_BOOLEAN(name, optional, text)                                                    \
    {                                                                                              \
        name, FIELD_BOOLEAN, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, optional, text                     \
    }

/* NULL when there is none of that name. */
const struct field *field_find(const struct field *rows, size_t count, struct slice name);

/* Elasticsearch's names; "" for FIELD_NO_UNIT and FIELD_NO_METRIC. */
const char *field_unit_name(enum field_unit u);
const char *field_kind_name(enum field_kind k);

#endif
