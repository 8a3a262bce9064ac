/*
 * metrics/process_summary - set process_summary
 *
 * Three system calls a process: the line is read with one read(2). A process that ends between the
 * listing and the reading is not counted.
 */
#include "metrics/process_summary.h"

#include <ctype.h>
#include <stdio.h>

#include "metrics/column.h"

#define DIRECTORY ""

/* see header */
enum process_state process_summary_state(struct slice stat)
{
    static const struct {
        char letter;
        enum process_state state;
    } letters[] = {
        {'R', PROCESS_RUNNING}, {'S', PROCESS_SLEEPING}, {'D', PROCESS_DISK_SLEEP},
        {'I', PROCESS_IDLE},    {'Z', PROCESS_ZOMBIE},   {'T', PROCESS_STOPPED},
        {'t', PROCESS_STOPPED}, {'X', PROCESS_DEAD},     {'x', PROCESS_DEAD},
    };
    struct slice word;
    size_t end = slice_rfind(stat, ')');
    if (end == stat.len)
        return PROCESS_UNKNOWN;
    stat = slice_sub(stat, end + 1, stat.len);
    if (!slice_next_word(&stat, &word) || word.len != 1)
        return PROCESS_UNKNOWN;
    for (size_t i = 0; i < ARRAY_LEN(letters); i++)
        if (word.ptr[0] == letters[i].letter)
            return letters[i].state;
    return PROCESS_UNKNOWN;
}

/* see header */
void process_summary_threads(struct slice stat, struct process_summary_sample *s)
{
    struct slice line, name;
    while (column_line(&stat, &line)) {
        if (!slice_next_word(&line, &name))
            continue;
        if (slice_eq_str(name, "procs_blocked"))
            counters_take(&s->threads_blocked, &line);
        else if (slice_eq_str(name, "procs_running"))
            counters_take(&s->threads_running, &line);
    }
}

/* what the listing is for */
struct walk {
    struct procfs *procfs;
    struct process_summary_sample *sample;
};

/* one name of /proc */
static bool on_name(void *ctx, const char *name)
{
    struct walk *w = ctx;
    char path[32];
    struct slice text;
    int n = snprintf(path, sizeof(path), "%s/stat", name);
    if (!isdigit((unsigned char)name[0]) || n < 0 || (size_t)n >= sizeof(path) ||
        procfs_read_once(w->procfs, PROCFS_PROC, path, &text) < 0)
        return true;
    w->sample->count[process_summary_state(text)]++;
    return true;
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct process_summary_sample s = {0};
    struct walk w = {source->procfs, &s};
    struct slice text;
    int r = procfs_read(source->procfs, PROCFS_PROC, process_summary_set.path, &text);
    if (r < 0)
        return r;
    process_summary_threads(text, &s);
    r = procfs_list(source->procfs, PROCFS_PROC, DIRECTORY, on_name, &w);
    if (r < 0)
        return r;
    *(struct process_summary_sample *)state = s;
    return 0;
}

enum row {
    DEAD,
    DISK_SLEEP,
    IDLE,
    RUNNING,
    SLEEPING,
    STOPPED,
    THREADS_BLOCKED,
    THREADS_RUNNING,
    TOTAL,
    UNKNOWN,
    ZOMBIE,
};

/* the only document */
static void values(const void *state, size_t i, struct value *v)
{
    static const enum row rows[PROCESS_STATES] = {
        [PROCESS_DEAD] = DEAD,       [PROCESS_DISK_SLEEP] = DISK_SLEEP, [PROCESS_IDLE] = IDLE,
        [PROCESS_RUNNING] = RUNNING, [PROCESS_SLEEPING] = SLEEPING,     [PROCESS_STOPPED] = STOPPED,
        [PROCESS_UNKNOWN] = UNKNOWN, [PROCESS_ZOMBIE] = ZOMBIE,
    };
    const struct process_summary_sample *s = state;
    uint64_t total = 0;
    (void)i;
    for (size_t k = 0; k < PROCESS_STATES; k++) {
        v[rows[k]] = value_long(s->count[k]);
        total += s->count[k];
    }
    v[TOTAL] = value_long(total);
    v[THREADS_BLOCKED] = counters_value(&s->threads_blocked);
    v[THREADS_RUNNING] = counters_value(&s->threads_running);
}

/* clang-format off */
#define ROW(name, optional, text)                                                                  \
    FIELD_ROW_LONG("system.process.summary." name, FIELD_NO_UNIT, FIELD_GAUGE, optional, text)
/* clang-format on */

static const struct field fields[] = {
    ROW("dead", false, "Processes that are about to vanish."),
    ROW("disk_sleep", false, "Processes that wait and cannot be interrupted, mostly for a disk."),
    ROW("idle", false, "Idle threads of the kernel."),
    ROW("running", false, "Processes that run or could."),
    ROW("sleeping", false, "Processes that wait."),
    ROW("stopped", false, "Processes that were stopped or are traced."),
    ROW("threads.blocked", true, "Threads that wait for input or output."),
    ROW("threads.running", true, "Threads that run or could."),
    ROW("total", false, "Processes."),
    ROW("unknown", false, "Processes in a state that has no other field."),
    ROW("zombie", false, "Processes that ended and whose parent has not asked for it."),
};

const struct metric_set process_summary_set = {
    .name = "process_summary",
    .which = CONFIG_SET_PROCESS_SUMMARY,
    .root = PROCFS_PROC,
    .path = "stat",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct process_summary_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
