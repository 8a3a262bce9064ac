/* output/elasticsearch: answers to items, against a server with real sender threads */
#include "fake_elastic.h"

static int http_up(void **state)
{
    (void)state;
    return http_global_init();
}

static void test_all_accepted(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    rig_start(r);
    for (int i = 0; i < 8; i++)
        rig_submit(r, TARGET, 20, "fine");
    assert_int_equal(output_pending(r->output), 8);
    RIG_DONE(r);
    rig_check_stored(r, 160, 1);
    assert_int_equal(r->returned, 8);
    assert_int_equal(r->resolved_spans, 8);
    assert_int_equal(r->ledger.acknowledged.bytes, 1600);
    assert_int_equal(r->ledger.documents[DOCUMENT_CREATED], 160);
    assert_int_equal(r->ledger.documents[DOCUMENT_RESENT], 0);
    assert_int_equal(rig_count(r, OUTPUT_REQUESTS), 8);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_CREATED), 160);
    assert_int_equal(rig_count(r, OUTPUT_REPLIES_2XX), 8);
    assert_int_equal(r->health, OUTPUT_OK);
    assert_int_equal(r->health_changes, 0);
    assert_int_equal(r->server.probes, 1);
    assert_int_equal(r->server.template_requests, 0);
    assert_string_equal(r->server.last_path,
                        "/" TARGET "/_bulk?filter_path=errors,items.*.status,items.*.error.type,"
                        "items.*.error.reason,items.*.failure_store&require_data_stream=true");
    assert_false(r->server.requests[0].gzip);
    rig_free(&r);
}

static void test_gzip_and_api_key(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->opts.compression = OUTPUT_COMPRESSION_GZIP;
    r->opts.http.credential =
        (struct credential_opts){.kind = CREDENTIAL_API_KEY, .secret = "id:key"};
    rig_start(r);
    rig_submit(r, TARGET, 500, "fine");
    RIG_DONE(r);
    rig_check_stored(r, 500, 1);
    assert_true(r->server.requests[0].gzip);
    assert_string_equal(r->server.last_authorization, "ApiKey aWQ6a2V5");
    assert_true(rig_count(r, OUTPUT_SENT_BYTES) * 4 < rig_count(r, OUTPUT_REQUEST_BYTES));
    rig_free(&r);
}

/* every tenth document is refused twice */
static int busy_item(struct fake *f, const struct fake_doc *d, const char *line,
                     const char **ret_error)
{
    (void)f;
    (void)line;
    bool tenth = strtoull(d->id + 12, NULL, 16) % 100 == 0;
    if (!tenth || d->sends > 2)
        return 0;
    *ret_error = "\"type\":\"es_rejected_execution_exception\",\"reason\":\"full\"";
    return 429;
}

static void test_only_failed_items_are_sent_again(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = busy_item;
    rig_start(r);
    rig_submit(r, TARGET, 100, "busy");
    RIG_DONE(r);
    rig_check_stored(r, 100, 3);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(r->server.docs[i].sends, i % 10 == 0 ? 3 : 1);
    assert_int_equal(r->server.request_count, 3);
    assert_int_equal(r->server.requests[1].items, 10);
    assert_int_equal(r->ledger.documents[DOCUMENT_RESENT], 20);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_BUSY), 20);
    rig_free(&r);
}

static int bad_item(struct fake *f, const struct fake_doc *d, const char *line,
                    const char **ret_error)
{
    (void)d;
    const char *document = strchr(line, '\n') + 1;
    const char *bad = strstr(document, "bad");
    if (bad == NULL || bad > strchr(document, '\n'))
        return 0;
    *ret_error = "\"type\":\"document_parsing_exception\",\"reason\":\"[1:2] failed: 'bad'\"";
    return f->knob != 0 ? f->knob : 400;
}

static void test_rejected_item_is_dead_lettered(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct letters l;
    r->server.item = bad_item;
    rig_start(r);
    struct batch *b = rig_batch(r, BATCH_LOGS, TARGET);
    for (int i = 0; i < 30; i++)
        rig_add(r, b, NULL, i == 17 ? "bad" : "fine");
    output_submit(r->output, b);
    RIG_DONE(r);
    rig_check_stored(r, 29, 1);
    rig_letters(r, &l);
    assert_int_equal(l.count, 1);
    assert_int_equal(l.status, 400);
    assert_int_equal(l.offset, 170);
    assert_string_equal(l.type, "document_parsing_exception");
    assert_string_equal(l.reason, "[1:2] failed: 'bad'");
    assert_string_equal(l.target, TARGET);
    assert_string_equal(l.id, GENERATION "00000000000aa");
    assert_string_equal(l.source, "/var/log/app.log");
    assert_string_equal(l.document, "{\"message\":\"bad 170\"}");
    assert_int_equal(r->ledger.dead_lettered.bytes, 10);
    assert_int_equal(r->ledger.acknowledged.bytes, 290);
    assert_int_equal(rig_count(r, OUTPUT_DEAD_LETTERED), 1);
    assert_non_null(strstr(r->log, "1 documents rejected (400 document_parsing_exception)"));
    assert_null(strstr(r->log, "'bad'"));
    rig_free(&r);
}

/* an item that always gets a 500 is given up after a bounded number of tries */
static void test_server_error_is_bounded(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct letters l;
    r->server.item = bad_item;
    r->server.knob = 500;
    rig_start(r);
    rig_submit(r, TARGET, 1, "bad");
    rig_submit(r, TARGET, 5, "fine");
    RIG_DONE(r);
    rig_check_stored(r, 5, 8);
    assert_int_equal(fake_doc(&r->server, GENERATION "0000000000000", TARGET)->sends, 8);
    rig_letters(r, &l);
    assert_int_equal(l.count, 1);
    assert_int_equal(l.status, 500);
    rig_free(&r);
}

/* 429s do not count against an item */
static int busy_then_500(struct fake *f, const struct fake_doc *d, const char *line,
                         const char **ret_error)
{
    (void)f;
    (void)line;
    (void)ret_error;
    return d->sends <= 20 ? 429 : d->sends <= 25 ? 500 : 0;
}

static void test_busy_does_not_count(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct letters l;
    r->server.item = busy_then_500;
    rig_start(r);
    rig_submit(r, TARGET, 2, "x");
    RIG_DONE(r);
    rig_check_stored(r, 2, 26);
    rig_letters(r, &l);
    assert_int_equal(l.count, 0);
    rig_free(&r);
}

/* the box takes nothing: the document waits, all else flows */
static void test_full_box_keeps_documents(void **state)
{
    (void)state;
    struct rig *r = rig_new(64);
    r->server.item = bad_item;
    rig_start(r);
    struct batch *b = rig_batch(r, BATCH_LOGS, TARGET);
    rig_add(r, b, NULL, "fine");
    rig_add(r, b, NULL, "bad");
    output_submit(r->output, b);
    RIG_UNTIL(r, rig_count(r, OUTPUT_DEAD_WRITE_FAILS) >= 3);
    assert_int_equal(r->health, OUTPUT_DEGRADED);
    assert_string_equal(r->why, "the dead-letter box is full, \"" TARGET "\" waits");
    rig_submit(r, TARGET, 3, "fine");
    RIG_UNTIL(r, r->returned == 1);
    assert_int_equal(output_pending(r->output), 1);
    assert_int_equal(b->item_count, 1);
    assert_int_equal(r->ledger.acknowledged.bytes, 40);
    assert_int_equal(r->ledger.in_flight.bytes, 10);
    assert_int_equal(rig_count(r, OUTPUT_DEAD_LETTERED), 0);
    rig_free(&r);
}

/* many rejected documents, more than one job of the store thread takes */
static void test_many_rejected(void **state)
{
    (void)state;
    struct rig *r = rig_new(16 * MIB);
    struct letters l;
    char text[600];
    memset(text, 'x', sizeof(text));
    memcpy(text, "bad", 3);
    text[sizeof(text) - 1] = '\0';
    r->server.item = bad_item;
    rig_start(r);
    rig_submit(r, TARGET, 900, text);
    RIG_DONE(r);
    rig_letters(r, &l);
    assert_int_equal(l.count, 900);
    assert_string_equal(l.type, "document_parsing_exception");
    assert_int_equal(l.offset, 8990);
    assert_int_equal(r->ledger.dead_lettered.lines, 900);
    assert_int_equal(rig_count(r, OUTPUT_DEAD_LETTERED), 900);
    rig_free(&r);
}

/* more than half of the last thousand are rejected: it is not the documents' fault */
static void test_mass_rejection_is_not_dead_lettered(void **state)
{
    (void)state;
    struct rig *r = rig_new(16 * MIB);
    r->server.item = bad_item;
    rig_start(r);
    rig_submit(r, TARGET, 1500, "bad");
    RIG_UNTIL(r, r->health == OUTPUT_FAILED);
    assert_string_equal(r->why, "\"" TARGET "\": rejects more than half of the documents");
    assert_int_equal(rig_count(r, OUTPUT_DEAD_LETTERED), 0);
    http_stub_lock(r->server.stub);
    r->server.item = NULL;
    http_stub_unlock(r->server.stub);
    RIG_DONE(r);
    assert_int_equal(r->health, OUTPUT_OK);
    assert_int_equal(r->server.stored, 1500);
    assert_int_equal(rig_count(r, OUTPUT_DEAD_LETTERED), 0);
    rig_free(&r);
}

/* one target is blocked, by knob */
static int blocked_target(struct fake *f, const struct fake_doc *d, const char *line,
                          const char **ret_error)
{
    (void)line;
    if (f->knob == 0 || strcmp(d->target, "logs-blocked-default") != 0)
        return 0;
    *ret_error = "\"type\":\"cluster_block_exception\",\"reason\":\"index [x] blocked by: ..\"";
    return f->knob;
}

static void test_blocked_target_waits_alone(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = blocked_target;
    r->server.knob = 403;
    rig_start(r);
    rig_submit(r, "logs-blocked-default", 5, "x");
    RIG_UNTIL(r, r->health == OUTPUT_DEGRADED);
    assert_string_equal(r->why, "\"logs-blocked-default\": blocked for writing");
    for (int i = 0; i < 10; i++)
        rig_submit(r, TARGET, 5, "y");
    RIG_UNTIL(r, r->returned == 11); /* what is refused waits in a buffer of its own */
    assert_int_equal(output_pending(r->output), 1);
    assert_string_equal(r->paused, "logs-blocked-default");
    assert_int_equal(r->idle, 0);
    http_stub_lock(r->server.stub);
    r->server.knob = 0;
    http_stub_unlock(r->server.stub);
    RIG_DONE(r);
    RIG_UNTIL(r, r->health == OUTPUT_OK);
    assert_string_equal(r->paused, "");
    assert_int_equal(r->pauses, 1);
    assert_int_equal(r->idle, 1);
    assert_int_equal(r->returned, 11);
    assert_int_equal(r->server.stored, 55);
    assert_non_null(strstr(r->log, "2 \"logs-blocked-default\": accepts documents again"));
    rig_free(&r);
}

/* one batch with documents for two targets, one of them blocked */
static void test_mixed_batch(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = blocked_target;
    r->server.knob = 429;
    rig_start(r);
    struct batch *b = rig_batch(r, BATCH_METRICS, "metrics-system.cpu-default");
    for (int i = 0; i < 12; i++)
        rig_add(r, b, i % 3 == 0 ? "logs-blocked-default" : NULL, "m");
    output_submit(r->output, b);
    RIG_UNTIL(r, r->returned == 1);
    RIG_UNTIL(r, rig_count(r, OUTPUT_ITEMS_BLOCKED) >= 12);
    assert_int_equal(output_pending(r->output), 1);
    http_stub_lock(r->server.stub);
    assert_int_equal(r->server.stored, 8);
    r->server.knob = 0;
    http_stub_unlock(r->server.stub);
    RIG_DONE(r);
    assert_int_equal(r->server.stored, 12);
    for (unsigned i = 0; i < 12; i++)
        assert_true(i % 3 == 0 || r->server.docs[i].sends == 1);
    assert_int_equal(r->health, OUTPUT_OK);
    rig_free(&r);
}

#define NO_IDS_REASON                                                                              \
    "\"type\":\"illegal_argument_exception\",\"reason\":\"Document ID is not supported in "        \
    "create/index operation request\""

/* one target takes no ids; what it made itself it takes */
static int no_ids_item(struct fake *f, const struct fake_doc *d, const char *line,
                       const char **ret_error)
{
    (void)f;
    (void)line;
    if (strcmp(d->target, "metrics-tsdb-default") != 0 || strncmp(d->id, "made-", 5) == 0)
        return 0;
    *ret_error = NO_IDS_REASON;
    return 400;
}

static void test_target_without_ids(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = no_ids_item;
    r->opts.workers = 1;
    rig_start(r);
    struct batch *b = rig_batch(r, BATCH_METRICS, TARGET);
    for (int i = 0; i < 12; i++)
        rig_add(r, b, i % 3 == 0 ? "metrics-tsdb-default" : NULL, "m");
    output_submit(r->output, b);
    rig_submit(r, "metrics-tsdb-default", 5, "x");
    RIG_DONE(r);
    rig_submit(r, "metrics-tsdb-default", 5, "x");
    RIG_DONE(r);
    assert_int_equal(r->server.stored, 22);
    assert_int_equal(r->server.made_ids, 14);
    assert_int_equal(r->ledger.documents[DOCUMENT_DEAD], 0);
    /* the batch under way when it was found out is the last that is sent again */
    assert_in_range(r->ledger.documents[DOCUMENT_RESENT], 4, 9);
    assert_int_equal(r->health, OUTPUT_OK);
    const char *told = strstr(r->log, "takes no ids of ours");
    assert_non_null(told);
    assert_null(strstr(told + 1, "takes no ids of ours"));
    assert_true(ledger_adds_up(&r->ledger));
    rig_free(&r);
}

/* option ids: auto; what has an id all the same (metrics) loses it */
static void test_auto_ids(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->opts.auto_ids = true;
    rig_start(r);
    rig_submit(r, TARGET, 5, "x");
    RIG_DONE(r);
    assert_int_equal(r->server.stored, 5);
    assert_int_equal(r->server.made_ids, 5);
    assert_null(strstr(r->log, "takes no ids of ours"));
    rig_free(&r);
}

/* 409 where the id was not ours: the target has a document like it */
static int conflict_item(struct fake *f, const struct fake_doc *d, const char *line,
                         const char **ret_error)
{
    (void)f;
    (void)line;
    if (strncmp(d->id, "made-", 5) == 0)
        return 409;
    *ret_error = NO_IDS_REASON;
    return 400;
}

static void test_conflict_without_id(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = conflict_item;
    rig_start(r);
    rig_submit(r, TARGET, 5, "x");
    RIG_DONE(r);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_CONFLICT), 5);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_DUPLICATE), 0);
    assert_int_equal(r->ledger.acknowledged.lines, 5);
    rig_free(&r);
}

/* an item that has no id and is refused for it all the same is a bad document */
static int no_ids_at_all(struct fake *f, const struct fake_doc *d, const char *line,
                         const char **ret_error)
{
    (void)f;
    (void)d;
    (void)line;
    *ret_error = NO_IDS_REASON;
    return 400;
}

static void test_refused_without_id(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    struct letters l;
    r->server.item = no_ids_at_all;
    rig_start(r);
    rig_submit(r, TARGET, 5, "x");
    RIG_DONE(r);
    rig_letters(r, &l);
    assert_int_equal(l.count, 5);
    assert_string_equal(l.type, "illegal_argument_exception");
    assert_string_equal(l.id, "");
    rig_free(&r);
}

/* refused items wait as long as the server says */
static int busy_once(struct fake *f, const struct stub_request *q, unsigned items,
                     struct stub_reply *r)
{
    (void)q;
    (void)items;
    if (f->request_count == 1)
        r->headers = "Retry-After: 1\r\n";
    return 0;
}

static void test_retry_after_of_items(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->server.item = busy_item;
    r->server.whole = busy_once;
    rig_start(r);
    int64_t start = clock_mono_ms(clock_system());
    rig_submit(r, TARGET, 20, "busy");
    RIG_DONE(r);
    assert_in_range(clock_mono_ms(clock_system()) - start, 1000, 5000);
    rig_check_stored(r, 20, 3);
    rig_free(&r);
}

#define NEW_GENERATION "AAAAnew_AAAA"
#define TICKET         7

/* the owner says that nothing was sent above 500, and replaces the generation there */
static bool collided(struct span_owner *owner, uint64_t offset,
                     char generation[DOCID_GENERATION_CHARS], uint64_t *ret_ticket)
{
    (void)owner;
    assert_memory_equal(generation, GENERATION, DOCID_GENERATION_CHARS);
    if (offset < 500)
        return false;
    memcpy(generation, NEW_GENERATION, DOCID_GENERATION_CHARS);
    *ret_ticket = TICKET;
    return true;
}

static const struct span_owner_ops colliding_ops = {.resolved = rig_resolved, .collided = collided};

/* every second id is taken by another document; knob: the first request is refused whole */
static int taken_item(struct fake *f, const struct fake_doc *d, const char *line,
                      const char **ret_error)
{
    (void)f;
    (void)line;
    (void)ret_error;
    bool odd = strtoull(d->id + 12, NULL, 16) / 10 % 2 == 1;
    return odd && strncmp(d->id, GENERATION, 12) == 0 ? 409 : 0;
}

static int refused_once(struct fake *f, const struct stub_request *q, unsigned items,
                        struct stub_reply *r)
{
    (void)q;
    (void)items;
    (void)r;
    return f->knob != 0 && f->request_count == 1 ? 503 : 0;
}

static void test_collisions_get_new_ids(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->owner.ops = &colliding_ops;
    r->server.item = taken_item;
    rig_start(r);
    rig_submit(r, TARGET, 100, "x"); /* offsets 0 to 990, 25 odd ones below 500 and 25 above */
    RIG_UNTIL(r, rig_count(r, OUTPUT_ITEMS_COLLISION) == 25);
    RIG_UNTIL(r, r->returned == 1);
    int64_t end = clock_mono_ms(clock_system()) + 100;
    RIG_UNTIL(r, clock_mono_ms(clock_system()) > end);
    assert_int_equal(rig_seen(r, &r->server.request_count), 1); /* not before it is durable */
    r->durable = TICKET;
    RIG_DONE(r);
    assert_int_equal(r->server.stored, 75);
    assert_int_equal(r->server.request_count, 2);
    assert_int_equal(r->server.requests[1].items, 25);
    unsigned renamed = 0;
    for (unsigned i = 0; i < r->server.doc_count; i++)
        renamed += strncmp(r->server.docs[i].id, NEW_GENERATION, 12) == 0;
    assert_int_equal(renamed, 25);
    assert_true(fake_doc(&r->server, NEW_GENERATION "00000000003de", TARGET)->stored);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_DUPLICATE), 25);
    assert_int_equal(r->ledger.acknowledged.lines, 100);
    assert_non_null(strstr(r->log, "25 documents found their ids taken by others"));
    rig_free(&r);
}

/* what may have been taken by a request before is an acknowledgement, wherever it stands */
static void test_no_collision_after_a_failure(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    r->owner.ops = &colliding_ops;
    r->server.item = taken_item;
    r->server.whole = refused_once;
    r->server.knob = 1;
    rig_start(r);
    rig_submit(r, TARGET, 100, "x");
    RIG_DONE(r);
    assert_int_equal(r->server.stored, 50);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_COLLISION), 0);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_DUPLICATE), 50);
    rig_free(&r);
}

static void test_batch_without_items(void **state)
{
    (void)state;
    struct rig *r = rig_new(1 * MIB);
    uint16_t span;
    rig_start(r);
    struct batch *b = rig_batch(r, BATCH_LOGS, "");
    assert_int_equal(batch_span_for(b, r->spans, &r->owner, 0, &span), 0);
    output_submit(r->output, b);
    RIG_DONE(r);
    assert_int_equal(r->returned, 1);
    assert_int_equal(r->resolved_spans, 1);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_accepted),
        cmocka_unit_test(test_gzip_and_api_key),
        cmocka_unit_test(test_only_failed_items_are_sent_again),
        cmocka_unit_test(test_rejected_item_is_dead_lettered),
        cmocka_unit_test(test_server_error_is_bounded),
        cmocka_unit_test(test_busy_does_not_count),
        cmocka_unit_test(test_full_box_keeps_documents),
        cmocka_unit_test(test_many_rejected),
        cmocka_unit_test(test_mass_rejection_is_not_dead_lettered),
        cmocka_unit_test(test_blocked_target_waits_alone),
        cmocka_unit_test(test_mixed_batch),
        cmocka_unit_test(test_target_without_ids),
        cmocka_unit_test(test_auto_ids),
        cmocka_unit_test(test_conflict_without_id),
        cmocka_unit_test(test_refused_without_id),
        cmocka_unit_test(test_retry_after_of_items),
        cmocka_unit_test(test_collisions_get_new_ids),
        cmocka_unit_test(test_no_collision_after_a_failure),
        cmocka_unit_test(test_batch_without_items),
    };
    return cmocka_run_group_tests_name("output/elasticsearch items", tests, http_up, NULL);
}
