/* replay: letters grouped by their way, every one told once, or not at all */
#include "fake_elastic.h"

#include <errno.h>

#include "output/replay.h"

static int http_up(void **state)
{
    (void)state;
    return http_global_init();
}

/* What was told. */
struct told {
    unsigned counts[REPLAY_REFUSED + 1];
    bool seen[4096]; /* by sequence */
};

static void on_done(void *ctx, struct dead_letter_id at, enum replay_outcome outcome,
                    const char *why)
{
    struct told *t = ctx;
    assert_non_null(why);
    assert_true(at.segment == 1 && at.sequence < ARRAY_LEN(t->seen));
    assert_false(t->seen[at.sequence]);
    t->seen[at.sequence] = true;
    t->counts[outcome]++;
}

/* a letter whose texts last until the next but three */
static struct dead_letter letter(uint64_t n, const char *target, const char *pipeline, bool plain)
{
    static char ids[4][32], documents[4][64];
    char *id = ids[n % 4], *document = documents[n % 4];
    snprintf(id, sizeof(ids[0]), GENERATION "%013llx", (unsigned long long)n);
    snprintf(document, sizeof(documents[0]), "{\"n\":%llu}", (unsigned long long)n);
    return (struct dead_letter){
        .at = {1, n},
        .target = slice_str(target),
        .id = slice_str(id),
        .document = slice_str(document),
        .plain_index = plain,
        .pipeline = slice_str(pipeline),
    };
}

static struct replay *start(struct rig *r, struct told *t)
{
    struct err e = {0};
    memset(t, 0, sizeof(*t));
    struct replay *p = replay_new(&r->opts, on_done, t, &e);
    assert_non_null(p);
    return p;
}

/* letters first..last of one way */
static int add(struct replay *p, unsigned first, unsigned last, const char *target, struct err *e)
{
    int result = 0;
    for (unsigned n = first; n <= last && result == 0; n++) {
        struct dead_letter l = letter(n, target, "", false);
        result = replay_add(p, &l, e);
    }
    return result;
}

/* one request for letters that go the same way; how they go stands in its URL */
static void ways(void **state)
{
    (void)state;
    static const struct {
        const char *target, *pipeline;
        bool plain, same; /* as the one before */
        const char *in_url, *not_in_url;
    } cases[] = {
        {"logs-a-b", "", false, false, "require_data_stream=true", "pipeline"},
        {"logs-a-b", "", false, true, "/logs-a-b/_bulk", "pipeline"},
        {"logs-a-c", "", false, false, "/logs-a-c/_bulk", "pipeline"},
        {"logs-a-c", "p q", false, false, "&pipeline=p%20q", "_index"},
        {"isp-2026", "p q", true, false, "&pipeline=p%20q", "require_data_stream"},
        {"isp-2026", "", true, false, "/isp-2026/_bulk", "pipeline"},
        {"a&b/c", "", true, false, "/a%26b%2Fc/_bulk", "pipeline"},
    };
    struct rig *r = rig_new(MIB);
    struct told t;
    struct err e = {0};
    struct replay *p = start(r, &t);
    unsigned requests = 0;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct dead_letter l = letter(i, cases[i].target, cases[i].pipeline, cases[i].plain);
        assert_int_equal(replay_add(p, &l, &e), 0);
        bool is_last = i + 1 == ARRAY_LEN(cases) || !cases[i + 1].same;
        if (!is_last)
            continue;
        assert_int_equal(replay_flush(p, &e), 0);
        assert_int_equal(rig_seen(r, &r->server.request_count), ++requests);
        if (strstr(r->server.last_path, cases[i].in_url) == NULL ||
            strstr(r->server.last_path, cases[i].not_in_url) != NULL)
            fail_msg("case %u: %s", i, r->server.last_path);
    }
    assert_int_equal(t.counts[REPLAY_CREATED], ARRAY_LEN(cases));
    assert_int_equal(r->server.requests[0].items, 2);
    replay_free(&p);
    assert_null(p);
    rig_free(&r);
}

/* a change of the way sends what has gathered; a second replay finds all there */
static void again(void **state)
{
    (void)state;
    struct rig *r = rig_new(MIB);
    struct told t;
    struct err e = {0};
    for (unsigned round = 0; round < 2; round++) {
        struct replay *p = start(r, &t);
        assert_int_equal(add(p, 1, 2500, TARGET, &e), 0);
        assert_int_equal(add(p, 2501, 2600, "logs-other-default", &e), 0);
        assert_int_equal(replay_flush(p, &e), 0);
        assert_int_equal(replay_flush(p, &e), 0); /* nothing is left */
        assert_int_equal(t.counts[round == 0 ? REPLAY_CREATED : REPLAY_DUPLICATE], 2600);
        assert_int_equal(r->server.request_count, 4 * (round + 1)); /* 1000 at once at most */
        replay_free(&p);
    }
    assert_int_equal(r->server.stored, 2600);
    rig_free(&r);
}

/* status of the item by its number */
static int by_number(struct fake *f, const struct fake_doc *d, const char *line,
                     const char **ret_error)
{
    static const int statuses[] = {0, 400, 409, 429, 503, 403, 500, 0, 404, 413};
    (void)f;
    (void)line;
    unsigned n = (unsigned)(d->id[strlen(d->id) - 1] - '0');
    *ret_error = n == 1 ? "\"type\":\"document_parsing_exception\",\"reason\":\"secret\"" : NULL;
    return statuses[n];
}

/* every result of an item */
static void items(void **state)
{
    (void)state;
    struct rig *r = rig_new(MIB);
    struct told t;
    struct err e = {0};
    r->server.item = by_number;
    struct replay *p = start(r, &t);
    assert_int_equal(add(p, 0, 9, TARGET, &e), 0);
    assert_int_equal(replay_flush(p, &e), 0);
    assert_int_equal(t.counts[REPLAY_CREATED], 2);
    assert_int_equal(t.counts[REPLAY_DUPLICATE], 1);
    assert_int_equal(t.counts[REPLAY_REJECTED], 2);
    assert_int_equal(t.counts[REPLAY_REFUSED], 5);
    assert_int_equal(r->server.request_count, 1);
    replay_free(&p);
    rig_free(&r);
}

/* 413 to more than 10 items, 400 to those with number 33 */
static int large_or_bad(struct fake *f, const struct stub_request *q, unsigned count,
                        struct stub_reply *reply)
{
    (void)f;
    (void)reply;
    if (count > 10)
        return 413;
    return strstr(q->body, "{\"n\":33}") != NULL ? 400 : 0;
}

/* a whole request refused: smaller ones, down to the one that is bad */
static void whole_requests(void **state)
{
    (void)state;
    struct rig *r = rig_new(MIB);
    struct told t;
    struct err e = {0};
    r->server.whole = large_or_bad;
    struct replay *p = start(r, &t);
    assert_int_equal(add(p, 0, 99, TARGET, &e), 0);
    assert_int_equal(replay_flush(p, &e), 0);
    assert_int_equal(t.counts[REPLAY_CREATED], 99);
    assert_int_equal(t.counts[REPLAY_REJECTED], 1);
    replay_free(&p);
    rig_free(&r);
}

/* the status that the test wants */
static int by_knob(struct fake *f, const struct stub_request *q, unsigned count,
                   struct stub_reply *reply)
{
    (void)q;
    (void)count;
    (void)reply;
    return f->knob;
}

/* what ends a replay, and what does not */
static void refusals(void **state)
{
    (void)state;
    static const struct {
        int status, result;
        unsigned refused;
    } cases[] = {{401, -EACCES, 0},   {403, 0, 5},         {404, -ENOTCONN, 0},
                 {429, -ENOTCONN, 0}, {503, -ENOTCONN, 0}, {301, -ENOTCONN, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig *r = rig_new(MIB);
        struct told t;
        struct err e = {0};
        r->server.whole = by_knob;
        r->server.knob = cases[i].status;
        struct replay *p = start(r, &t);
        assert_int_equal(add(p, 0, 4, TARGET, &e), 0);
        assert_int_equal(replay_flush(p, &e), cases[i].result);
        assert_int_equal(t.counts[REPLAY_REFUSED], cases[i].refused);
        assert_true(cases[i].result == 0 || strstr(e.text, r->url[0]) != NULL);
        replay_free(&p);
        rig_free(&r);
    }
}

/* the first host is not there: the second takes all */
static void hosts(void **state)
{
    (void)state;
    struct rig *r = rig_new(MIB);
    struct told t;
    struct err e = {0};
    memcpy(r->url[1], r->url[0], sizeof(r->url[0]));
    snprintf(r->url[0], sizeof(r->url[0]), "http://127.0.0.1:1");
    r->opts.host_count = 2;
    struct replay *p = start(r, &t);
    assert_int_equal(add(p, 0, 4, TARGET, &e), 0);
    assert_int_equal(replay_flush(p, &e), 0);
    assert_int_equal(t.counts[REPLAY_CREATED], 5);
    replay_free(&p);
    r->opts.host_count = 1;
    p = start(r, &t);
    assert_int_equal(add(p, 5, 9, TARGET, &e), 0);
    assert_int_equal(replay_flush(p, &e), -ENOTCONN);
    assert_non_null(strstr(e.text, "127.0.0.1:1"));
    replay_free(&p);
    rig_free(&r);
}

/* what a damaged disk may have made of a letter is told and never sent */
static void odd_letters(void **state)
{
    (void)state;
    struct rig *r = rig_new(MIB);
    struct told t;
    struct err e = {0};
    struct replay *p = start(r, &t);
    struct dead_letter l = letter(1, TARGET, "", false);
    l.document = SLICE_LIT("{}\n{\"delete\":{}}");
    assert_int_equal(replay_add(p, &l, &e), 0);
    l = letter(2, "", "", false);
    assert_int_equal(replay_add(p, &l, &e), 0);
    char name[400];
    memset(name, 'a', sizeof(name));
    l = letter(3, TARGET, "", false);
    l.target = slice_of(name, sizeof(name));
    assert_int_equal(replay_add(p, &l, &e), 0);
    assert_int_equal(t.counts[REPLAY_REJECTED], 3);
    l = letter(4, TARGET, "", false);
    l.id = SLICE_LIT("");
    assert_int_equal(replay_add(p, &l, &e), 0);
    assert_int_equal(replay_flush(p, &e), 0);
    assert_int_equal(t.counts[REPLAY_CREATED], 1);
    assert_int_equal(r->server.made_ids, 1);
    assert_int_equal(r->server.request_count, 1);
    replay_free(&p);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ways),           cmocka_unit_test(again),    cmocka_unit_test(items),
        cmocka_unit_test(whole_requests), cmocka_unit_test(refusals), cmocka_unit_test(hosts),
        cmocka_unit_test(odd_letters),
    };
    return cmocka_run_group_tests_name("output/replay", tests, http_up, NULL);
}
