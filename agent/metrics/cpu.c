/*
 * metrics/cpu - set cpu
 *
 * Differences are taken as doubles, so that no text of /proc can overflow a sum; 53 bits of ticks
 * are 2.8 million years of one processor.
 */
#include "metrics/cpu.h"

#include <errno.h>

#include "metrics/column.h"
#include "metrics/member.h"

/* user, nice, system, idle: what every kernel has */
#define COLUMNS_MIN 4

struct state {
    struct cpu_sample last;
    struct cpu_usage usage;
    bool has_last;
    bool has_usage;
};

/* see header */
int cpu_take_columns(struct slice line, struct cpu_sample *s)
{
    for (unsigned i = 0; i < CPU_STATES; i++) {
        int r = column_number(&line, &s->ticks[i]);
        if (r == -ENODATA && i >= COLUMNS_MIN)
            return 0;
        if (r < 0)
            return -EBADMSG;
    }
    return 0;
}

/* the lines of processors stand together at the top */
int cpu_parse(struct slice stat, struct cpu_sample *ret)
{
    struct cpu_sample s = {0};
    bool found = false;
    struct slice line;
    while (column_line(&stat, &line) && slice_starts(line, SLICE_LIT("cpu"))) {
        struct slice word;
        if (!slice_next_word(&line, &word))
            continue;
        if (word.len > 3) {
            s.cores++;
            continue;
        }
        if (found || cpu_take_columns(line, &s) < 0)
            return -EBADMSG;
        found = true;
    }
    if (!found)
        return -EBADMSG;
    *ret = s;
    return 0;
}

/* see header */
bool cpu_delta(const struct cpu_sample *prev, const struct cpu_sample *now, struct cpu_usage *ret)
{
    struct cpu_usage u = {.cores = now->cores};
    double before = 0;
    double after = 0;
    double sum = 0;
    for (unsigned i = 0; i < CPU_STATES; i++) {
        before += (double)prev->ticks[i];
        after += (double)now->ticks[i];
        if (now->ticks[i] > prev->ticks[i])
            u.state[i] = (double)(now->ticks[i] - prev->ticks[i]);
        sum += u.state[i];
    }
    if (after <= before)
        return false;
    for (unsigned i = 0; i < CPU_STATES; i++)
        u.state[i] /= sum;
    u.total = 1 - (u.state[CPU_IDLE] + u.state[CPU_IOWAIT]);
    if (u.total < 0) /* by rounding */
        u.total = 0;
    *ret = u;
    return true;
}

/* {"pct":..,"norm":{"pct":..}} */
static void write_state(struct json_writer *w, const char *name, double norm, unsigned cores)
{
    member_object(w, name);
    member_real(w, "pct", norm * cores);
    member_object(w, "norm");
    member_real(w, "pct", norm);
    json_end_object(w);
    json_end_object(w);
}

/* see header */
void cpu_write_host(const struct cpu_usage *u, struct json_writer *w)
{
    member_object(w, "cpu");
    member_real(w, "usage", u->total);
    json_end_object(w);
}

/* see header */
void cpu_write(const struct cpu_usage *u, struct json_writer *w)
{
    static const char *const names[CPU_STATES] = {
        [CPU_USER] = "user",   [CPU_NICE] = "nice",       [CPU_SYSTEM] = "system",
        [CPU_IDLE] = "idle",   [CPU_IOWAIT] = "iowait",   [CPU_IRQ] = "irq",
        [CPU_STEAL] = "steal", [CPU_SOFTIRQ] = "softirq",
    };
    member_object(w, "system");
    member_object(w, "cpu");
    member_long(w, "cores", u->cores);
    write_state(w, "total", u->total, u->cores);
    for (unsigned i = 0; i < CPU_STATES; i++)
        write_state(w, names[i], u->state[i], u->cores);
    json_end_object(w);
    json_end_object(w);
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct state *s = state;
    struct slice text;
    struct cpu_sample now;
    int r = procfs_read(source->procfs, PROCFS_PROC, cpu_set.path, &text);
    if (r == 0)
        r = cpu_parse(text, &now);
    if (r < 0)
        return r;
    if (now.cores == 0)
        now.cores = source->host->cores;
    s->has_usage = s->has_last && cpu_delta(&s->last, &now, &s->usage);
    s->last = now;
    s->has_last = true;
    return 0;
}

/* none for the first sample */
static size_t documents(const void *state)
{
    const struct state *s = state;
    return s->has_usage ? 1 : 0;
}

/* the only document */
static void write_host(const void *state, size_t i, struct json_writer *w)
{
    (void)i;
    const struct state *s = state;
    cpu_write_host(&s->usage, w);
}

/* the only document */
static void write_body(const void *state, size_t i, struct json_writer *w)
{
    (void)i;
    const struct state *s = state;
    cpu_write(&s->usage, w);
}

static const struct field fields[] = {
    {"host.cpu.usage", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Fraction of all processors' time that was used since the last sample: "
     "system.cpu.total.norm.pct."},
    {"system.cpu.cores", FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Processors that are online."},
    {"system.cpu.idle.norm.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by nothing, as a fraction of all processors'."},
    {"system.cpu.idle.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by nothing, as a fraction of one processor's."},
    {"system.cpu.iowait.norm.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by nothing while input or output was waited for, as a fraction of all "
     "processors'."},
    {"system.cpu.iowait.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by nothing while input or output was waited for, as a fraction of one "
     "processor's."},
    {"system.cpu.irq.norm.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by hardware interrupts, as a fraction of all processors'."},
    {"system.cpu.irq.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by hardware interrupts, as a fraction of one processor's."},
    {"system.cpu.nice.norm.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by programs of low priority, as a fraction of all processors'."},
    {"system.cpu.nice.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by programs of low priority, as a fraction of one processor's."},
    {"system.cpu.softirq.norm.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by software interrupts, as a fraction of all processors'."},
    {"system.cpu.softirq.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by software interrupts, as a fraction of one processor's."},
    {"system.cpu.steal.norm.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by other guests of the hypervisor, as a fraction of all processors'."},
    {"system.cpu.steal.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by other guests of the hypervisor, as a fraction of one processor's."},
    {"system.cpu.system.norm.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by the kernel, as a fraction of all processors'."},
    {"system.cpu.system.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by the kernel, as a fraction of one processor's."},
    {"system.cpu.total.norm.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by anything but idle and iowait, as a fraction of all processors'."},
    {"system.cpu.total.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by anything but idle and iowait, as a fraction of one processor's."},
    {"system.cpu.user.norm.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by programs, guests included, as a fraction of all processors'."},
    {"system.cpu.user.pct", FIELD_SCALED_FLOAT, 1000, FIELD_PERCENT, FIELD_GAUGE, false,
     "Time used by programs, guests included, as a fraction of one processor's."},
};

const struct metric_set cpu_set = {
    .name = "cpu",
    .which = CONFIG_SET_CPU,
    .root = PROCFS_PROC,
    .path = "stat",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct state),
    .sample = sample,
    .documents = documents,
    .write_host = write_host,
    .write = write_body,
};
