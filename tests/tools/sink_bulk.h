#ifndef TOOLS_SINK_BULK_H
#define TOOLS_SINK_BULK_H

/*
 * The sink's state, and what it does with a `_bulk` request: takes the documents, strikes the
 * faults that were asked for, answers item by item.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/def.h"
#include "seqline.h"
#include "sink_defer.h"
#include "sink_http.h"
#include "sink_scan.h"
#include "sink_store.h"

#define CONNS_MAX   1024u
#define NO_TEXT     ((struct text){"", 0})
#define TEXT_LIT(s) ((struct text){(s), sizeof(s) - 1})

struct faults {
    double item429, item400, item403, item500;
    double cut_every, drop_every;
    double status, status_for;
    double delay_ms;
    double seed;
};

static const struct {
    const char *name;
    size_t at;
} fault_names[] = {
    {"item429", offsetof(struct faults, item429)},
    {"item400", offsetof(struct faults, item400)},
    {"item403", offsetof(struct faults, item403)},
    {"item500", offsetof(struct faults, item500)},
    {"cut_every", offsetof(struct faults, cut_every)},
    {"drop_every", offsetof(struct faults, drop_every)},
    {"status", offsetof(struct faults, status)},
    {"status_for", offsetof(struct faults, status_for)},
    {"delay_ms", offsetof(struct faults, delay_ms)},
    {"seed", offsetof(struct faults, seed)},
};

struct counts {
    uint64_t requests, bulks, documents, duplicates, bytes, wire_bytes, connections;
    uint64_t answered[600]; /* items by status */
    int64_t first_ms, last_ms;
};

static struct {
    struct store store;
    struct counts counts;
    struct faults faults;
    uint64_t random;
    const char *address;
    const char *version;
    const char *port_file;
    uint16_t port;
    bool verify;
    enum seq_format format;
    uint64_t expect;
    bool nearly, reached;
    int stamps;   /* file of --stamps, 0: none */
    SSL_CTX *tls; /* NULL: plain */
    struct defer defer;
    struct libdeflate_decompressor *inflater;
    struct bytes plain;   /* unpacked body */
    struct bytes items;   /* of the answer under construction */
    struct bytes message; /* unescaped */
    struct bytes scratch; /* what loggen wrote */
    struct conn *conns[CONNS_MAX];
    unsigned conn_count;
    int epoll;
} sink = {.address = "127.0.0.1", .version = "8.19.21"};

/* prints why and ends the program */
static inline void PRINTF_LIKE(2, 3) die(int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fprintf(stderr, "sink: ");
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(status);
}

/* monotonic milliseconds */
static inline int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* true in that share of the calls; the same sequence for the same seed */
static inline bool by_chance(double share)
{
    if (share <= 0)
        return false;
    sink.random = sink.random * 6364136223846793005u + 1442695040888963407u;
    return (double)(sink.random >> 11) / 9007199254740992.0 < share;
}

/* true for that share of the messages: one that cannot be taken never is */
static inline bool is_bad(struct text message, double share)
{
    if (share <= 0)
        return false;
    const uint64_t h = store_hash(message.ptr, message.len, (uint64_t)sink.faults.seed);
    return (double)(h >> 11) / 9007199254740992.0 < share;
}

/* sets a fault by its name; false when there is none of that name */
static inline bool fault_set(struct text name, double value)
{
    for (size_t i = 0; i < ARRAY_LEN(fault_names); i++) {
        if (!scan_is(name, fault_names[i].name))
            continue;
        memcpy((char *)&sink.faults + fault_names[i].at, &value, sizeof(value));
        if (strcmp(fault_names[i].name, "seed") == 0)
            sink.random = (uint64_t)value;
        return true;
    }
    return false;
}

struct bulk {
    struct text index; /* of the URL */
    bool reduced;
    bool errors;
};

static const struct {
    int status;
    const char *type;
    const char *reason;
} item_errors[] = {
    {400, "document_parsing_exception", "failed to parse"},
    {403, "cluster_block_exception", "index blocked by: [FORBIDDEN/8/index write (api)];"},
    {409, "version_conflict_engine_exception", "version conflict, document already exists"},
    {429, "es_rejected_execution_exception", "rejected execution of coordinating operation"},
    {500, "fail_processor_exception", "boom"},
};

/* appends the answer to one item */
static inline void answer_item(struct bulk *b, const struct scan_action *a, struct text index,
                               int status)
{
    static const char created[] = "{\"create\":{\"status\":201}},";

    sink.counts.answered[status]++;
    if (status == 201 && b->reduced) {
        bytes_add(&sink.items, created, sizeof(created) - 1);
        return;
    }
    bytes_print(&sink.items, "{\"%.*s\":{", (int)a->op.len, a->op.ptr);
    if (!b->reduced)
        bytes_print(&sink.items, "\"_index\":\"%.*s\",\"_id\":\"%.*s\",", (int)index.len, index.ptr,
                    (int)a->id.len, a->id.ptr);
    if (status == 201) {
        bytes_print(
            &sink.items,
            "\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":1,\"successful\":1,"
            "\"failed\":0},\"_seq_no\":%" PRIu64 ",\"_primary_term\":1,\"status\":201}},",
            sink.store.ids - 1);
        return;
    }
    b->errors = true;
    for (size_t i = 0; i < ARRAY_LEN(item_errors); i++) {
        if (item_errors[i].status == status)
            bytes_print(&sink.items,
                        "\"status\":%d,\"error\":{\"type\":\"%s\",\"reason\":\"%s\"}}},", status,
                        item_errors[i].type, item_errors[i].reason);
    }
}

/* notes when a line was taken */
static inline void write_stamp(uint64_t seq)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    const uint64_t ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    if (pwrite(sink.stamps, &ns, sizeof(ns), (off_t)(seq * sizeof(ns))) != sizeof(ns))
        die(1, "stamps: %s", strerror(errno));
}

/* compares the message of a document with what loggen writes */
static inline void verify_message(struct text message)
{
    sink.message.len = sink.scratch.len = 0;
    bytes_reserve(&sink.message, message.len + 1);
    const size_t len = scan_unescape(sink.message.ptr, message);
    if (len == SIZE_MAX) {
        sink.store.altered++;
        return;
    }
    bytes_reserve(&sink.scratch, len + SEQ_FIXED_MAX);
    uint64_t seq;
    if (store_verify(&sink.store, sink.format, sink.message.ptr, len, sink.scratch.ptr, &seq) &&
        sink.stamps > 0)
        write_stamp(seq);
}

/* takes one document; returns the status of its item */
static inline int take(const struct scan_action *a, struct text index, struct text document)
{
    static uint64_t without_id = 1; /* odd, so that store_mix tells them apart */
    struct text message = NO_TEXT;
    const int found = scan_find(document, "message", &message);

    if (found < 0 || is_bad(message, sink.faults.item400))
        return 400;
    if (by_chance(sink.faults.item429))
        return 429;
    if (by_chance(sink.faults.item403))
        return 403;
    if (by_chance(sink.faults.item500))
        return 500;
    struct store_index *counted = store_index(&sink.store, index.ptr, index.len);
    uint64_t hash = store_hash(index.ptr, index.len, 1);
    hash = a->id.len ? store_hash(a->id.ptr, a->id.len, hash) : store_mix(hash, without_id += 2);
    switch (store_add(&sink.store, hash)) {
    case STORE_NEW:
        break;
    case STORE_HELD:
        sink.counts.duplicates++;
        return 409;
    case STORE_FULL:
        return 429;
    }
    counted->docs++;
    const bool is_metric = index.len > 8 && memcmp(index.ptr, "metrics-", 8) == 0;
    if (sink.verify && !is_metric) {
        if (found == 1)
            verify_message(message);
        else
            sink.store.altered++;
    }
    return 201;
}

/* works off a body; returns why it is refused as a whole, or NULL */
static inline const char *bulk_body(struct bulk *b, struct text body)
{
    const char *end = body.ptr + body.len;
    const char *p = body.ptr;
    struct scan_action action;
    struct text document;
    struct text line;

    if (body.len == 0)
        return "request body is required";
    if (end[-1] != '\n')
        return "The bulk request must be terminated by a newline [\\\\n]";
    while (scan_line(&p, end, &line)) {
        if (line.len == 0)
            continue;
        if (!scan_action(line, &action))
            return "Malformed action/metadata line";
        const struct text index = action.index.len ? action.index : b->index;
        if (!scan_is(action.op, "create") && !scan_is(action.op, "index"))
            return "only write ops with an op_type of create or index are known here";
        if (index.len == 0)
            return "index is missing";
        if (action.id.len > 512)
            return "id is too long, must be no longer than 512 bytes";
        if (!scan_line(&p, end, &document))
            return "an action without its document";
        sink.counts.documents++;
        answer_item(b, &action, index, take(&action, index, document));
    }
    return NULL;
}

/* looks at the bodies that were kept */
static inline void look_at_kept(void)
{
    const struct bytes *bodies = &sink.defer.bodies;

    for (size_t at = 0; at < bodies->len; at += sizeof(struct defer_body)) {
        struct defer_body one;
        memcpy(&one, bodies->ptr + at, sizeof(one));
        struct bulk b = {.index = {one.index, one.index_len}, .reduced = true};
        if (bulk_body(&b, (struct text){sink.defer.memory + one.at, one.len}) != NULL || b.errors)
            sink.store.altered++; /* it was answered as if it were good */
        sink.items.len = 0;
    }
    sink.defer.bodies.len = sink.defer.used = 0;
    sink.defer.items = 0;
}

/* answers with an error of the whole request */
static inline void answer_error(struct conn *c, int status, const char *type, const char *reason)
{
    struct bytes text = {0};

    bytes_print(&text, "{\"error\":{\"type\":\"%s\",\"reason\":\"%s\"},\"status\":%d}", type,
                reason, status);
    http_answer(c, status, (struct text){text.ptr, text.len}, NO_TEXT);
    free(text.ptr);
}

/* prints the lines of --expect, each once */
static inline void note_reached(void)
{
    const uint64_t held = (sink.verify ? sink.store.lines : sink.store.ids) + sink.defer.items;

    if (sink.expect == 0 || sink.reached || held < sink.expect - sink.expect / 20)
        return;
    if (!sink.nearly) {
        sink.nearly = true;
        (void)printf("nearly\n");
        (void)fflush(stdout);
    }
    if (held < sink.expect)
        return;
    sink.reached = true;
    (void)printf("reached %" PRIu64 " documents in %" PRId64 " ms\n", held,
                 sink.counts.last_ms - sink.counts.first_ms);
    (void)fflush(stdout);
}

/* whether this is the n-th bulk, for a fault that strikes every n-th */
static inline bool is_turn(double every)
{
    return every >= 1 && sink.counts.bulks % (uint64_t)every == 0;
}

/* answers and keeps a body; false when it cannot be kept */
static inline bool answer_later(struct conn *c, const struct bulk *b, struct text body)
{
    struct text items;

    if (!defer_keep(&sink.defer, b->index, body, &items)) {
        look_at_kept();
        return false;
    }
    sink.items.len = 0;
    bytes_add(&sink.items, items.ptr, items.len);
    bytes_add(&sink.items, "]}", 2);
    http_answer(c, 200, TEXT_LIT("{\"errors\":false,\"items\":["),
                (struct text){sink.items.ptr, sink.items.len});
    note_reached();
    return true;
}

/* POST _bulk; false when the connection shall close without an answer */
static inline bool answer_bulk(struct conn *c, struct text path, struct text query,
                               struct text body)
{
    struct bulk b = {.index = NO_TEXT};
    struct bytes head = {0};

    sink.counts.bulks++;
    sink.counts.bytes += body.len;
    sink.counts.last_ms = now_ms();
    if (sink.counts.first_ms == 0) {
        sink.counts.first_ms = sink.counts.last_ms;
        if (sink.expect > 0) {
            (void)printf("first\n");
            (void)fflush(stdout);
        }
    }
    c->due_ms = sink.faults.delay_ms > 0 ? now_ms() + (int64_t)sink.faults.delay_ms : 0;
    if (sink.faults.status_for >= 1) {
        sink.faults.status_for--;
        answer_error(c, (int)sink.faults.status, "sink_fault", "asked for");
        return true;
    }
    if (is_turn(sink.faults.drop_every))
        return false;
    if (path.len > strlen("/_bulk"))
        b.index = (struct text){path.ptr + 1, path.len - strlen("/_bulk") - 1};
    b.reduced = memmem(query.ptr, query.len, "filter_path=", 12) != NULL;
    if (sink.defer.memory != NULL && b.reduced && answer_later(c, &b, body))
        return true;
    sink.items.len = 0;
    const char *refused = bulk_body(&b, body);
    sink.counts.last_ms = now_ms();
    note_reached();
    if (is_turn(sink.faults.cut_every))
        return false;
    if (refused != NULL) {
        answer_error(c, 400, "illegal_argument_exception", refused);
        return true;
    }
    if (sink.items.len > 0)
        sink.items.len--; /* the last comma */
    bytes_add(&sink.items, "]}", 2);
    bytes_print(&head, "{\"errors\":%s,%s\"items\":[", b.errors ? "true" : "false",
                b.reduced ? "" : "\"took\":1,");
    http_answer(c, 200, (struct text){head.ptr, head.len},
                (struct text){sink.items.ptr, sink.items.len});
    free(head.ptr);
    return true;
}

#endif
