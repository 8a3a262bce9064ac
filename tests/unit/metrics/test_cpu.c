/* metrics/cpu: captured /proc/stat, deltas by independent arithmetic, counters that run backwards.
 */
#include "metrics/cpu.h"

#include <errno.h>
#include <math.h>

#include "check.h"

static struct buf text;

static int clear_text(void **state)
{
    (void)state;
    buf_clear(&text);
    return 0;
}

static void test_parse_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        int error;
        struct cpu_sample sample;
    } cases[] = {
        {"vm-1", 0, {{115512, 0, 63299, 591436, 2478, 0, 1830, 140}, 2}},
        {"vm-2", 0, {{116071, 0, 63705, 591440, 2504, 0, 1835, 140}, 2}},
        {"linux-2.4", 0, {{1000, 200, 300, 4000}, 1}},
        {"server-1", 0, {{812800, 8128, 406400, 12800000, 1280, 128, 256, 384}, 128}},
        {"truncated", -EBADMSG, {{0}, 0}},
        {"empty", -EBADMSG, {{0}, 0}},
        {"hostile", -EBADMSG, {{0}, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *host = cases[i].host;
        struct cpu_sample s = {0};
        CHECK(host, cpu_parse(host_file(&text, host, "stat"), &s) == cases[i].error);
        CHECK(host, memcmp(s.ticks, cases[i].sample.ticks, sizeof(s.ticks)) == 0);
        CHECK(host, s.cores == cases[i].sample.cores);
    }
}

static void test_parse_odd(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        unsigned cores;
    } cases[] = {
        {"cpu 1 2 3 4\n", 0, 0},
        {"cpu 1 2 3 4 5\ncpu0 x\ncpu1\n", 0, 2},
        {"cpu0 1 2 3 4\ncpu 1 2 3 4\n", 0, 1},
        {"cpu 1 2 3\n", -EBADMSG, 0},
        {"cpu 1 2 3 4 x\n", -EBADMSG, 0},
        {"cpu 1 2 3 -4\n", -EBADMSG, 0},
        {"cpu 1 2 3 4\ncpu 1 2 3 4\n", -EBADMSG, 0},
        {"cpu0 1 2 3 4\n", -EBADMSG, 0},
        {"intr 1\ncpu 1 2 3 4\n", -EBADMSG, 0},
        {"cpu 1 2 3 4 5 6 7 8 not read\n", 0, 0},
        {"cpu 1 2 3 4", -EBADMSG, 0},
        {"\n", -EBADMSG, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cpu_sample s = {.cores = 77};
        int r = cpu_parse(slice_str(cases[i].text), &s);
        CHECK(cases[i].text, r == cases[i].error);
        CHECK(cases[i].text, s.cores == (r == 0 ? cases[i].cores : 77));
    }
}

/* 559 user, 406 system, 4 idle, 26 iowait, 5 softirq of 1000 ticks */
static void test_documents_of_vm(void **state)
{
    (void)state;
    struct cpu_sample before;
    struct cpu_sample after;
    struct cpu_usage u;
    assert_int_equal(cpu_parse(host_file(&text, "vm-1", "stat"), &before), 0);
    assert_int_equal(cpu_parse(host_file(&text, "vm-2", "stat"), &after), 0);
    assert_true(cpu_delta(&before, &after, &u));
    struct json_writer w;
    open_json(&w, &text);
    cpu_write(&u, &w);
    close_json(&w, "{\"system\":{\"cpu\":{\"cores\":2,"
                   "\"total\":{\"pct\":1.94,\"norm\":{\"pct\":0.97}},"
                   "\"user\":{\"pct\":1.118,\"norm\":{\"pct\":0.559}},"
                   "\"nice\":{\"pct\":0.0,\"norm\":{\"pct\":0.0}},"
                   "\"system\":{\"pct\":0.812,\"norm\":{\"pct\":0.406}},"
                   "\"idle\":{\"pct\":0.008,\"norm\":{\"pct\":0.004}},"
                   "\"iowait\":{\"pct\":0.052,\"norm\":{\"pct\":0.026}},"
                   "\"irq\":{\"pct\":0.0,\"norm\":{\"pct\":0.0}},"
                   "\"softirq\":{\"pct\":0.01,\"norm\":{\"pct\":0.005}},"
                   "\"steal\":{\"pct\":0.0,\"norm\":{\"pct\":0.0}}}}}");
    open_json(&w, &text);
    cpu_write_host(&u, &w);
    close_json(&w, "{\"cpu\":{\"usage\":0.97}}");
}

/* Each of the 128 processors: 30 user (all of it guest), 10 system, 50 idle, 5 iowait, 1 irq,
 * 2 softirq, 2 steal. The guests' 30 are in user's already: the sum is 100, not 130. */
static void test_guests_count_once(void **state)
{
    (void)state;
    struct cpu_sample before;
    struct cpu_sample after;
    struct cpu_usage u;
    assert_int_equal(cpu_parse(host_file(&text, "server-1", "stat"), &before), 0);
    assert_int_equal(cpu_parse(host_file(&text, "server-2", "stat"), &after), 0);
    assert_true(cpu_delta(&before, &after, &u));
    static const double expected[CPU_STATES] = {
        [CPU_USER] = 0.30, [CPU_SYSTEM] = 0.10,  [CPU_IDLE] = 0.50,  [CPU_IOWAIT] = 0.05,
        [CPU_IRQ] = 0.01,  [CPU_SOFTIRQ] = 0.02, [CPU_STEAL] = 0.02,
    };
    for (unsigned i = 0; i < CPU_STATES; i++)
        assert_true(fabs(u.state[i] - expected[i]) < 1e-9);
    assert_true(fabs(u.total - 0.45) < 1e-9);
    assert_int_equal(u.cores, 128);
}

static void test_deltas(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t before[CPU_STATES];
        uint64_t after[CPU_STATES];
        bool has;
        double user, idle, iowait, total;
    } cases[] = {
        {"nothing passed", {1, 2, 3, 4}, {1, 2, 3, 4}, false, 0, 0, 0, 0},
        {"all idle", {0, 0, 0, 100}, {0, 0, 0, 200}, true, 0, 1, 0, 0},
        {"all busy", {100}, {200}, true, 1, 0, 0, 1},
        {"iowait is not busy", {0}, {50, 0, 0, 0, 50}, true, 0.5, 0, 0.5, 0.5},
        {"iowait fell by 30", {0, 0, 0, 0, 100}, {40, 0, 0, 60, 70}, true, 0.4, 0.6, 0, 0.4},
        {"idle fell by 1", {0, 0, 0, 100, 0}, {10, 0, 0, 99, 0}, true, 1, 0, 0, 1},
        {"counters were set back", {500, 0, 500, 9000}, {5, 0, 5, 90}, false, 0, 0, 0, 0},
        {"the largest counters",
         {0},
         {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
         true,
         0.125,
         0.125,
         0.125,
         0.75},
        {"a third", {0}, {1, 0, 0, 2}, true, 1.0 / 3, 2.0 / 3, 0, 1.0 / 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cpu_sample before = {.cores = 4};
        struct cpu_sample after = {.cores = 4};
        struct cpu_usage u = {.total = -1};
        const char *name = cases[i].name;
        memcpy(before.ticks, cases[i].before, sizeof(before.ticks));
        memcpy(after.ticks, cases[i].after, sizeof(after.ticks));
        CHECK(name, cpu_delta(&before, &after, &u) == cases[i].has);
        if (!cases[i].has) {
            CHECK(name, u.total == -1);
            continue;
        }
        CHECK(name, fabs(u.state[CPU_USER] - cases[i].user) < 1e-9);
        CHECK(name, fabs(u.state[CPU_IDLE] - cases[i].idle) < 1e-9);
        CHECK(name, fabs(u.state[CPU_IOWAIT] - cases[i].iowait) < 1e-9);
        CHECK(name, fabs(u.total - cases[i].total) < 1e-9 && u.total >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_hosts),     cmocka_unit_test(test_parse_odd),
        cmocka_unit_test(test_documents_of_vm), cmocka_unit_test(test_guests_count_once),
        cmocka_unit_test(test_deltas),
    };
    return cmocka_run_group_tests(tests, NULL, clear_text);
}
