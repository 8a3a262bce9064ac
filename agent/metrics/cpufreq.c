/*
 * metrics/cpufreq - set cpufreq
 *
 * A processor without cpufreq is passed over; a host without any (most guests) has the set off.
 */
#include "metrics/cpufreq.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "metrics/column.h"

#define PROCESSORS "devices/system/cpu"
#define HZ_PER_KHZ 1000

/* no processor is faster: 100 GHz */
#define KHZ_MAX 100000000

/* what the walk is for */
struct walk {
    struct procfs *procfs;
    struct cpufreq_sample *sample;
};

/* the number in a processor's file */
static bool read_number(struct walk *w, const char *name, const char *file, uint64_t *ret)
{
    char path[128];
    struct slice text, line;
    int n = snprintf(path, sizeof(path), PROCESSORS "/%s/%s", name, file);
    return n > 0 && (size_t)n < sizeof(path) &&
           procfs_read_once(w->procfs, PROCFS_SYS, path, &text) == 0 && column_line(&text, &line) &&
           column_number(&line, ret) == 0;
}

/* one clock rate more */
static void add_rate(struct cpufreq_sample *s, uint64_t hz)
{
    if (s->cores == 0 || hz < s->min_hz)
        s->min_hz = hz;
    if (hz > s->max_hz)
        s->max_hz = hz;
    s->sum_hz += hz;
    s->cores++;
}

/* one name of the directory */
static bool on_name(void *ctx, const char *name)
{
    struct walk *w = ctx;
    uint64_t n;
    if (strncmp(name, "cpu", 3) != 0 || !isdigit((unsigned char)name[3]))
        return true;
    if (!read_number(w, name, "cpufreq/scaling_cur_freq", &n) || n > KHZ_MAX)
        return true;
    add_rate(w->sample, n * HZ_PER_KHZ);
    if (read_number(w, name, "thermal_throttle/core_throttle_count", &n))
        counters_add(&w->sample->core_throttles, n);
    /* all processors of a package tell the same count */
    if (read_number(w, name, "thermal_throttle/package_throttle_count", &n) &&
        n >= w->sample->package_throttles.n)
        w->sample->package_throttles = (struct counter){true, n};
    return true;
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct cpufreq_sample s = {0};
    struct walk w = {source->procfs, &s};
    int r = procfs_list(source->procfs, PROCFS_SYS, PROCESSORS, on_name, &w);
    if (r < 0)
        return r;
    if (s.cores == 0)
        return -ENOENT;
    *(struct cpufreq_sample *)state = s;
    return 0;
}

enum row { AVERAGE, CORES, MAX, MIN, CORE_THROTTLES, PACKAGE_THROTTLES };

/* the only document */
static void values(const void *state, size_t i, struct value *v)
{
    const struct cpufreq_sample *s = state;
    (void)i;
    v[AVERAGE] = value_long(s->sum_hz / s->cores);
    v[CORES] = value_long(s->cores);
    v[MAX] = value_long(s->max_hz);
    v[MIN] = value_long(s->min_hz);
    v[CORE_THROTTLES] = counters_value(&s->core_throttles);
    v[PACKAGE_THROTTLES] = counters_value(&s->package_throttles);
}

/* clang-format off */
#define RATE(name, text)                                                                           \
    FIELD_ROW_LONG("system.cpufreq." name, FIELD_NO_UNIT, FIELD_GAUGE, false, text)
/* clang-format on */

static const struct field fields[] = {
    RATE("average.hz", "Clock rate, the average over the processors."),
    RATE("cores", "Processors that tell their clock rate."),
    RATE("max.hz", "Clock rate of the fastest processor."),
    RATE("min.hz", "Clock rate of the slowest processor."),
    FIELD_ROW_LONG("system.cpufreq.throttles.core", FIELD_NO_UNIT, FIELD_COUNTER, true,
                   "How often a processor was slowed down by heat, the sum over all."),
    FIELD_ROW_LONG("system.cpufreq.throttles.package", FIELD_NO_UNIT, FIELD_COUNTER, true,
                   "How often a whole package was slowed down by heat."),
};

const struct metric_set cpufreq_set = {
    .name = "cpufreq",
    .which = CONFIG_SET_CPUFREQ,
    .root = PROCFS_SYS,
    .path = PROCESSORS,
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct cpufreq_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
