/* tail: how long a generation that nobody reads is remembered. */
#include "bench.h"

static struct bench bench;

static int setup(void **state)
{
    (void)state;
    bench_init(&bench);
    bench_pattern(&bench, 0, "app.log");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_end(&bench);
    return 0;
}

/* 120 bytes in one line: more than the shortest head that tells a moved file */
#define LONG                                                                                       \
    "a line that is long enough to be evidence of a file's content, so that a copy of it can "     \
    "be told from another log\n"

#define HOUR ((int64_t)3600 * 1000)

/* time passes at once; timers that are due in it run */
static void jump(struct bench *b, int64_t ms)
{
    clock_fake_advance_ms(&b->clock, ms);
    bench_pass(b, 200);
}

/* documents whose message begins so */
static unsigned count_of(const struct bench *b, const char *text)
{
    unsigned n = 0;
    for (size_t i = 0; i < b->doc_count; i++)
        n += strncmp(b->docs[i].message, text, strlen(text)) == 0;
    return n;
}

/* a copy of what was read whole is known as long as it is there */
static void copy_of_a_finished_generation(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    bench_pass(b, 1000);
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    cut(b, "app.log", 0);
    append(b, "app.log", "new\n");
    UNTIL(b, b->doc_count == 2);
    bench_pass(b, 15000);
    assert_int_equal(registry_count(b->registry), 2);
    bench_stop(b, true);
    bench_pattern(b, 0, "app.log.*");
    bench_start(b);
    bench_pass(b, 20000);
    assert_int_equal(b->doc_count, 2);
    assert_int_equal(count_of(b, "a line"), 1);
    bench_stop(b, true);
    b->inputs[0].path_count = 1;
    unlink_log(b, "app.log.1");
    bench_start(b);
    jump(b, HOUR);
    assert_int_equal(registry_count(b->registry), 2); /* not known any more that it is at its end */
    jump(b, 25 * HOUR);
    assert_int_equal(registry_count(b->registry), 1);
}

/* read to its end and deleted, and no sibling holds it: nothing of it stays */
static void finished_without_a_copy(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG);
    append(b, "app.log.other", "something else\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    unlink_log(b, "app.log");
    bench_pass(b, 60000);
    assert_int_equal(registry_count(b->registry), 0);
}

/* compressed siblings are not unpacked: each keeps one generation that was there when it was */
static void finished_and_compressed(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    bench_pass(b, 2000);
    append(b, "app.log.1.gz", "not unpacked here");
    set_age(b, "app.log.1.gz", 3000);
    unlink_log(b, "app.log");
    bench_pass(b, 60000);
    assert_int_equal(registry_count(b->registry), 1);
    unlink_log(b, "app.log.1.gz");
    jump(b, 2 * HOUR);
    assert_int_equal(registry_count(b->registry), 0);
}

/* gone while nobody ran: it may come back within a day, in whatever life */
static void absent_for_a_day(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    bench_pass(b, 1000);
    bench_stop(b, true);
    tmp_dir_mkdir(&b->logs, "away");
    move(b, "app.log", "away/app.log");
    bench_start(b);
    jump(b, HOUR);
    for (int i = 0; i < 3; i++) {
        bench_restart(b, true);
        jump(b, 7 * HOUR);
        assert_int_equal(registry_count(b->registry), 1);
    }
    /* it is there again for a while */
    bench_stop(b, true);
    move(b, "away/app.log", "app.log");
    append(b, "app.log", "two\n");
    bench_start(b);
    EXPECT_FROM(b, 1, NULL, "two|");
    bench_pass(b, 15000);
    bench_stop(b, true);
    move(b, "app.log", "away/app.log");
    bench_start(b);
    jump(b, HOUR);
    jump(b, 22 * HOUR);
    assert_int_equal(registry_count(b->registry), 1);
    jump(b, 2 * HOUR);
    assert_int_equal(registry_count(b->registry), 0);
    move(b, "away/app.log", "app.log");
    bench_pass(b, 1000);
    UNTIL(b, b->doc_count == 4); /* too late: it is a new file now */
}

/* where nothing is lost the clock alone drops nothing */
static void rests_beside_its_path(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    move(b, "app.log", "app.log.1");
    bench_pass(b, 330000);
    assert_int_equal(tail_file_count(b->tail), 0);
    jump(b, 1000 * HOUR);
    jump(b, 1000 * HOUR);
    assert_int_equal(registry_count(b->registry), 1);
    bench_stop(b, true);
    bench_pattern(b, 0, "app.log.*");
    bench_start(b);
    bench_pass(b, 2000);
    assert_int_equal(b->doc_count, 1);
}

/* stands before the C library's: nothing here hangs on a disk, and it would take most of the time
 */
int fdatasync(int fd)
{
    (void)fd;
    return 0;
}

/* rotates app.log as logrotate does, keeping five */
static void rotate(struct bench *b)
{
    (void)unlinkat(b->logs.fd, "app.log.5", 0); /* the first rounds have fewer */
    for (int i = 5; i >= 1; i--) {
        char from[32], to[32];
        (void)snprintf(from, sizeof(from), i == 1 ? "app.log" : "app.log.%d", i - 1);
        (void)snprintf(to, sizeof(to), "app.log.%d", i);
        (void)renameat(b->logs.fd, from, b->logs.fd, to);
    }
}

static void thousands_of_rotations(void **state)
{
    (void)state;
    struct bench *b = &bench;
    size_t most = 0;
    bench_start(b);
    for (unsigned i = 0; i < 5000; i++) {
        char line[160];
        (void)snprintf(line, sizeof(line), "%u " LONG, i);
        append(b, "app.log", line);
        for (int64_t turns = 0; b->doc_count <= i && turns < 500; turns++)
            bench_turn(b, 2);
        assert_int_equal(b->doc_count, i + 1);
        rotate(b);
        clock_fake_advance_ms(&b->clock, 600000);
        bench_turn(b, 10);
        if (registry_count(b->registry) > most)
            most = registry_count(b->registry);
    }
    assert_in_range(most, 2, 200);
    bench_restart(b, true);
    jump(b, HOUR);
    jump(b, 25 * HOUR);
    jump(b, HOUR);
    assert_int_equal(b->doc_count, 5000);
    assert_in_range(registry_count(b->registry), 1, 6);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(copy_of_a_finished_generation), TEST(finished_without_a_copy),
        TEST(finished_and_compressed),       TEST(absent_for_a_day),
        TEST(rests_beside_its_path),         TEST(thousands_of_rotations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
