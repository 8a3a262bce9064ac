/*
 * bulk/fields - the rows
 *
 * Invariants (held by the unit test): names are unique in each profile, no name is the object of
 * another one, a name of the platform is none of ECS.
 */
#include "bulk/fields.h"

#include "base/def.h"

#define SAME(name, type, flags, text)                                                              \
    {                                                                                              \
        name, type, NULL, type, flags, text                                                        \
    }

const struct log_field log_fields[] = {
    [LOG_FIELD_TIME] = {"@timestamp", FIELD_DATE, "timestamp", FIELD_DATE, FIELD_BOTH_NAMES,
                        "When it was written, as the line says; else when it was read."},
    [LOG_FIELD_PATH] = SAME("log.file.path", FIELD_KEYWORD, FIELD_OURS, "The file."),
    [LOG_FIELD_OFFSET] = SAME("log.offset", FIELD_LONG, FIELD_OURS, "Where the line begins in it."),
    [LOG_FIELD_FLAGS] =
        SAME("log.flags", FIELD_KEYWORD, FIELD_OURS,
             "truncated, partial, multiline: what was done to the line; undated: it has a time "
             "that is none."),
    [LOG_FIELD_LEVEL] = {"log.level", FIELD_KEYWORD, "log_level", FIELD_KEYWORD, FIELD_NO_CASE,
                         "Level, such as error or warning."},
    [LOG_FIELD_STREAM] = SAME("stream", FIELD_KEYWORD, 0, "stdout or stderr of a container."),
    [LOG_FIELD_MESSAGE] = SAME("message", FIELD_TEXT, 0, "The text."),
    [LOG_FIELD_STREAM_TYPE] =
        SAME("data_stream.type", FIELD_CONSTANT_KEYWORD, FIELD_OURS, "Always logs."),
    [LOG_FIELD_STREAM_DATASET] =
        SAME("data_stream.dataset", FIELD_CONSTANT_KEYWORD, FIELD_OURS, "Option dataset."),
    [LOG_FIELD_STREAM_NAMESPACE] =
        SAME("data_stream.namespace", FIELD_CONSTANT_KEYWORD, FIELD_OURS, "Option namespace."),
    [LOG_FIELD_EVENT_DATASET] = SAME("event.dataset", FIELD_KEYWORD, FIELD_OURS, "Option dataset."),
    [LOG_FIELD_HOST] = {"host.name", FIELD_KEYWORD, "host_name", FIELD_KEYWORD, FIELD_LINE_FIRST,
                        "The host that the line names, else this one."},
    [LOG_FIELD_AGENT_TYPE] = SAME("agent.type", FIELD_KEYWORD, FIELD_OURS, "Always wherry."),
    [LOG_FIELD_AGENT_VERSION] =
        SAME("agent.version", FIELD_KEYWORD, FIELD_OURS, "Version of the agent."),
    [LOG_FIELD_AGENT_ID] =
        SAME("agent.id", FIELD_KEYWORD, FIELD_OURS, "Id of this agent, kept in path.data."),
    [LOG_FIELD_AGENT_NAME] =
        SAME("agent.name", FIELD_KEYWORD, FIELD_OURS, "Name of the host that the agent runs on."),
    [LOG_FIELD_ECS] = SAME("ecs.version", FIELD_KEYWORD, FIELD_OURS,
                           "Version of the Elastic Common Schema that the document follows."),
    [LOG_FIELD_INPUT] = SAME("input.type", FIELD_KEYWORD, FIELD_OURS, "Always filestream."),
    [LOG_FIELD_FIELDS] = SAME("fields", FIELD_OBJECT, FIELD_OURS, "Option fields."),
    [LOG_FIELD_TAGS] = SAME("tags", FIELD_KEYWORD, 0, "Option tags; without it those of the line."),
    /* what only lines have */
    {"service.name", FIELD_KEYWORD, "service_name", FIELD_KEYWORD, 0, "Service that wrote it."},
    {"trace.id", FIELD_KEYWORD, "trace_id", FIELD_KEYWORD, 0, "Id of the trace."},
    {"event.id", FIELD_KEYWORD, "id", FIELD_KEYWORD, 0, "Id that the application gave it."},
    SAME("correlation_id", FIELD_KEYWORD, 0, "Id that related lines share."),
    {"user.id", FIELD_KEYWORD, "user_id", FIELD_LONG, 0, "Id of the user."},
    {"source.ip", FIELD_IP, "source_ip", FIELD_IP, 0, "Address of the client."},
    {"url.path", FIELD_KEYWORD, "request_path", FIELD_KEYWORD, 0, "Path of the request."},
    {"http.request.method", FIELD_KEYWORD, "request_method", FIELD_KEYWORD, 0,
     "Method of the request."},
    {"http.response.status_code", FIELD_LONG, "response_status", FIELD_LONG, 0,
     "Status of the response."},
    SAME("execution_time_ms", FIELD_FLOAT, 0, "Time that the request took."),
    SAME("metric_type", FIELD_KEYWORD, FIELD_NO_CASE, "What the value is, such as cpu_usage."),
    SAME("value", FIELD_FLOAT, 0, "A measured value."),
    SAME("unit", FIELD_KEYWORD, 0, "Its unit."),
    SAME("status", FIELD_KEYWORD, FIELD_NO_CASE, "up, down, degraded, maintenance or unknown."),
    SAME("sampling_rate", FIELD_FLOAT, 0, "Share of the values that were kept."),
    SAME("error.message", FIELD_TEXT, 0,
         "Why the line is sent as it is; or the error that the line tells."),
    SAME("metadata", FIELD_OBJECT, 0, "What else the application says."),
    SAME("json", FIELD_OBJECT, FIELD_NOT_INDEXED,
         "Members of a JSON line whose names or types clash with fields above."),
};
const size_t log_field_count = ARRAY_LEN(log_fields);

const struct log_field isp_metric_fields[] = {
    SAME("@timestamp", FIELD_DATE, 0, "When the value was measured."),
    SAME("timestamp", FIELD_DATE, 0, "The same."),
    SAME("service_name", FIELD_KEYWORD, 0, "Always system."),
    SAME("host_name", FIELD_KEYWORD, 0, "Name of the host."),
    SAME("metric_type", FIELD_KEYWORD, FIELD_NO_CASE, "What the value is, such as cpu_usage."),
    SAME("value", FIELD_FLOAT, 0, "The value."),
    SAME("unit", FIELD_KEYWORD, 0, "Its unit."),
    SAME("status", FIELD_KEYWORD, FIELD_NO_CASE, "up, down, degraded, maintenance or unknown."),
    SAME("tags", FIELD_OBJECT, 0, "What the value belongs to: interface, mount point."),
    SAME("sampling_rate", FIELD_FLOAT, 0, "Share of the values that were kept: always 1."),
};
const size_t isp_metric_field_count = ARRAY_LEN(isp_metric_fields);

/* see header */
const char *field_type_name(enum field_type t)
{
    static const char *const names[] = {
        [FIELD_DATE] = "date",       [FIELD_KEYWORD] = "keyword",
        [FIELD_LONG] = "long",       [FIELD_SCALED_FLOAT] = "scaled_float",
        [FIELD_BOOLEAN] = "boolean", [FIELD_IP] = "ip",
        [FIELD_TEXT] = "text",       [FIELD_FLOAT] = "float",
        [FIELD_OBJECT] = "object",   [FIELD_CONSTANT_KEYWORD] = "constant_keyword",
    };
    return names[t];
}

/* see header */
const char *log_field_name(const struct log_field *f, enum profile p)
{
    return p == PROFILE_ISP && f->platform != NULL ? f->platform : f->name;
}

/* see header */
enum field_type log_field_type(const struct log_field *f, enum profile p)
{
    return p == PROFILE_ISP ? f->platform_type : f->type;
}
