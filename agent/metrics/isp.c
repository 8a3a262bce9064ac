/*
 * metrics/isp - the values of a set's document, one by one
 *
 * The document is scanned as text, so that sets need not know of this. Its leaves are compared with
 * the fields that the table names; what was found is kept until the end, because tags may follow
 * their value.
 *
 * What can fail: a text that is too long is left out, a number that is none gives no document.
 */
#include "metrics/isp.h"

#include <string.h>

#include "base/def.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "base/num.h"
#include "bulk/fields.h"
#include "metrics/member.h"

#define TEXT_MAX 255 /* bytes of a value, a path or a time */

/* The types are those that the platform's programs write and its dashboards ask for; what has none
 * there is `custom` with a name. */
static const struct isp_metric metrics[] = {
    {"cpu", "system.cpu.total.norm.pct", "cpu_usage", "percent", .name = NULL},
    {"load", "system.load.1", "custom", "load", .name = "load_average"},
    {"memory", "system.memory.actual.used.pct", "memory_usage", "percent", .name = NULL},
    {"memory", "system.memory.swap.used.pct", "custom", "percent", .name = "swap_usage"},
    {"filesystem", "system.filesystem.used.pct", "disk_usage", "percent",
     .of = {"system.filesystem.mount_point", "system.filesystem.device_name"}},
    {"network", "host.network.ingress.bytes", "network_bandwidth", "bytes", .direction = "in"},
    {"network", "host.network.egress.bytes", "network_bandwidth", "bytes", .direction = "out"},
    {"network", "system.network.in.bytes", "network_traffic", "bytes", .direction = "in",
     .of = {"system.network.name"}},
    {"network", "system.network.out.bytes", "network_traffic", "bytes", .direction = "out",
     .of = {"system.network.name"}},
    {"interface", "system.interface.in.utilisation.pct", "network_bandwidth_utilization", "percent",
     .direction = "in", .of = {"system.interface.name"}},
    {"interface", "system.interface.out.utilisation.pct", "network_bandwidth_utilization",
     "percent", .direction = "out", .of = {"system.interface.name"}},
    {"netstat", "system.network_summary.tcp.CurrEstab", "network_connection_count", "connections",
     .name = NULL},
    {"conntrack", "linux.conntrack.summary.entries", "custom", "connections",
     .name = "tracked_connections"},
    {"uptime", "system.uptime.duration.ms", "custom", "ms", .name = "uptime"},
};

/* A text that was found in the document. */
struct found {
    char text[TEXT_MAX + 1];
    size_t len; /* 0: none */
};

struct scan {
    const char *set;
    char path[TEXT_MAX + 1];
    size_t path_at[JSON_SCAN_DEPTH + 1]; /* its length at a depth */
    bool cut;                            /* it does not fit */
    struct found time;
    struct found value[ARRAY_LEN(metrics)];
    struct found tag[ARRAY_LEN(metrics)][ARRAY_LEN(metrics[0].of)];
};

/* see header */
const struct isp_metric *isp_metrics(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(metrics);
    return metrics;
}

/* see header */
bool isp_has_set(const char *set)
{
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++)
        if (strcmp(metrics[i].set, set) == 0)
            return true;
    return false;
}

/* keeps a text */
static void keep(struct found *f, struct slice text)
{
    if (text.len > TEXT_MAX)
        return;
    memcpy(f->text, text.ptr, text.len);
    f->len = text.len;
}

/* a leaf to the rows that name it */
static void take(struct scan *s, struct slice path, struct slice text)
{
    if (slice_eq_str(path, "@timestamp"))
        keep(&s->time, text);
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
        const struct isp_metric *m = &metrics[i];
        if (strcmp(m->set, s->set) != 0)
            continue;
        if (slice_eq_str(path, m->field))
            keep(&s->value[i], text);
        for (size_t k = 0; k < ARRAY_LEN(m->of) && m->of[k] != NULL; k++)
            if (slice_eq_str(path, m->of[k]))
                keep(&s->tag[i][k], text);
    }
}

/* the name of a member at a depth, behind those of the objects around it */
static void take_name(struct scan *s, unsigned depth, struct slice name)
{
    size_t at = depth > 1 ? s->path_at[depth - 1] : 0;
    s->cut = at + name.len + 1 > TEXT_MAX;
    if (s->cut)
        return;
    if (at > 0)
        s->path[at++] = '.';
    memcpy(s->path + at, name.ptr, name.len);
    s->path_at[depth] = at + name.len;
}

/* one piece of the document */
static int on_event(void *ctx, enum json_event event, unsigned depth, struct slice text, bool cut)
{
    struct scan *s = ctx;
    if (event == JSON_KEY)
        take_name(s, depth, text);
    else if ((event == JSON_STRING || event == JSON_NUMBER) && depth > 0 && !s->cut && !cut)
        take(s, slice_of(s->path, s->path_at[depth]), text);
    return 0;
}

/* the last part of a name */
static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

/* the interface is called name in its set, as much else is */
static const char *tag_name(const char *field)
{
    const char *last = last_part(field);
    return strcmp(last, "name") == 0 ? "interface" : last;
}

/* what a value belongs to */
static void write_tags(struct json_writer *w, const struct scan *s, size_t i)
{
    const struct isp_metric *m = &metrics[i];
    member_object(w, "tags");
    if (m->name != NULL)
        member_text(w, "name", m->name);
    for (size_t k = 0; k < ARRAY_LEN(m->of); k++) {
        if (s->tag[i][k].len == 0)
            continue;
        json_key(w, tag_name(m->of[k]));
        json_string(w, slice_of(s->tag[i][k].text, s->tag[i][k].len));
    }
    if (m->direction != NULL)
        member_text(w, "direction", m->direction);
    json_end_object(w);
}

/* the document of one value */
static int write_one(const struct scan *s, size_t i, double value, const char *host_name,
                     struct buf *out)
{
    const struct isp_metric *m = &metrics[i];
    struct json_writer w;
    buf_reset(out);
    json_begin(&w, out);
    json_object(&w);
    member_text(&w, "@timestamp", s->time.text);
    member_text(&w, "timestamp", s->time.text);
    member_text(&w, "service_name", "system");
    member_text(&w, "host_name", host_name);
    member_text(&w, "metric_type", m->type);
    member_real(&w, "value", strcmp(m->unit, "percent") == 0 ? 100 * value : value);
    member_text(&w, "unit", m->unit);
    member_text(&w, "status", "up");
    write_tags(&w, s, i);
    member_real(&w, "sampling_rate", 1);
    json_end_object(&w);
    return json_done(&w);
}

/* see header */
void isp_write(const char *set, struct slice document, const char *host_name, struct buf *out,
               isp_emit_fn emit, void *ctx)
{
    struct scan s = {.set = set};
    double value;
    struct json_scan *scan = json_scan_new(TEXT_MAX, on_event, &s);
    int r = json_scan_feed(scan, document);
    if (r == 0)
        r = json_scan_finish(scan);
    json_scan_free(&scan);
    for (size_t i = 0; i < ARRAY_LEN(metrics) && r == 0; i++) {
        if (s.value[i].len == 0 ||
            num_double(slice_of(s.value[i].text, s.value[i].len), &value) < 0)
            continue;
        if (write_one(&s, i, value, host_name, out) == 0)
            emit(ctx, buf_slice(out));
    }
}
