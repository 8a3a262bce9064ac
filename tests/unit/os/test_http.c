/* os/http: how one exchange ends, against a scripted server */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "http_check.h"

/* ---- one exchange, as a table ---- */

#define HEAD_413 "HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#define CHUNKED  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

#define REPLIED(s, b) .status = (s), .body = (b)
#define BROKEN(s, c)  .outcome = HTTP_BROKEN, .status = (s), .code = (c)
#define SMALL         .body_len = 10
#define LARGE         .body_len = 8 * MIB

static const struct one_case {
    const char *name;
    size_t body_len;
    struct script_step step;
    int64_t timeout_ms; /* 0: long */
    enum http_outcome outcome;
    long status;
    int code;         /* of err */
    const char *body; /* NULL: empty */
    int64_t retry_ms;
    bool elastic;
    const char *opensearch; /* NULL: none */
    bool unread;            /* the server does not read the whole body */
} ones[] = {
    {"plain", SMALL, .step = {OK_HEAD "\r\n{}"}, REPLIED(200, "{}")},
    {"no body in the request", .step = {OK_HEAD "\r\n{}"}, REPLIED(200, "{}")},
    {"no body in the reply", SMALL, .step = {"HTTP/1.1 204 No Content\r\n\r\n"},
     REPLIED(204, NULL)},
    {"8 MiB", LARGE, .step = {OK_HEAD "\r\n{}"}, REPLIED(200, "{}")},
    {"byte by byte", SMALL, .step = {OK_HEAD "\r\n{}", .bytewise = true}, REPLIED(200, "{}")},
    {"chunked", SMALL,
     .step = {CHUNKED "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", .bytewise = true},
     REPLIED(200, "abc0123456789")},
    {"chunked with trailer", SMALL, .step = {CHUNKED "1\r\na\r\n0\r\nX: y\r\n\r\n"},
     REPLIED(200, "a")},
    {"1.0, ended by close", SMALL, .step = {"HTTP/1.0 200 OK\r\n\r\nold", .ending = END_CLOSE},
     REPLIED(200, "old")},
    {"interim replies first", SMALL,
     .step = {"HTTP/1.1 103 Early Hints\r\nX-Elastic-Product: no\r\n\r\n"
              "HTTP/1.1 100 Continue\r\n\r\n"
              "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"},
     REPLIED(201, NULL)},
    {"redirect is not followed", SMALL,
     .step = {"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"},
     REPLIED(301, NULL)},
    {"401", SMALL, .step = {"HTTP/1.1 401 No\r\nContent-Length: 4\r\n\r\nbad\n"},
     REPLIED(401, "bad\n")},
    {"503, body ended by close", SMALL,
     .step = {"HTTP/1.1 503 No\r\nConnection: close\r\n\r\nnot yet", .ending = END_CLOSE},
     REPLIED(503, "not yet")},
    {"early 413, then drains", LARGE, .step = {HEAD_413, READ_HEAD, END_DRAIN}, REPLIED(413, NULL),
     .unread = true},
    {"early 401 with a body, kept open", LARGE,
     .step = {"HTTP/1.1 401 No\r\nContent-Length: 3\r\n\r\nno\n", READ_HEAD, END_HANG},
     REPLIED(401, "no\n"), .unread = true},
    {"early 401, chunked", LARGE,
     .step = {"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
              READ_HEAD, END_HANG},
     REPLIED(401, "no"), .unread = true},
    {"Elasticsearch", SMALL, .step = {OK_HEAD "X-elastic-product: Elasticsearch\r\n\r\n{}"},
     REPLIED(200, "{}"), .elastic = true},
    {"OpenSearch", SMALL,
     .step = {OK_HEAD "X-OpenSearch-Version: OpenSearch/3.6.0 (opensearch)\r\n\r\n{}"},
     REPLIED(200, "{}"), .opensearch = "3.6.0"},
    {"OpenSearch without build", SMALL,
     .step = {OK_HEAD "x-opensearch-version:OpenSearch/2.19.6\r\n\r\n{}"}, REPLIED(200, "{}"),
     .opensearch = "2.19.6"},
    {"OpenSearch, version of 31 bytes", SMALL,
     .step = {OK_HEAD "X-OpenSearch-Version: OpenSearch/0123456789012345678901234567890\r\n\r\n{}"},
     REPLIED(200, "{}"), .opensearch = "0123456789012345678901234567890"},
    {"OpenSearch, version of 32 bytes", SMALL,
     .step = {OK_HEAD
              "X-OpenSearch-Version: OpenSearch/01234567890123456789012345678901\r\n\r\n{}"},
     REPLIED(200, "{}")},
    {"OpenSearch, control character", SMALL,
     .step = {OK_HEAD "X-OpenSearch-Version: OpenSearch/3\x1b[0m.6\r\n\r\n{}"}, REPLIED(200, "{}")},
    {"OpenSearch, another form", SMALL, .step = {OK_HEAD "X-OpenSearch-Version: 3.6.0\r\n\r\n{}"},
     REPLIED(200, "{}")},
    {"headers with like names", SMALL,
     .step = {OK_HEAD "X-Elastic-Products: a\r\nX-Elastic-Produc: b\r\n\r\n{}"},
     REPLIED(200, "{}")},
    {"closed without a reply", SMALL, .step = {.ending = END_CLOSE}, BROKEN(0, -ECONNRESET)},
    {"reset without a reply", SMALL, .step = {.ending = END_RESET}, BROKEN(0, -ECONNRESET)},
    {"reset in the request's middle", LARGE, .step = {.reading = READ_HEAD, .ending = END_RESET},
     BROKEN(0, -ECONNRESET), .unread = true},
    {"half a head", SMALL, .step = {"HTTP/1.1 200 OK\r\nConte", .ending = END_CLOSE},
     BROKEN(200, -ECONNRESET)},
    {"a head without blank line", SMALL,
     .step = {"HTTP/1.1 200 OK\r\nX: y\r\n", .ending = END_CLOSE}, BROKEN(200, -ECONNRESET)},
    {"half a status line", SMALL, .step = {"HTTP/1.", .ending = END_CLOSE}, BROKEN(0, -ECONNRESET)},
    {"half a body", SMALL,
     .step = {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"took\"", .ending = END_CLOSE},
     BROKEN(200, -ECONNRESET), .body = "{\"took\""},
    {"a body reset", SMALL,
     .step = {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", .ending = END_RESET},
     BROKEN(200, -ECONNRESET)},
    {"half a chunked body", SMALL, .step = {CHUNKED "5\r\nabc", .ending = END_CLOSE},
     BROKEN(200, -ECONNRESET), .body = "abc"},
    {"chunks of nonsense", SMALL, .step = {CHUNKED "zz\r\nabc", .ending = END_CLOSE},
     BROKEN(200, -ECONNRESET)},
    {"chunks without the last", SMALL, .step = {CHUNKED "3\r\nabc\r\n", .ending = END_CLOSE},
     BROKEN(200, -ECONNRESET), .body = "abc"},
    {"interim reply, then closed", SMALL,
     .step = {"HTTP/1.1 100 Continue\r\n\r\n", .ending = END_CLOSE}, BROKEN(0, -ECONNRESET)},
    {"not HTTP", SMALL, .step = {"SSH-2.0-OpenSSH_9.2\r\n", .ending = END_CLOSE},
     BROKEN(0, -EPROTO)},
    {"no reply in time", SMALL, .step = {.ending = END_HANG}, BROKEN(0, -ETIMEDOUT),
     .timeout_ms = 100},
    {"half a reply in time", SMALL,
     .step = {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", .ending = END_HANG},
     BROKEN(200, -ETIMEDOUT), .body = "abc", .timeout_ms = 200},
    {"Retry-After", SMALL, .step = {OK_HEAD "Retry-After: 7\r\n\r\n{}"}, REPLIED(200, "{}"),
     .retry_ms = 7000},
    {"Retry-After 0", SMALL, .step = {OK_HEAD "Retry-After: 0\r\n\r\n{}"}, REPLIED(200, "{}")},
    {"Retry-After too long", SMALL, .step = {OK_HEAD "Retry-After: 86400\r\n\r\n{}"},
     REPLIED(200, "{}"), .retry_ms = 300000},
    {"Retry-After of 30 digits is none", SMALL,
     .step = {OK_HEAD "Retry-After: 999999999999999999999999999999\r\n\r\n{}"}, REPLIED(200, "{}")},
    {"Retry-After below zero", SMALL, .step = {OK_HEAD "Retry-After: -5\r\n\r\n{}"},
     REPLIED(200, "{}")},
    {"Retry-After of words", SMALL, .step = {OK_HEAD "Retry-After: soon\r\n\r\n{}"},
     REPLIED(200, "{}")},
    {"Retry-After empty", SMALL, .step = {OK_HEAD "Retry-After: \r\n\r\n{}"}, REPLIED(200, "{}")},
    {"Retry-After, a date gone by", SMALL,
     .step = {OK_HEAD "Retry-After: Mon, 23 Nov 2015 01:02:03 GMT\r\n\r\n{}"}, REPLIED(200, "{}")},
    {"Retry-After, a date far ahead", SMALL,
     .step = {OK_HEAD "Retry-After: Fri, 23 Nov 2096 01:02:03 GMT\r\n\r\n{}"}, REPLIED(200, "{}"),
     .retry_ms = 300000},
};

/* compares all that one exchange left */
static void check_one(const struct one_case *t, struct script_server *s, const struct buf *body,
                      const struct http_reply *r, const char *sent)
{
    const char *want = t->body != NULL ? t->body : "";
    const char *version = t->opensearch != NULL ? t->opensearch : "";
    if (r->outcome != t->outcome || r->status != t->status || r->err.code != t->code)
        fail_msg("%s: outcome %d, status %ld, code %d, \"%s\"", t->name, (int)r->outcome, r->status,
                 r->err.code, r->err.text);
    if (!slice_eq_str(buf_slice(body), want))
        fail_msg("%s: body \"%.*s\"", t->name, (int)body->len, body->ptr);
    if (r->retry_after_ms != t->retry_ms)
        fail_msg("%s: retry after %lld ms", t->name, (long long)r->retry_after_ms);
    if (r->elastic_product != t->elastic || strcmp(r->opensearch_version, version) != 0)
        fail_msg("%s: elastic %d, opensearch \"%s\"", t->name, (int)r->elastic_product,
                 r->opensearch_version);
    if ((r->err.code == 0) != (r->err.text[0] == '\0'))
        fail_msg("%s: text \"%s\"", t->name, r->err.text);
    if (t->unread ? r->sent_bytes >= t->body_len : r->sent_bytes != t->body_len)
        fail_msg("%s: %llu bytes sent", t->name, (unsigned long long)r->sent_bytes);
    if (!t->unread && !slice_eq(buf_slice(&s->body), slice_of(sent, t->body_len)))
        fail_msg("%s: the server read another body", t->name);
}

/* a server, a client and a connection for each case */
static void test_one_exchange(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, MIB);
    for (size_t i = 0; i < ARRAY_LEN(ones); i++) {
        const struct one_case *t = &ones[i];
        struct script_server s;
        struct http_reply reply;
        struct http *h = new_client();
        char *sent = body_of(t->body_len);
        script_server_start(&s, &t->step, 1);
        post(h, s.port, slice_of(sent, t->body_len), t->timeout_ms, &body, &reply);
        http_free(&h);
        assert_null(h);
        script_server_stop(&s);
        check_one(t, &s, &body, &reply, sent);
        script_server_clear(&s);
        free(sent);
    }
    buf_clear(&body);
}

/* a date half a minute ahead: the answer depends on the clock, so it is not in the table */
static void test_retry_after_date(void **state)
{
    (void)state;
    char head[256];
    struct buf body;
    struct script_server s;
    struct http_reply reply;
    struct http *h = new_client();
    struct tm tm;
    time_t then = time(NULL) + 30;
    gmtime_r(&then, &tm);
    assert_true(strftime(head, sizeof(head),
                         "HTTP/1.1 429 Slow\r\nRetry-After: %a, %d %b %Y %H:%M:%S GMT\r\n"
                         "Content-Length: 0\r\n\r\n",
                         &tm) > 0);
    const struct script_step steps[] = {{head}, {"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n"}};
    buf_init(&body, 100);
    script_server_start(&s, steps, 2);
    post(h, s.port, SLICE_LIT("x"), 0, &body, &reply);
    assert_int_equal(reply.status, 429);
    assert_in_range(reply.retry_after_ms, 20000, 30000);
    post(h, s.port, SLICE_LIT("x"), 0, &body, &reply);
    assert_int_equal(reply.status, 429);
    assert_int_equal(reply.retry_after_ms, 0); /* not the one of the reply before */
    http_free(&h);
    script_server_stop(&s);
    script_server_clear(&s);
    buf_clear(&body);
}

/* also proves that SIGPIPE is off */
static int set_up(void **state)
{
    (void)state;
    struct sigaction pipe_action;
    if (http_global_init() != 0 || sigaction(SIGPIPE, NULL, &pipe_action) != 0)
        return -1;
    return pipe_action.sa_handler == SIG_IGN && strncmp(http_library(), "libcurl/", 8) == 0 ? 0
                                                                                            : -1;
}

/* runs them */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_exchange),
        cmocka_unit_test(test_retry_after_date),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
