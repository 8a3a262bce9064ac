/*
 * metrics/counters - named numbers
 */
#include "metrics/counters.h"

#include "metrics/column.h"

/* see header */
size_t counters_index(const char *const *names, size_t count, struct slice name)
{
    size_t i = 0;
    while (i < count && !slice_eq_str(name, names[i]))
        i++;
    return i;
}

/* the first one counts */
void counters_take(struct counter *c, struct slice *line)
{
    uint64_t n;
    if (column_number(line, &n) < 0 || c->is_set)
        return;
    *c = (struct counter){true, n};
}

/* what Elasticsearch's long cannot hold is held at its limit */
void counters_add(struct counter *c, uint64_t n)
{
    c->is_set = true;
    c->n = n > INT64_MAX - c->n ? INT64_MAX : c->n + n;
}

/* see header */
struct value counters_value(const struct counter *c)
{
    return c->is_set ? value_long(c->n) : (struct value){0};
}

/* see header */
struct value counters_share(const struct counter *part, const struct counter *whole)
{
    if (!part->is_set || !whole->is_set || whole->n == 0)
        return (struct value){0};
    return value_real((double)part->n / (double)whole->n);
}

/* see header */
size_t counters_one_document(const void *state)
{
    (void)state;
    return 1;
}
