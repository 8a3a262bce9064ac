/*
 * metrics/envelope - the constant part of metric documents
 *
 * The constants are kept as the text of members without their braces, so that varying members can
 * stand in the same objects. Texts come from the host and the configuration, each of bounded
 * length; they are escaped once, here.
 */
#include "metrics/envelope.h"

#include <assert.h>

#include "base/date.h"
#include "base/def.h"
#include "base/mem.h"
#include "metrics/member.h"

/* host name, agent and os-release values of at most 256 bytes each, every byte escaped */
#define CONSTANT_MAX ((size_t)32 * 1024)

#define DATASET_BYTES 64

#define NS_PER_MS 1000000

static const struct field fields[] = {
    {"@timestamp", FIELD_DATE, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "When the sample was taken."},
    {"agent.id", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Id of this agent, kept in path.data."},
    {"agent.name", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Name of the host that the agent runs on."},
    {"agent.type", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false, "Always wherry."},
    {"agent.version", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Version of the agent."},
    {"data_stream.dataset", FIELD_CONSTANT_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "system.<set>."},
    {"data_stream.namespace", FIELD_CONSTANT_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Option namespace."},
    {"data_stream.type", FIELD_CONSTANT_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Always metrics."},
    {"ecs.version", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Version of the Elastic Common Schema that the document follows."},
    {"event.dataset", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false, "system.<set>."},
    {"event.duration", FIELD_LONG, 0, FIELD_NANOS, FIELD_NO_METRIC, false,
     "Time that the sample took."},
    {"event.module", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false, "Always system."},
    {"host.architecture", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Machine type that the kernel tells."},
    FIELD_ROW_KEYWORD("host.boot.id", true, "Id of the time since the kernel began."),
    {"host.hostname", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Host name that the kernel tells."},
    {"host.id", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Machine id of /etc/machine-id."},
    {"host.ip", FIELD_IP, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "List of the addresses of its interfaces, without those of the loopback and of containers."},
    FIELD_ROW_KEYWORD("host.mac", true, "List of the hardware addresses of its interfaces."),
    {"host.name", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false, "Name of the host."},
    {"host.os.codename", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Code name of the distribution's release."},
    {"host.os.family", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Family of the distribution: debian, redhat, suse."},
    {"host.os.kernel", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Release of the kernel."},
    {"host.os.name", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Name of the distribution."},
    {"host.os.platform", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Id of the distribution."},
    {"host.os.type", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false, "Always linux."},
    {"host.os.version", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, true,
     "Version of the distribution."},
    {"metricset.name", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false, "Name of the set."},
    {"metricset.period", FIELD_LONG, 0, FIELD_MS, FIELD_NO_METRIC, false,
     "Time between two samples."},
    {"service.type", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false, "Always system."},
};

/* see header */
const struct field *envelope_fields(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(fields);
    return fields;
}

/* constant texts, each the members of one object */
struct envelope {
    struct buf top;
    struct buf event;
    struct buf agent;
    struct buf host;
    const struct buf *host_members; /* borrowed, may be NULL */
};

/* data_stream.*, metricset.*, service.*, ecs.* */
static void write_top(struct json_writer *w, const struct envelope_opts *o, const char *dataset)
{
    member_object(w, "data_stream");
    member_text(w, "type", "metrics");
    member_text(w, "dataset", dataset);
    member_text(w, "namespace", o->namespace);
    json_end_object(w);
    member_object(w, "metricset");
    member_text(w, "name", o->set);
    member_long(w, "period", (uint64_t)o->period_ms);
    json_end_object(w);
    member_object(w, "service");
    member_text(w, "type", "system");
    json_end_object(w);
    member_object(w, "ecs");
    member_text(w, "version", ENCODE_ECS_VERSION);
    json_end_object(w);
}

/* agent.* */
static void write_agent(struct json_writer *w, const struct envelope_opts *o)
{
    member_text(w, "type", "wherry");
    member_text(w, "version", o->agent->version);
    member_text(w, "id", o->agent->id);
    member_text(w, "name", o->agent->host_name);
}

/* event.module, event.dataset */
static void write_event(struct json_writer *w, const char *dataset)
{
    member_text(w, "module", "system");
    member_text(w, "dataset", dataset);
}

/* host.*; what is not known is left out */
static void write_host(struct json_writer *w, const struct envelope_opts *o)
{
    const struct sysinfo *host = o->host;
    member_text(w, "name", o->agent->host_name);
    member_text(w, "hostname", host->hostname);
    member_text_if(w, "architecture", host->architecture);
    member_text_if(w, "id", host->machine_id);
    if (host->boot_id[0] != '\0') {
        member_object(w, "boot");
        member_text(w, "id", host->boot_id);
        json_end_object(w);
    }
    member_object(w, "os");
    member_text(w, "type", "linux");
    member_text_if(w, "name", host->os_name);
    member_text_if(w, "version", host->os_version);
    member_text_if(w, "platform", host->os_platform);
    member_text_if(w, "family", host->os_family);
    member_text_if(w, "codename", host->os_codename);
    member_text_if(w, "kernel", host->os_kernel);
    json_end_object(w);
}

/* the buffer has room for every text that its owner may hold */
static void finish(struct json_writer *w)
{
    int r = json_done(w);
    assert(r == 0);
    (void)r;
}

/* see header */
struct envelope *envelope_new(const struct envelope_opts *opts)
{
    struct envelope *e = mem_zalloc(sizeof(*e));
    struct json_writer w;
    struct buf dataset;
    buf_init(&dataset, DATASET_BYTES);
    int r = buf_printf(&dataset, "system.%s", opts->set);
    assert(r == 0);
    (void)r;

    e->host_members = opts->host_members;
    buf_init(&e->top, CONSTANT_MAX);
    json_begin(&w, &e->top);
    write_top(&w, opts, buf_cstr(&dataset));
    finish(&w);
    buf_init(&e->event, CONSTANT_MAX);
    json_begin(&w, &e->event);
    write_event(&w, buf_cstr(&dataset));
    finish(&w);
    buf_init(&e->agent, CONSTANT_MAX);
    json_begin(&w, &e->agent);
    write_agent(&w, opts);
    finish(&w);
    buf_init(&e->host, CONSTANT_MAX);
    json_begin(&w, &e->host);
    write_host(&w, opts);
    finish(&w);
    buf_clear(&dataset);
    return e;
}

/* see header */
void envelope_free(struct envelope **e)
{
    if (*e == NULL)
        return;
    buf_clear(&(*e)->top);
    buf_clear(&(*e)->event);
    buf_clear(&(*e)->agent);
    buf_clear(&(*e)->host);
    mem_free(*e);
    *e = NULL;
}

/* see header */
void envelope_open(const struct envelope *e, struct json_writer *w, int64_t wall_ns,
                   uint64_t duration_ns)
{
    char time[DATE_RFC3339_MS_LEN];
    date_write_ms(time, wall_ns / NS_PER_MS);
    json_object(w);
    json_key(w, "@timestamp");
    json_string(w, slice_of(time, sizeof(time)));
    json_raw(w, buf_slice(&e->top));
    member_object(w, "event");
    json_raw(w, buf_slice(&e->event));
    member_long(w, "duration", duration_ns);
    json_end_object(w);
    member_object(w, "agent");
    json_raw(w, buf_slice(&e->agent));
}

/* see header */
void envelope_host(const struct envelope *e, struct json_writer *w)
{
    json_end_object(w);
    member_object(w, "host");
    json_raw(w, buf_slice(&e->host));
    if (e->host_members != NULL && e->host_members->len > 0)
        json_raw(w, buf_slice(e->host_members));
}
