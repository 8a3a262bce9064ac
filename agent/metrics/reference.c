/*
 * metrics/reference - the page of sets and fields
 *
 * The first failure is kept and ends the page.
 */
#include "metrics/reference.h"

#include "config/config.h"
#include "metrics/envelope.h"
#include "metrics/sets.h"

/* "gauge, byte", or what there is of it */
static int write_measure(const struct field *f, struct buf *out)
{
    const char *kind = field_kind_name(f->kind);
    const char *unit = field_unit_name(f->unit);
    return buf_printf(out, "%s%s%s", kind, kind[0] != '\0' && unit[0] != '\0' ? ", " : "", unit);
}

/* one table */
static int write_rows(const struct field *rows, size_t count, struct buf *out)
{
    int r = buf_printf(out, "| field | type | measure | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count && r == 0; i++) {
        const struct field *f = &rows[i];
        r = buf_printf(out, "| `%s` | %s | ", f->name, field_type_name(f->type));
        if (r == 0)
            r = write_measure(f, out);
        if (r == 0)
            r = buf_printf(out, " | %s%s |\n", f->description,
                           f->optional ? " Left out where the host does not tell it." : "");
    }
    return r;
}

/* the sets at a glance */
static int write_overview(struct buf *out)
{
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    int r = buf_printf(out, "| set | data stream | fields | by default |\n|---|---|---|---|\n");
    for (size_t i = 0; i < count && r == 0; i++)
        r = buf_printf(out, "| [%s](#%s) | metrics-system.%s-\\<namespace\\> | %zu | %s |\n",
                       table[i]->name, table[i]->name, table[i]->name, table[i]->field_count,
                       (CONFIG_DEFAULT_SETS & 1U << table[i]->which) != 0 ? "yes" : "no");
    return r;
}

/* see header */
int reference_write(struct buf *out)
{
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    int r =
        buf_printf(out, "# Metrics\n\nThis page is generated from the tables of the metric sets "
                        "(`make docs`). `metrics.sets` chooses the sets. A percent is a "
                        "fraction of 1; a counter counts since boot.\n\n");
    if (r == 0)
        r = write_overview(out);
    if (r == 0)
        r = buf_printf(out, "\n## Every document\n\n");
    const struct field *common = envelope_fields(&count);
    if (r == 0)
        r = write_rows(common, count, out);
    (void)sets_table(&count);
    for (size_t i = 0; i < count && r == 0; i++) {
        r = buf_printf(out, "\n## %s\n\n", table[i]->name);
        if (r == 0)
            r = write_rows(table[i]->fields, table[i]->field_count, out);
    }
    return r;
}
