/*
 * metrics/self - set self
 *
 * /proc/self is our own wherever the roots of the other sets lie.
 */
#include "metrics/self.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "metrics/column.h"

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_US 1000

struct state {
    struct self_sample last;
    bool has_share;
    double share;
};

/* see header */
void self_parse(struct slice status, struct self_sample *s)
{
    struct slice line, name;
    while (column_line(&status, &line)) {
        if (!slice_next_word(&line, &name))
            continue;
        if (slice_eq_str(name, "VmRSS:"))
            counters_take(&s->resident_kib, &line);
        else if (slice_eq_str(name, "RssAnon:"))
            counters_take(&s->anonymous_kib, &line);
        else if (slice_eq_str(name, "Threads:"))
            counters_take(&s->threads, &line);
    }
}

/* see header */
bool self_cpu(const struct self_sample *prev, const struct self_sample *now, double *ret)
{
    if (now->mono_ns <= prev->mono_ns || now->cpu_ns < prev->cpu_ns)
        return false;
    *ret = (double)(now->cpu_ns - prev->cpu_ns) / (double)(now->mono_ns - prev->mono_ns);
    return true;
}

/* one time of getrusage */
static int64_t ns_of(struct timeval t)
{
    return (int64_t)t.tv_sec * NS_PER_S + (int64_t)t.tv_usec * NS_PER_US;
}

/* reads our own status */
static int read_status(struct self_sample *s)
{
    char text[PROCFS_ONCE_BYTES];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof(text));
    int error = -errno;
    (void)close(fd); /* read only: nothing can be lost */
    if (n < 0)
        return error;
    self_parse(slice_of(text, (size_t)n), s);
    return 0;
}

/* descriptors of this process, but for the one that lists them */
static uint64_t count_files(void)
{
    uint64_t n = 0;
    DIR *stream = opendir("/proc/self/fd");
    const struct dirent *entry;
    if (stream == NULL)
        return 0;
    while ((entry = readdir(stream)) != NULL)
        n += entry->d_name[0] != '.';
    (void)closedir(stream);
    return n - 1;
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct state *s = state;
    struct self_sample now = {.mono_ns = source->mono_ns};
    struct rusage usage;
    int r = read_status(&now);
    if (r < 0)
        return r;
    if (getrusage(RUSAGE_SELF, &usage) < 0)
        return -errno;
    now.cpu_ns = ns_of(usage.ru_utime) + ns_of(usage.ru_stime);
    now.open_files = count_files();
    s->has_share = s->last.mono_ns > 0 && self_cpu(&s->last, &now, &s->share);
    s->last = now;
    return 0;
}

enum row { CPU_PCT, CPU_MS, ANONYMOUS, RESIDENT, OPEN_FILES, THREADS };

/* KiB in bytes */
static struct value memory_of(const struct counter *kib)
{
    return kib->is_set && kib->n <= INT64_MAX / KIB ? value_long(kib->n * KIB) : (struct value){0};
}

/* the only document */
static void values(const void *state, size_t i, struct value *v)
{
    const struct state *s = state;
    (void)i;
    if (s->has_share)
        v[CPU_PCT] = value_real(s->share);
    v[CPU_MS] = value_long((uint64_t)s->last.cpu_ns / (NS_PER_S / 1000));
    v[ANONYMOUS] = memory_of(&s->last.anonymous_kib);
    v[RESIDENT] = memory_of(&s->last.resident_kib);
    v[OPEN_FILES] = value_long(s->last.open_files);
    v[THREADS] = counters_value(&s->last.threads);
}

static const struct field fields[] = {
    FIELD_ROW_PCT("agent.process.cpu.pct", true,
                  "Processor time since the last sample, as a fraction of one processor's."),
    FIELD_ROW_LONG("agent.process.cpu.time.ms", FIELD_MS, FIELD_COUNTER, false,
                   "Processor time since the agent was started."),
    FIELD_ROW_LONG("agent.process.memory.anonymous.bytes", FIELD_BYTE, FIELD_GAUGE, true,
                   "Memory that is the agent's alone."),
    FIELD_ROW_LONG("agent.process.memory.rss.bytes", FIELD_BYTE, FIELD_GAUGE, true,
                   "Memory of the agent, shared libraries included."),
    FIELD_ROW_LONG("agent.process.open_files", FIELD_NO_UNIT, FIELD_GAUGE, false,
                   "Open files of the agent."),
    FIELD_ROW_LONG("agent.process.threads", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "Threads of the agent."),
};

const struct metric_set self_set = {
    .name = "self",
    .which = CONFIG_SET_SELF,
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct state),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
