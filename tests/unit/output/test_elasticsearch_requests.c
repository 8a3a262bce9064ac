/* output/elasticsearch: whole requests that fail, hosts that are away, targets without a template
 */
#include "fake_elastic.h"

#include <errno.h>

#include "output/elasticsearch_internal.h"

static int http_up(void **state)
{
    (void)state;
    return http_global_init();
}

/* sets what the script looks at, and lets the handler see it */
static void set_whole(struct rig *r, fake_whole_fn fn)
{
    http_stub_lock(r->server.stub);
    r->server.whole = fn;
    http_stub_unlock(r->server.stub);
}

/* how each of the first `knob` bulk requests fails, after it was processed or before */
static int cut_reply(struct fake *f, const struct stub_request *q, unsigned items,
                     struct stub_reply *r)
{
    (void)q;
    (void)items;
    if (f->request_count <= 2)
        r->cut_body = 40; /* the items are applied, the answer is lost */
    return 0;
}

static int close_unanswered(struct fake *f, const struct stub_request *q, unsigned items,
                            struct stub_reply *r)
{
    (void)q;
    (void)items;
    r->close = f->request_count <= 3;
    return 0;
}

static int html_reply(struct fake *f, const struct stub_request *q, unsigned items,
                      struct stub_reply *r)
{
    (void)q;
    (void)items;
    if (f->request_count > 2)
        return 0;
    fake_add(&r->body, "<html>login</html>");
    return 200;
}

static int wrong_count(struct fake *f, const struct stub_request *q, unsigned items,
                       struct stub_reply *r)
{
    (void)q;
    (void)items;
    if (f->request_count > 2)
        return 0;
    fake_add(&r->body, "{\"errors\":false,\"items\":[{\"create\":{\"status\":201}}]}");
    return 200;
}

static int status_503(struct fake *f, const struct stub_request *q, unsigned items,
                      struct stub_reply *r)
{
    (void)q;
    (void)items;
    (void)r;
    return f->request_count <= 3 ? 503 : 0;
}

static int status_429(struct fake *f, const struct stub_request *q, unsigned items,
                      struct stub_reply *r)
{
    (void)q;
    (void)items;
    (void)r;
    return f->request_count <= 3 ? 429 : 0;
}

static const struct {
    const char *name;
    fake_whole_fn fn;
    unsigned requests; /* that the server sees */
    unsigned duplicates;
    enum output_counter counter;
} same_bytes[] = {
    {"answer cut short", cut_reply, 3, 50, OUTPUT_BROKEN},
    {"closed without an answer", close_unanswered, 4, 50, OUTPUT_BROKEN},
    {"HTML", html_reply, 3, 0, OUTPUT_BAD_REPLIES},
    {"wrong number of items", wrong_count, 3, 0, OUTPUT_BAD_REPLIES},
    {"503", status_503, 4, 0, OUTPUT_REPLIES_5XX},
    {"429", status_429, 4, 0, OUTPUT_REPLIES_4XX},
};

/* Outcome unknown or refused as a whole: the very same bytes again, until they are answered.
 * (Where a kept connection was closed the HTTP client repeats a request once by itself.) */
static void test_same_bytes_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same_bytes); i++) {
        struct rig *r = rig_new(1 * MIB);
        const char *name = same_bytes[i].name;
        bool by_client = same_bytes[i].fn == close_unanswered;
        r->server.whole = same_bytes[i].fn;
        rig_start(r);
        rig_submit(r, TARGET, 50, "x");
        RIG_DONE(r);
        RIG_UNTIL(r, r->health == OUTPUT_OK);
        uint64_t retries = rig_count(r, OUTPUT_RETRIES);
        CHECK(name, r->server.stored == 50);
        CHECK(name, r->server.request_count == same_bytes[i].requests);
        for (unsigned n = 1; n < r->server.request_count; n++)
            CHECK(name, r->server.requests[n].hash == r->server.requests[0].hash);
        CHECK(name, rig_count(r, OUTPUT_ITEMS_DUPLICATE) == same_bytes[i].duplicates);
        CHECK(name, retries == same_bytes[i].requests - 1 || (by_client && retries > 0));
        CHECK(name, rig_count(r, same_bytes[i].counter) == retries);
        CHECK(name, rig_count(r, OUTPUT_REQUESTS) == retries + 1);
        CHECK(name, r->ledger.documents[DOCUMENT_RESENT] == 50 * retries);
        CHECK(name, ledger_adds_up(&r->ledger));
        rig_free(&r);
    }
}

/* back-pressure halves the requests under way, good answers bring them back one by one */
static void test_limit(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = status_429;
    r->opts.workers = 4;
    r->opts.backoff_init_ms = 20;
    rig_start(r);
    assert_int_equal(r->output->pace.limit, 4);
    rig_submit(r, TARGET, 5, "x");
    RIG_DONE(r);
    assert_in_range(r->output->pace.limit, 1, 3);
    assert_in_range(r->smallest, 128 * KIB, 512 * KIB);
    assert_true(r->size >= r->smallest);
    for (unsigned i = 0; i < 40; i++)
        rig_submit(r, TARGET, 5, "x");
    RIG_DONE(r);
    assert_int_equal(r->output->pace.limit, 4);
    assert_int_equal(r->size, 1 * MIB);
    rig_check_stored(r, 205, 1);
    rig_free(&r);
}

/* compressed bodies are never answered */
static int no_gzip(struct fake *f, const struct stub_request *q, unsigned items,
                   struct stub_reply *r)
{
    (void)f;
    (void)items;
    r->close = q->encoding[0] != '\0';
    return r->close ? 200 : 0;
}

static void test_broken_gives_up_compression(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = no_gzip;
    r->opts.compression = OUTPUT_COMPRESSION_GZIP;
    r->opts.workers = 1;
    rig_start(r);
    rig_submit(r, TARGET, 3, "x");
    RIG_DONE(r);
    rig_submit(r, TARGET, 3, "x");
    RIG_DONE(r);
    rig_check_stored(r, 6, 1);
    assert_int_equal(rig_count(r, OUTPUT_BROKEN), 4);
    assert_int_equal(rig_count(r, OUTPUT_REQUESTS), 6); /* the second batch knows */
    assert_non_null(strstr(r->log, "answers only requests that are not compressed"));
    rig_free(&r);
}

/* a document at which the server closes the connection, alone or not */
static int deadly(struct fake *f, const struct stub_request *q, unsigned items,
                  struct stub_reply *r)
{
    (void)items;
    r->close = f->knob == 0 && strstr(q->body, "deadly") != NULL;
    return r->close ? 200 : 0;
}

static void test_broken_sends_singles(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = deadly;
    r->opts.workers = 1;
    rig_start(r);
    struct batch *b = rig_batch(r, BATCH_LOGS, TARGET);
    for (unsigned n = 0; n < 20; n++)
        rig_add(r, b, NULL, n == 5 ? "deadly" : "x");
    output_submit(r->output, b);
    RIG_UNTIL(r, b->item_count == 1);
    assert_in_range(rig_count(r, OUTPUT_BROKEN), 9, 14);
    RIG_UNTIL(r, rig_count(r, OUTPUT_BROKEN) >= 16);
    assert_int_equal(r->health, OUTPUT_DEGRADED);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_REJECTED), 0);
    http_stub_lock(r->server.stub);
    r->server.knob = 1;
    http_stub_unlock(r->server.stub);
    RIG_DONE(r);
    rig_check_stored(r, 20, 1);
    rig_free(&r);
}

static int away_20_times(struct fake *f, const struct stub_request *q, unsigned items,
                         struct stub_reply *r)
{
    (void)q;
    (void)items;
    r->close = ++f->knob <= 20;
    return r->close ? 200 : 0;
}

/* the connection is closed again and again, then all is well: no storm of small requests */
static void test_broken_is_over(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = away_20_times;
    r->opts.workers = 1;
    rig_start(r);
    rig_submit(r, TARGET, 1000, "x");
    RIG_DONE(r);
    rig_check_stored(r, 1000, 1);
    /* a request that breaks may be seen twice: libcurl repeats it on a new connection */
    assert_in_range(rig_count(r, OUTPUT_BROKEN), 10, 20);
    /* and then 1, 2, 4, .. 512 */
    assert_in_range(rig_count(r, OUTPUT_REQUESTS) - rig_count(r, OUTPUT_BROKEN), 9, 11);
    rig_free(&r);
}

static int limit_2000(struct fake *f, const struct stub_request *q, unsigned items,
                      struct stub_reply *r)
{
    (void)f;
    (void)items;
    (void)r;
    return q->body_bytes > 2000 ? 413 : 0;
}

static void test_413_halves_and_remembers(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = limit_2000;
    r->opts.workers = 1;
    rig_start(r);
    rig_submit(r, TARGET, 100, "x");
    RIG_DONE(r);
    rig_check_stored(r, 100, 1);
    uint64_t splits = rig_count(r, OUTPUT_SPLITS);
    assert_int_equal(splits, 2); /* about 7 kB: halved twice */
    assert_in_range(r->size, 1000, 2000);
    rig_submit(r, TARGET, 100, "x");
    RIG_DONE(r);
    assert_int_equal(rig_count(r, OUTPUT_SPLITS), splits);
    rig_check_stored(r, 200, 1);
    assert_int_equal(r->health, OUTPUT_OK);
    rig_free(&r);
}

static void test_413_single_is_dead_lettered(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct letters l;
    char text[300];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    r->server.whole = limit_2000;
    rig_start(r);
    struct batch *b = rig_batch(r, BATCH_LOGS, TARGET);
    rig_add(r, b, NULL, "small");
    char large[1000];
    memset(large, 'y', sizeof(large));
    large[sizeof(large) - 1] = '\0';
    for (int i = 0; i < 3; i++)
        rig_add(r, b, NULL, text);
    char action[] = "{\"create\":{\"_id\":\"" GENERATION "0000000000999\"}}";
    char document[2200];
    memset(document, 'z', sizeof(document));
    assert_int_equal(
        batch_add(b, slice_str(action), slice_of(document, sizeof(document)), 0, 10, 1), 0);
    r->next_offset += 10;
    rig_add(r, b, NULL, "small");
    output_submit(r->output, b);
    RIG_DONE(r);
    rig_check_stored(r, 5, 1);
    rig_letters(r, &l);
    assert_int_equal(l.count, 1);
    assert_int_equal(l.status, 413);
    assert_int_equal(l.offset, 0x999);
    rig_free(&r);
}

/* a body with a poisonous document is refused whole */
static int poison(struct fake *f, const struct stub_request *q, unsigned items,
                  struct stub_reply *r)
{
    (void)f;
    (void)items;
    if (strstr(q->body, "poison") == NULL)
        return 0;
    fake_add(&r->body, "{\"error\":{\"type\":\"x_content_parse_exception\"},\"status\":400}");
    return 400;
}

static void test_400_isolates_the_poison(void **state)
{
    (void)state;
    static const unsigned places[] = {0, 1, 63, 99};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct rig *r = rig_new(1 * MIB);
        struct letters l;
        r->server.whole = poison;
        rig_start(r);
        struct batch *b = rig_batch(r, BATCH_LOGS, TARGET);
        for (unsigned n = 0; n < 100; n++)
            rig_add(r, b, NULL, n == places[i] ? "poison" : "x");
        output_submit(r->output, b);
        RIG_DONE(r);
        rig_check_stored(r, 99, 1);
        rig_letters(r, &l);
        assert_int_equal(l.count, 1);
        assert_int_equal(l.status, 400);
        assert_int_equal(l.offset, places[i] * 10);
        assert_string_equal(l.type, "x_content_parse_exception");
        assert_in_range(r->server.request_count, 3, 24);
        rig_free(&r);
    }
}

static void test_400_many_poisons(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct letters l;
    r->server.whole = poison;
    rig_start(r);
    struct batch *b = rig_batch(r, BATCH_LOGS, TARGET);
    for (unsigned n = 0; n < 100; n++)
        rig_add(r, b, NULL, n < 40 ? "poison" : "x");
    output_submit(r->output, b);
    RIG_DONE(r);
    rig_check_stored(r, 60, 1);
    rig_letters(r, &l);
    assert_int_equal(l.count, 40);
    rig_free(&r);
}

/* a lone bad document is judged only when another of its target has passed */
static void test_400_lone_document_waits_for_another(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct letters l;
    r->server.whole = poison;
    rig_start(r);
    rig_submit(r, TARGET, 1, "poison");
    RIG_UNTIL(r, rig_count(r, OUTPUT_ISOLATIONS) >= 3);
    assert_int_equal(r->health, OUTPUT_FAILED);
    assert_string_equal(r->why, "\"" TARGET "\": answers 400 to every document "
                                "(x_content_parse_exception)");
    assert_int_equal(rig_count(r, OUTPUT_DEAD_LETTERED), 0);
    rig_submit(r, TARGET, 1, "x");
    RIG_DONE(r);
    rig_letters(r, &l);
    assert_int_equal(l.count, 1);
    assert_int_equal(r->server.stored, 1);
    RIG_UNTIL(r, r->health == OUTPUT_OK);
    rig_free(&r);
}

static int all_400(struct fake *f, const struct stub_request *q, unsigned items,
                   struct stub_reply *r)
{
    (void)f;
    (void)q;
    (void)items;
    fake_add(&r->body, "bad request");
    return 400;
}

/* a proxy that answers 400 to everything: nothing is dead-lettered, all is shipped after the fix */
static void test_400_to_everything(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = all_400;
    rig_start(r);
    for (int i = 0; i < 3; i++)
        rig_submit(r, TARGET, 50, "x");
    RIG_UNTIL(r, rig_count(r, OUTPUT_ISOLATIONS) > 150);
    assert_int_equal(r->health, OUTPUT_FAILED);
    assert_string_equal(r->why,
                        "\"" TARGET "\": answers 400 to every document: does something else "
                        "answer in the server's place?");
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_REJECTED), 0);
    set_whole(r, NULL);
    RIG_DONE(r);
    rig_check_stored(r, 150, 1);
    assert_int_equal(rig_count(r, OUTPUT_DEAD_LETTERED), 0);
    assert_int_equal(r->health, OUTPUT_OK);
    rig_free(&r);
}

/* ids are refused for the whole */
static int no_ids_whole(struct fake *f, const struct stub_request *q, unsigned items,
                        struct stub_reply *r)
{
    (void)f;
    (void)items;
    if (strstr(q->body, "_id") == NULL)
        return 0;
    fake_add(&r->body, "{\"error\":{\"root_cause\":[],\"type\":\"illegal_argument_exception\","
                       "\"reason\":\"Document ID is not supported in create/index operation "
                       "request\"},\"status\":400}");
    return 400;
}

static void test_400_for_ids(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = no_ids_whole;
    rig_start(r);
    rig_submit(r, TARGET, 10, "x");
    RIG_DONE(r);
    rig_submit(r, TARGET, 10, "x");
    RIG_DONE(r);
    assert_int_equal(r->server.stored, 20);
    assert_int_equal(r->server.request_count, 3);
    assert_int_equal(rig_count(r, OUTPUT_ISOLATIONS), 0);
    assert_non_null(strstr(r->log, "takes no ids of ours"));
    rig_free(&r);
}

/* a content type is refused, by the server or a proxy; knob: what is refused, 3 = all */
static int media_type(struct fake *f, const struct stub_request *q, unsigned items,
                      struct stub_reply *r)
{
    (void)items;
    (void)r;
    bool nd = strcmp(q->content_type, "application/x-ndjson") == 0;
    return f->knob & (nd ? 1 : 2) ? 406 : 0;
}

static void test_media_type(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = media_type;
    r->server.knob = 1;
    rig_start(r);
    rig_submit(r, TARGET, 10, "x");
    RIG_DONE(r);
    rig_submit(r, TARGET, 10, "x");
    RIG_DONE(r);
    rig_check_stored(r, 20, 1);
    assert_int_equal(r->server.request_count, 3);
    assert_int_equal(r->health, OUTPUT_OK);
    assert_non_null(strstr(r->log, "going on with application/json"));
    http_stub_lock(r->server.stub);
    r->server.knob = 3;
    http_stub_unlock(r->server.stub);
    rig_submit(r, TARGET, 10, "x");
    RIG_UNTIL(r, r->health == OUTPUT_FAILED);
    assert_non_null(strstr(r->why, "refuses the content type (406)"));
    http_stub_lock(r->server.stub);
    r->server.knob = 2;
    http_stub_unlock(r->server.stub);
    RIG_DONE(r);
    rig_check_stored(r, 30, 1);
    rig_free(&r);
}

static int all_401(struct fake *f, const struct stub_request *q, unsigned items,
                   struct stub_reply *r)
{
    (void)f;
    (void)q;
    (void)items;
    fake_add(&r->body, "Unauthorized");
    return 401;
}

static int all_404(struct fake *f, const struct stub_request *q, unsigned items,
                   struct stub_reply *r)
{
    (void)f;
    (void)q;
    (void)items;
    (void)r;
    return 404;
}

static int all_403(struct fake *f, const struct stub_request *q, unsigned items,
                   struct stub_reply *r)
{
    (void)f;
    (void)q;
    (void)items;
    fake_add(&r->body, "{\"error\":{\"root_cause\":[{\"type\":\"security_exception\",");
    return 403;
}

static int all_302(struct fake *f, const struct stub_request *q, unsigned items,
                   struct stub_reply *r)
{
    (void)f;
    (void)q;
    (void)items;
    r->headers = "Location: http://127.0.0.1:1/\r\n";
    return 302;
}

static const struct {
    const char *name;
    fake_whole_fn fn;
    const char *why;  /* end of the reason */
    const char *told; /* in the log, after the fix */
} paused[] = {
    {"401", all_401, ": credentials refused (401)", ": works again"},
    {"404", all_404, ": not found (404): is the URL right?", ": works again"},
    {"403", all_403,
     "\"" TARGET "\": refused (403): no right to write, or blocked (security_exception)",
     ": accepts documents again"},
    {"302", all_302, ": redirects, which is not followed", ": works again"},
};

/* waits for the operator: health failed, nothing dropped, everything shipped after the fix */
static void test_pauses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paused); i++) {
        struct rig *r = rig_new(1 * MIB);
        r->server.whole = paused[i].fn;
        rig_start(r);
        rig_submit(r, TARGET, 10, "x");
        RIG_UNTIL(r, rig_seen(r, &r->server.request_count) >= 3);
        RIG_UNTIL(r, r->health == OUTPUT_FAILED);
        CHECK(r->why, slice_ends(slice_str(r->why), slice_str(paused[i].why)));
        set_whole(r, NULL);
        RIG_DONE(r);
        rig_check_stored(r, 10, 1);
        CHECK(paused[i].name, strstr(r->log, paused[i].told) != NULL);
        CHECK(paused[i].name, r->health == OUTPUT_OK);
        rig_free(&r);
    }
}

static void test_server_away_then_back(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    uint16_t port = http_stub_port(r->server.stub);
    http_stub_stop(&r->server.stub);
    rig_start(r);
    rig_submit(r, TARGET, 10, "x");
    RIG_UNTIL(r, r->health == OUTPUT_DEGRADED);
    assert_non_null(strstr(r->why, r->url[0]));
    int64_t end = clock_mono_ms(clock_system()) + 300;
    RIG_UNTIL(r, clock_mono_ms(clock_system()) > end);
    /* told once, however often it was tried */
    assert_non_null(strstr(r->log, "trying again"));
    assert_null(strstr(strstr(r->log, "trying again") + 1, "trying again"));
    r->server.stub = http_stub_start(port, fake_serve, &r->server);
    RIG_DONE(r);
    rig_check_stored(r, 10, 1);
    assert_int_equal(r->health, OUTPUT_OK);
    rig_free(&r);
}

/* one of two hosts is dead: the other takes everything */
static void test_one_host_dead(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    snprintf(r->url[1], sizeof(r->url[1]), "http://127.0.0.1:1/");
    r->opts.host_count = 2;
    rig_start(r);
    for (int i = 0; i < 20; i++)
        rig_submit(r, TARGET, 10, "x");
    RIG_DONE(r);
    rig_check_stored(r, 200, 1);
    RIG_UNTIL(r, r->health == OUTPUT_DEGRADED);
    assert_non_null(strstr(r->why, "http://127.0.0.1:1: "));
    rig_free(&r);
}

/* a host that is back is found out without anything to send */
static void test_dead_host_is_back_while_idle(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct fake *other = mem_zalloc(sizeof(*other));
    other->version = "8.19.21";
    other->stub = http_stub_start(0, fake_serve, other);
    uint16_t port = http_stub_port(other->stub);
    snprintf(r->url[1], sizeof(r->url[1]), "%s", http_stub_url(other->stub));
    http_stub_stop(&other->stub);
    r->opts.host_count = 2;
    rig_start(r);
    rig_submit(r, TARGET, 10, "x");
    RIG_DONE(r);
    RIG_UNTIL(r, r->health == OUTPUT_DEGRADED);
    other->stub = http_stub_start(port, fake_serve, other);
    RIG_UNTIL(r, r->health == OUTPUT_OK);
    assert_non_null(strstr(r->log, ": works again"));
    assert_int_equal(other->request_count, 0);
    http_stub_stop(&other->stub);
    rig_free(&r);
    mem_free(other);
}

#define TEMPLATE                                                                                   \
    "{\"index_templates\":[{\"index_template\":{\"index_patterns\":[\"logs-*-*\"],\"priority\":1," \
    "\"data_stream\":{\"hidden\":false}}}]}"

/* an old server would make a plain index: nothing is sent before a template is seen */
static void test_missing_template(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.version = NULL;
    r->server.opensearch = "X-OpenSearch-Version: OpenSearch/2.19.6 (opensearch)\r\n";
    r->server.templates = "{}";
    rig_start(r);
    rig_submit(r, TARGET, 10, "x");
    rig_submit(r, TARGET, 10, "x");
    RIG_UNTIL(r, rig_seen(r, &r->server.template_requests) >= 3);
    RIG_UNTIL(r, r->health == OUTPUT_FAILED);
    assert_string_equal(r->why, "\"" TARGET "\": no data-stream template matches: run "
                                "\"wherry setup\"");
    assert_int_equal(rig_seen(r, &r->server.request_count), 0);
    http_stub_lock(r->server.stub);
    r->server.templates = TEMPLATE;
    http_stub_unlock(r->server.stub);
    RIG_DONE(r);
    rig_check_stored(r, 20, 1);
    assert_null(strstr(r->server.last_path, "require_data_stream"));
    assert_non_null(strstr(r->log, ": opensearch 2.19.6"));
    assert_int_equal(r->health, OUTPUT_OK);
    rig_free(&r);
}

/* templates may not be looked at: on without */
static void test_templates_forbidden(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.version = "7.17.29";
    rig_start(r);
    rig_submit(r, TARGET, 10, "x");
    rig_submit(r, TARGET, 10, "x");
    RIG_DONE(r);
    rig_check_stored(r, 20, 1);
    assert_int_equal(r->server.template_requests, 1);
    rig_free(&r);
}

static int never(struct fake *f, const struct stub_request *q, unsigned items, struct stub_reply *r)
{
    (void)f;
    (void)q;
    (void)items;
    r->hang = true;
    return 200;
}

/* a server that never answers does not hold up the end */
static void test_stop_with_requests_under_way(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = never;
    rig_start(r);
    for (int i = 0; i < 5; i++)
        rig_submit(r, TARGET, 10, "x");
    RIG_UNTIL(r, rig_seen(r, &r->server.request_count) == 3);
    int64_t start = clock_mono_ms(clock_system());
    assert_int_equal(output_stop(r->output), 0);
    assert_in_range(clock_mono_ms(clock_system()) - start, 0, 900);
    assert_int_equal(output_stop(r->output), 0);
    assert_int_equal(output_pending(r->output), 5);
    assert_int_equal(r->returned, 0);
    rig_free(&r);
}

static void test_options(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct output *o = NULL;
    const struct output_hooks hooks = rig_hooks(r);
    struct output_opts opts = r->opts;
    opts.host_count = 0;
    assert_int_equal(output_new(r->loop, &opts, &hooks, r->writer, &o), -EINVAL);
    opts = r->opts;
    opts.max_bytes = 0;
    assert_int_equal(output_new(r->loop, &opts, &hooks, r->writer, &o), -EINVAL);
    opts = r->opts;
    opts.workers = 0;
    assert_int_equal(output_new(r->loop, &opts, &hooks, r->writer, &o), -EINVAL);
    opts = r->opts;
    opts.backoff_max_ms = 1;
    assert_int_equal(output_new(r->loop, &opts, &hooks, r->writer, &o), -EINVAL);
    output_free(&o);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes_again),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_broken_gives_up_compression),
        cmocka_unit_test(test_broken_sends_singles),
        cmocka_unit_test(test_broken_is_over),
        cmocka_unit_test(test_413_halves_and_remembers),
        cmocka_unit_test(test_413_single_is_dead_lettered),
        cmocka_unit_test(test_400_isolates_the_poison),
        cmocka_unit_test(test_400_many_poisons),
        cmocka_unit_test(test_400_lone_document_waits_for_another),
        cmocka_unit_test(test_400_to_everything),
        cmocka_unit_test(test_400_for_ids),
        cmocka_unit_test(test_media_type),
        cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_server_away_then_back),
        cmocka_unit_test(test_one_host_dead),
        cmocka_unit_test(test_dead_host_is_back_while_idle),
        cmocka_unit_test(test_missing_template),
        cmocka_unit_test(test_templates_forbidden),
        cmocka_unit_test(test_stop_with_requests_under_way),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests_name("output/elasticsearch requests", tests, http_up, NULL);
}
