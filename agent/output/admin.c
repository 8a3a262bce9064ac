/*
 * output/admin - requests of an operator
 */
#include "output/admin.h"

#include <errno.h>

#include "base/mem.h"
#include "output/elasticsearch_internal.h"

#define TIMEOUT_MS 90000 /* longer than a server without a master takes to say so */
#define URL_MAX    (8 * KIB)

struct admin {
    struct http *http;
    struct host host;
    struct product product;
};

/* asks one host who it is */
static int reach(struct admin *a, const char *url, struct err *e)
{
    struct sender_job job;
    struct buf packed;
    int result = 0;
    es_host_init(&a->host, url);
    buf_init(&packed, 0);
    sender_job_init(&job);
    job.kind = SENDER_PROBE;
    job.host = a->host.url;
    sender_exchange(a->http, NULL, &packed, &job);
    a->product = job.product;
    if (job.reply.outcome != HTTP_REPLIED)
        result = err_set(e, -ENOTCONN, "%s: not reached: %s", a->host.name, job.reply.err.text);
    else if (job.reply.status == 401)
        result = err_set(e, -EACCES, "%s: credentials refused (401)", a->host.name);
    sender_job_clear(&job);
    buf_clear(&packed);
    if (result < 0)
        es_host_clear(&a->host);
    return result;
}

/* see header */
int admin_open(const struct output_opts *opts, struct admin **ret_admin, struct err *e)
{
    struct http_opts http = es_http_opts(opts);
    struct admin *a = mem_zalloc(sizeof(*a));
    int result = -ENOMEM;
    a->http = http_new(&http);
    if (a->http == NULL)
        (void)err_set(e, -ENOMEM, "no HTTP client can be made");
    for (size_t i = 0; a->http != NULL && result < 0 && i < opts->host_count; i++) {
        a->host = (struct host){0};
        result = reach(a, opts->hosts[i], e);
    }
    if (result < 0) {
        http_free(&a->http);
        mem_free(a);
        return result;
    }
    *ret_admin = a;
    return 0;
}

/* see header */
void admin_close(struct admin **ap)
{
    struct admin *a = *ap;
    if (a == NULL)
        return;
    es_host_clear(&a->host);
    http_free(&a->http);
    mem_free(a);
    *ap = NULL;
}

/* see header */
const struct product *admin_product(const struct admin *a)
{
    return &a->product;
}

/* see header */
const char *admin_host(const struct admin *a)
{
    return a->host.name;
}

/* see header */
int admin_call(struct admin *a, const char *method, const char *path, struct slice body,
               struct buf *answer, struct err *e)
{
    struct http_reply reply = {.outcome = HTTP_REFUSED};
    struct buf url;
    buf_init(&url, URL_MAX);
    buf_reset(answer);
    int result = buf_printf(&url, "%s%s", a->host.url, path);
    if (result == 0) {
        http_fetch(a->http, method, buf_cstr(&url), body, body.len > 0 ? "application/json" : NULL,
                   TIMEOUT_MS, answer, &reply);
        result = reply.outcome == HTTP_REPLIED
                     ? (int)reply.status
                     : err_set(e, -ENOTCONN, "%s: %s", a->host.name, reply.err.text);
    } else {
        (void)err_set_errno(e, result, "build the URL");
    }
    buf_clear(&url);
    return result;
}
