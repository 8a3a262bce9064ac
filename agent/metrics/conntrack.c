/*
 * metrics/conntrack - set conntrack
 *
 * A kernel without connection tracking has no count: the set is off. One without the statistics
 * (CONFIG_NF_CONNTRACK_PROCFS=n, the default since 2022) has documents without them.
 */
#include "metrics/conntrack.h"

#include <errno.h>

#include "base/num.h"
#include "metrics/column.h"

/* columns of the statistics that are looked at */
#define COLUMNS_MAX 64

static const char *const names[CONNTRACK_COUNTERS] = {
    [CONNTRACK_DROP] = "drop",
    [CONNTRACK_EARLY_DROP] = "early_drop",
    [CONNTRACK_ENTRIES] = "", /* no column */
    [CONNTRACK_FOUND] = "found",
    [CONNTRACK_IGNORE] = "ignore",
    [CONNTRACK_INSERT_FAILED] = "insert_failed",
    [CONNTRACK_INVALID] = "invalid",
    [CONNTRACK_MAX] = "", /* no column */
    [CONNTRACK_SEARCH_RESTART] = "search_restart",
};

/* which counter each column is; returns how many columns there are */
static size_t read_heading(struct slice line, size_t columns[COLUMNS_MAX])
{
    struct slice word;
    size_t n = 0;
    while (n < COLUMNS_MAX && slice_next_word(&line, &word))
        columns[n++] = counters_index(names, CONNTRACK_COUNTERS, word);
    return n;
}

/* adds one processor's row */
static void add_row(struct slice line, const size_t *columns, size_t n, struct conntrack_sample *s)
{
    struct slice word;
    uint64_t v;
    for (size_t i = 0; i < n && slice_next_word(&line, &word); i++)
        if (columns[i] < CONNTRACK_COUNTERS && num_hex(word, &v) == 0 && v <= INT64_MAX)
            counters_add(&s->counters[columns[i]], v);
}

/* see header */
void conntrack_parse_stat(struct slice text, struct conntrack_sample *s)
{
    size_t columns[COLUMNS_MAX];
    struct slice line;
    if (!column_line(&text, &line))
        return;
    size_t n = read_heading(line, columns);
    while (column_line(&text, &line))
        add_row(line, columns, n, s);
}

/* a file that holds one number */
static int read_number(const struct set_source *source, const char *path, struct counter *c)
{
    struct slice text, line;
    int r = procfs_read(source->procfs, PROCFS_PROC, path, &text);
    if (r < 0)
        return r;
    if (column_line(&text, &line))
        counters_take(c, &line);
    return c->is_set ? 0 : -EBADMSG;
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct conntrack_sample s = {0};
    struct slice text;
    int r = read_number(source, conntrack_set.path, &s.counters[CONNTRACK_ENTRIES]);
    if (r == 0)
        r = read_number(source, "sys/net/netfilter/nf_conntrack_max", &s.counters[CONNTRACK_MAX]);
    if (r < 0)
        return r;
    if (procfs_read(source->procfs, PROCFS_PROC, "net/stat/nf_conntrack", &text) == 0)
        conntrack_parse_stat(text, &s);
    *(struct conntrack_sample *)state = s;
    return 0;
}

/* rows of the table; the share stands before search_restart */
enum row { PCT = CONNTRACK_MAX + 1, SEARCH_RESTART };

/* the only document */
static void values(const void *state, size_t i, struct value *v)
{
    const struct counter *c = ((const struct conntrack_sample *)state)->counters;
    (void)i;
    for (size_t k = 0; k <= CONNTRACK_MAX; k++)
        v[k] = counters_value(&c[k]);
    v[PCT] = counters_share(&c[CONNTRACK_ENTRIES], &c[CONNTRACK_MAX]);
    v[SEARCH_RESTART] = counters_value(&c[CONNTRACK_SEARCH_RESTART]);
}

/* clang-format off */
#define ROW(name, kind, optional, text)                                                            \
    FIELD_ROW_LONG("linux.conntrack.summary." name, FIELD_NO_UNIT, kind, optional, text)
/* clang-format on */

static const struct field fields[] = {
    ROW("drop", FIELD_COUNTER, true, "Packets dropped because tracking failed."),
    ROW("early_drop", FIELD_COUNTER, true,
        "Connections given up to make room because the table was full."),
    ROW("entries", FIELD_GAUGE, false, "Tracked connections."),
    ROW("found", FIELD_COUNTER, true, "Lookups that found a connection."),
    ROW("ignore", FIELD_COUNTER, true, "Packets of connections that were tracked already."),
    ROW("insert_failed", FIELD_COUNTER, true, "Connections that could not be put into the table."),
    ROW("invalid", FIELD_COUNTER, true, "Packets that could not be tracked."),
    ROW("max", FIELD_GAUGE, false, "Connections that the table holds at most."),
    FIELD_ROW_PCT("linux.conntrack.summary.pct", true,
                  "Tracked connections, as a fraction of the most there can be."),
    ROW("search_restart", FIELD_COUNTER, true,
        "Lookups that began anew because the table was resized."),
};

const struct metric_set conntrack_set = {
    .name = "conntrack",
    .which = CONFIG_SET_CONNTRACK,
    .root = PROCFS_PROC,
    .path = "sys/net/netfilter/nf_conntrack_count",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct conntrack_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
