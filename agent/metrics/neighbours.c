/*
 * metrics/neighbours - set neighbours
 */
#include "metrics/neighbours.h"

#include <errno.h>

#include "base/num.h"
#include "metrics/column.h"

/* ATF_COM of <net/if_arp.h> */
#define FLAG_COMPLETE 0x2U

/* address, hardware type, flags */
static void take_row(struct slice line, struct neighbours_sample *s)
{
    struct slice address, type, flags;
    uint64_t v;
    if (!slice_next_word(&line, &address) || !slice_next_word(&line, &type) ||
        !slice_next_word(&line, &flags) || !slice_starts(flags, SLICE_LIT("0x")) ||
        num_hex(slice_sub(flags, 2, flags.len), &v) < 0)
        return;
    counters_add(&s->counters[NEIGHBOURS_COUNT], 1);
    counters_add(&s->counters[NEIGHBOURS_COMPLETE], (v & FLAG_COMPLETE) != 0);
}

/* see header */
int neighbours_parse(struct slice text, struct neighbours_sample *s)
{
    struct slice line;
    if (!column_line(&text, &line))
        return -EBADMSG;
    counters_add(&s->counters[NEIGHBOURS_COUNT], 0);
    counters_add(&s->counters[NEIGHBOURS_COMPLETE], 0);
    while (column_line(&text, &line))
        take_row(line, s);
    return 0;
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct neighbours_sample s = {0};
    struct slice text, line;
    int r = procfs_read(source->procfs, PROCFS_PROC, neighbours_set.path, &text);
    if (r == 0)
        r = neighbours_parse(text, &s);
    if (r < 0)
        return r;
    if (procfs_read(source->procfs, PROCFS_PROC, "sys/net/ipv4/neigh/default/gc_thresh3", &text) ==
            0 &&
        column_line(&text, &line))
        counters_take(&s.counters[NEIGHBOURS_MAX], &line);
    *(struct neighbours_sample *)state = s;
    return 0;
}

/* the only document */
static void values(const void *state, size_t i, struct value *v)
{
    const struct counter *c = ((const struct neighbours_sample *)state)->counters;
    (void)i;
    for (size_t k = 0; k < NEIGHBOURS_COUNTERS; k++)
        v[k] = counters_value(&c[k]);
    v[NEIGHBOURS_COUNTERS] = counters_share(&c[NEIGHBOURS_COUNT], &c[NEIGHBOURS_MAX]);
}

static const struct field fields[] = {
    FIELD_ROW_LONG("system.neighbours.complete", FIELD_NO_UNIT, FIELD_GAUGE, false,
                   "Neighbours of the ARP table whose hardware address is known."),
    FIELD_ROW_LONG("system.neighbours.count", FIELD_NO_UNIT, FIELD_GAUGE, false,
                   "Neighbours in the ARP table."),
    FIELD_ROW_LONG("system.neighbours.max", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "Neighbours that the table holds at most (gc_thresh3)."),
    FIELD_ROW_PCT("system.neighbours.pct", true,
                  "Neighbours, as a fraction of the most there can be."),
};

const struct metric_set neighbours_set = {
    .name = "neighbours",
    .which = CONFIG_SET_NEIGHBOURS,
    .root = PROCFS_PROC,
    .path = "net/arp",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct neighbours_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
