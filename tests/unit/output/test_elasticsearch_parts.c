/* output/elasticsearch: troubles told at a falling rate, targets, hosts, the API key */
#include "check.h"

#include <string.h>

#include "base/mem.h"
#include "output/elasticsearch_internal.h"

struct seen {
    unsigned messages, infos, changes;
    enum output_health health;
    char why[WHY_BYTES];
};

static void on_health(void *ctx, enum output_health health, const char *why)
{
    struct seen *s = ctx;
    s->changes++;
    s->health = health;
    snprintf(s->why, sizeof(s->why), "%s", why);
}

static void on_message(void *ctx, enum log_level level, const char *text)
{
    struct seen *s = ctx;
    (void)text;
    s->messages += level != LOG_INFO;
    s->infos += level == LOG_INFO;
}

/* an output without threads and sockets, on a clock of our own */
struct part {
    struct clock_fake clock;
    struct output o;
    struct host hosts[2];
    struct seen seen;
};

static void part_init(struct part *p)
{
    int err;
    memset(p, 0, sizeof(*p));
    clock_fake_init(&p->clock, 1000000000, 0);
    p->o.loop = loop_new(&p->clock.clock, &err);
    p->o.hooks = (struct output_hooks){.health = on_health, .message = on_message, .ctx = &p->seen};
    p->o.backoff = (struct backoff_opts){1000, 60000};
    p->o.hosts = p->hosts;
    p->o.opts.host_count = 2;
    list_init(&p->o.targets);
    prng_init(&p->o.prng, 1);
    es_host_init(&p->hosts[0], "http://a:9200/");
    es_host_init(&p->hosts[1], "https://user:secret@b/es//");
    loop_once(p->o.loop, 0);
}

static void part_clear(struct part *p)
{
    es_targets_free(&p->o);
    es_host_clear(&p->hosts[0]);
    es_host_clear(&p->hosts[1]);
    assert_int_equal(loop_free(&p->o.loop), 0);
}

static void advance(struct part *p, int64_t ms)
{
    clock_fake_advance_ms(&p->clock, ms);
    loop_once(p->o.loop, 0);
}

static void test_falling_rate(void **state)
{
    (void)state;
    struct part p;
    struct trouble t = {0};
    part_init(&p);
    for (int s = 0; s < 3600; s++) {
        es_trouble(&p.o, &t, OUTPUT_FAILED, "x %d", s);
        advance(&p, 1000);
    }
    /* at 0, 30, 90, 210, 450, 930, 1890 s */
    assert_int_equal(p.seen.messages, 7);
    es_trouble_end(&p.o, &t, "good");
    es_trouble_end(&p.o, &t, "good");
    assert_int_equal(p.seen.infos, 1);
    part_clear(&p);
}

/* a trouble that comes and goes every second does not fill the log */
static void test_flapping(void **state)
{
    (void)state;
    struct part p;
    struct trouble t = {0};
    part_init(&p);
    for (int s = 0; s < 600; s++) {
        es_trouble(&p.o, &t, OUTPUT_DEGRADED, "x");
        advance(&p, 500);
        es_trouble_end(&p.o, &t, "good");
        advance(&p, 500);
    }
    assert_in_range(p.seen.messages, 2, 6);
    assert_int_equal(p.seen.infos, p.seen.messages);
    part_clear(&p);
}

static void test_health_is_the_worst(void **state)
{
    (void)state;
    struct part p;
    part_init(&p);
    es_health_update(&p.o);
    assert_int_equal(p.seen.changes, 0);
    es_host_fail(&p.o, &p.hosts[0], OUTPUT_FAILED, "away", 0);
    es_health_update(&p.o);
    assert_int_equal(p.seen.health, OUTPUT_DEGRADED); /* the other host works */
    assert_string_equal(p.seen.why, "http://a:9200: away");
    es_host_fail(&p.o, &p.hosts[1], OUTPUT_FAILED, "away", 0);
    es_health_update(&p.o);
    assert_int_equal(p.seen.health, OUTPUT_FAILED);
    es_host_good(&p.o, &p.hosts[0]);
    es_host_good(&p.o, &p.hosts[1]);
    struct target *t = es_target(&p.o, SLICE_LIT("logs-a-b"));
    es_target_pause(&p.o, t, OUTPUT_FAILED, "closed", 0);
    es_health_update(&p.o);
    assert_int_equal(p.seen.health, OUTPUT_FAILED);
    assert_string_equal(p.seen.why, "\"logs-a-b\": closed");
    unsigned changes = p.seen.changes;
    es_health_update(&p.o);
    assert_int_equal(p.seen.changes, changes);
    part_clear(&p);
}

/* back-pressure alone never causes a long pause, whatever the configuration allows for failures */
static void test_busy_pause_is_short(void **state)
{
    (void)state;
    struct part p;
    int64_t longest = 0;
    part_init(&p);
    for (int i = 0; i < 1000; i++) {
        int64_t ms = es_busy_delay(&p.o, 20, 0);
        longest = ms > longest ? ms : longest;
    }
    assert_in_range(longest, 9000, 10000);
    assert_in_range(es_busy_delay(&p.o, 1, 0), 0, 1000);
    assert_in_range(es_busy_delay(&p.o, 20, 30000), 30000, 31000);
    for (int i = 0; i < 20; i++) {
        p.hosts[0].not_before_ms = 0;
        es_host_busy(&p.o, &p.hosts[0], OUTPUT_DEGRADED, "busy", 0);
        assert_in_range(p.hosts[0].not_before_ms, 1000, 11000);
    }
    p.o.backoff = (struct backoff_opts){20000, 60000};
    assert_in_range(es_busy_delay(&p.o, 20, 0), 0, 20000);
    part_clear(&p);
}

static void test_hosts(void **state)
{
    (void)state;
    struct part p;
    part_init(&p);
    assert_string_equal(p.hosts[0].url, "http://a:9200");
    assert_string_equal(p.hosts[1].url, "https://user:secret@b/es");
    assert_string_equal(p.hosts[1].name, "https://b/es");
    assert_null(es_host_pick(&p.o, 1000));
    p.hosts[0].state = p.hosts[1].state = HOST_READY;
    struct host *first = es_host_pick(&p.o, 1000);
    assert_ptr_not_equal(es_host_pick(&p.o, 1000), first); /* in turn */
    p.hosts[0].outstanding = 2;
    assert_ptr_equal(es_host_pick(&p.o, 1000), &p.hosts[1]);
    assert_ptr_equal(es_host_pick(&p.o, 1000), &p.hosts[1]);
    es_host_fail(&p.o, &p.hosts[1], OUTPUT_DEGRADED, "x", 5000);
    assert_ptr_equal(es_host_pick(&p.o, 1000), &p.hosts[0]);
    assert_in_range(p.hosts[1].not_before_ms, 6000, 7000);
    es_host_fail(&p.o, &p.hosts[1], OUTPUT_DEGRADED, "x", 9000); /* no news while it waits */
    assert_in_range(p.hosts[1].not_before_ms, 6000, 7000);
    assert_int_equal(p.hosts[1].failures, 1);
    part_clear(&p);
}

static void test_loopback(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool loopback;
    } rows[] = {
        {"http://localhost:9200", true},     {"http://localhost/es", true},
        {"https://127.0.0.1", true},         {"http://127.9.9.9:1", true},
        {"http://[::1]:9200/", true},        {"http://u:p@localhost:9200", true},
        {"http://localhost.example", false}, {"http://es:9200", false},
        {"http://[::2]:9200", false},        {"http://x/127.0.0.1", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct host h = {0};
        es_host_init(&h, rows[i].url);
        CHECK(rows[i].url, h.loopback == rows[i].loopback);
        es_host_clear(&h);
    }
}

static void test_targets_are_bounded(void **state)
{
    (void)state;
    struct part p;
    part_init(&p);
    struct target *kept = es_target(&p.o, SLICE_LIT("kept"));
    kept->flights = 1;
    for (int i = 0; i < 2000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "logs-%d", i);
        struct target *t = es_target(&p.o, slice_str(name));
        assert_ptr_equal(es_target(&p.o, slice_str(name)), t);
    }
    assert_int_equal(p.o.target_count, 256);
    assert_ptr_equal(es_target(&p.o, SLICE_LIT("kept")), kept);
    part_clear(&p);
}

static void test_target_pause(void **state)
{
    (void)state;
    struct part p;
    part_init(&p);
    struct target *t = es_target(&p.o, SLICE_LIT("t"));
    es_target_pause(&p.o, t, OUTPUT_DEGRADED, "blocked", 3000);
    int64_t until = t->not_before_ms;
    assert_in_range(until, 4001, 5001);
    es_target_pass(&p.o, t); /* answered before the pause began */
    assert_int_equal(t->not_before_ms, until);
    assert_int_equal(t->trouble.health, OUTPUT_DEGRADED);
    advance(&p, 5000);
    es_target_pass(&p.o, t);
    assert_int_equal(t->failures, 0);
    assert_int_equal(t->trouble.health, OUTPUT_OK);
    part_clear(&p);
}

static void test_guard(void **state)
{
    (void)state;
    struct target t = {0};
    assert_false(es_target_guards(&t, 999, 999)); /* too few to judge */
    assert_true(es_target_guards(&t, 1, 1));
    assert_true(es_target_guards(&t, 400, 1));
    assert_false(es_target_guards(&t, 4000, 0)); /* nothing to spare */
    assert_false(es_target_guards(&t, 4000, 100));
    assert_true(t.seen_items < 2000);
    for (int i = 0; i < 3000; i++)
        (void)es_target_guards(&t, 1, 1);
    assert_true(es_target_guards(&t, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_falling_rate),
        cmocka_unit_test(test_flapping),
        cmocka_unit_test(test_health_is_the_worst),
        cmocka_unit_test(test_busy_pause_is_short),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_loopback),
        cmocka_unit_test(test_targets_are_bounded),
        cmocka_unit_test(test_target_pause),
        cmocka_unit_test(test_guard),
    };
    return cmocka_run_group_tests_name("output/elasticsearch parts", tests, NULL, NULL);
}
