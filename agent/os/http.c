/*
 * os/http - HTTP/1.1 client: one easy handle and one multi handle of libcurl for each client
 *
 * An exchange adds the easy handle to the multi handle, turns curl_multi_perform and
 * curl_multi_poll until libcurl says how it ended, and takes the easy handle out again. The
 * connection stays with the multi handle, so the next exchange uses it again.
 *
 * The outcome does not follow from libcurl's error code, which may be the same before and after
 * the request left. on_request, which libcurl calls when the connection (with TLS) stands and
 * before the first byte of the request, sets `sent`: a failure without it is HTTP_REFUSED, any
 * other HTTP_BROKEN. It stays set for the whole exchange, because libcurl itself sends a request
 * once more when a kept connection turns out dead after the request was sent and before the first
 * byte of the reply. A server may thus see a request twice; the caller's documents have fixed ids.
 *
 * An error status before the body was sent: libcurl stops sending, reads the reply to its end,
 * reports success and closes the connection.
 *
 * http_interrupt sets a flag and then wakes the poll; a wake-up before the poll is kept by
 * libcurl, so none is lost. Everything else belongs to the client's thread.
 *
 * Failures: all in http_reply.
 * Limits: an early answer whose connection was reset between libcurl's read and its next write is
 * lost, HTTP_BROKEN. TCP_USER_TIMEOUT also ends a connection whose peer reads nothing for 60 s.
 */
#include "os/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "os/http_internal.h"

/* Longest sleep in the poll; libcurl's own timers and http_interrupt end it earlier. */
#define POLL_MS         60000
#define RETRY_AFTER_MAX 300 /* seconds */
#define STATUS_REFUSED  401

/* sets one option unless an earlier one failed; needs `easy` and `rc` in scope */
#define SET(option, value) (rc = rc != CURLE_OK ? rc : curl_easy_setopt(easy, option, value))

/* libcurl: connected, the request is next */
int http_on_request(void *ctx, UNUSED char *ip, UNUSED char *local_ip, UNUSED int port,
                    UNUSED int local_port)
{
    struct http *h = ctx;
    h->reply->repeated = h->sent;
    h->sent = true;
    return CURL_PREREQFUNC_OK;
}

/* libcurl: one line of a head */
size_t http_on_header(char *ptr, size_t size, size_t count, void *ctx)
{
    struct http *h = ctx;
    struct slice line = slice_of(ptr, size * count);
    h->header_bytes += line.len;
    if (h->header_bytes > HTTP_HEADER_BYTES_MAX)
        return 0;
    if (slice_starts(line, SLICE_LIT("HTTP/")))
        h->head_done = false;
    else if (slice_trim(line).len == 0)
        h->head_done = true;
    http_head_line(line, h->reply);
    return line.len;
}

/* libcurl: a piece of the reply's body */
size_t http_on_body(char *ptr, size_t size, size_t count, void *ctx)
{
    struct http *h = ctx;
    struct slice piece = slice_of(ptr, size * count);
    if (h->req->on_body == NULL || piece.len == 0)
        return piece.len;
    h->body_error = h->req->on_body(h->req->ctx, piece);
    return h->body_error == 0 ? piece.len : 0;
}

/* adds one header line; a control character in it would begin another one */
static CURLcode add_line(struct curl_slist **list, const char *line)
{
    for (const char *p = line; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return CURLE_BAD_FUNCTION_ARGUMENT;
    }
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL)
        return CURLE_OUT_OF_MEMORY;
    *list = longer;
    return CURLE_OK;
}

/* the next line may be longer than a secret that stood here */
static void wipe_line(struct http *h)
{
    if (h->line.ptr != NULL)
        explicit_bzero(h->line.ptr, h->line.cap);
    buf_reset(&h->line);
}

/* adds "name: value"; without a value "name:", which keeps libcurl from sending its own */
static CURLcode add_header(struct http *h, struct curl_slist **list, const char *name,
                           const char *value)
{
    CURLcode rc = CURLE_BAD_FUNCTION_ARGUMENT;
    /* libcurl's form of a header without a text has a semicolon */
    const char *form = value == NULL ? ":" : value[0] == '\0' ? ";" : ": ";
    if (buf_printf(&h->line, "%s%s%s", name, form, value != NULL ? value : "") == 0)
        rc = add_line(list, buf_cstr(&h->line));
    wipe_line(h);
    return rc;
}

/* "Authorization: " and what the credentials are now */
static int add_authorization(struct http *h, struct curl_slist **list, struct err *why)
{
    int error = buf_add_str(&h->line, "Authorization: ");
    size_t name_len = h->line.len;
    if (error == 0)
        error = credential_header(h->credential, &h->line, why);
    if (error == 0 && h->line.len > name_len && add_line(list, buf_cstr(&h->line)) != CURLE_OK)
        error = -EINVAL;
    wipe_line(h);
    return error;
}

/* the request's own header lines but the authorization */
static CURLcode make_headers(struct http *h, struct curl_slist **list)
{
    const struct http_request *req = h->req;
    bool packed = req->body.len > 0 && req->content_encoding != NULL;
    CURLcode rc = add_header(h, list, "Accept", "application/json");
    if (rc == CURLE_OK)
        rc = add_header(h, list, "Expect", NULL);
    if (rc == CURLE_OK)
        rc = add_header(h, list, "Content-Type", req->body.len > 0 ? req->content_type : NULL);
    if (rc == CURLE_OK && packed)
        rc = add_header(h, list, "Content-Encoding", req->content_encoding);
    if (rc == CURLE_OK && !packed)
        rc = add_header(h, list, "Accept-Encoding", NULL);
    for (size_t i = 0; rc == CURLE_OK && i < h->opts.header_count; i++)
        rc = add_header(h, list, h->opts.headers[i].name, h->opts.headers[i].value);
    return rc;
}

/* some of the lines are secret */
static void free_headers(struct curl_slist *list)
{
    for (struct curl_slist *line = list; line != NULL; line = line->next)
        explicit_bzero(line->data, strlen(line->data));
    curl_slist_free_all(list);
}

/* method and body; POST and PUT have a Content-Length even when there is none */
static CURLcode set_method(CURL *easy, const struct http_request *req)
{
    CURLcode rc = CURLE_OK;
    bool head = strcmp(req->method, "HEAD") == 0;
    bool get = strcmp(req->method, "GET") == 0;
    bool post = strcmp(req->method, "POST") == 0;
    bool sends = req->body.len > 0 || post || strcmp(req->method, "PUT") == 0;
    if (head) {
        SET(CURLOPT_NOBODY, 1L);
    } else if (sends) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.len);
        SET(CURLOPT_POSTFIELDS, req->body.len > 0 ? req->body.ptr : "");
    } else {
        SET(CURLOPT_HTTPGET, 1L);
    }
    bool own = head || (sends ? post : get);
    SET(CURLOPT_CUSTOMREQUEST, own ? NULL : req->method);
    return rc;
}

/* everything that differs between exchanges */
static CURLcode set_request(const struct http *h, struct curl_slist *list)
{
    CURL *easy = h->easy;
    const struct http_request *req = h->req;
    int64_t timeout_ms = req->timeout_ms, limit_ms = h->opts.timeout_ms;
    if (timeout_ms == 0 || (limit_ms > 0 && limit_ms < timeout_ms))
        timeout_ms = limit_ms;
    CURLcode rc = set_method(easy, req);
    SET(CURLOPT_HTTPHEADER, list);
    SET(CURLOPT_URL, req->url);
    SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    return rc;
}

/* how the transfer ended, once no transfer is running */
static CURLcode ended_how(CURLM *multi)
{
    int left = 0;
    CURLMsg *m = curl_multi_info_read(multi, &left);
    return m != NULL && m->msg == CURLMSG_DONE ? m->data.result : CURLE_FAILED_INIT;
}

/* runs the transfer; CURLE_ABORTED_BY_CALLBACK stands for an interruption */
static CURLcode transfer(struct http *h)
{
    if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    CURLcode rc = CURLE_ABORTED_BY_CALLBACK;
    while (!atomic_load(&h->interrupted)) {
        int running = 0;
        CURLMcode mc = curl_multi_perform(h->multi, &running);
        if (mc == CURLM_OK && running > 0)
            mc = curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL);
        else if (mc == CURLM_OK) {
            rc = ended_how(h->multi);
            break;
        }
        if (mc != CURLM_OK) {
            rc = CURLE_OUT_OF_MEMORY;
            break;
        }
    }
    (void)curl_multi_remove_handle(h->multi, h->easy); /* it was added: cannot fail */
    return rc;
}

/* reads from libcurl what it knows of the exchange */
static void collect(struct http *h)
{
    struct http_reply *reply = h->reply;
    curl_off_t sent = 0, wait_s = 0;
    long status = 0;
    /* These fail only for unknown names; the values stay 0 then. */
    (void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(h->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    (void)curl_easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &wait_s);
    reply->status = status >= 200 ? status : 0; /* 1xx says nothing of the outcome */
    reply->sent_bytes = sent > 0 ? (uint64_t)sent : 0;
    if (wait_s > RETRY_AFTER_MAX)
        wait_s = RETRY_AFTER_MAX;
    reply->retry_after_ms = wait_s > 0 ? (int64_t)wait_s * 1000 : 0;
}

/* nothing of an earlier exchange stays */
static void begin(struct http *h, const struct http_request *req, struct http_reply *reply)
{
    *reply = (struct http_reply){.outcome = HTTP_REFUSED};
    http_renew(h);
    h->req = req;
    h->reply = reply;
    h->header_bytes = 0;
    h->sent = false;
    h->head_done = false;
    h->body_error = 0;
    h->trust.missed = false;
    h->text[0] = '\0';
}

/* libcurl holds no pointer to the caller's memory any more */
static void end(struct http *h, struct curl_slist *list)
{
    /* Setting a pointer option to NULL cannot fail. */
    (void)curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, NULL);
    (void)curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
    free_headers(list);
    h->req = NULL;
    h->reply = NULL;
}

/* one exchange */
void http_perform(struct http *h, const struct http_request *req, struct http_reply *ret)
{
    struct curl_slist *list = NULL;
    begin(h, req, ret);
    if (add_authorization(h, &list, &ret->err) != 0) {
        ret->lasting = true;
        end(h, list);
        return;
    }
    CURLcode rc = make_headers(h, &list);
    if (rc == CURLE_OK)
        rc = set_request(h, list);
    if (rc == CURLE_OK) {
        rc = transfer(h);
        collect(h);
        /* libcurl takes the connection's end within a head, or after an interim one, for success.
         */
        if (rc == CURLE_OK && (!h->head_done || ret->status == 0))
            rc = CURLE_RECV_ERROR;
    }
    http_judge(h, rc);
    if (ret->outcome == HTTP_REPLIED && ret->status == STATUS_REFUSED)
        ret->new_credentials = credential_refused(h->credential);
    end(h, list);
}

/* flag first, so that the woken thread finds it */
void http_interrupt(struct http *h)
{
    atomic_store(&h->interrupted, true);
    (void)pthread_mutex_lock(&h->lock);
    (void)curl_multi_wakeup(h->multi); /* a full pipe means that a wake-up is already there */
    (void)pthread_mutex_unlock(&h->lock);
}

/* appends a piece within the buffer's limit */
static int collect_piece(void *ctx, struct slice piece)
{
    return buf_add_slice(ctx, piece);
}

/* http_perform with a buffer at its end */
void http_fetch(struct http *h, const char *method, const char *url, struct slice body,
                const char *content_type, int64_t timeout_ms, struct buf *ret_body,
                struct http_reply *ret)
{
    buf_reset(ret_body);
    struct http_request req = {
        .method = method,
        .url = url,
        .body = body,
        .content_type = content_type,
        .timeout_ms = timeout_ms,
        .on_body = collect_piece,
        .ctx = ret_body,
    };
    http_perform(h, &req, ret);
}
