/*
 * metrics/core - set core
 *
 * A processor that came since the last sample, or was away, has no document this once.
 */
#include "metrics/core.h"

#include <errno.h>

#include "base/mem.h"
#include "base/num.h"
#include "metrics/column.h"

struct state {
    struct core_sample last, before;
    struct cpu_usage *usages; /* owned; of the processors that have a document */
    unsigned *ids;            /* owned */
    size_t count;
};

/* the N of cpuN; false for the line of all and for other words */
static bool take_id(struct slice word, unsigned *ret)
{
    uint64_t n;
    if (!slice_starts(word, SLICE_LIT("cpu")) || word.len == 3 ||
        num_u64(slice_sub(word, 3, word.len), &n) < 0 || n > UINT16_MAX)
        return false;
    *ret = (unsigned)n;
    return true;
}

/* room for one more */
static struct core_one *next_slot(struct core_sample *s)
{
    if (s->count == s->room) {
        s->room = s->room == 0 ? 4 : s->room * 2;
        s->cores = mem_resize(s->cores, s->room * sizeof(*s->cores));
    }
    return &s->cores[s->count];
}

/* see header */
int core_parse(struct slice stat, struct core_sample *s)
{
    struct slice line, word;
    s->count = 0;
    while (s->count < CORE_MAX && column_line(&stat, &line)) {
        struct core_one *one = next_slot(s);
        *one = (struct core_one){0};
        if (slice_next_word(&line, &word) && take_id(word, &one->id) &&
            cpu_take_columns(line, &one->sample) == 0)
            s->count++;
    }
    return s->count > 0 ? 0 : -EBADMSG;
}

/* see header */
void core_sample_clear(struct core_sample *s)
{
    mem_free(s->cores);
    *s = (struct core_sample){0};
}

/* the same processor in another sample, or NULL; mostly at the same place */
static const struct core_one *find(const struct core_sample *s, unsigned id, size_t at)
{
    if (at < s->count && s->cores[at].id == id)
        return &s->cores[at];
    for (size_t i = 0; i < s->count; i++)
        if (s->cores[i].id == id)
            return &s->cores[i];
    return NULL;
}

/* what each processor did since the sample before */
static void compare(struct state *s)
{
    s->count = 0;
    s->usages = mem_resize(s->usages, s->last.count * sizeof(*s->usages));
    s->ids = mem_resize(s->ids, s->last.count * sizeof(*s->ids));
    for (size_t i = 0; i < s->last.count; i++) {
        const struct core_one *now = &s->last.cores[i];
        const struct core_one *prev = find(&s->before, now->id, i);
        if (prev == NULL || !cpu_delta(&prev->sample, &now->sample, &s->usages[s->count]))
            continue;
        s->ids[s->count++] = now->id;
    }
}

/* the sample before the last becomes the room of the new one */
static int sample(void *state, const struct set_source *source)
{
    struct state *s = state;
    struct slice text;
    struct core_sample now = s->before;
    int r = procfs_read(source->procfs, PROCFS_PROC, core_set.path, &text);
    if (r == 0)
        r = core_parse(text, &now);
    s->before = now; /* its room may have grown */
    if (r < 0)
        return r;
    s->before = s->last;
    s->last = now;
    compare(s);
    return 0;
}

/* none for the first sample */
static size_t documents(const void *state)
{
    return ((const struct state *)state)->count;
}

/* document of one processor; the first row is its number, the last but one the total */
static void values(const void *state, size_t i, struct value *v)
{
    enum row { ID, IDLE, IOWAIT, IRQ, NICE, SOFTIRQ, STEAL, SYSTEM, TOTAL, USER };
    static const enum row rows[CPU_STATES] = {
        [CPU_USER] = USER,     [CPU_NICE] = NICE, [CPU_SYSTEM] = SYSTEM, [CPU_IDLE] = IDLE,
        [CPU_IOWAIT] = IOWAIT, [CPU_IRQ] = IRQ,   [CPU_STEAL] = STEAL,   [CPU_SOFTIRQ] = SOFTIRQ,
    };
    const struct state *s = state;
    v[ID] = value_long(s->ids[i]);
    v[TOTAL] = value_real(s->usages[i].total);
    for (size_t k = 0; k < CPU_STATES; k++)
        v[rows[k]] = value_real(s->usages[i].state[k]);
}

/* both samples and what came of them */
static void clear(void *state)
{
    struct state *s = state;
    core_sample_clear(&s->last);
    core_sample_clear(&s->before);
    mem_free(s->usages);
    mem_free(s->ids);
}

/* clang-format off */
#define ROW(state, text)                                                                           \
    FIELD_ROW_PCT("system.core." state ".pct", false,                                              \
                  "The processor's time used by " text ", as a fraction.")
/* clang-format on */

static const struct field fields[] = {
    FIELD_ROW_LONG("system.core.id", FIELD_NO_UNIT, FIELD_GAUGE, false, "Number of the processor."),
    ROW("idle", "nothing"),
    ROW("iowait", "nothing while input or output was waited for"),
    ROW("irq", "hardware interrupts"),
    ROW("nice", "programs of low priority"),
    ROW("softirq", "software interrupts"),
    ROW("steal", "other guests of the hypervisor"),
    ROW("system", "the kernel"),
    ROW("total", "anything but idle and iowait"),
    ROW("user", "programs, guests included"),
};

const struct metric_set core_set = {
    .name = "core",
    .which = CONFIG_SET_CORE,
    .root = PROCFS_PROC,
    .path = "stat",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct state),
    .sample = sample,
    .documents = documents,
    .values = values,
    .clear = clear,
};
