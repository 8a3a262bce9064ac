/*
 * output/elasticsearch_check - `wherry test output`
 *
 * Asks each host in turn: who are you, and for each target: does a data-stream template match, may
 * I write. The last is asked of the security API where there is one; elsewhere by an item whose
 * document is no JSON: it is refused with 400 by those who let us write and with 403 by the others,
 * and can never be stored. It is sent only where it cannot make a plain index. A 403 says in its
 * text what is missing.
 */
#include <errno.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "output/elasticsearch_internal.h"

#define CONTROL_TIMEOUT_MS 30000
#define BODY_MAX           (64 * KIB)

#define MISSING_MAX 512

struct check {
    struct http *http;
    const struct output_target *target;
    struct buf *report;
    const char *name;   /* of the host */
    struct buf missing; /* rights, for people */
    struct buf packed;
    struct sender_job job;
};

/* adds a line; a full report ends it, the result is the return value */
static int say(struct check *c, int result, const char *text, const char *more)
{
    (void)!buf_printf(c->report, "%s: %s%s\n", c->name, text, more);
    return result;
}

/* runs an exchange with the host asked last */
static void ask(struct check *c, enum sender_kind kind)
{
    c->job.kind = kind;
    sender_exchange(c->http, NULL, &c->packed, &c->job);
}

/* 1 = it lets us write, 0 = it does not, negative = it cannot be asked */
static int ask_privileges(struct check *c)
{
    struct buf url, body, answer;
    buf_init(&url, BODY_MAX);
    buf_init(&body, BODY_MAX);
    buf_init(&answer, BODY_MAX);
    struct json_writer w;
    json_begin(&w, &body);
    json_object(&w);
    json_key(&w, "index");
    json_array(&w);
    json_object(&w);
    json_key(&w, "names");
    json_array(&w);
    json_cstring(&w, c->target->name);
    json_end_array(&w);
    json_key(&w, "privileges");
    json_array(&w);
    json_cstring(&w, "auto_configure");
    json_cstring(&w, "create_doc");
    json_end_array(&w);
    json_end_object(&w);
    json_end_array(&w);
    json_end_object(&w);
    int result = json_done(&w);
    if (result == 0)
        result = buf_printf(&url, "%s/_security/user/_has_privileges", c->job.host);
    if (result == 0) {
        struct http_reply reply;
        http_fetch(c->http, "POST", buf_cstr(&url), buf_slice(&body), "application/json",
                   CONTROL_TIMEOUT_MS, &answer, &reply);
        result = reply.outcome == HTTP_REPLIED && reply.status == 200
                     ? control_privileges(buf_slice(&answer), &c->missing)
                     : -ENOTSUP;
    }
    buf_clear(&url);
    buf_clear(&body);
    buf_clear(&answer);
    return result;
}

/* a server's text on one line of a terminal */
static void add_text(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        (void)!buf_add_byte(out, text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? text.ptr[i] : '?');
}

/* up to the bracket that closes what is open: names of actions hold brackets, too */
static struct slice within_brackets(struct slice text)
{
    unsigned depth = 1;
    size_t n = 0;
    for (; n < text.len; n++) {
        depth += text.ptr[n] == '[';
        depth -= text.ptr[n] == ']';
        if (depth == 0)
            break;
    }
    return slice_sub(text, 0, n);
}

/* Takes out of the text of a 403 which rights would have done; the whole of it where neither
 * product's words are found. */
static void read_refusal(struct buf *out, struct slice text)
{
    static const char *const marks[] = {
        "granted by the index privileges [", /* Elasticsearch */
        "no permissions for [",              /* OpenSearch */
    };
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        const char *at = memmem(text.ptr, text.len, marks[i], strlen(marks[i]));
        if (at == NULL)
            continue;
        (void)!buf_add_str(out, i == 0 ? "one of " : "");
        text = slice_sub(text, (size_t)(at - text.ptr) + strlen(marks[i]), SIZE_MAX);
        text = within_brackets(text);
        break;
    }
    add_text(out, text);
}

/* a write was refused for want of a right */
static int say_missing(struct check *c)
{
    struct buf text;
    buf_init(&text, MISSING_MAX);
    read_refusal(&text, control_error_reason(buf_slice(&c->job.head)));
    (void)!buf_printf(c->report, "%s: may not write to %s%s%s\n", c->name, c->target->name,
                      text.len > 0 ? "; missing: " : "", buf_cstr(&text));
    buf_clear(&text);
    return -EACCES;
}

/* writes what cannot be stored and reads the refusal */
static int try_write(struct check *c)
{
    c->job.body = SLICE_LIT("{\"create\":{}}\n{\n");
    c->job.item_count = 1;
    c->job.require_data_stream =
        !c->target->plain_index && product_knows_require_data_stream(&c->job.product);
    ask(c, SENDER_BULK);
    const struct http_reply *reply = &c->job.reply;
    unsigned status = (unsigned)reply->status;
    if (reply->outcome != HTTP_REPLIED)
        return say(c, -ENOTCONN, "the connection ended: ", reply->err.text);
    if (status == 200 && c->job.items_error == 0)
        status = reply_items(c->job.items)[0].status;
    if (status == 400)
        return say(c, 0, "may write to ", c->target->name);
    if (status == 401 || status == 403)
        return say_missing(c);
    if (status == 404)
        return say(c, -ENOENT, "no data stream can be made: run \"wherry setup\" for ",
                   c->target->name);
    return say(c, -EPROTO, "gave no clear answer to a write to ", c->target->name);
}

/* the right to write; has_template: a template was seen */
static int check_write(struct check *c, bool has_template)
{
    const char *name = c->target->name;
    buf_reset(&c->missing);
    int may = c->job.product.kind == PRODUCT_OPENSEARCH ? -ENOTSUP : ask_privileges(c);
    if (may == 1)
        return say(c, 0, "may write to ", name);
    if (may == 0 && c->missing.len == 0)
        return say(c, -EACCES, "the privileges auto_configure and create_doc are missing on ",
                   name);
    if (may == 0)
        return say(c, -EACCES, "privileges are missing: ", buf_cstr(&c->missing));
    if (!c->target->plain_index &&
        (has_template || product_knows_require_data_stream(&c->job.product)))
        return try_write(c);
    return say(c, 0,
               c->target->plain_index ? "not tried, since it could make an index: a write to "
                                      : "not tried, since no template could be seen: a write to ",
               name);
}

/* all questions about one target */
static int check_target(struct check *c)
{
    c->job.target = c->target->name;
    if (c->target->plain_index)
        return check_write(c, false);
    ask(c, SENDER_TEMPLATE);
    if (c->job.reply.status == 401)
        return say(c, -EACCES, "credentials refused (401)", "");
    if (c->job.has_template == 0)
        return say(c, -ENOENT, "no data-stream template matches, run \"wherry setup\" for ",
                   c->target->name);
    if (c->job.has_template == 1)
        (void)say(c, 0, "a data-stream template matches ", c->target->name);
    else if (c->job.has_template == -EACCES)
        (void)say(c, 0, "does not show its templates", "");
    else
        return say(c, -EPROTO, "gave no clear answer about templates for ", c->target->name);
    return check_write(c, c->job.has_template == 1);
}

/* all questions to one host */
static int check_host(struct check *c, const struct output_target *targets, size_t count)
{
    char product[64];
    int result = 0;
    ask(c, SENDER_PROBE);
    if (c->job.reply.outcome != HTTP_REPLIED)
        return say(c, -ENOTCONN, "not reached: ", c->job.reply.err.text);
    if (c->job.reply.status == 401)
        return say(c, -EACCES, "credentials refused (401)", "");
    product_describe(&c->job.product, product, sizeof(product));
    (void)say(c, 0, product, "");
    for (size_t i = 0; i < count; i++) {
        c->target = &targets[i];
        int err = check_target(c);
        result = result != 0 ? result : err;
    }
    return result;
}

/* every host, the first failure counts */
int output_test(const struct output_opts *opts, const struct output_target *targets, size_t count,
                struct buf *report)
{
    struct http_opts http = es_http_opts(opts);
    struct check c = {.report = report};
    c.http = http_new(&http);
    int result = c.http != NULL ? 0 : -ENOMEM;
    buf_init(&c.packed, BODY_MAX);
    buf_init(&c.missing, MISSING_MAX);
    sender_job_init(&c.job);
    for (size_t i = 0; i < opts->host_count && c.http != NULL; i++) {
        struct host h = {0};
        es_host_init(&h, opts->hosts[i]);
        c.name = h.name;
        c.job.host = h.url;
        int err = check_host(&c, targets, count);
        result = result != 0 ? result : err;
        es_host_clear(&h);
    }
    sender_job_clear(&c.job);
    buf_clear(&c.packed);
    buf_clear(&c.missing);
    http_free(&c.http);
    return result;
}
