/* metrics/metrics: when samples are taken, what comes of them, and what happens when files or the
 * output are missing. A fake clock, a tree of our own, a real loop and feed. */
#include "metrics/metrics.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "bench.h"
#include "config/config.h"
#include "tmp_dir.h"

#define PERIOD_MS 10000
#define START_MS  INT64_C(1790000003456) /* 3.456 s past a period */
#define BIT(set)  (1U << CONFIG_SET_##set)
#define ALL       (BIT(CPU) | BIT(LOAD) | BIT(MEMORY) | BIT(NETWORK))

static struct bench bench;
static struct tmp_dir dir;
static struct procfs *procfs;
static struct metrics *metrics;
static struct seen seen[64];
static struct target *isp_index; /* of the next start */

static char text[] = "text";
static const struct sysinfo host = {text, text, text, text, text, text, text, text, text, text, 2};
static const struct encode_agent agent = {.host_name = "h1", .id = "uuid", .version = "1"};

static void put_cpu(unsigned user, unsigned idle)
{
    char line[100];
    (void)snprintf(line, sizeof(line), "cpu  %u 0 0 %u 0 0 0 0\ncpu0 1 2 3 4\ncpu1 1 2 3 4\n", user,
                   idle);
    tmp_dir_write_str(&dir, "proc/stat", line);
}

static void put_network(unsigned received, unsigned sent)
{
    char lines[300];
    (void)snprintf(lines, sizeof(lines),
                   "Inter-|\n face |\n    lo: 9 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0\n"
                   "  eth0: %u %u 0 0 0 0 0 0 %u %u 0 0 0 0 0 0\n",
                   received, received / 100, sent, sent / 100);
    tmp_dir_write_str(&dir, "proc/net/dev", lines);
}

static int setup(void **state)
{
    (void)state;
    tmp_dir_make(&dir);
    tmp_dir_mkdir(&dir, "proc");
    tmp_dir_mkdir(&dir, "proc/net");
    tmp_dir_write_str(&dir, "proc/loadavg", "1.00 2.00 3.00 1/2 3\n");
    tmp_dir_write_str(&dir, "proc/meminfo", "MemTotal: 1000 kB\nMemFree: 250 kB\n");
    put_cpu(0, 0);
    put_network(1000, 2000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tmp_dir_remove(&dir);
    return 0;
}

static void on_ready(void *ctx)
{
    (void)ctx;
    metrics_resume(metrics);
}

static void start(unsigned sets)
{
    static struct config_metrics config;
    config = (struct config_metrics){.period_ms = PERIOD_MS, .sets = sets};
    for (size_t i = 0; i < CONFIG_SETS; i++)
        config.set_period_ms[i] = PERIOD_MS;
    bench_open(&bench, 512 * KIB, START_MS);
    procfs = procfs_new(dir.path, NULL, NULL, MIB);
    struct metrics_opts opts = {
        .procfs = procfs,
        .hostfs = dir.path,
        .host = &host,
        .agent = &agent,
        .namespace = "default",
        .config = &config,
        .isp_index = isp_index,
        .message = bench_message,
        .ctx = &bench,
    };
    metrics = metrics_new(bench.loop, &opts, bench.feed, &bench.ledger);
    bench.ready = on_ready;
    metrics_start(metrics);
    assert_int_equal(bench.ledger.read.lines, 0); /* nothing inside the call */
    bench_run(&bench);
}

static void finish(void)
{
    metrics_free(&metrics);
    assert_null(metrics);
    metrics_free(&metrics);
    bench_close(&bench);
    procfs_free(&procfs);
}

static unsigned seen_count;

/* documents that came since the last call, into seen */
static unsigned take(void)
{
    seen_count = bench_answer_all(&bench, seen, ARRAY_LEN(seen));
    assert_true(seen_count <= ARRAY_LEN(seen));
    return seen_count;
}

/* one leaf of a document that came */
static const char *value(unsigned i, const char *name)
{
    static struct leaves leaves;
    scan_leaves(slice_str(seen[i].document), &leaves);
    return leaf_text(&leaves, name);
}

/* The same of the document of a set; host_sums: of network the one with host.network. Sets that are
 * due at once come in any order. */
static const char *set_value(const char *set, bool host_sums, const char *name)
{
    for (unsigned i = 0; i < seen_count; i++) {
        if (strcmp(value(i, "metricset.name"), set) == 0 &&
            (value(i, "host.network.ingress.bytes") != NULL) == host_sums)
            return value(i, name);
    }
    fail_msg("no document of %s", set);
    return NULL;
}

/* Moves the clock in steps of ms until documents come; returns how far. */
static int64_t advance_to_next(int64_t step_ms)
{
    for (int64_t passed = step_ms; passed <= 4 * PERIOD_MS; passed += step_ms) {
        bench_advance(&bench, step_ms);
        feed_flush(bench.feed);
        if (!list_is_empty(&bench.sealed))
            return passed;
    }
    fail_msg("no sample in four periods");
    return 0;
}

/* The first sample comes at once: no rates. The second at the next multiple of the period that is
 * at least half a period away, which is 16.544 s later here, and the jitter. */
static void test_documents(void **state)
{
    (void)state;
    start(ALL);
    assert_int_equal(take(), 3);
    assert_string_equal(set_value("load", false, "event.dataset"), "system.load");
    assert_string_equal(set_value("memory", false, "event.dataset"), "system.memory");
    assert_string_equal(set_value("network", false, "system.network.in.bytes"), "1000");
    put_cpu(300, 100);
    put_network(1500, 2700);
    int64_t passed = advance_to_next(1);
    assert_in_range(passed, 6544, 6544 + 500);
    assert_int_equal(take(), 5);
    assert_string_equal(set_value("cpu", false, "system.cpu.total.norm.pct"), "0.75");
    assert_string_equal(set_value("cpu", false, "system.cpu.user.pct"), "1.5");
    assert_string_equal(set_value("cpu", false, "host.cpu.usage"), "0.75");
    assert_string_equal(set_value("load", false, "system.load.norm.15"), "1.5");
    assert_string_equal(set_value("memory", false, "system.memory.used.pct"), "0.75");
    assert_string_equal(set_value("network", false, "system.network.out.bytes"), "2700");
    assert_string_equal(set_value("network", true, "host.network.ingress.bytes"), "500");
    assert_string_equal(set_value("network", true, "host.network.ingress.packets"), "5");
    assert_string_equal(set_value("network", true, "host.network.egress.bytes"), "700");
    assert_string_equal(set_value("network", true, "host.network.egress.packets"), "7");
    assert_null(set_value("network", true, "system.network.name"));
    for (unsigned i = 0; i < 5; i++) {
        char target[96];
        char dataset[64];
        char id[64];
        (void)snprintf(dataset, sizeof(dataset), "%s", value(i, "event.dataset"));
        assert_string_equal(value(i, "data_stream.dataset"), dataset);
        assert_string_equal(value(i, "metricset.period"), "10000");
        assert_string_equal(value(i, "event.duration"), "0"); /* the clock stood still */
        (void)snprintf(target, sizeof(target), "metrics-%s-default", dataset);
        (void)snprintf(id, sizeof(id), "%013x\"}}", i + 3);
        assert_non_null(strstr(seen[i].action, id));
        bool names_index = strstr(seen[i].action, target) != NULL;
        assert_int_equal(names_index, strcmp(seen[i].url, target) != 0);
    }
    assert_int_equal(bench.message_count, 0);
    finish();
}

static void test_only_the_chosen(void **state)
{
    (void)state;
    start(BIT(LOAD));
    assert_int_equal(take(), 1);
    assert_string_equal(value(0, "metricset.name"), "load");
    advance_to_next(10);
    assert_int_equal(take(), 1);
    finish();
    start(0);
    bench_advance(&bench, 10 * PERIOD_MS);
    assert_int_equal(take(), 0);
    finish();
}

/* every period on the wall clock's grid, at the same moment of it */
/* profile isp: the day of a value is that of its time, also for one that waits over midnight */
static void test_daily_indices(void **state)
{
    (void)state;
    struct err e = {0};
    const int64_t to_midnight_ms = 86400000 - START_MS % 86400000;
    assert_int_equal(target_new(SLICE_LIT("m-%Y.%m.%d"), NULL, NULL, &isp_index, &e), 0);
    start(BIT(LOAD) | BIT(KERNEL));
    bench_advance(&bench, to_midnight_ms);
    static const char *const names[] = {"m-2026.09.21", "m-2026.09.22"};
    assert_int_equal(take(), ARRAY_LEN(names));
    assert_string_equal(seen[0].url, names[0]);
    assert_null(strstr(seen[0].action, "_index"));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char day[32];
        (void)snprintf(day, sizeof(day), "\"@timestamp\":\"%.4s-%.2s-%.2sT", names[i] + 2,
                       names[i] + 7, names[i] + 10);
        assert_non_null(strstr(seen[i].document, day));
        assert_non_null(strstr(seen[i].document, "\"metric_type\":\"custom\",\"value\":1.0,"));
        bool named = strstr(seen[i].action, names[i]) != NULL;
        assert_true(named || strcmp(seen[i].url, names[i]) == 0);
    }
    finish();
    assert_int_equal(bench.message_count, 0); /* set kernel, which gives no values, is not read */
    target_free(&isp_index);
}

static void test_alignment(void **state)
{
    (void)state;
    start(BIT(LOAD));
    assert_int_equal(take(), 1);
    advance_to_next(1);
    take();
    int64_t at = bench.clock.wall / 1000000 % PERIOD_MS;
    assert_in_range(at, 0, 500);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(advance_to_next(1), PERIOD_MS);
        assert_int_equal(take(), 1);
        assert_int_equal(bench.clock.wall / 1000000 % PERIOD_MS, at);
    }
    finish();
}

/* a stall of many periods gives one sample, and the next one comes in its time */
static void test_stall(void **state)
{
    (void)state;
    start(BIT(LOAD) | BIT(CPU));
    assert_int_equal(take(), 1);
    put_cpu(100, 100);
    bench_advance(&bench, 100 * PERIOD_MS + 1234);
    assert_int_equal(take(), 2);
    int64_t passed = advance_to_next(1);
    assert_in_range(passed, PERIOD_MS / 2, PERIOD_MS + PERIOD_MS / 2);
    assert_int_equal(take(), 1);
    finish();
}

/* wall clocks that jump move a sample by at most half a period and double none */
static void test_wall_jumps(void **state)
{
    (void)state;
    static const int64_t jumps_ms[] = {3600000, -3600000, 4321, -4321, 9999, -9999, 1, -1};
    start(BIT(LOAD));
    take();
    advance_to_next(1);
    take();
    for (size_t i = 0; i < ARRAY_LEN(jumps_ms); i++) {
        bench.clock.wall += jumps_ms[i] * 1000000;
        for (int k = 0; k < 3; k++) {
            assert_in_range(advance_to_next(1), PERIOD_MS / 2, PERIOD_MS * 3 / 2);
            assert_int_equal(take(), 1);
        }
    }
    bench.clock.wall = -5000000000; /* before 1970 */
    for (int k = 0; k < 2; k++) {
        assert_in_range(advance_to_next(1), PERIOD_MS / 2, PERIOD_MS * 3 / 2);
        assert_int_equal(take(), 1);
    }
    finish();
}

/* a missing file ends its set, with one message; the others go on */
static void test_missing_file(void **state)
{
    (void)state;
    assert_int_equal(unlinkat(dir.fd, "proc/meminfo", 0), 0);
    start(BIT(MEMORY) | BIT(LOAD));
    assert_int_equal(take(), 1);
    char expected[400];
    (void)snprintf(expected, sizeof(expected),
                   "metrics: memory is off: %s/proc/meminfo: No such file or directory", dir.path);
    assert_int_equal(bench.message_count, 1);
    assert_string_equal(bench.messages[0], expected);
    tmp_dir_write_str(&dir, "proc/meminfo", "MemTotal: 1000 kB\nMemFree: 250 kB\n");
    for (int i = 0; i < 3; i++) {
        advance_to_next(10);
        assert_int_equal(take(), 1);
        assert_string_equal(value(0, "metricset.name"), "load");
    }
    assert_int_equal(bench.message_count, 1);
    finish();
}

/* text that is not understood skips samples, told once; a rate spans the gap */
static void test_broken_file(void **state)
{
    (void)state;
    start(BIT(CPU) | BIT(LOAD));
    assert_int_equal(take(), 1);
    for (int i = 0; i < 3; i++) {
        tmp_dir_write_str(&dir, "proc/stat", "cpu what");
        advance_to_next(10);
        assert_int_equal(take(), 1);
    }
    assert_int_equal(bench.message_count, 1);
    assert_non_null(strstr(bench.messages[0], "metrics: cpu is skipped: "));
    assert_non_null(strstr(bench.messages[0], "/proc/stat: not understood"));
    put_cpu(10, 30);
    advance_to_next(10);
    assert_int_equal(take(), 2);
    assert_string_equal(set_value("cpu", false, "host.cpu.usage"), "0.25");
    tmp_dir_write_str(&dir, "proc/stat", "");
    advance_to_next(10);
    assert_int_equal(take(), 1);
    assert_int_equal(bench.message_count, 2);
    finish();
}

/* counters set back: no document for that rate, then rates again */
static void test_counters_set_back(void **state)
{
    (void)state;
    put_cpu(1000, 1000);
    start(BIT(CPU) | BIT(NETWORK));
    assert_int_equal(take(), 1);
    put_cpu(5, 5);
    put_network(10, 20);
    advance_to_next(10);
    assert_int_equal(take(), 2);
    assert_string_equal(set_value("network", false, "system.network.in.bytes"), "10");
    assert_string_equal(set_value("network", true, "host.network.ingress.bytes"), "0");
    assert_string_equal(set_value("network", true, "host.network.egress.bytes"), "0");
    put_cpu(6, 8);
    put_network(15, 26);
    advance_to_next(10);
    assert_int_equal(take(), 3);
    assert_string_equal(set_value("cpu", false, "host.cpu.usage"), "0.25");
    assert_string_equal(set_value("network", true, "host.network.ingress.bytes"), "5");
    assert_string_equal(set_value("network", true, "host.network.egress.bytes"), "6");
    finish();
}

/* The output does not answer: samples wait with their own times, and flow when it does. */
static void test_outage(void **state)
{
    (void)state;
    start(BIT(LOAD));
    feed_flush(bench.feed);
    assert_int_equal(list_is_empty(&bench.sealed), 0);
    for (int i = 0; i < 30; i++)
        bench_advance(&bench, PERIOD_MS);
    assert_int_equal(bench.ledger.read.lines, 1);
    unsigned count = take();
    assert_in_range(count, 30, 31);
    char before[64] = "";
    for (unsigned i = 0; i < count; i++) {
        const char *time = value(i, "@timestamp");
        assert_true(strcmp(before, time) < 0);
        (void)snprintf(before, sizeof(before), "%s", time);
        unsigned long sequence = 99;
        const char *id = strstr(seen[i].action, "_id\":\"");
        assert_non_null(id);
        assert_int_equal(sscanf(id + 18, "%13lx", &sequence), 1);
        assert_int_equal(sequence, i);
    }
    assert_int_equal(bench.ledger.acknowledged.lines, count);
    finish();
}

/* stop: no sample any more, what waits is counted */
static void test_stop(void **state)
{
    (void)state;
    start(BIT(LOAD));
    feed_flush(bench.feed);
    bench_advance(&bench, 2 * PERIOD_MS);
    bench_advance(&bench, 2 * PERIOD_MS);
    metrics_stop(metrics);
    assert_int_equal(bench.ledger.abandoned[ABANDON_SHUTDOWN].lines, 2);
    assert_int_equal(take(), 1);
    bench_advance(&bench, 10 * PERIOD_MS);
    metrics_resume(metrics);
    assert_int_equal(take(), 0);
    assert_int_equal(bench.ledger.read.lines, 3);
    finish();
}

/* samples in a steady state allocate nothing */
static void test_no_allocation(void **state)
{
    (void)state;
    start(ALL);
    for (int i = 0; i < 3; i++) {
        advance_to_next(100);
        take();
    }
    for (int i = 0; i < 5; i++) {
        uint64_t before = mem_calls();
        advance_to_next(100);
        feed_flush(bench.feed);
        assert_int_equal(mem_calls() - before, 0);
        assert_int_equal(bench_answer(&bench, NULL, 0), 4); /* cpu stands still: no rate */
        bench_run(&bench);
        assert_int_equal(mem_calls() - before, 0);
    }
    finish();
}

/* What a helper answers. /hang: when it has gone. */
static void answer(const char *path, struct fsprobe_answer *ret)
{
    while (strstr(path, "/hang") != NULL && access(path, F_OK) == 0)
        usleep(1000);
    *ret = (struct fsprobe_answer){.block_bytes = 1, .blocks = 100, .free = 40, .available = 40};
}

/* mounts that the sets of filesystems see; prefix of all of them is the tree */
static void put_mounts(const char *point)
{
    char lines[200];
    (void)snprintf(lines, sizeof(lines),
                   "2 1 0:40 / %s rw - fuse.x x rw\n1 0 8:1 / / rw - ext4 /dev/a rw\n", point);
    tmp_dir_mkdir(&dir, "proc/1");
    tmp_dir_write_str(&dir, "proc/1/mountinfo", lines);
}

/* real time passes until so many documents came, into seen */
static unsigned wait_documents(unsigned count)
{
    seen_count = 0;
    loop_once(bench.loop, 10);
    for (int i = 0; i < 2000; i++) {
        seen_count += bench_answer_all(&bench, seen + seen_count, ARRAY_LEN(seen) - seen_count);
        if (seen_count >= count)
            break;
        loop_once(bench.loop, 10);
        feed_flush(bench.feed);
    }
    return seen_count;
}

/* a sample that comes later: its set waits for it, the others do not; then it has its period again
 */
static void test_later_sample(void **state)
{
    (void)state;
    put_mounts("/x");
    start(BIT(FILESYSTEM) | BIT(FSSTAT) | BIT(LOAD));
    assert_int_equal(wait_documents(4), 4);
    assert_string_equal(set_value("fsstat", false, "system.fsstat.count"), "2");
    assert_string_equal(set_value("filesystem", false, "system.filesystem.used.pct"), "0.6");
    advance_to_next(10);
    assert_int_equal(wait_documents(4), 4);
    assert_int_equal(bench.message_count, 0);
    finish();
}

/* documents of a set among those taken */
static unsigned count_of(const char *set)
{
    unsigned n = 0;
    for (unsigned i = 0; i < seen_count; i++)
        n += strcmp(value(i, "metricset.name"), set) == 0;
    return n;
}

/* A mount hangs: the other sets go on, its own without it once it is given up; it is back as soon
 * as it has answered. */
static void test_hanging_mount(void **state)
{
    (void)state;
    tmp_dir_write_str(&dir, "hang", "");
    put_mounts("/hang");
    start(BIT(FILESYSTEM) | BIT(LOAD));
    assert_int_equal(wait_documents(1), 1);
    assert_int_equal(count_of("load"), 1);
    bench_advance(&bench, 7500);
    assert_int_equal(wait_documents(1), 1);
    assert_int_equal(count_of("load"), 1);
    assert_int_equal(bench.message_count, 0);
    bench_advance(&bench, 5500);
    assert_int_equal(wait_documents(1), 1);
    assert_int_equal(count_of("filesystem"), 1);
    assert_string_equal(value(0, "system.filesystem.mount_point"), "/");
    assert_int_equal(bench.message_count, 1);
    assert_non_null(strstr(bench.messages[0], "/hang does not answer: left out until it does"));
    assert_int_equal(unlinkat(dir.fd, "hang", 0), 0);
    for (int i = 0; i < 2000 && bench.message_count < 2; i++)
        loop_once(bench.loop, 10);
    assert_non_null(strstr(bench.messages[1], "/hang answers again"));
    while (count_of("filesystem") < 2) {
        bench_advance(&bench, 100);
        wait_documents(0);
    }
    finish();
}

/* stopped while a sample is on its way: nothing comes of it */
static void test_stop_while_it_hangs(void **state)
{
    (void)state;
    tmp_dir_write_str(&dir, "hang", "");
    put_mounts("/hang");
    start(BIT(FILESYSTEM) | BIT(FSSTAT));
    loop_once(bench.loop, 10);
    metrics_stop(metrics);
    assert_int_equal(unlinkat(dir.fd, "hang", 0), 0);
    bench_advance(&bench, 10 * PERIOD_MS);
    assert_int_equal(take(), 0);
    assert_int_equal(bench.message_count, 0);
    finish();
}

/* freed with documents in the open batch: they are the feed's to lose */
static void test_free_early(void **state)
{
    (void)state;
    start(ALL);
    metrics_free(&metrics);
    feed_free(&bench.feed);
    assert_int_equal(loop_free(&bench.loop), 0);
    procfs_free(&procfs);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], FSPROBE_COMMAND) == 0)
        return fsprobe_serve(answer);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_documents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_the_chosen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_daily_indices, setup, teardown),
        cmocka_unit_test_setup_teardown(test_alignment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stall, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wall_jumps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counters_set_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_outage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_allocation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_later_sample, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hanging_mount, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_while_it_hangs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_early, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
