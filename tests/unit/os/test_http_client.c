/* os/http: what is sent, which connection is used, what is refused, how an exchange is broken off
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_check.h"

/* ---- what is sent ---------------------------------------------------------------------------- */

static struct http_header further[] = {{"X-Tenant", "a b"}, {"X-Empty", ""}};

static const struct head_case {
    const char *name;
    struct http_opts opts;
    struct http_request req; /* without url */
    const char *has[6];
} heads[] = {
    {"bulk",
     {.user_agent = "wherry/1.0"},
     {.method = "POST",
      .body = {"{}\n", 3},
      .content_type = "application/x-ndjson",
      .content_encoding = "gzip"},
     {"POST /p?a=b HTTP/1.1\r\n", "\r\nContent-Length: 3\r\n",
      "\r\nContent-Type: application/x-ndjson\r\n", "\r\nContent-Encoding: gzip\r\n",
      "\r\nAccept: application/json\r\n",
      "\r\nUser-Agent: wherry/1.0\r\nAccept-Encoding: gzip\r\n"}},
    {"put",
     {.user_agent = "w"},
     {.method = "PUT", .body = {"{}", 2}, .content_type = "application/json"},
     {"PUT /p?a=b HTTP/1.1\r\n", "\r\nContent-Length: 2\r\n",
      "\r\nContent-Type: application/json\r\n"}},
    {"empty put", {.user_agent = "w"}, {.method = "PUT"}, {"PUT ", "\r\nContent-Length: 0\r\n"}},
    {"empty post", {.user_agent = "w"}, {.method = "POST"}, {"POST ", "\r\nContent-Length: 0\r\n"}},
    {"get", {.user_agent = "w"}, {.method = "GET"}, {"GET /p?a=b HTTP/1.1\r\n"}},
    {"get with a body",
     {.user_agent = "w"},
     {.method = "GET", .body = {"{}", 2}, .content_type = "application/json"},
     {"GET /p", "\r\nContent-Length: 2\r\n"}},
    {"delete", {.user_agent = "w"}, {.method = "DELETE"}, {"DELETE /p?a=b HTTP/1.1\r\n"}},
    {"head", {.user_agent = "w"}, {.method = "HEAD"}, {"HEAD /p?a=b HTTP/1.1\r\n"}},
    {"user and password",
     {.user_agent = "w", .credential = {CREDENTIAL_BASIC, "user", NULL, "pa:ss", NULL}},
     {.method = "GET"},
     {"\r\nAuthorization: Basic dXNlcjpwYTpzcw==\r\n"}},
    {"key",
     {.user_agent = "w", .credential = {CREDENTIAL_API_KEY, NULL, NULL, "abc==", NULL}},
     {.method = "POST", .body = {"x", 1}, .content_type = "text/plain"},
     {"\r\nAuthorization: ApiKey abc==\r\n"}},
    {"token",
     {.user_agent = "w", .credential = {CREDENTIAL_BEARER, NULL, NULL, "a.b.c", NULL}},
     {.method = "GET"},
     {"\r\nAuthorization: Bearer a.b.c\r\n"}},
    {"headers",
     {.user_agent = "w", .headers = further, .header_count = ARRAY_LEN(further)},
     {.method = "GET"},
     {"\r\nX-Tenant: a b\r\n", "\r\nX-Empty:\r\n"}},
};

static const char *const never[] = {
    "\r\nExpect:", "\r\nTransfer-Encoding:", "\r\nContent-Type: application/x-www", "\r\nProxy-"};

/* what must be there is, what must not be is not */
static void check_head(const struct head_case *t, const char *head)
{
    for (size_t i = 0; i < ARRAY_LEN(t->has) && t->has[i] != NULL; i++) {
        if (strstr(head, t->has[i]) == NULL)
            fail_msg("%s: no \"%s\" in\n%s", t->name, t->has[i], head);
    }
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        if (strstr(head, never[i]) != NULL)
            fail_msg("%s: \"%s\" in\n%s", t->name, never[i], head);
    }
    if (t->req.content_encoding == NULL && strstr(head, "\r\nAccept-Encoding:") != NULL)
        fail_msg("%s: packed replies are asked for in\n%s", t->name, head);
    bool secret = t->opts.credential.kind != CREDENTIAL_NONE;
    if (!secret && strstr(head, "\r\nAuthorization:") != NULL)
        fail_msg("%s: authorization in\n%s", t->name, head);
}

/* the heads as the server read them, with proxies in the environment */
static void test_request_heads(void **state)
{
    (void)state;
    /* A proxy of the environment would be asked instead of the server. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        const struct head_case *t = &heads[i];
        const struct script_step step = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
        struct http_request req = t->req;
        struct http_reply reply;
        struct script_server s;
        char url[64];
        struct http *h = http_new(&t->opts);
        assert_non_null(h);
        script_server_start(&s, &step, 1);
        req.url = url_of(url, sizeof(url), s.port, "/p?a=b");
        req.timeout_ms = LONG_MS;
        http_perform(h, &req, &reply);
        if (reply.outcome != HTTP_REPLIED)
            fail_msg("%s: %s", t->name, reply.err.text);
        http_free(&h);
        script_server_stop(&s);
        check_head(t, buf_cstr(&s.head));
        script_server_clear(&s);
    }
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

/* methods alternate on one client and one connection: nothing of one stays for the next */
static void test_sequence(void **state)
{
    (void)state;
    static const struct {
        const char *method, *body, *first;
    } turns[] = {
        {"HEAD", "", "HEAD / "},     {"PUT", "abc", "PUT / "}, {"GET", "", "GET / "},
        {"DELETE", "", "DELETE / "}, {"POST", "d", "POST / "}, {"HEAD", "", "HEAD / "},
        {"POST", "efgh", "POST / "},
    };
    struct script_step steps[ARRAY_LEN(turns)];
    struct script_server s;
    struct http_reply reply;
    struct buf body;
    char url[64];
    struct http *h = new_client();
    for (size_t i = 0; i < ARRAY_LEN(turns); i++)
        steps[i] = (struct script_step){strcmp(turns[i].method, "HEAD") == 0 ? OK_HEAD
                                            "X-Elastic-Product: E\r\n\r\n"
                                                                             : OK_HEAD "\r\n{}"};
    buf_init(&body, 100);
    script_server_start(&s, steps, ARRAY_LEN(turns));
    url_of(url, sizeof(url), s.port, "/");
    for (size_t i = 0; i < ARRAY_LEN(turns); i++) {
        bool head = strcmp(turns[i].method, "HEAD") == 0;
        http_fetch(h, turns[i].method, url, slice_str(turns[i].body),
                   turns[i].body[0] != '\0' ? "text/plain" : NULL, LONG_MS, &body, &reply);
        assert_int_equal(reply.outcome, HTTP_REPLIED);
        assert_int_equal(reply.sent_bytes, strlen(turns[i].body));
        assert_true(slice_eq_str(buf_slice(&body), head ? "" : "{}"));
        assert_int_equal(reply.elastic_product, head);
        pthread_mutex_lock(&s.lock);
        assert_true(slice_starts(buf_slice(&s.head), slice_str(turns[i].first)));
        assert_true(slice_eq_str(buf_slice(&s.body), turns[i].body));
        pthread_mutex_unlock(&s.lock);
    }
    http_free(&h);
    script_server_stop(&s);
    assert_int_equal(s.connections, 1);
    script_server_clear(&s);
    buf_clear(&body);
}

/* ---- connections ----------------------------------------------------------------------------- */

/* several exchanges of one client, and how many connections and requests they took */
static void test_connections(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct script_step steps[4];
        size_t steps_count, exchanges;
        enum http_outcome last;
        unsigned connections, requests;
        bool large; /* bodies; a connection that dies while one is sent is not tried again */
    } cases[] = {
        {"kept",
         {{OK_HEAD "\r\n{}"}, {OK_HEAD "\r\n{}"}, {OK_HEAD "\r\n{}"}},
         3,
         3,
         HTTP_REPLIED,
         1,
         3},
        {"closed by the server after each reply",
         {{OK_HEAD "\r\n{}", .ending = END_CLOSE}, {OK_HEAD "\r\n{}", .ending = END_CLOSE}},
         2,
         2,
         HTTP_REPLIED,
         2,
         2},
        {"Connection: close",
         {{OK_HEAD "Connection: close\r\n\r\n{}", .ending = END_HANG}, {OK_HEAD "\r\n{}"}},
         2,
         2,
         HTTP_REPLIED,
         2,
         2},
        {"a kept one dies at the second request, which is sent again",
         {{OK_HEAD "\r\n{}"}, {.ending = END_CLOSE}, {OK_HEAD "\r\n{}"}},
         3,
         2,
         HTTP_REPLIED,
         2,
         3},
        {"so does the new one",
         {{OK_HEAD "\r\n{}"}, {.ending = END_RESET}, {.ending = END_CLOSE}},
         3,
         2,
         HTTP_BROKEN,
         2,
         3},
        {"a kept one dies in the reply's middle: not sent again",
         {{OK_HEAD "\r\n{}"}, {OK_HEAD "\r\n{", .ending = END_CLOSE}},
         2,
         2,
         HTTP_BROKEN,
         1,
         2},
        {"an early error ends the connection",
         {{"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n", READ_HEAD, END_HANG},
          {OK_HEAD "\r\n{}"}},
         2,
         2,
         HTTP_REPLIED,
         2,
         2,
         true},
    };
    char *sent = body_of(4 * MIB);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script_server s;
        struct http_reply reply;
        struct buf body;
        struct http *h = new_client();
        const size_t len = cases[i].large ? 4 * MIB : 10;
        buf_init(&body, 100);
        script_server_start(&s, cases[i].steps, cases[i].steps_count);
        for (size_t k = 0; k < cases[i].exchanges; k++) {
            post(h, s.port, slice_of(sent, len), 0, &body, &reply);
            enum http_outcome want = k + 1 < cases[i].exchanges ? HTTP_REPLIED : cases[i].last;
            if (reply.outcome != want)
                fail_msg("%s, exchange %zu: outcome %d, \"%s\"", cases[i].name, k,
                         (int)reply.outcome, reply.err.text);
        }
        http_free(&h);
        script_server_stop(&s);
        if (s.connections != cases[i].connections || s.requests != cases[i].requests)
            fail_msg("%s: %u connections, %u requests", cases[i].name, s.connections, s.requests);
        script_server_clear(&s);
        buf_clear(&body);
    }
    free(sent);
}

/* ---- nothing was sent ------------------------------------------------------------------------ */

/* expects HTTP_REFUSED with this code and a text without secrets */
static void refused(const char *url, int64_t connect_ms, int code)
{
    const struct http_opts opts = {.user_agent = "w", .connect_timeout_ms = connect_ms};
    struct http *h = http_new(&opts);
    struct http_reply reply;
    struct buf body;
    assert_non_null(h);
    buf_init(&body, 100);
    http_fetch(h, "POST", url, SLICE_LIT("x"), "text/plain", LONG_MS, &body, &reply);
    if (reply.outcome != HTTP_REFUSED || reply.err.code != code || reply.status != 0 ||
        reply.sent_bytes != 0)
        fail_msg("%s: outcome %d, code %d, \"%s\"", url, (int)reply.outcome, reply.err.code,
                 reply.err.text);
    assert_true(strncmp(reply.err.text, "POST ", 5) == 0);
    assert_null(strstr(reply.err.text, "secret"));
    assert_null(strstr(reply.err.text, " ms")); /* the same reason in the same words */
    http_free(&h);
    buf_clear(&body);
}

/* nobody listens */
static void test_refused_by_port(void **state)
{
    (void)state;
    char url[64];
    unsigned port;
    close(script_bind(&port));
    refused(url_of(url, sizeof(url), port, "/_bulk?secret"), 0, -ECONNREFUSED);
}

/* no address, another protocol, user information */
static void test_refused_by_url(void **state)
{
    (void)state;
    refused("http://user:secret@127.0.0.1:1/", 0, -EINVAL);
    refused("http://secret@127.0.0.1:1/a?b", 0, -EINVAL);
    refused("user:secret@127.0.0.1:1/", 0, -EINVAL);
    refused("ftp://127.0.0.1:1/", 0, -EINVAL);
    refused("file:///etc/passwd", 0, -EINVAL);
    refused("http://127.0.0.1:99999/", 0, -EINVAL);
    refused("http://127.0.0.1:1/a b\r\nX: y", 0, -EINVAL);
    refused("", 0, -EINVAL);
}

/* a listener whose queue is full drops the handshake's first packet */
static void test_refused_by_connect_timeout(void **state)
{
    (void)state;
    char url[64];
    unsigned port;
    int waiting[8];
    int fd = script_bind(&port);
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(listen(fd, 0), 0);
    for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(waiting[i] >= 0);
        (void)connect(waiting[i], (struct sockaddr *)&a, sizeof(a));
    }
    refused(url_of(url, sizeof(url), port, "/"), 100, -ETIMEDOUT);
    for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
        close(waiting[i]);
    close(fd);
}

/* a server that does not speak TLS: closes, or answers in the clear */
static void test_refused_by_tls(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {"HTTP/1.1 400 Bad\r\n\r\n", READ_ANY, END_CLOSE},
        {NULL, READ_ANY, END_CLOSE},
    };
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct script_server s;
        char url[64];
        script_server_start(&s, &steps[i], 1);
        assert_true(snprintf(url, sizeof(url), "https://127.0.0.1:%u/", s.port) > 0);
        refused(url, 0, -EPROTO);
        script_server_stop(&s);
        script_server_clear(&s);
    }
}

/* a header that would begin another one */
static void test_refused_by_secret(void **state)
{
    (void)state;
    const struct http_opts opts = {
        .credential = {CREDENTIAL_API_KEY, NULL, NULL, "secret\r\nX: y", NULL}, .user_agent = "w"};
    struct http *h = http_new(&opts);
    struct http_reply reply;
    struct http_request req = {.method = "GET", .url = "http://127.0.0.1:1/"};
    assert_non_null(h);
    http_perform(h, &req, &reply);
    assert_int_equal(reply.outcome, HTTP_REFUSED);
    assert_int_equal(reply.err.code, -EINVAL);
    assert_null(strstr(reply.err.text, "secret"));
    http_free(&h);
}

/* ---- limits and interruptions ---------------------------------------------------------------- */

/* a body of the limit, one byte above it, and the client can go on */
static void test_fetch_limit(void **state)
{
    (void)state;
    static const struct script_step steps[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789a", .ending = END_HANG},
        {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz"},
    };
    struct script_server s;
    struct http_reply reply;
    struct buf body;
    struct http *h = new_client();
    buf_init(&body, 10);
    script_server_start(&s, steps, 3);
    post(h, s.port, SLICE_LIT("x"), 0, &body, &reply);
    assert_int_equal(reply.outcome, HTTP_REPLIED);
    assert_true(slice_eq_str(buf_slice(&body), "0123456789"));
    post(h, s.port, SLICE_LIT("x"), 0, &body, &reply);
    assert_int_equal(reply.outcome, HTTP_INTERRUPTED);
    assert_int_equal(reply.err.code, -ENOBUFS);
    assert_int_equal(reply.status, 200);
    post(h, s.port, SLICE_LIT("x"), 0, &body, &reply);
    assert_int_equal(reply.outcome, HTTP_REPLIED);
    assert_true(slice_eq_str(buf_slice(&body), "z"));
    http_free(&h);
    script_server_stop(&s);
    script_server_clear(&s);
    buf_clear(&body);
}

/* the shorter of the client's limit and the request's own counts */
static void test_limits_of_time(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int64_t client_ms, request_ms;
    } cases[] = {
        {"the client's", 100, 0},
        {"the request's", 0, 100},
        {"the client's is shorter", 100, LONG_MS},
        {"the request's is shorter", LONG_MS, 100},
    };
    static const struct script_step silent = {.ending = END_HANG};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct http_opts opts = {.user_agent = "w", .timeout_ms = cases[i].client_ms};
        struct http *h = http_new(&opts);
        struct script_server s;
        struct http_reply reply;
        struct buf body;
        char url[64];
        assert_non_null(h);
        buf_init(&body, 10);
        script_server_start(&s, &silent, 1);
        http_fetch(h, "GET", url_of(url, sizeof(url), s.port, "/"), slice_of(NULL, 0), NULL,
                   cases[i].request_ms, &body, &reply);
        if (reply.outcome != HTTP_BROKEN || reply.err.code != -ETIMEDOUT)
            fail_msg("%s: outcome %d, %s", cases[i].name, (int)reply.outcome, reply.err.text);
        http_free(&h);
        script_server_stop(&s);
        script_server_clear(&s);
        buf_clear(&body);
    }
}

/* a head of 300 KiB */
static void test_endless_head(void **state)
{
    (void)state;
    struct script_server s;
    struct http_reply reply;
    struct buf body, head;
    struct http *h = new_client();
    buf_init(&body, 10);
    buf_init(&head, MIB);
    assert_int_equal(buf_add_str(&head, "HTTP/1.1 200 OK\r\n"), 0);
    while (head.len < 300 * KIB)
        assert_int_equal(buf_printf(&head, "X-Filler-%zu: %0200d\r\n", head.len, 0), 0);
    const struct script_step step = {buf_cstr(&head), .ending = END_HANG};
    script_server_start(&s, &step, 1);
    post(h, s.port, SLICE_LIT("x"), 0, &body, &reply);
    assert_int_equal(reply.outcome, HTTP_BROKEN);
    assert_int_equal(reply.err.code, -EMSGSIZE);
    http_free(&h);
    script_server_stop(&s);
    script_server_clear(&s);
    buf_clear(&body);
    buf_clear(&head);
}

struct interrupter {
    struct script_server *server;
    struct http *http;
    unsigned after; /* requests that the server has read */
};

/* interrupts when the server has read so many requests */
static void *run_interrupter(void *arg)
{
    struct interrupter *i = arg;
    script_server_wait(i->server, i->after);
    http_interrupt(i->http);
    return NULL;
}

/* while the reply is awaited, while the body is sent, at any moment; and for ever after */
static void test_interrupt(void **state)
{
    (void)state;
    static const struct script_step waits = {.ending = END_HANG};
    static const struct script_step stops_reading = {.reading = READ_HEAD, .ending = END_HANG};
    static const struct script_step replies = {OK_HEAD "\r\n{}"};
    static const struct {
        const struct script_step *step;
        size_t len;
        unsigned after, times;
        bool sure; /* HTTP_INTERRUPTED, not HTTP_REPLIED */
    } cases[] = {
        {&waits, 10, 1, 3, true},
        {&stops_reading, 12 * MIB, 1, 3, false},
        {&replies, 10, 0, 30, false},
        {&replies, 10, 1, 30, false},
    };
    struct buf body;
    buf_init(&body, 100);
    char *sent = body_of(12 * MIB);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (unsigned n = 0; n < cases[i].times; n++) {
            struct script_server s;
            struct http_reply reply;
            pthread_t thread;
            script_server_start(&s, cases[i].step, 1);
            struct interrupter who = {&s, new_client(), cases[i].after};
            assert_int_equal(pthread_create(&thread, NULL, run_interrupter, &who), 0);
            post(who.http, s.port, slice_of(sent, cases[i].len), 0, &body, &reply);
            pthread_join(thread, NULL);
            if (reply.outcome != HTTP_INTERRUPTED &&
                (cases[i].sure || reply.outcome != HTTP_REPLIED))
                fail_msg("case %zu: outcome %d, \"%s\"", i, (int)reply.outcome, reply.err.text);
            if (reply.outcome == HTTP_INTERRUPTED)
                assert_int_equal(reply.err.code, -EINTR);
            post(who.http, s.port, SLICE_LIT("x"), 0, &body, &reply);
            assert_int_equal(reply.outcome, HTTP_INTERRUPTED);
            http_free(&who.http);
            script_server_stop(&s);
            script_server_clear(&s);
        }
    }
    free(sent);
    buf_clear(&body);
}

/* libcurl's set-up */
static int set_up(void **state)
{
    (void)state;
    return http_global_init();
}

/* runs them */
int main(void)
{
    const struct CMUnitTest tests[] = {

        cmocka_unit_test(test_request_heads),  cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_connections),    cmocka_unit_test(test_refused_by_port),
        cmocka_unit_test(test_refused_by_url), cmocka_unit_test(test_refused_by_connect_timeout),
        cmocka_unit_test(test_refused_by_tls), cmocka_unit_test(test_refused_by_secret),
        cmocka_unit_test(test_fetch_limit),    cmocka_unit_test(test_endless_head),
        cmocka_unit_test(test_interrupt),      cmocka_unit_test(test_limits_of_time),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
