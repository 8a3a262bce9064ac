/*
 * output/exchange - what a job does on the wire, in the thread that calls
 *
 * BULK: compress, POST, scan the reply while it arrives. PROBE: GET /, and where that does not tell
 * the version, GET /_nodes/_local. TEMPLATE: GET /_index_template. VERIFY: POST
 * {target}/_refresh and {target}/_search.
 *
 * Nothing fails here: every outcome is written into the job and judged in the loop's thread.
 */
#include <errno.h>
#include <string.h>

#include "os/compress.h"
#include "output/sender.h"

#define URL_MAX           (8 * KIB)
#define REPLY_BYTES_MAX   (64 * MIB) /* more than any honest reply to our requests */
#define ROOT_BYTES_MAX    (64 * KIB)
#define TEMPLATES_MAX     (4 * MIB)
#define HITS_MAX          (1 * MIB)
#define CONTROL_TIMEOUT   30000
#define PACKED_KEEP_BYTES (1 * MIB) /* a larger buffer is given back after use */
#define HTTP_OK           200

struct body_reader {
    struct sender_job *job;
    size_t bytes;
    int error; /* of the scanner */
};

/* empty answers */
void sender_job_init(struct sender_job *job)
{
    memset(job, 0, sizeof(*job));
    list_init(&job->link);
    buf_init(&job->head, SENDER_HEAD_BYTES);
    buf_init(&job->url, URL_MAX);
    buf_init(&job->found, HITS_MAX);
}

/* frees what the answers hold */
void sender_job_clear(struct sender_job *job)
{
    reply_free(&job->items);
    buf_clear(&job->head);
    buf_clear(&job->url);
    buf_clear(&job->found);
}

/* The scanner's error does not end the transfer: an error status has another body, and only the
 * status, known at the end, says which. */
static int on_body(void *ctx, struct slice piece)
{
    struct body_reader *r = ctx;
    r->bytes += piece.len;
    if (r->bytes > REPLY_BYTES_MAX)
        return -EFBIG;
    size_t room = SENDER_HEAD_BYTES - r->job->head.len;
    if (buf_add_slice(&r->job->head, slice_sub(piece, 0, room)) != 0)
        return -ENOMEM;
    if (r->error == 0)
        r->error = reply_feed(r->job->items, piece);
    return 0;
}

/* appends a path segment or a value, percent-encoding all but unreserved characters (RFC 3986 2.3)
 */
static int add_segment(struct buf *url, const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        int err = plain ? buf_add_byte(url, (char)c) : buf_printf(url, "%%%02X", c);
        if (err != 0)
            return err;
    }
    return 0;
}

/* &name=value */
static int add_parameter(struct buf *url, const char *name, const char *value)
{
    int err = buf_printf(url, "&%s=", name);
    return err == 0 ? add_segment(url, value) : err;
}

/* {host}/{target}/_bulk?.. */
static int bulk_url(struct buf *url, const struct sender_job *job)
{
    int err = buf_printf(url, "%s/", job->host);
    if (err == 0 && job->target[0] != '\0') {
        err = add_segment(url, job->target);
        if (err == 0)
            err = buf_add_byte(url, '/');
    }
    if (err == 0)
        err = buf_add_str(url, "_bulk?filter_path=" REPLY_FILTER);
    if (err == 0 && job->require_data_stream)
        err = buf_add_str(url, "&require_data_stream=true");
    if (err == 0 && job->pipeline != NULL)
        err = add_parameter(url, "pipeline", job->pipeline);
    return err;
}

/* an answer that stands for "could not even ask" */
static void refuse(struct sender_job *job, int error, const char *what)
{
    job->reply = (struct http_reply){.outcome = HTTP_REFUSED};
    (void)err_set_errno(&job->reply.err, error, "%s", what);
}

/* POST and scan; an unpacked body is sent where packing fails */
static void exchange_bulk(struct http *http, struct compress *compress, struct buf *packed,
                          struct sender_job *job)
{
    buf_reset(&job->url);
    int err = bulk_url(&job->url, job);
    if (err != 0) {
        refuse(job, err, "build the URL");
        return;
    }
    if (job->items == NULL)
        job->items = reply_new();
    reply_begin(job->items, job->item_count);
    struct body_reader reader = {.job = job};
    struct http_request req = {
        .method = "POST",
        .url = buf_cstr(&job->url),
        .body = job->body,
        .content_type = job->plain_json ? "application/json" : "application/x-ndjson",
        .on_body = on_body,
        .ctx = &reader,
    };
    if (job->gzip && compress != NULL && compress_gzip(compress, job->body, packed) == 0) {
        req.body = buf_slice(packed);
        req.content_encoding = "gzip";
    }
    http_perform(http, &req, &job->reply);
    int end = reply_finish(job->items);
    job->items_error = reader.error != 0 ? reader.error : end;
    if (packed->cap > PACKED_KEEP_BYTES)
        buf_clear(packed);
}

/* GET {host}{path} into *body */
static void get(struct http *http, const char *host, const char *path, struct buf *body,
                struct http_reply *ret_reply)
{
    struct buf url;
    buf_init(&url, URL_MAX);
    buf_reset(body);
    *ret_reply = (struct http_reply){.outcome = HTTP_REFUSED};
    int err = buf_printf(&url, "%s%s", host, path);
    if (err != 0)
        (void)err_set_errno(&ret_reply->err, err, "build the URL");
    else
        http_fetch(http, "GET", buf_cstr(&url), slice_of(NULL, 0), NULL, CONTROL_TIMEOUT, body,
                   ret_reply);
    buf_clear(&url);
}

/* whether an answer has a body of the kind asked for */
static bool is_good(const struct http_reply *reply)
{
    return reply->outcome == HTTP_REPLIED && reply->status == HTTP_OK;
}

/* The reply of the job is that to GET /, whose outcome says whether the host is there; the version
 * is a bonus. */
static void exchange_probe(struct http *http, struct sender_job *job)
{
    struct buf body;
    buf_init(&body, ROOT_BYTES_MAX);
    memset(&job->product, 0, sizeof(job->product));
    get(http, job->host, "/", &body, &job->reply);
    if (is_good(&job->reply))
        product_from_root(&job->product, buf_slice(&body));
    product_from_headers(&job->product, job->reply.elastic_product, job->reply.opensearch_version);
    if (job->reply.outcome == HTTP_REPLIED && job->product.version[0] == '\0') {
        struct http_reply nodes;
        get(http, job->host, "/_nodes/_local?filter_path=nodes.*.version", &body, &nodes);
        if (is_good(&nodes))
            product_from_nodes(&job->product, buf_slice(&body));
        product_from_headers(&job->product, nodes.elastic_product, nodes.opensearch_version);
    }
    buf_clear(&body);
}

/* 401 and the server's own troubles pass; every other refusal means that it will not tell */
static bool is_passing(const struct http_reply *reply)
{
    return reply->outcome != HTTP_REPLIED || reply->status == HTTP_OK || reply->status == 401 ||
           reply->status == 408 || reply->status == 429 || reply->status >= 500;
}

/* looks for a data-stream template */
static void exchange_template(struct http *http, struct sender_job *job)
{
    struct buf body;
    buf_init(&body, TEMPLATES_MAX);
    get(http, job->host, CONTROL_TEMPLATES_URL, &body, &job->reply);
    job->has_template = is_passing(&job->reply) ? -EAGAIN : -EACCES;
    if (is_good(&job->reply))
        job->has_template = control_has_stream_template(buf_slice(&body), slice_str(job->target));
    buf_clear(&body);
}

/* {host}/{target}{path} */
static int target_url(struct buf *url, const struct sender_job *job, const char *path)
{
    buf_reset(url);
    int err = buf_printf(url, "%s/", job->host);
    if (err == 0)
        err = add_segment(url, job->target);
    return err == 0 ? buf_add_str(url, path) : err;
}

/* A search sees what was refreshed; where we may not ask for that, the target does it by itself
 * sooner or later. */
static void exchange_verify(struct http *http, struct sender_job *job)
{
    struct buf body;
    struct http_reply refreshed;
    buf_init(&body, HITS_MAX);
    buf_reset(&job->found);
    int err = target_url(&job->url, job, "/_refresh?ignore_unavailable=true&filter_path=_shards");
    if (err == 0)
        http_fetch(http, "POST", buf_cstr(&job->url), slice_of(NULL, 0), NULL, CONTROL_TIMEOUT,
                   &body, &refreshed);
    if (err == 0)
        err = target_url(&job->url, job, CONTROL_SEARCH_PATH);
    if (err != 0) {
        refuse(job, err, "build the URL");
        return;
    }
    http_fetch(http, "POST", buf_cstr(&job->url), job->body, "application/json", CONTROL_TIMEOUT,
               &body, &job->reply);
    job->found_error = control_hits(buf_slice(&body), &job->found);
    (void)!buf_add_slice(&job->head, slice_sub(buf_slice(&body), 0, SENDER_HEAD_BYTES));
    buf_clear(&body);
}

/* by kind */
void sender_exchange(struct http *http, struct compress *compress, struct buf *packed,
                     struct sender_job *job)
{
    buf_reset(&job->head);
    switch (job->kind) {
    case SENDER_BULK:
        exchange_bulk(http, compress, packed, job);
        break;
    case SENDER_PROBE:
        exchange_probe(http, job);
        break;
    case SENDER_TEMPLATE:
        exchange_template(http, job);
        break;
    case SENDER_VERIFY:
        exchange_verify(http, job);
        break;
    }
}
