/*
 * metrics/uptime - set uptime
 */
#include "metrics/uptime.h"

#include <errno.h>

#include "base/num.h"
#include "metrics/column.h"
#include "metrics/counters.h"

/* a thousand years: no host is up longer */
#define SECONDS_MAX 3.2e10

#define MS_PER_S 1000

/* the first number of the line */
int uptime_parse(struct slice text, struct uptime_sample *ret)
{
    struct slice line, word;
    double seconds;
    if (!column_line(&text, &line) || !slice_next_word(&line, &word) ||
        num_double(word, &seconds) < 0 || seconds > SECONDS_MAX)
        return -EBADMSG;
    ret->ms = (uint64_t)(seconds * MS_PER_S + 0.5);
    return 0;
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct slice text;
    int r = procfs_read(source->procfs, PROCFS_PROC, uptime_set.path, &text);
    return r < 0 ? r : uptime_parse(text, state);
}

/* the only document */
static void values(const void *state, size_t i, struct value *v)
{
    const struct uptime_sample *s = state;
    (void)i;
    v[0] = value_long(s->ms);
}

static const struct field fields[] = {
    FIELD_ROW_LONG("system.uptime.duration.ms", FIELD_MS, FIELD_GAUGE, false,
                   "Time since the host was started."),
};

const struct metric_set uptime_set = {
    .name = "uptime",
    .which = CONFIG_SET_UPTIME,
    .root = PROCFS_PROC,
    .path = "uptime",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct uptime_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
