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
 * Failures: all in http_reply. Texts hold no credentials: user information is cut out of URLs.
 * Limits: an early answer whose connection was reset between libcurl's read and its next write is
 * lost, HTTP_BROKEN. TCP_USER_TIMEOUT also ends a connection whose peer reads nothing for 60 s.
 */
#include "os/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/mem.h"
#include "os/http_internal.h"

#define CONNECT_TIMEOUT_MS   10000
#define TCP_USER_TIMEOUT_MS  60000
#define KEEPALIVE_IDLE_S     30L
#define KEEPALIVE_INTERVAL_S 10L
/* A connection is closed when this old, so that new addresses of a name come into use. */
#define CONNECTION_LIFE_S 300L
/* Longest sleep in the poll; libcurl's own timers and http_interrupt end it earlier. */
#define POLL_MS          60000
#define RETRY_AFTER_MAX  300 /* seconds */
#define HEADER_BYTES_MAX (256 * KIB)
#define URL_SHOWN_MAX    200

struct http {
    CURL *easy;
    CURLM *multi;
    atomic_bool interrupted;    /* written by any thread, never cleared */
    char *authorization;        /* whole header line, or NULL */
    char text[CURL_ERROR_SIZE]; /* libcurl writes the reason of a failure here */
    /* the exchange under way */
    const struct http_request *req;
    struct http_reply *reply;
    size_t header_bytes;
    bool sent;      /* the request may have left, at least in part */
    bool head_done; /* the reply's head came to its blank line */
    int body_error; /* what on_body returned */
};

/* sets one option unless an earlier one failed; needs `easy` and `rc` in scope */
#define SET(option, value) (rc = rc != CURLE_OK ? rc : curl_easy_setopt(easy, option, value))

/* libcurl's set-up, and SIGPIPE off: with NOSIGNAL libcurl leaves that to us, and OpenSSL writes
 * without MSG_NOSIGNAL */
int http_global_init(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &ignore, NULL) < 0)
        return -errno;
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

/* libcurl: a socket was made and is not connected yet */
static int on_socket(UNUSED void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    unsigned ms = TCP_USER_TIMEOUT_MS;
    /* Without it a dead peer is noticed later, nothing worse: the result does not matter. */
    if (purpose == CURLSOCKTYPE_IPCXN)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    return CURL_SOCKOPT_OK;
}

/* libcurl: connected, the request is next */
static int on_request(void *ctx, UNUSED char *ip, UNUSED char *local_ip, UNUSED int port,
                      UNUSED int local_port)
{
    struct http *h = ctx;
    h->sent = true;
    return CURL_PREREQFUNC_OK;
}

/* libcurl: one line of a head */
static size_t on_header(char *ptr, size_t size, size_t count, void *ctx)
{
    struct http *h = ctx;
    struct slice line = slice_of(ptr, size * count);
    h->header_bytes += line.len;
    if (h->header_bytes > HEADER_BYTES_MAX)
        return 0;
    if (slice_starts(line, SLICE_LIT("HTTP/")))
        h->head_done = false;
    else if (slice_trim(line).len == 0)
        h->head_done = true;
    http_head_line(line, h->reply);
    return line.len;
}

/* libcurl: a piece of the reply's body */
static size_t on_body(char *ptr, size_t size, size_t count, void *ctx)
{
    struct http *h = ctx;
    struct slice piece = slice_of(ptr, size * count);
    if (h->req->on_body == NULL || piece.len == 0)
        return piece.len;
    h->body_error = h->req->on_body(h->req->ctx, piece);
    return h->body_error == 0 ? piece.len : 0;
}

/* what is the same for every exchange and every client */
static CURLcode set_common(CURL *easy, struct http *h)
{
    CURLcode rc = CURLE_OK;
    SET(CURLOPT_ERRORBUFFER, h->text);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOPROXY, "*");
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    SET(CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_S);
    SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
    SET(CURLOPT_PREREQFUNCTION, on_request);
    SET(CURLOPT_PREREQDATA, h);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, h);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, h);
    return rc;
}

/* what this client's options say; libcurl copies the strings */
static CURLcode set_own(CURL *easy, const struct http_opts *opts)
{
    CURLcode rc = CURLE_OK;
    int64_t connect_ms =
        opts->connect_timeout_ms > 0 ? opts->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    SET(CURLOPT_USERAGENT, opts->user_agent);
    if (opts->username != NULL) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, opts->username);
        SET(CURLOPT_PASSWORD, opts->password != NULL ? opts->password : "");
    }
    SET(CURLOPT_SSL_VERIFYPEER, opts->verify_certs ? 1L : 0L);
    SET(CURLOPT_SSL_VERIFYHOST, opts->verify_certs ? 2L : 0L);
    if (opts->ca_file != NULL)
        SET(CURLOPT_CAINFO, opts->ca_file);
    return rc;
}

/* the header line of an authorization value */
static char *authorization_line(const char *value)
{
    const char name[] = "Authorization: ";
    size_t n = strlen(value) + 1;
    char *line = mem_zalloc(sizeof(name) - 1 + n);
    memcpy(line, name, sizeof(name) - 1);
    memcpy(line + sizeof(name) - 1, value, n);
    return line;
}

/* both handles and all options that stay */
struct http *http_new(const struct http_opts *opts)
{
    struct http *h = mem_zalloc(sizeof(*h));
    atomic_init(&h->interrupted, false);
    h->easy = curl_easy_init();
    h->multi = curl_multi_init();
    if (h->easy == NULL || h->multi == NULL || set_common(h->easy, h) != CURLE_OK ||
        set_own(h->easy, opts) != CURLE_OK)
        http_free(&h);
    else if (opts->authorization != NULL)
        h->authorization = authorization_line(opts->authorization);
    return h;
}

/* closes the connection too; wipes the secret that is ours */
void http_free(struct http **h)
{
    struct http *p = *h;
    if (p == NULL)
        return;
    curl_easy_cleanup(p->easy);
    (void)curl_multi_cleanup(p->multi); /* NULL is answered with an error, which is fine here */
    if (p->authorization != NULL)
        explicit_bzero(p->authorization, strlen(p->authorization));
    mem_free(p->authorization);
    mem_free(p);
    *h = NULL;
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

/* adds "name: value"; without a value "name:", which keeps libcurl from sending its own */
static CURLcode add_header(struct curl_slist **list, const char *name, const char *value)
{
    char bytes[256];
    int n = snprintf(bytes, sizeof(bytes), "%s:%s%s", name, value != NULL ? " " : "",
                     value != NULL ? value : "");
    if (n < 0 || (size_t)n >= sizeof(bytes))
        return CURLE_BAD_FUNCTION_ARGUMENT;
    return add_line(list, bytes);
}

/* the request's own header lines */
static CURLcode make_headers(const struct http *h, struct curl_slist **list)
{
    const struct http_request *req = h->req;
    CURLcode rc = add_header(list, "Accept", "application/json");
    if (rc == CURLE_OK)
        rc = add_header(list, "Expect", NULL);
    if (rc == CURLE_OK)
        rc = add_header(list, "Content-Type", req->body.len > 0 ? req->content_type : NULL);
    if (rc == CURLE_OK && req->body.len > 0 && req->content_encoding != NULL)
        rc = add_header(list, "Content-Encoding", req->content_encoding);
    if (rc == CURLE_OK && h->authorization != NULL)
        rc = add_line(list, h->authorization);
    return rc;
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
static CURLcode set_request(CURL *easy, const struct http_request *req, struct curl_slist *list)
{
    CURLcode rc = set_method(easy, req);
    SET(CURLOPT_HTTPHEADER, list);
    SET(CURLOPT_URL, req->url);
    SET(CURLOPT_TIMEOUT_MS, req->timeout_ms > 0 ? (long)req->timeout_ms : 0L);
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

/* the errno nearest to libcurl's code */
static int code_of(CURLcode rc)
{
    static const struct {
        CURLcode rc;
        int code;
    } table[] = {
        {CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH},
        {CURLE_COULDNT_CONNECT, -ECONNREFUSED},
        {CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT},
        {CURLE_OUT_OF_MEMORY, -ENOMEM},
        {CURLE_URL_MALFORMAT, -EINVAL},
        {CURLE_UNSUPPORTED_PROTOCOL, -EINVAL},
        {CURLE_LOGIN_DENIED, -EINVAL},
        {CURLE_BAD_FUNCTION_ARGUMENT, -EINVAL},
        {CURLE_GOT_NOTHING, -ECONNRESET},
        {CURLE_SEND_ERROR, -ECONNRESET},
        {CURLE_RECV_ERROR, -ECONNRESET},
        {CURLE_PARTIAL_FILE, -ECONNRESET},
        {CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED},
        {CURLE_SSL_CACERT_BADFILE, -ENOENT},
        {CURLE_SSL_CONNECT_ERROR, -EPROTO},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].rc == rc)
            return table[i].code;
    }
    return -EIO;
}

/* "METHOD scheme://host/path: why", without user information and query */
static void describe(struct err *err, const struct http_request *req, int code, const char *why)
{
    struct slice url = slice_str(req->url);
    url.len = strcspn(req->url, "?#");
    const char *mark = strstr(req->url, "://");
    size_t scheme = mark != NULL ? (size_t)(mark - req->url) + 3 : 0;
    if (scheme > url.len)
        scheme = 0;
    struct slice rest = slice_sub(url, scheme, url.len);
    struct slice authority = slice_sub(rest, 0, slice_find(rest, '/'));
    size_t at = slice_rfind(authority, '@');
    if (at < authority.len)
        rest = slice_sub(rest, at + 1, rest.len);
    if (rest.len > URL_SHOWN_MAX)
        rest.len = URL_SHOWN_MAX;
    err_set(err, code, "%s %.*s%.*s: %s", req->method, (int)scheme, req->url, (int)rest.len,
            rest.ptr, why);
}

/* names the outcome and, unless there is a reply, the reason */
static void judge(struct http *h, CURLcode rc)
{
    struct http_reply *reply = h->reply;
    const char *why = h->text[0] != '\0' ? h->text : curl_easy_strerror(rc);
    int code = code_of(rc);
    if (rc == CURLE_OK) {
        reply->outcome = HTTP_REPLIED;
        return;
    }
    if (h->body_error != 0) {
        reply->outcome = HTTP_INTERRUPTED;
        code = h->body_error;
        why = "the reply's body was refused";
    } else if (rc == CURLE_ABORTED_BY_CALLBACK) {
        reply->outcome = HTTP_INTERRUPTED;
        code = -EINTR;
        why = "interrupted";
    } else {
        reply->outcome = h->sent ? HTTP_BROKEN : HTTP_REFUSED;
        if (h->header_bytes > HEADER_BYTES_MAX) {
            code = -EMSGSIZE;
            why = "the reply's head is too long";
        }
    }
    describe(&reply->err, h->req, code, why);
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

/* one exchange; afterwards libcurl holds no pointer to the caller's memory */
void http_perform(struct http *h, const struct http_request *req, struct http_reply *ret)
{
    *ret = (struct http_reply){.outcome = HTTP_REFUSED};
    h->req = req;
    h->reply = ret;
    h->header_bytes = 0;
    h->sent = false;
    h->head_done = false;
    h->body_error = 0;
    h->text[0] = '\0';

    struct curl_slist *list = NULL;
    CURLcode rc = make_headers(h, &list);
    if (rc == CURLE_OK)
        rc = set_request(h->easy, req, list);
    if (rc == CURLE_OK) {
        rc = transfer(h);
        collect(h);
        /* libcurl takes the connection's end within a head, or after an interim one, for success.
         */
        if (rc == CURLE_OK && (!h->head_done || ret->status == 0))
            rc = CURLE_RECV_ERROR;
    }
    judge(h, rc);

    /* Setting a pointer option to NULL cannot fail. */
    (void)curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, NULL);
    (void)curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(list);
    h->req = NULL;
    h->reply = NULL;
}

/* flag first, so that the woken thread finds it */
void http_interrupt(struct http *h)
{
    atomic_store(&h->interrupted, true);
    (void)curl_multi_wakeup(h->multi); /* a full pipe means that a wake-up is already there */
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

/* libcurl's own version line */
const char *http_library(void)
{
    return curl_version();
}
