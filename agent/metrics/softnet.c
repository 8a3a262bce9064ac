/*
 * metrics/softnet - set softnet
 *
 * A row for each processor, columns without names; old kernels have fewer of them.
 */
#include "metrics/softnet.h"

#include <errno.h>

#include "base/num.h"
#include "metrics/column.h"

/* columns that every kernel has */
#define COLUMNS_MIN 3
/* columns that are looked at */
#define COLUMNS 12

#define NONE SOFTNET_COUNTERS

/* adds one processor's row; false when it is broken */
static bool add_row(struct slice line, struct softnet_sample *s)
{
    static const enum softnet_counter columns[COLUMNS] = {
        SOFTNET_PROCESSED,
        SOFTNET_DROPPED,
        SOFTNET_TIME_SQUEEZE,
        NONE,
        NONE,
        NONE,
        NONE,
        NONE,
        NONE,
        SOFTNET_RECEIVED_RPS,
        SOFTNET_FLOW_LIMIT,
        SOFTNET_BACKLOG,
    };
    struct slice word;
    size_t i = 0;
    for (; i < COLUMNS && slice_next_word(&line, &word); i++) {
        uint64_t v;
        if (num_hex(word, &v) < 0 || v > INT64_MAX)
            return false;
        if (columns[i] != NONE)
            counters_add(&s->counters[columns[i]], v);
    }
    return i >= COLUMNS_MIN;
}

/* see header */
int softnet_parse(struct slice text, struct softnet_sample *ret)
{
    struct softnet_sample s = {0};
    struct slice line;
    size_t rows = 0;
    while (column_line(&text, &line)) {
        if (!add_row(line, &s))
            return -EBADMSG;
        rows++;
    }
    if (rows == 0)
        return -EBADMSG;
    *ret = s;
    return 0;
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct slice text;
    int r = procfs_read(source->procfs, PROCFS_PROC, softnet_set.path, &text);
    return r < 0 ? r : softnet_parse(text, state);
}

/* the only document; rows and enum have the same order */
static void values(const void *state, size_t i, struct value *v)
{
    const struct softnet_sample *s = state;
    (void)i;
    for (size_t k = 0; k < SOFTNET_COUNTERS; k++)
        v[k] = counters_value(&s->counters[k]);
}

/* clang-format off */
#define ROW(name, kind, optional, text)                                                            \
    FIELD_ROW_LONG("system.softnet." name, FIELD_NO_UNIT, kind, optional, text)
/* clang-format on */

static const struct field fields[] = {
    ROW("backlog", FIELD_GAUGE, true, "Packets that wait for a processor."),
    ROW("dropped", FIELD_COUNTER, false, "Packets dropped because a processor's queue was full."),
    ROW("flow_limit", FIELD_COUNTER, true, "Packets dropped by the limit of one flow."),
    ROW("processed", FIELD_COUNTER, false, "Packets that were processed."),
    ROW("received_rps", FIELD_COUNTER, true, "How often another processor was asked to help."),
    ROW("time_squeeze", FIELD_COUNTER, false,
        "How often packets were left because the time or the budget was used up."),
};

const struct metric_set softnet_set = {
    .name = "softnet",
    .which = CONFIG_SET_SOFTNET,
    .root = PROCFS_PROC,
    .path = "net/softnet_stat",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct softnet_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
