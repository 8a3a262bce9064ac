#ifndef TOOLS_SINK_CONTROL_H
#define TOOLS_SINK_CONTROL_H

/* The sink's answers on every path but `_bulk`: its own under /_sink/, and what a shipper asks. */
#include "sink_bulk.h"

/* GET /_sink/stats */
static inline void print_stats(struct bytes *to)
{
    const struct counts *n = &sink.counts;
    const char *comma = "";

    look_at_kept();
    bytes_print(to,
                "{\"docs\":%" PRIu64 ",\"unique\":%" PRIu64 ",\"repeated_ids\":%" PRIu64
                ",\"repeated_lines\":%" PRIu64 ",\"altered\":%" PRIu64 ",\"requests\":%" PRIu64
                ",\"bulks\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"wire_bytes\":%" PRIu64
                ",\"connections\":%" PRIu64 ",\"open\":%u,\"busy_ms\":%" PRId64
                ",\"first_ms\":%" PRId64 ",\"status\":{",
                n->documents, sink.store.ids, n->duplicates, sink.store.repeated_lines,
                sink.store.altered, n->requests, n->bulks, n->bytes, n->wire_bytes, n->connections,
                sink.conn_count, n->last_ms - n->first_ms, n->first_ms);
    for (size_t i = 0; i < ARRAY_LEN(n->answered); i++) {
        if (n->answered[i] == 0)
            continue;
        bytes_print(to, "%s\"%zu\":%" PRIu64, comma, i, n->answered[i]);
        comma = ",";
    }
    bytes_print(to, "},\"indices\":{");
    for (unsigned i = 0; i < sink.store.index_count; i++)
        bytes_print(to, "%s\"%s\":%" PRIu64, i ? "," : "", sink.store.indices[i].name,
                    sink.store.indices[i].docs);
    bytes_print(to, "},\"writers\":{");
    for (unsigned i = 0; i < sink.store.writer_count; i++)
        bytes_print(to, "%s\"%s\":{\"unique\":%" PRIu64 ",\"highest\":%" PRIu64 "}", i ? "," : "",
                    sink.store.writers[i].id.name, sink.store.writers[i].unique,
                    sink.store.writers[i].highest);
    bytes_print(to, "}}");
}

/* the value of a parameter of the query, empty when it is not there */
static inline struct text parameter(struct text query, const char *name)
{
    const size_t name_len = strlen(name);

    while (query.len > 0) {
        const char *amp = memchr(query.ptr, '&', query.len);
        const size_t len = amp ? (size_t)(amp - query.ptr) : query.len;
        if (len > name_len && memcmp(query.ptr, name, name_len) == 0 && query.ptr[name_len] == '=')
            return (struct text){query.ptr + name_len + 1, len - name_len - 1};
        const size_t step = amp ? len + 1 : len;
        query = (struct text){query.ptr + step, query.len - step};
    }
    return NO_TEXT;
}

/* GET /_sink/missing: how many numbers in [from, to] are not there, and the first hundred ranges */
static inline void print_missing(struct bytes *to, struct text query)
{
    look_at_kept();
    const struct text name = parameter(query, "writer");
    const struct store_writer *w = store_writer(&sink.store, name.ptr, name.len);
    const struct text first = parameter(query, "from");
    const struct text last = parameter(query, "to");
    const uint64_t from = first.len ? strtoull(first.ptr, NULL, 10) : 1;
    uint64_t end = last.len ? strtoull(last.ptr, NULL, 10) : 0;
    uint64_t missing = 0;
    uint64_t start = 0;
    unsigned ranges = 0;
    bool open = false;

    if (end >= STORE_SEQ_MAX)
        end = STORE_SEQ_MAX - 1;
    bytes_print(to, "{\"ranges\":[");
    for (uint64_t seq = from; seq <= end + 1; seq++) {
        const bool lacks = seq <= end && (w == NULL || !store_seq_has(w, seq));
        missing += lacks;
        if (lacks && !open)
            start = seq;
        if (!lacks && open && ranges++ < 100)
            bytes_print(to, "%s[%" PRIu64 ",%" PRIu64 "]", ranges > 1 ? "," : "", start, seq - 1);
        open = lacks;
    }
    bytes_print(to, "],\"missing\":%" PRIu64 "}", missing);
}

/* POST /_sink/faults; false when a name is not known or the body is no flat object of numbers */
static inline bool set_faults(struct text body)
{
    const char *end = body.ptr + body.len;
    const char *p = body.ptr;
    struct text name;
    struct text value;
    int more;

    while ((more = scan_member(&p, end, &name, &value)) == 1) {
        char number[32];
        char *rest;
        (void)snprintf(number, sizeof(number), "%.*s", (int)value.len, value.ptr);
        const double v = strtod(number, &rest);
        if (rest == number || *rest != 0 || !fault_set(name, v))
            return false;
    }
    return more == 0;
}

/* forgets what was taken */
static inline void reset(void)
{
    free(sink.store.slots);
    for (unsigned i = 0; i < sink.store.writer_count; i++)
        free(sink.store.writers[i].seen);
    memset(&sink.store, 0, sizeof(sink.store));
    memset(&sink.counts, 0, sizeof(sink.counts));
    sink.defer.bodies.len = sink.defer.used = 0;
    sink.defer.items = 0;
    sink.reached = false;
}

/* what a shipper may ask before it sends; NULL: nothing here */
static inline const char *control_reply(struct text path)
{
    static const struct {
        const char *prefix;
        const char *reply;
    } table[] = {
        {"/_cluster/health",
         "{\"cluster_name\":\"sink\",\"status\":\"green\",\"timed_out\":false}"},
        {"/_index_template/_simulate_index/",
         "{\"template\":{\"settings\":{},\"mappings\":{},\"aliases\":{}},\"overlapping\":[]}"},
        {"/_index_template",
         "{\"index_templates\":[{\"name\":\"logs\",\"index_template\":{\"index_patterns\":[\"logs-*"
         "-*\"],"
         "\"composed_of\":[],\"priority\":100,\"data_stream\":{}}},{\"name\":\"metrics\","
         "\"index_template\":{\"index_patterns\":[\"metrics-*-*\"],\"composed_of\":[],"
         "\"priority\":100,\"data_stream\":{}}}]}"},
        {"/_resolve/index/", "{\"indices\":[],\"aliases\":[],\"data_streams\":[]}"},
        {"/_security/user/_has_privileges",
         "{\"username\":\"sink\",\"has_all_requested\":true,\"cluster\":{},\"index\":{}}"},
        {"/_security/_authenticate", "{\"username\":\"sink\",\"roles\":[\"superuser\"],"
                                     "\"enabled\":true,\"authentication_type\":\"anonymous\"}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (path.len >= strlen(table[i].prefix) &&
            memcmp(path.ptr, table[i].prefix, strlen(table[i].prefix)) == 0)
            return table[i].reply;
    }
    return NULL;
}

/* paths that are not bulk */
static inline void answer_other(struct conn *c, struct text path, struct text query,
                                struct text body)
{
    struct bytes text = {0};
    int status = 200;

    if (scan_is(path, "/_sink/stats")) {
        print_stats(&text);
    } else if (scan_is(path, "/_sink/missing")) {
        print_missing(&text, query);
    } else if (scan_is(path, "/_sink/reset")) {
        reset();
        bytes_print(&text, "{}");
    } else if (scan_is(path, "/_sink/faults")) {
        status = set_faults(body) ? 200 : 400;
        bytes_print(&text, "{}");
    } else if (scan_is(path, "/")) {
        bytes_print(&text,
                    "{\"name\":\"sink\",\"cluster_name\":\"sink\",\"cluster_uuid\":\"c2luaw\","
                    "\"version\":{\"number\":\"%s\",\"build_flavor\":\"default\"},"
                    "\"tagline\":\"You Know, for Search\"}",
                    sink.version);
    } else if (path.len >= 7 && memcmp(path.ptr, "/_nodes", 7) == 0) {
        bytes_print(&text, "{\"nodes\":{\"c2luaw\":{\"name\":\"sink\",\"version\":\"%s\"}}}",
                    sink.version);
    } else if (strcmp(c->method, "PUT") == 0) {
        bytes_print(&text, "{\"acknowledged\":true}");
    } else if (control_reply(path) != NULL) {
        bytes_print(&text, "%s", control_reply(path));
    } else {
        answer_error(c, 404, "resource_not_found_exception", "no such path");
        return;
    }
    http_answer(c, status, (struct text){text.ptr, text.len}, NO_TEXT);
    free(text.ptr);
}

#endif
