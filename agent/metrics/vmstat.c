/*
 * metrics/vmstat - set vmstat
 */
#include "metrics/vmstat.h"

#include <errno.h>

#include "metrics/column.h"

static const char *const names[VMSTAT_COUNTERS] = {
    [VMSTAT_ALLOCSTALL] = "allocstall", [VMSTAT_OOM_KILL] = "oom_kill",
    [VMSTAT_PGFAULT] = "pgfault",       [VMSTAT_PGMAJFAULT] = "pgmajfault",
    [VMSTAT_PGPGIN] = "pgpgin",         [VMSTAT_PGPGOUT] = "pgpgout",
    [VMSTAT_PSWPIN] = "pswpin",         [VMSTAT_PSWPOUT] = "pswpout",
};

/* "name number"; allocstall_ZONE are summed */
static void take_line(struct slice line, struct vmstat_sample *s)
{
    struct slice name;
    uint64_t n;
    if (!slice_next_word(&line, &name))
        return;
    if (slice_starts(name, SLICE_LIT("allocstall_"))) {
        if (column_number(&line, &n) == 0)
            counters_add(&s->counters[VMSTAT_ALLOCSTALL], n);
        return;
    }
    size_t i = counters_index(names, VMSTAT_COUNTERS, name);
    if (i < VMSTAT_COUNTERS)
        counters_take(&s->counters[i], &line);
}

/* see header */
int vmstat_parse(struct slice text, struct vmstat_sample *ret)
{
    struct vmstat_sample s = {0};
    struct slice line;
    bool any = false;
    while (column_line(&text, &line))
        take_line(line, &s);
    for (size_t i = 0; i < VMSTAT_COUNTERS; i++)
        any |= s.counters[i].is_set;
    if (!any)
        return -EBADMSG;
    *ret = s;
    return 0;
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct slice text;
    int r = procfs_read(source->procfs, PROCFS_PROC, vmstat_set.path, &text);
    return r < 0 ? r : vmstat_parse(text, state);
}

/* the only document; rows and enum have the same order */
static void values(const void *state, size_t i, struct value *v)
{
    const struct vmstat_sample *s = state;
    (void)i;
    for (size_t k = 0; k < VMSTAT_COUNTERS; k++)
        v[k] = counters_value(&s->counters[k]);
}

/* clang-format off */
#define ROW(name, text)                                                                            \
    FIELD_ROW_LONG("system.vmstat." name, FIELD_NO_UNIT, FIELD_COUNTER, true, text)
/* clang-format on */

static const struct field fields[] = {
    ROW("allocstall", "How often a task had to free memory itself before it got some."),
    ROW("oom_kill", "Processes killed because memory ran out."),
    ROW("pgfault", "Page faults."),
    ROW("pgmajfault", "Page faults that had to read from a disk."),
    ROW("pgpgin", "KiB read from disks."),
    ROW("pgpgout", "KiB written to disks."),
    ROW("pswpin", "Pages read from swap."),
    ROW("pswpout", "Pages written to swap."),
};

const struct metric_set vmstat_set = {
    .name = "vmstat",
    .which = CONFIG_SET_VMSTAT,
    .root = PROCFS_PROC,
    .path = "vmstat",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct vmstat_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
