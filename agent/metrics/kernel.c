/*
 * metrics/kernel - set kernel
 *
 * /proc/stat must be there; what the other files tell is left out where they are missing.
 */
#include "metrics/kernel.h"

#include <errno.h>

#include "metrics/column.h"

/* "name number ..." */
static void take_line(struct slice line, struct kernel_sample *s)
{
    static const struct {
        const char *name;
        enum kernel_counter counter;
    } rows[] = {
        {"ctxt", KERNEL_SWITCHES},
        {"intr", KERNEL_INTERRUPTS},
        {"processes", KERNEL_FORKS},
        {"softirq", KERNEL_SOFTIRQS},
    };
    struct slice name;
    if (!slice_next_word(&line, &name))
        return;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (slice_eq_str(name, rows[i].name))
            counters_take(&s->counters[rows[i].counter], &line);
}

/* The line of interrupts may be cut by the reader's limit on hosts with very many: its first number
 * is what counts. */
int kernel_parse_stat(struct slice text, struct kernel_sample *s)
{
    struct slice line;
    while (column_line(&text, &line))
        take_line(line, s);
    return s->counters[KERNEL_SWITCHES].is_set ? 0 : -EBADMSG;
}

/* see header */
void kernel_parse_files(struct slice text, struct kernel_sample *s)
{
    struct slice line;
    struct counter unused = {0};
    if (!column_line(&text, &line))
        return;
    counters_take(&s->counters[KERNEL_FILES], &line);
    counters_take(&unused, &line);
    counters_take(&s->counters[KERNEL_FILES_MAX], &line);
}

/* a file that holds one number; left out when it is missing */
static void take_number(const struct set_source *source, const char *path, struct counter *c)
{
    struct slice text, line;
    if (procfs_read(source->procfs, PROCFS_PROC, path, &text) == 0 && column_line(&text, &line))
        counters_take(c, &line);
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct kernel_sample s = {0};
    struct slice text;
    int r = procfs_read(source->procfs, PROCFS_PROC, kernel_set.path, &text);
    if (r == 0)
        r = kernel_parse_stat(text, &s);
    if (r < 0)
        return r;
    if (procfs_read(source->procfs, PROCFS_PROC, "sys/fs/file-nr", &text) == 0)
        kernel_parse_files(text, &s);
    take_number(source, "sys/kernel/random/entropy_avail", &s.counters[KERNEL_ENTROPY]);
    take_number(source, "sys/kernel/random/poolsize", &s.counters[KERNEL_ENTROPY_POOL]);
    *(struct kernel_sample *)state = s;
    return 0;
}

enum row { BITS, BITS_PCT, SWITCHES, FILES, FILES_MAX, FILES_PCT, FORKS, INTERRUPTS, SOFTIRQS };

/* the only document */
static void values(const void *state, size_t i, struct value *v)
{
    const struct counter *c = ((const struct kernel_sample *)state)->counters;
    (void)i;
    v[BITS] = counters_value(&c[KERNEL_ENTROPY]);
    v[BITS_PCT] = counters_share(&c[KERNEL_ENTROPY], &c[KERNEL_ENTROPY_POOL]);
    v[SWITCHES] = counters_value(&c[KERNEL_SWITCHES]);
    v[FILES] = counters_value(&c[KERNEL_FILES]);
    v[FILES_MAX] = counters_value(&c[KERNEL_FILES_MAX]);
    v[FILES_PCT] = counters_share(&c[KERNEL_FILES], &c[KERNEL_FILES_MAX]);
    v[FORKS] = counters_value(&c[KERNEL_FORKS]);
    v[INTERRUPTS] = counters_value(&c[KERNEL_INTERRUPTS]);
    v[SOFTIRQS] = counters_value(&c[KERNEL_SOFTIRQS]);
}

static const struct field fields[] = {
    FIELD_ROW_LONG("system.entropy.available_bits", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "Bits of randomness that the kernel has."),
    FIELD_ROW_PCT("system.entropy.pct", true,
                  "Bits of randomness that the kernel has, as a fraction of its pool."),
    FIELD_ROW_LONG("system.kernel.context_switches", FIELD_NO_UNIT, FIELD_COUNTER, false,
                   "Context switches since boot."),
    FIELD_ROW_LONG("system.kernel.files.allocated", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "Open files of all processes."),
    FIELD_ROW_LONG("system.kernel.files.max", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "Open files that the kernel allows (fs.file-max)."),
    FIELD_ROW_PCT("system.kernel.files.pct", true, "Open files, as a fraction of those allowed."),
    FIELD_ROW_LONG("system.kernel.forks", FIELD_NO_UNIT, FIELD_COUNTER, true,
                   "Processes and threads started since boot."),
    FIELD_ROW_LONG("system.kernel.interrupts", FIELD_NO_UNIT, FIELD_COUNTER, true,
                   "Interrupts since boot."),
    FIELD_ROW_LONG("system.kernel.softirqs", FIELD_NO_UNIT, FIELD_COUNTER, true,
                   "Software interrupts since boot."),
};

const struct metric_set kernel_set = {
    .name = "kernel",
    .which = CONFIG_SET_KERNEL,
    .root = PROCFS_PROC,
    .path = "stat",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct kernel_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
