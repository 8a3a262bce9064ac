/*
 * metrics/fields - names of units and kinds; looking a field up
 */
#include "metrics/fields.h"

#include "base/def.h"

/* binary search */
const struct field *field_find(const struct field *rows, size_t count, struct slice name)
{
    size_t from = 0;
    size_t to = count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = slice_cmp(name, slice_str(rows[middle].name));
        if (order == 0)
            return &rows[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

/* see header */
const char *field_unit_name(enum field_unit u)
{
    static const char *const names[] = {
        [FIELD_NO_UNIT] = "", [FIELD_PERCENT] = "percent", [FIELD_BYTE] = "byte",
        [FIELD_MS] = "ms",    [FIELD_MICROS] = "micros",   [FIELD_NANOS] = "nanos",
    };
    return names[u];
}

/* see header */
const char *field_kind_name(enum field_kind k)
{
    static const char *const names[] = {
        [FIELD_NO_METRIC] = "",
        [FIELD_GAUGE] = "gauge",
        [FIELD_COUNTER] = "counter",
    };
    return names[k];
}
