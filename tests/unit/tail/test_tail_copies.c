/* tail: files that are copied and cut, more often than anybody looks. */
#include <fcntl.h>
#include <unistd.h>

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

/* what makes a file known by its content */
#define LONG                                                                                       \
    "a line that is long enough to be evidence of a file's content, so that a copy of it can be "  \
    "told from any other log\n"
#define LONG_SEEN                                                                                  \
    "a line that is long enough to be evidence of a file's content, so that a copy of it can be "  \
    "told from any other log|"

/* written now, by the clock of the test */
static void put(struct bench *b, const char *text)
{
    append(b, "app.log", text);
    clock_fake_advance_ms(&b->clock, 20);
    set_age(b, "app.log", 0);
}

/* one rotation; the copy has a time of its own, as the lives of a log have */
static void copy_and_cut(struct bench *b, const char *copy_name)
{
    int in = log_open(b, "app.log", O_RDWR);
    int out = log_open(b, copy_name, O_WRONLY | O_CREAT | O_EXCL);
    char block[4096];
    ssize_t n = read(in, block, sizeof(block));
    write_fd(out, block, (size_t)n);
    assert_int_equal(ftruncate(in, 0), 0);
    (void)close(in);
    (void)close(out);
    clock_fake_advance_ms(&b->clock, 20);
    set_age(b, copy_name, 0);
}

/* the life between two cuts that nobody saw is in a copy only, which no pattern matches */
static void cut_twice_between_two_looks(void **state)
{
    (void)state;
    struct bench *b = &bench;
    put(b, LONG);
    bench_start(b);
    EXPECT(b, LONG_SEEN);
    put(b, "rest of the first\n");
    copy_and_cut(b, "app.log-1");
    put(b, "second\n");
    copy_and_cut(b, "app.log-2");
    put(b, "third\n");
    EXPECT(b, LONG_SEEN "rest of the first|second|third|");
    bench_restart(b, true);
    bench_pass(b, 3000);
    EXPECT(b, LONG_SEEN "rest of the first|second|third|");
}

/* the same while the agent is down */
static void cut_twice_while_stopped(void **state)
{
    (void)state;
    struct bench *b = &bench;
    put(b, LONG);
    bench_start(b);
    EXPECT(b, LONG_SEEN);
    bench_stop(b, true);
    clock_fake_advance_ms(&b->clock, 20);
    put(b, "rest of the first\n");
    copy_and_cut(b, "app.log-1");
    put(b, "second\n");
    copy_and_cut(b, "app.log-2");
    put(b, "third\n");
    bench_start(b);
    EXPECT(b, LONG_SEEN "rest of the first|second|third|");
}

/* a file of which no byte was read is nothing that another content could be told from */
static void cut_before_the_first_read(void **state)
{
    (void)state;
    struct bench *b = &bench;
    put(b, LONG);
    bench_start(b);
    EXPECT(b, LONG_SEEN);
    move(b, "app.log", "app.log-0");
    put(b, "");
    bench_pass(b, 300);
    put(b, "second\n");
    copy_and_cut(b, "app.log-1");
    put(b, "third\n");
    EXPECT(b, LONG_SEEN "second|third|");
}

/* a copy that a pattern matches is not read again because the original was cut while stopped */
static void copy_of_what_was_read_whole(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log-*");
    put(b, LONG);
    bench_start(b);
    EXPECT(b, LONG_SEEN);
    bench_stop(b, true);
    copy_and_cut(b, "app.log-1");
    put(b, "second\n");
    bench_start(b);
    EXPECT(b, LONG_SEEN "second|");
    bench_pass(b, 70000);
    EXPECT(b, LONG_SEEN "second|");
    bench_restart(b, false);
    bench_pass(b, 20000);
    EXPECT(b, LONG_SEEN "second|");
}

/* a copy that appears between two cuts is one of the later content */
static void copy_is_held_for_the_later_content(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log-*");
    put(b, LONG LONG);
    bench_start(b);
    EXPECT(b, LONG_SEEN LONG_SEEN);
    copy_and_cut(b, "app.log-1");
    put(b, "second: " LONG);
    copy_and_cut(b, "app.log-2");
    bench_pass(b, 3000);
    put(b, "third\n");
    EXPECT(b, LONG_SEEN LONG_SEEN "second: " LONG_SEEN "third|");
    bench_pass(b, 20000);
    EXPECT(b, LONG_SEEN LONG_SEEN "second: " LONG_SEEN "third|");
}

/* The copy that is read on has a name that matches; what was copied, cut and compressed after it is
 * found beside the file that was cut, not beside that copy. */
static void missed_after_a_copy_that_matches(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log*");
    put(b, LONG);
    bench_start(b);
    EXPECT(b, LONG_SEEN);
    put(b, "rest\n");
    copy_and_cut(b, "app.log-1");
    set_age(b, "app.log-1", 0);
    clock_fake_advance_ms(&b->clock, 50);
    put_packed(b, "app.log-2.gz", "second: " LONG, 0);
    put(b, "third\n");
    bench_pass(b, 3000);
    EXPECT_OF(b, "app.log-1", "rest|");
    EXPECT_OF(b, "app.log", LONG_SEEN "third|second: " LONG_SEEN);
    assert_int_equal(b->doc_count, 4);
}

#define BIG       (2 * TAIL_WATCHED + 10)
#define BIG_LINES 100

/* a start at which nothing can be read, with more files than are looked at in one tick */
static void start_blocked(struct bench *b)
{
    char name[32];
    bench_pattern(b, 0, "big*.log");
    for (int i = 0; i < BIG; i++) {
        (void)snprintf(name, sizeof(name), "big%d.log", i);
        for (int k = 0; k < BIG_LINES / 4; k++)
            append(b, name, LONG LONG LONG LONG);
    }
    b->server_down = true;
    bench_start(b);
    bench_pass(b, 1500);
    assert_true(b->tail->blocked);
}

/* Copied again before the first cut is noticed, and cut again before anything of that content is
 * known: the copy is younger than what the file had then. */
static void copied_again_before_the_cut_is_noticed(void **state)
{
    (void)state;
    struct bench *b = &bench;
    put(b, "first: " LONG);
    start_blocked(b);
    copy_and_cut(b, "app.log-1");
    set_age(b, "app.log-1", 0);
    put(b, "second: " LONG);
    clock_fake_advance_ms(&b->clock, 50);
    copy(b, "app.log", "app.log-2", SIZE_MAX);
    set_age(b, "app.log-2", 0);
    UNTIL(b, said(b, "was truncated or rewritten") > 0);
    rewrite(b, "app.log", "third: " LONG);
    bench_pass(b, 500);
    b->server_down = false;
    UNTIL(b, b->doc_count >= BIG * BIG_LINES + 2);
    bench_pass(b, 15000);
    assert_non_null(strstr(lines_from(b, 0, "app.log"), "first: " LONG_SEEN));
    assert_non_null(strstr(lines_from(b, 0, "app.log"), "second: " LONG_SEEN));
    assert_non_null(strstr(lines_from(b, 0, "app.log"), "third: " LONG_SEEN));
    assert_int_equal(b->doc_count, BIG * BIG_LINES + 3);
}

/* Nothing can be read: what is written meanwhile is copied, cut and compressed between two looks at
 * its file, and the agent is killed. What the copy began with is known all the same. */
static void copied_and_cut_while_nothing_can_be_read(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log*");
    append(b, "app.log", "");
    start_blocked(b);
    put(b, "first: " LONG);
    copy(b, "app.log", "app.log-1", SIZE_MAX);
    set_age(b, "app.log-1", 0);
    bench_turn(b, 0);
    rewrite(b, "app.log", "second: " LONG);
    bench_pass(b, 60);
    put_packed(b, "app.log-1.gz", "first: " LONG, 60);
    unlink_log(b, "app.log-1");
    put(b, "more\n"); /* its file has other content since then */
    bench_pass(b, 60);
    b->server_down = false;
    bench_restart(b, false);
    UNTIL(b, b->doc_count >= BIG * BIG_LINES + 2);
    bench_pass(b, 15000);
    assert_non_null(strstr(lines_from(b, 0, "app.log"), "second: " LONG_SEEN "more|"));
    assert_string_equal(lines_from(b, 0, "app.log-1"), "first: " LONG_SEEN);
    assert_int_equal(b->doc_count, BIG * BIG_LINES + 3);
}

#define WHOLE "first|" LONG_SEEN LONG_SEEN

/* a copy is renamed before it is decided; another one takes its name; each becomes a file of its
 * own when its time is over */
static void copy_that_is_renamed_while_it_is_held(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log*");
    put(b, "first\n" LONG LONG);
    bench_start(b);
    EXPECT(b, WHOLE);
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    bench_pass(b, 1000);
    move(b, "app.log.1", "app.log.2");
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    bench_pass(b, 1000);
    EXPECT(b, WHOLE);
    bench_pass(b, 15000);
    EXPECT(b, WHOLE WHOLE WHOLE);
}

/* a copy may get the inode number of a file that was deleted */
static void copy_under_a_known_number(void **state)
{
    (void)state;
    struct bench *b = &bench;
    struct fs_identity gone, id;
    bench_pattern(b, 0, "app.log*");
    append(b, "app.log.1", "old: " LONG);
    set_age(b, "app.log.1", 0);
    bench_start(b);
    EXPECT(b, "old: " LONG_SEEN);
    put(b, LONG LONG);
    EXPECT(b, "old: " LONG_SEEN LONG_SEEN LONG_SEEN);
    bench_stop(b, true);
    assert_int_equal(fs_identify_path(b->logs.fd, "app.log.1", false, &gone, NULL), 0);
    assert_int_equal(unlinkat(b->logs.fd, "app.log.1", 0), 0);
    bench_start(b);
    struct entry *e = registry_find_inode(b->registry, gone.dev, gone.ino);
    assert_non_null(e); /* it may come back */
    copy(b, "app.log", "made", SIZE_MAX);
    assert_int_equal(fs_identify_path(b->logs.fd, "made", false, &id, NULL), 0);
    if (id.birth_ns == 0)
        skip(); /* the file system does not tell */
    id.birth_ns--;
    registry_moved(e, &id, e->path);
    move(b, "made", "app.log.2");
    bench_pass(b, 2000);
    (void)close(log_open(b, "app.log", O_WRONLY | O_TRUNC));
    put(b, "second: " LONG);
    EXPECT(b, "old: " LONG_SEEN LONG_SEEN LONG_SEEN "second: " LONG_SEEN);
    bench_restart(b, true);
    EXPECT(b, "old: " LONG_SEEN LONG_SEEN LONG_SEEN "second: " LONG_SEEN);
}

/* a copy beside a file that lives is no missed content */
static void backup_beside_a_new_file(void **state)
{
    (void)state;
    struct bench *b = &bench;
    put(b, LONG);
    bench_start(b);
    EXPECT(b, LONG_SEEN);
    bench_stop(b, true);
    clock_fake_advance_ms(&b->clock, 20);
    move(b, "app.log", "app.log-1");
    put(b, "new: " LONG);
    copy(b, "app.log-1", "app.log-1.bak", SIZE_MAX);
    bench_start(b);
    EXPECT(b, LONG_SEEN "new: " LONG_SEEN);
    bench_pass(b, 20000);
    EXPECT(b, LONG_SEEN "new: " LONG_SEEN);
}

/* cp -p of a living file: its last write lies before its birth */
static void backup_with_its_times(void **state)
{
    (void)state;
    struct bench *b = &bench;
    struct fs_identity id;
    bench_pattern(b, 0, "app.log*");
    put(b, LONG);
    bench_start(b);
    EXPECT(b, LONG_SEEN);
    copy(b, "app.log", "app.log.bak", SIZE_MAX);
    set_age(b, "app.log.bak", 60000);
    assert_int_equal(fs_identify_path(b->logs.fd, "app.log.bak", false, &id, NULL), 0);
    if (id.birth_ns == 0)
        skip(); /* the file system does not tell */
    bench_pass(b, 20000);
    EXPECT(b, LONG_SEEN);
    append(b, "app.log.bak", "added\n");
    EXPECT(b, LONG_SEEN "added|");
    bench_restart(b, true);
    bench_pass(b, 20000);
    EXPECT(b, LONG_SEEN "added|");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cut_twice_between_two_looks),
        TEST(cut_twice_while_stopped),
        TEST(cut_before_the_first_read),
        TEST(copy_of_what_was_read_whole),
        TEST(copy_is_held_for_the_later_content),
        TEST(copy_under_a_known_number),
        TEST(missed_after_a_copy_that_matches),
        TEST(copied_again_before_the_cut_is_noticed),
        TEST(copied_and_cut_while_nothing_can_be_read),
        TEST(copy_that_is_renamed_while_it_is_held),
        TEST(backup_beside_a_new_file),
        TEST(backup_with_its_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
