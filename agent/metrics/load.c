/*
 * metrics/load - set load
 */
#include "metrics/load.h"

#include <errno.h>

#include "base/num.h"
#include "metrics/column.h"
#include "metrics/counters.h"
#include "metrics/member.h"

/* more tasks than a kernel can have (2^22): no load average */
#define LOAD_MAX 1e7

static const char *const minutes[] = {"1", "5", "15"};

/* three numbers at the start of the line */
int load_parse(struct slice loadavg, struct load_sample *ret)
{
    struct slice line;
    double v[ARRAY_LEN(minutes)];
    if (!column_line(&loadavg, &line))
        return -EBADMSG;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct slice word;
        if (!slice_next_word(&line, &word) || num_double(word, &v[i]) < 0 || v[i] > LOAD_MAX)
            return -EBADMSG;
    }
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        ret->average[i] = v[i];
    return 0;
}

/* see header */
void load_write(const struct load_sample *s, struct json_writer *w)
{
    member_object(w, "system");
    member_object(w, "load");
    member_long(w, "cores", s->cores);
    for (size_t i = 0; i < ARRAY_LEN(minutes); i++)
        member_real(w, minutes[i], s->average[i]);
    member_object(w, "norm");
    for (size_t i = 0; i < ARRAY_LEN(minutes); i++)
        member_real(w, minutes[i], s->average[i] / s->cores);
    json_end_object(w);
    json_end_object(w);
    json_end_object(w);
}

/* one more sample */
static int sample(void *state, const struct set_source *source)
{
    struct load_sample *s = state;
    struct slice text;
    int r = procfs_read(source->procfs, PROCFS_PROC, load_set.path, &text);
    if (r == 0)
        r = load_parse(text, s);
    if (r == 0)
        s->cores = source->host->cores;
    return r;
}

/* the only document */
static void write_body(const void *state, size_t i, struct json_writer *w)
{
    (void)i;
    load_write(state, w);
}

static const struct field fields[] = {
    {"system.load.1", FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last minute."},
    {"system.load.15", FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last 15 minutes."},
    {"system.load.5", FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last 5 minutes."},
    {"system.load.cores", FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Processors that are online."},
    {"system.load.norm.1", FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last minute, divided by the processors."},
    {"system.load.norm.15", FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last 15 minutes, divided by the processors."},
    {"system.load.norm.5", FIELD_SCALED_FLOAT, 100, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Load average of the last 5 minutes, divided by the processors."},
};

const struct metric_set load_set = {
    .name = "load",
    .which = CONFIG_SET_LOAD,
    .root = PROCFS_PROC,
    .path = "loadavg",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct load_sample),
    .sample = sample,
    .documents = counters_one_document,
    .write = write_body,
};
