/* tail in once mode: what is there is read to its end, the end of the file ends the last line, then
 * it says that it has finished. */
#include <sys/syscall.h>

#include "bench.h"

static struct bench bench;

static int setup(void **state)
{
    (void)state;
    bench_init(&bench);
    bench_pattern(&bench, 0, "*.log");
    bench.once = true;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_end(&bench);
    return 0;
}

/* one whole run: until it says that everything is read, and all of it is delivered */
static void run_once(struct bench *b)
{
    b->finished = 0;
    bench_start(b);
    UNTIL(b, b->finished > 0);
    feed_flush(b->feed);
    UNTIL(b, feed_outstanding(b->feed) == 0);
    bench_pass(b, 500);
    assert_int_equal(b->finished, 1);
    bench_stop(b, true);
}

static void whole_files(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *lines;
    } cases[] = {
        {"whole lines", "one\ntwo\n", "one|two|"},
        {"last line without its end", "one\ntwo", "one|two|"},
        {"only an unfinished line", "one", "one|"},
        {"empty", "", ""},
        {"empty lines", "\n\n", ""},
        {"one byte", "x", "x|"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench *b = &bench;
        append(b, "a.log", cases[i].text);
        run_once(b);
        if (strcmp(lines_from(b, 0, NULL), cases[i].lines) != 0)
            fail_msg("case \"%s\": %s", cases[i].name, lines_from(b, 0, NULL));
        run_once(b); /* nothing new */
        if (strcmp(lines_from(b, 0, NULL), cases[i].lines) != 0)
            fail_msg("case \"%s\", again: %s", cases[i].name, lines_from(b, 0, NULL));
        assert_int_equal(b->duplicates, 0);
        assert_int_equal(teardown(NULL), 0);
        assert_int_equal(setup(NULL), 0);
    }
}

static void nothing_to_read(void **state)
{
    (void)state;
    struct bench *b = &bench;
    int64_t before = b->clock.mono;
    run_once(b);
    assert_int_equal(b->doc_count, 0);
    assert_in_range((b->clock.mono - before) / 1000000, 0, 1500); /* at once */
}

/* a second run goes on where the first one ended */
static void next_run_resumes(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "a.log", "one\ntwo");
    run_once(b);
    assert_string_equal(lines_from(b, 0, NULL), "one|two|");
    append(b, "a.log", " more\nthree\nfour");
    append(b, "b.log", "new\n");
    run_once(b);
    assert_string_equal(lines_from(b, 0, "a.log"), "one|two| more|three|four|");
    assert_string_equal(lines_from(b, 0, "b.log"), "new|");
    assert_memory_equal(b->docs[0].id, b->docs[2].id, DOCID_GENERATION_CHARS);
}

/* the size is fixed at first sight: a writer does not make it run for ever */
static void grows_meanwhile(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "a.log", "one\ntwo\n");
    bench_start(b);
    append(b, "a.log", "later\n");
    UNTIL(b, b->finished > 0);
    bench_pass(b, 500);
    assert_string_equal(lines_from(b, 0, NULL), "one|two|");
    bench_stop(b, true);
    run_once(b);
    assert_string_equal(lines_from(b, 0, NULL), "one|two|later|");
}

static void large_files_through_few_batches(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->batches = 1;
    b->batch_bytes = 8192;
    b->inputs[0].max_bytes = 4096;
    for (int i = 0; i < 300; i++) {
        append_run(b, "a.log", 'a', 1000);
        append(b, "a.log", "\n");
        append_run(b, "b.log", 'b', 1000);
        append(b, "b.log", "\n");
    }
    append_run(b, "c.log", 'c', 1000000); /* oversize, and unfinished */
    b->server_down = true;
    bench_start(b);
    bench_pass(b, 3000);
    assert_int_equal(b->finished, 0); /* it waits for the output */
    b->server_down = false;
    UNTIL(b, b->finished > 0);
    feed_flush(b->feed);
    UNTIL(b, feed_outstanding(b->feed) == 0);
    assert_int_equal(b->doc_count, 601);
    bench_stop(b, true);
}

/* rotated meanwhile: the rest of the old generation, then the new one */
static void rotated_between_runs(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "a.log", "a line that is long enough to be told from every other line there is\n");
    run_once(b);
    append(b, "a.log", "rest");
    move(b, "a.log", "a.log.1");
    append(b, "a.log", "new\n");
    clock_fake_advance_ms(&b->clock, 10000);
    run_once(b);
    assert_string_equal(lines_from(b, 1, NULL), "rest|new|");
}

/* a copy that is there is not waited for longer than it takes to see that it stays */
static void a_copy_beside(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "a.log.*");
    append(b, "a.log", "a line that is long enough to be told from every other line there is\n");
    append(b, "a.log.empty", "");
    int64_t before = b->clock.mono;
    run_once(b);
    assert_in_range((b->clock.mono - before) / 1000000, 0, 1500);
    copy(b, "a.log", "a.log.bak", SIZE_MAX);
    run_once(b);
    assert_int_equal(b->doc_count, 2);
}

static ino_t bad_inode; /* pread of it fails */

/* stands before the C library's */
ssize_t pread64(int fd, void *p, size_t n, off_t at);
ssize_t pread64(int fd, void *p, size_t n, off_t at)
{
    struct stat st;
    if (bad_inode != 0 && fstat(fd, &st) == 0 && st.st_ino == bad_inode) {
        errno = EIO;
        return -1;
    }
    return syscall(SYS_pread64, fd, p, n, at);
}

/* what cannot be read is told, and keeps neither the rest nor the end waiting */
static void unreadable_file(void **state)
{
    (void)state;
    struct bench *b = &bench;
    struct stat st;
    append(b, "a.log", "cannot be read\n");
    append(b, "b.log", "one\n");
    assert_int_equal(fstatat(b->logs.fd, "a.log", &st, 0), 0);
    bad_inode = st.st_ino;
    run_once(b);
    assert_string_equal(lines_from(b, 0, NULL), "one|");
    assert_int_equal(said(b, "cannot read"), 1);
    assert_int_equal(b->ledgers[0].abandoned[ABANDON_IO].bytes, 15);
    bad_inode = 0;
    run_once(b);
    assert_string_equal(lines_from(b, 0, NULL), "one|cannot be read|");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whole_files),
        TEST(nothing_to_read),
        TEST(next_run_resumes),
        TEST(grows_meanwhile),
        TEST(large_files_through_few_batches),
        TEST(rotated_between_runs),
        TEST(a_copy_beside),
        TEST(unreadable_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
