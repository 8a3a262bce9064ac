#ifndef TESTS_UNIT_OUTPUT_FAKE_ELASTIC_H
#define TESTS_UNIT_OUTPUT_FAKE_ELASTIC_H

/*
 * What the tests of the output stand on: a server that keeps documents by id and answers as it is
 * scripted, an output with a dead-letter box in a directory of its own, and batches.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/hash.h"
#include "base/mem.h"
#include "bulk/batch.h"
#include "http_stub.h"
#include "os/http.h"
#include "os/loop.h"
#include "output/output.h"
#include "store/deadbox.h"
#include "store/writer.h"
#include "tmp_dir.h"

#define DOCS_MAX     4000
#define REQUESTS_MAX 4000
#define DEADLINE_MS  20000
#define GENERATION   "Jx0yq2Zl8A_b"
#define TARGET       "logs-generic-default"

struct fake_doc {
    char id[32];
    char target[64];
    unsigned sends;
    bool stored;
};

struct fake_request {
    uint64_t hash; /* of the unpacked body */
    unsigned items;
    size_t bytes;
    bool gzip;
};

struct fake;

/* Status of a whole request, 0 = look at the items; may fill the reply. */
typedef int (*fake_whole_fn)(struct fake *f, const struct stub_request *q, unsigned items,
                             struct stub_reply *r);
/* Status of an item, 0 = store it; *ret_error gets the inside of its error object. */
typedef int (*fake_item_fn)(struct fake *f, const struct fake_doc *d, const char *line,
                            const char **ret_error);

struct fake {
    struct http_stub *stub;
    fake_whole_fn whole;
    fake_item_fn item;
    const char *version;    /* GET /: 200 with this number; NULL: 404 */
    const char *opensearch; /* value of its header, NULL */
    const char *templates;  /* body of the template request, NULL: 404 */
    const char *privileges; /* body of _has_privileges, NULL: 404 */
    int knob;               /* the script's own */
    int search_status;      /* of searches, 0 = 200 */
    /* what happened */
    struct fake_doc docs[DOCS_MAX];
    unsigned doc_count, stored, made_ids;
    struct fake_request requests[REQUESTS_MAX];
    unsigned request_count, probes, template_requests, searches;
    char last_path[2048];
    char last_authorization[256];
};

/* the document of an id, made at its first sight */
static UNUSED struct fake_doc *fake_doc(struct fake *f, const char *id, const char *target)
{
    for (unsigned i = 0; i < f->doc_count; i++) {
        if (strcmp(f->docs[i].id, id) == 0)
            return &f->docs[i];
    }
    if (f->doc_count == DOCS_MAX)
        abort();
    struct fake_doc *d = &f->docs[f->doc_count++];
    snprintf(d->id, sizeof(d->id), "%s", id);
    snprintf(d->target, sizeof(d->target), "%s", target);
    return d;
}

/* value of a string member in an action line */
static void fake_member(const char *line, const char *name, char *dst, size_t cap)
{
    char key[32];
    snprintf(key, sizeof(key), "\"%s\":\"", name);
    const char *p = strstr(line, key);
    const char *end = strchr(line, '\n');
    if (p == NULL || p > end)
        return;
    p += strlen(key);
    snprintf(dst, cap, "%.*s", (int)strcspn(p, "\""), p);
}

static void fake_add(struct buf *b, const char *text)
{
    if (buf_add_str(b, text) != 0)
        abort();
}

/* one item: stored, known already, or refused by the script */
static void fake_item(struct fake *f, const char *line, const char *path_target, struct buf *out)
{
    char id[32] = "", target[64];
    const char *error = NULL;
    snprintf(target, sizeof(target), "%s", path_target);
    fake_member(line, "_id", id, sizeof(id));
    fake_member(line, "_index", target, sizeof(target));
    if (id[0] == '\0')
        snprintf(id, sizeof(id), "made-%u", ++f->made_ids);
    struct fake_doc *d = fake_doc(f, id, target);
    d->sends++;
    int status = f->item != NULL ? f->item(f, d, line, &error) : 0;
    if (status == 0) {
        status = d->stored ? 409 : 201;
        f->stored += !d->stored;
        d->stored = true;
    }
    char text[64];
    snprintf(text, sizeof(text), "{\"create\":{\"status\":%d", status);
    fake_add(out, text);
    if (error != NULL) {
        fake_add(out, ",\"error\":{");
        fake_add(out, error);
        fake_add(out, "}");
    }
    fake_add(out, "}},");
}

/* POST {target}/_bulk */
static void fake_bulk(struct fake *f, const struct stub_request *q, struct stub_reply *r)
{
    char target[64] = "";
    if (q->path[1] != '_')
        snprintf(target, sizeof(target), "%.*s", (int)strcspn(q->path + 1, "/"), q->path + 1);
    unsigned lines = 0;
    for (const char *p = q->body; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    if (f->request_count == REQUESTS_MAX)
        abort();
    f->requests[f->request_count++] = (struct fake_request){
        hash64(q->body, q->body_bytes), lines / 2, q->body_bytes, q->encoding[0] != '\0'};
    snprintf(f->last_path, sizeof(f->last_path), "%s", q->path);
    snprintf(f->last_authorization, sizeof(f->last_authorization), "%s", q->authorization);
    int status = f->whole != NULL ? f->whole(f, q, lines / 2, r) : 0;
    if (status != 0) {
        r->status = status;
        return;
    }
    fake_add(&r->body, "{\"errors\":true,\"items\":[");
    const char *line = q->body;
    for (unsigned i = 0; i < lines / 2; i++) {
        fake_item(f, line, target, &r->body);
        line = strchr(strchr(line, '\n') + 1, '\n') + 1;
    }
    if (lines > 0)
        buf_cut(&r->body, r->body.len - 1);
    fake_add(&r->body, "]}");
}

/* POST {target}/_search for ids: those of them that are stored */
static void fake_search(struct fake *f, const struct stub_request *q, struct stub_reply *r)
{
    f->searches++;
    r->status = f->search_status;
    if (r->status != 0 && r->status != 200)
        return;
    r->status = 200;
    bool any = false;
    for (unsigned i = 0; i < f->doc_count; i++) {
        if (!f->docs[i].stored || strstr(q->body, f->docs[i].id) == NULL)
            continue;
        fake_add(&r->body, any ? ",{\"_id\":\"" : "{\"hits\":{\"hits\":[{\"_id\":\"");
        fake_add(&r->body, f->docs[i].id);
        fake_add(&r->body, "\"}");
        any = true;
    }
    fake_add(&r->body, any ? "]}}" : "{}");
}

/* routes a request */
static void fake_serve(void *ctx, const struct stub_request *q, struct stub_reply *r)
{
    struct fake *f = ctx;
    const char *body = NULL;
    if (strstr(q->path, "/_bulk") != NULL) {
        fake_bulk(f, q, r);
        return;
    }
    if (strstr(q->path, "/_search") != NULL) {
        fake_search(f, q, r);
        return;
    }
    if (f->opensearch != NULL)
        r->headers = f->opensearch;
    if (strcmp(q->path, "/") == 0) {
        f->probes++;
        if (f->version != NULL) {
            r->headers = "X-elastic-product: Elasticsearch\r\n";
            body = f->version;
        }
    } else if (strncmp(q->path, "/_index_template", 16) == 0) {
        f->template_requests++;
        body = f->templates;
    } else if (strncmp(q->path, "/_security", 10) == 0) {
        body = f->privileges;
    }
    r->status = body != NULL ? 200 : 404;
    if (body == f->version && body != NULL) {
        fake_add(&r->body, "{\"version\":{\"number\":\"");
        fake_add(&r->body, body);
        fake_add(&r->body, "\"}}");
    } else if (body != NULL) {
        fake_add(&r->body, body);
    }
}

/* everything around one output */
struct rig {
    struct fake server;
    struct tmp_dir dir;
    struct loop *loop;
    struct deadbox *box;
    struct writer *writer;
    struct output *output;
    struct output_opts opts;
    char *hosts[4];
    char url[4][64];
    struct span_pool *spans;
    struct span_owner owner;
    struct ledger ledger;
    struct batch *batches[64];
    unsigned batch_count, returned, resolved_spans, idle, pauses;
    char paused[64];       /* the target paused last, "" once it goes on */
    size_t size, smallest; /* as told by resized */
    uint64_t durable;      /* tickets up to it are */
    uint64_t next_offset;
    enum output_health health;
    unsigned health_changes;
    char why[512];
    char log[16384];
};

static void rig_resolved(struct span_owner *owner, struct span *span)
{
    struct rig *r = CONTAINER_OF(owner, struct rig, owner);
    r->resolved_spans++;
    span_put(r->spans, span);
}

static const struct span_owner_ops rig_owner_ops = {.resolved = rig_resolved};

static UNUSED void rig_on_returned(void *ctx, struct batch *b)
{
    struct rig *r = ctx;
    assert_int_equal(b->item_count, 0);
    r->returned++;
}

static UNUSED bool rig_durable(void *ctx, uint64_t ticket)
{
    const struct rig *r = ctx;
    return ticket <= r->durable;
}

static UNUSED void rig_on_idle(void *ctx)
{
    struct rig *r = ctx;
    assert_int_equal(output_pending(r->output), 0);
    r->idle++;
}

static UNUSED void rig_on_paused(void *ctx, const char *target, bool paused)
{
    struct rig *r = ctx;
    snprintf(r->paused, sizeof(r->paused), "%s", paused ? target : "");
    r->pauses += paused;
}

static UNUSED void rig_on_resized(void *ctx, size_t max_bytes)
{
    struct rig *r = ctx;
    r->size = max_bytes;
    if (max_bytes < r->smallest)
        r->smallest = max_bytes;
}

static UNUSED void rig_on_health(void *ctx, enum output_health health, const char *why)
{
    struct rig *r = ctx;
    r->health = health;
    r->health_changes++;
    snprintf(r->why, sizeof(r->why), "%s", why);
}

static UNUSED void rig_on_message(void *ctx, enum log_level level, const char *text)
{
    struct rig *r = ctx;
    size_t n = strlen(r->log);
    snprintf(r->log + n, sizeof(r->log) - n, "%d %s\n", (int)level, text);
}

/* server, loop, box; the output is made by rig_start, so that a test can change rig.opts first */
static struct rig *rig_new(uint64_t box_bytes)
{
    struct rig *r = mem_zalloc(sizeof(*r));
    int err;
    r->smallest = SIZE_MAX;
    r->server.version = "8.19.21";
    r->server.stub = http_stub_start(0, fake_serve, &r->server);
    tmp_dir_make(&r->dir);
    r->loop = loop_new(clock_system(), &err);
    assert_non_null(r->loop);
    assert_int_equal(deadbox_open(fs_system(), r->dir.fd, box_bytes, 1, &r->box), 0);
    r->writer = writer_new(r->loop, NULL, r->box);
    r->spans = span_pool_new();
    r->owner = (struct span_owner){&rig_owner_ops, &r->ledger, "/var/log/app.log"};
    snprintf(r->url[0], sizeof(r->url[0]), "%s", http_stub_url(r->server.stub));
    for (size_t i = 0; i < ARRAY_LEN(r->hosts); i++)
        r->hosts[i] = r->url[i];
    r->opts = (struct output_opts){
        .hosts = r->hosts,
        .host_count = 1,
        .compression_level = 1,
        .workers = 3,
        .max_bytes = 1 * MIB,
        .backoff_init_ms = 2,
        .backoff_max_ms = 20,
    };
    return r;
}

static UNUSED struct output_hooks rig_hooks(struct rig *r)
{
    return (struct output_hooks){
        .returned = rig_on_returned,
        .durable = rig_durable,
        .idle = rig_on_idle,
        .paused = rig_on_paused,
        .resized = rig_on_resized,
        .health = rig_on_health,
        .message = rig_on_message,
        .ctx = r,
    };
}

static UNUSED void rig_start(struct rig *r)
{
    const struct output_hooks hooks = rig_hooks(r);
    assert_int_equal(output_new(r->loop, &r->opts, &hooks, r->writer, &r->output), 0);
}

/* ends the output as run does, and frees what was not resolved */
static UNUSED void rig_stop(struct rig *r)
{
    if (r->output != NULL)
        assert_int_equal(output_stop(r->output), 0);
    writer_free(&r->writer);
    output_free(&r->output);
}

static void rig_free(struct rig **rp)
{
    struct rig *r = *rp;
    rig_stop(r);
    for (unsigned i = 0; i < r->batch_count; i++) {
        struct batch *b = r->batches[i];
        assert_null(b->owner_data);
        for (uint32_t s = 0; s < b->span_count; s++)
            span_put(r->spans, b->spans[s]);
        batch_free(&b);
    }
    assert_int_equal(span_pool_used(r->spans), 0);
    span_pool_free(&r->spans);
    deadbox_free(&r->box);
    assert_int_equal(loop_free(&r->loop), 0);
    http_stub_stop(&r->server.stub);
    tmp_dir_remove(&r->dir);
    mem_free(r);
    *rp = NULL;
}

static UNUSED struct batch *rig_batch(struct rig *r, enum batch_kind kind, const char *target)
{
    assert_in_range(r->batch_count, 0, ARRAY_LEN(r->batches) - 1);
    struct batch *b = batch_new(kind, 1 * MIB, 4000, 64);
    snprintf(b->target, sizeof(b->target), "%s", target);
    r->batches[r->batch_count++] = b;
    return b;
}

/* one item; index NULL: none in the action line */
static UNUSED void rig_add(struct rig *r, struct batch *b, const char *index, const char *text)
{
    char action[256], document[1024], member[128] = "";
    uint64_t offset = r->next_offset;
    uint16_t span;
    if (index != NULL)
        snprintf(member, sizeof(member), "\"_index\":\"%s\",", index);
    snprintf(action, sizeof(action), "{\"create\":{%s\"_id\":\"" GENERATION "%013llx\"}}", member,
             (unsigned long long)offset);
    snprintf(document, sizeof(document), "{\"message\":\"%s %llu\"}", text,
             (unsigned long long)offset);
    assert_int_equal(batch_span_for(b, r->spans, &r->owner, offset, &span), 0);
    assert_int_equal(batch_add(b, slice_str(action), slice_str(document), span, 10, 1), 0);
    b->spans[span]->to = offset + 10;
    r->next_offset += 10;
}

static UNUSED void rig_submit(struct rig *r, const char *target, unsigned items, const char *text)
{
    struct batch *b = rig_batch(r, BATCH_LOGS, target);
    for (unsigned i = 0; i < items; i++)
        rig_add(r, b, NULL, text);
    output_submit(r->output, b);
}

/* turns the loop until the condition holds */
#define RIG_UNTIL(r, condition)                                                                    \
    do {                                                                                           \
        int64_t rig_end = clock_mono_ms(clock_system()) + DEADLINE_MS;                             \
        while (!(condition)) {                                                                     \
            loop_once((r)->loop, 10);                                                              \
            if (clock_mono_ms(clock_system()) > rig_end)                                           \
                fail_msg("deadline: %s; health %d \"%s\"; log:\n%s", #condition, (r)->health,      \
                         (r)->why, (r)->log);                                                      \
        }                                                                                          \
    } while (0)
#define RIG_DONE(r) RIG_UNTIL(r, output_pending((r)->output) == 0)

/* a counter of the server while it runs */
static UNUSED unsigned rig_seen(struct rig *r, const unsigned *counter)
{
    http_stub_lock(r->server.stub);
    unsigned n = *counter;
    http_stub_unlock(r->server.stub);
    return n;
}

static UNUSED uint64_t rig_count(const struct rig *r, enum output_counter c)
{
    return output_counters(r->output)->n[c];
}

/* what the server holds: everything once, none sent more than sends times */
static UNUSED void rig_check_stored(struct rig *r, unsigned stored, unsigned sends)
{
    http_stub_lock(r->server.stub);
    assert_int_equal(r->server.stored, stored);
    for (unsigned i = 0; i < r->server.doc_count; i++)
        assert_in_range(r->server.docs[i].sends, 1, sends);
    http_stub_unlock(r->server.stub);
    assert_true(ledger_adds_up(&r->ledger));
    assert_int_equal(r->ledger.in_flight.bytes, 0);
}

struct letters {
    unsigned count;
    uint16_t status;
    uint64_t offset;
    char type[64], reason[1100], target[64], id[40], source[64], document[256];
};

static UNUSED int rig_on_letter(void *ctx, const struct dead_letter *d)
{
    struct letters *l = ctx;
    l->count++;
    l->status = d->status;
    l->offset = d->offset;
    snprintf(l->type, sizeof(l->type), "%.*s", (int)d->type.len, d->type.ptr);
    snprintf(l->reason, sizeof(l->reason), "%.*s", (int)d->reason.len, d->reason.ptr);
    snprintf(l->target, sizeof(l->target), "%.*s", (int)d->target.len, d->target.ptr);
    snprintf(l->id, sizeof(l->id), "%.*s", (int)d->id.len, d->id.ptr);
    snprintf(l->source, sizeof(l->source), "%.*s", (int)d->source.len, d->source.ptr);
    snprintf(l->document, sizeof(l->document), "%.*s", (int)d->document.len, d->document.ptr);
    return 0;
}

/* how many letters the box holds, and the last */
static UNUSED void rig_letters(struct rig *r, struct letters *ret)
{
    memset(ret, 0, sizeof(*ret));
    assert_int_equal(deadbox_each(fs_system(), r->dir.fd, rig_on_letter, ret), 0);
}

#endif
