/* output/elasticsearch: documents are asked for before they are sent again */
#include "fake_elastic.h"

static int http_up(void **state)
{
    (void)state;
    return http_global_init();
}

/* the first answer is lost */
static int lose_first(struct fake *f, const struct stub_request *q, unsigned items,
                      struct stub_reply *r)
{
    (void)q;
    (void)items;
    if (f->request_count > 1)
        return 0;
    r->cut_body = 10;
    return 0;
}

/* knob: of the first request every knob-th document is taken */
static int take_some(struct fake *f, const struct fake_doc *d, const char *line,
                     const char **ret_error)
{
    (void)line;
    (void)ret_error;
    uint64_t n = strtoull(d->id + 12, NULL, 16) / 10;
    return f->request_count == 1 && n % (uint64_t)f->knob != 0 ? 429 : 0;
}

static struct rig *rig_verifying(int knob, bool verify)
{
    struct rig *r = rig_new(1 * MIB);
    r->server.whole = lose_first;
    r->server.item = take_some;
    r->server.knob = knob;
    r->opts.verify_resend = verify;
    rig_start(r);
    return r;
}

static const struct {
    const char *name;
    int knob;
    unsigned items, searches, found, requests;
} cases[] = {
    {"all were taken", 1, 100, 1, 100, 1},
    {"half was taken", 2, 100, 1, 50, 2},
    {"one was taken", 1000, 100, 1, 1, 2},
    {"more than one search finds", 3, 3000, 2, 1000, 2},
};

static void test_found_is_not_sent_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *name = cases[i].name;
        struct rig *r = rig_verifying(cases[i].knob, true);
        rig_submit(r, TARGET, cases[i].items, "x");
        RIG_DONE(r);
        CHECK(name, r->server.stored == cases[i].items);
        CHECK(name, r->server.searches == cases[i].searches);
        CHECK(name, r->server.request_count == cases[i].requests);
        CHECK(name, rig_count(r, OUTPUT_ITEMS_FOUND) == cases[i].found);
        CHECK(name, rig_count(r, OUTPUT_ITEMS_DUPLICATE) == 0);
        for (unsigned n = 0; n < r->server.doc_count; n++)
            CHECK(name, r->server.docs[n].sends == (strtoul(r->server.docs[n].id + 12, NULL, 16) /
                                                                10 % (unsigned)cases[i].knob ==
                                                            0
                                                        ? 1U
                                                        : 2U));
        CHECK(name, r->ledger.acknowledged.lines == cases[i].items);
        CHECK(name, ledger_adds_up(&r->ledger));
        rig_free(&r);
    }
}

static void test_without_the_option_nothing_is_asked(void **state)
{
    (void)state;
    struct rig *r = rig_verifying(1, false);
    rig_submit(r, TARGET, 100, "x");
    RIG_DONE(r);
    assert_int_equal(r->server.searches, 0);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_DUPLICATE), 100);
    rig_free(&r);
}

/* answers that have come are no reason to ask */
static int refuse_first(struct fake *f, const struct stub_request *q, unsigned items,
                        struct stub_reply *r)
{
    (void)q;
    (void)items;
    (void)r;
    return f->request_count == 1 ? 429 : 0;
}

static void test_refusal_is_no_loss(void **state)
{
    (void)state;
    struct rig *r = rig_verifying(1, true);
    http_stub_lock(r->server.stub);
    r->server.whole = refuse_first;
    http_stub_unlock(r->server.stub);
    rig_submit(r, TARGET, 100, "x");
    RIG_DONE(r);
    assert_int_equal(r->server.searches, 0);
    rig_check_stored(r, 100, 1);
    rig_free(&r);
}

/* who may only write may not ask: told once, sent all the same */
static void test_asking_is_refused(void **state)
{
    (void)state;
    struct rig *r = rig_verifying(1, true);
    r->server.search_status = 403;
    rig_submit(r, TARGET, 100, "x");
    RIG_DONE(r);
    assert_int_equal(r->server.searches, 1);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_DUPLICATE), 100);
    assert_non_null(strstr(r->log, "\"" TARGET "\": documents cannot be asked for (refused (403)"));
    http_stub_lock(r->server.stub);
    r->server.request_count = 0; /* the next answer is lost, too */
    http_stub_unlock(r->server.stub);
    rig_submit(r, TARGET, 100, "x");
    RIG_DONE(r);
    assert_int_equal(r->server.searches, 1);
    assert_int_equal(r->ledger.acknowledged.lines, 200);
    rig_free(&r);
}

/* a server that cannot answer now is asked again, nothing is sent before */
static void test_asked_until_answered(void **state)
{
    (void)state;
    struct rig *r = rig_verifying(1, true);
    r->server.search_status = 503;
    rig_submit(r, TARGET, 100, "x");
    RIG_UNTIL(r, rig_seen(r, &r->server.searches) >= 3);
    assert_int_equal(rig_seen(r, &r->server.request_count), 1);
    http_stub_lock(r->server.stub);
    r->server.search_status = 0;
    http_stub_unlock(r->server.stub);
    RIG_DONE(r);
    rig_check_stored(r, 100, 1);
    assert_int_equal(rig_count(r, OUTPUT_ITEMS_FOUND), 100);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_is_not_sent_again),
        cmocka_unit_test(test_without_the_option_nothing_is_asked),
        cmocka_unit_test(test_refusal_is_no_loss),
        cmocka_unit_test(test_asking_is_refused),
        cmocka_unit_test(test_asked_until_answered),
    };
    return cmocka_run_group_tests_name("output/elasticsearch verify", tests, http_up, NULL);
}
