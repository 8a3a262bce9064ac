/* tail: what happens to a file that is followed: renamed, removed, truncated, rewritten, copied. */
#include <sys/syscall.h>

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

/* the same for comparison */
static const char *long_line(void)
{
    static char text[sizeof(LONG)];
    memcpy(text, LONG, sizeof(LONG));
    text[sizeof(LONG) - 2] = '|';
    return text;
}

/* number of generations among the documents */
static unsigned generations(const struct bench *b)
{
    unsigned n = 0;
    for (size_t i = 0; i < b->doc_count; i++) {
        bool is_new = true;
        for (size_t k = 0; k < i; k++)
            is_new &= memcmp(b->docs[i].id, b->docs[k].id, DOCID_GENERATION_CHARS) != 0;
        n += is_new;
    }
    return n;
}

/* ---- rename ---- */

static void rename_and_create(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", "one\n");
    bench_start(b);
    EXPECT(b, "one|");
    int writer = log_open(b, "app.log", O_WRONLY | O_APPEND);
    write_fd(writer, "two\n", 4);
    move(b, "app.log", "app.log.1");
    append(b, "app.log", "new one\n");
    write_fd(writer, "late\n", 5); /* the writer still has the old file */
    EXPECT(b, "one|two|late|new one|");
    bench_pass(b, 5000);
    write_fd(writer, "later\n", 6);
    bench_pass(b, 2000);
    append(b, "app.log", "new two\n");
    EXPECT(b, "one|two|late|new one|later|new two|");
    assert_int_equal(generations(b), 2);
    (void)close(writer);
    bench_pass(b, 330000);
    assert_int_equal(tail_file_count(b->tail), 1); /* the old one is closed */
}

/* the next generation of a path starts when the old one is at its end */
static void old_before_new(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].max_bytes = 4096;
    append(b, "app.log", "x\n");
    bench_start(b);
    EXPECT(b, "x|");
    b->server_down = true;
    for (int i = 0; i < 300; i++)
        append_run(b, "app.log", 'o', 4000);
    append(b, "app.log", "\nlast of the old\n");
    move(b, "app.log", "app.log.1");
    append(b, "app.log", "first of the new\n");
    bench_pass(b, 2000);
    b->server_down = false;
    UNTIL(b,
          b->doc_count > 1 && strcmp(b->docs[b->doc_count - 1].message, "first of the new") == 0);
    assert_string_equal(b->docs[b->doc_count - 2].message, "last of the old");
}

/* logs renamed through numbers, all matched */
static void rename_chain_that_matches(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log", "1\n");
    bench_start(b);
    EXPECT(b, "1|");
    for (int round = 2; round <= 6; round++) {
        char text[16];
        for (int i = 4; i >= 1; i--) {
            char from[32], to[32];
            (void)snprintf(from, sizeof(from), i == 1 ? "app.log" : "app.log.%d", i - 1);
            (void)snprintf(to, sizeof(to), "app.log.%d", i);
            (void)renameat(b->logs.fd, from, b->logs.fd, to); /* the first rounds have fewer */
        }
        (void)snprintf(text, sizeof(text), "%d\n", round);
        append(b, "app.log", text);
        bench_pass(b, round % 2 == 0 ? 300 : 0);
    }
    EXPECT(b, "1|2|3|4|5|6|");
    bench_pass(b, 330000);
    EXPECT(b, "1|2|3|4|5|6|");
    assert_int_equal(tail_file_count(b->tail), 5);
}

/* renamed while an unfinished line stands at its end: it may still be finished */
static void unfinished_line_over_a_rename(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", "one\nhalf");
    bench_start(b);
    EXPECT(b, "one|");
    move(b, "app.log", "old");
    append(b, "app.log", "new\n");
    EXPECT(b, "one|new|");
    append(b, "old", " done\nhalf again");
    EXPECT(b, "one|new|half done|");
    bench_pass(b, 330000); /* nobody finishes it: it is given as it is */
    EXPECT(b, "one|new|half done|half again|");
    assert_int_equal(strlen(b->docs[3].id), DOCID_CHARS + 3);
}

static void renamed_to_another_directory(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "*/app.log");
    tmp_dir_mkdir(&b->logs, "sub");
    append(b, "app.log", "one\n");
    bench_start(b);
    EXPECT(b, "one|");
    move(b, "app.log", "sub/app.log");
    append(b, "sub/app.log", "two\n");
    EXPECT(b, "one|two|");
    append(b, "app.log", "new\n");
    EXPECT(b, "one|two|new|");
    bench_pass(b, 1000);
    append(b, "sub/app.log", "three\n");
    EXPECT(b, "one|two|new|three|");
    move(b, "sub/app.log", "sub/away");
    bench_pass(b, 330000);
    assert_int_equal(tail_file_count(b->tail), 1);
    assert_int_equal(generations(b), 2);
}

/* ---- removal ---- */

static void removed_while_open(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", "one\n");
    bench_start(b);
    EXPECT(b, "one|");
    int writer = log_open(b, "app.log", O_WRONLY | O_APPEND);
    write_fd(writer, "two\n", 4);
    unlink_log(b, "app.log");
    write_fd(writer, "three\n", 6);
    EXPECT(b, "one|two|three|");
    bench_pass(b, 10000);
    write_fd(writer, "four\nhalf", 9); /* nobody can tell: it is looked at */
    bench_pass(b, 2000);
    EXPECT(b, "one|two|three|four|");
    bench_pass(b, 100000);
    EXPECT(b, "one|two|three|four|half|");
    assert_int_equal(tail_file_count(b->tail), 0);
    assert_int_equal(registry_count(b->registry), 0); /* nothing of it is left */
    (void)close(writer);
}

static void removed_and_created_anew(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_start(b);
    const char *expected[] = {"0|", "0|1|", "0|1|2|", "0|1|2|3|", "0|1|2|3|4|"};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        char text[8];
        (void)snprintf(text, sizeof(text), "%zu\n", i);
        append(b, "app.log", text);
        if (i % 2 == 0) /* also when the file is gone before it was looked at */
            EXPECT(b, expected[i]);
        if (i % 2 == 1)
            bench_pass(b, 20);
        unlink_log(b, "app.log");
    }
    EXPECT(b, expected[4]);
    assert_int_equal(generations(b), 5);
}

/* removed while the output takes nothing: its fd is kept until all is read */
static void removed_while_the_output_is_down(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].max_bytes = 4096;
    append(b, "app.log", "x\n");
    bench_start(b);
    EXPECT(b, "x|");
    b->server_down = true;
    for (int i = 0; i < 500; i++) {
        append_run(b, "app.log", 'o', 3000);
        append(b, "app.log", "\n");
    }
    append(b, "app.log", "end\n");
    bench_pass(b, 1000);
    unlink_log(b, "app.log");
    bench_pass(b, 200000);
    b->server_down = false;
    UNTIL(b, b->doc_count == 502);
    assert_string_equal(b->docs[501].message, "end");
    bench_pass(b, 100000);
    assert_int_equal(tail_file_count(b->tail), 0);
    assert_int_equal(registry_count(b->registry), 0);
}

/* what nobody may read any more is counted */
static void deleted_over_a_limit(struct bench *b, const char *name)
{
    append(b, name, "x\n");
    bench_start(b);
    EXPECT(b, "x|");
    b->server_down = true;
    for (int i = 0; i < 500; i++) {
        append_run(b, name, 'o', 3000);
        append(b, name, "\n");
    }
    bench_pass(b, 1000);
    unlink_log(b, name);
    bench_pass(b, 90000);
    assert_int_equal(tail_file_count(b->tail), 0);
    const struct ledger *l = b->inputs[0].ledger;
    assert_true(l->abandoned[ABANDON_DELETED].bytes > 0);
    assert_true(l->abandoned[ABANDON_DELETED].bytes < 500 * 3001);
    assert_int_equal(l->read.bytes, 2 + 500 * 3001);
    b->server_down = false;
    UNTIL(b, l->in_flight.bytes == 0);
    UNTIL(b, registry_count(b->registry) == 0);
}

static void deleted_too_long_ago(void **state)
{
    (void)state;
    bench.inputs[0].max_bytes = 4096;
    bench.inputs[0].deleted_max_age_ms = 60000;
    deleted_over_a_limit(&bench, "app.log");
}

static void deleted_too_large(void **state)
{
    (void)state;
    bench.inputs[0].max_bytes = 4096;
    bench.inputs[0].deleted_max_bytes = 1000000;
    deleted_over_a_limit(&bench, "app.log");
}

/* ---- truncation ---- */

static void truncated(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", "one\ntwo\n");
    bench_start(b);
    EXPECT(b, "one|two|");
    cut(b, "app.log", 0);
    bench_pass(b, 300);
    append(b, "app.log", "new\n");
    EXPECT(b, "one|two|new|");
    assert_true(b->docs[2].offset == 0);
    assert_int_equal(generations(b), 2);
    assert_int_equal(said(b, "truncated or rewritten"), 1);
    bench_pass(b, 15000);
    assert_int_equal(registry_count(b->registry), 1);
}

static void rewritten(void **state)
{
    (void)state;
    static const struct {
        const char *name, *before, *after, *lines;
    } cases[] = {
        {"shorter", "one\ntwo\n", "x\n", "x|"},
        {"same size", "one\ntwo\n", "1ne\ntwo\n", "1ne|two|"},
        {"same size, other end", "one\ntwo\n", "one\ntw0\n", "one|tw0|"},
        {"past the offset", "one\n", "eins\nzwei\ndrei\n", "eins|zwei|drei|"},
        {"past the offset, same beginning", "one\ntwo\n", "one\nzwei\ndrei\n", "one|zwei|drei|"},
        {"one byte", "\n", "x\n", "x|"},
        {"long, past the offset", LONG "a\n", LONG "b\nc\n", NULL},
    };
    struct bench *b = &bench;
    append(b, "app.log", "first\n");
    bench_start(b);
    EXPECT(b, "first|");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char expected[512];
        size_t at = b->doc_count;
        rewrite(b, "app.log", cases[i].before);
        bench_pass(b, 1000);
        at = b->doc_count;
        rewrite(b, "app.log", cases[i].after);
        if (cases[i].lines != NULL)
            (void)snprintf(expected, sizeof(expected), "%s", cases[i].lines);
        else
            (void)snprintf(expected, sizeof(expected), "%sb|c|", long_line());
        bench_pass(b, 1000);
        if (strcmp(lines_from(b, at, NULL), expected) != 0)
            fail_msg("case \"%s\": %s", cases[i].name, lines_from(b, at, NULL));
    }
    bench_pass(b, 15000);
    assert_int_equal(registry_count(b->registry), 1);
}

/* beyond the head only the bytes before the offset are compared */
static void large_file_rewritten(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_run(b, "app.log", 'x', 3000);
    append(b, "app.log", "\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    bench_pass(b, 1000);
    int fd = log_open(b, "app.log", O_WRONLY | O_TRUNC);
    write_fd(fd, "new\n", 4);
    char *run = mem_zalloc(5000);
    memset(run, 'y', 5000);
    write_fd(fd, run, 5000);
    write_fd(fd, "\nend\n", 5);
    mem_free(run);
    (void)close(fd);
    UNTIL(b, b->doc_count == 4);
    assert_string_equal(b->docs[1].message, "new");
    assert_int_equal(b->docs[2].message_bytes, 5000);
    assert_string_equal(b->docs[3].message, "end");
}

/* what was read of an unfinished line and then cut off is counted */
static void truncated_in_a_line(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", "one\nunfinished");
    bench_start(b);
    EXPECT(b, "one|");
    cut(b, "app.log", 0);
    append(b, "app.log", "x\n");
    EXPECT(b, "one|x|");
    assert_int_equal(b->ledgers[0].abandoned[ABANDON_TRUNCATED].bytes, 10);
    assert_int_equal(b->ledgers[0].abandoned[ABANDON_TRUNCATED].lines, 1);
    /* cut within the unfinished line: what is left of it counts */
    append(b, "app.log", "0123456789");
    bench_pass(b, 1000);
    cut(b, "app.log", 4);
    bench_pass(b, 1000);
    append(b, "app.log", "!\n");
    EXPECT(b, "one|x|01!|");
    assert_int_equal(b->ledgers[0].abandoned[ABANDON_TRUNCATED].lines, 1);
}

/* a long unfinished line is searched by its new bytes only; it is cut meanwhile */
static void truncated_in_a_long_line(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_start(b);
    append_run(b, "app.log", 'x', 100000);
    bench_pass(b, 500);
    append_run(b, "app.log", 'x', 100000);
    bench_pass(b, 500);
    cut(b, "app.log", 0);
    append(b, "app.log", "new\n");
    EXPECT(b, "new|");
}

/* a writer that does not append: after the cut it goes on at its old place */
static void truncated_with_a_hole(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", "one\ntwo\n");
    bench_start(b);
    EXPECT(b, "one|two|");
    int fd = log_open(b, "app.log", O_WRONLY);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "three\n", 6, 8), 6);
    (void)close(fd);
    UNTIL(b, b->doc_count == 3);
    bench_pass(b, 300);
    assert_int_equal(b->doc_count, 3);
    assert_int_equal(b->docs[2].message_bytes, 13); /* 8 NUL and the text */
    assert_memory_equal(b->docs[2].message + 8, "three", 5);
}

/* the hole is large: no line has so many zeros */
static void truncated_with_a_large_hole(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_run(b, "app.log", 'x', 50000);
    append(b, "app.log", "\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    int fd = log_open(b, "app.log", O_WRONLY);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "three\n", 6, 50001), 6);
    (void)close(fd);
    EXPECT_FROM(b, 1, NULL, "three|");
    assert_true(b->docs[1].offset == 50001);
    assert_int_equal(b->ledgers[0].skipped[SKIP_NUL].bytes, 50001);
}

/* ---- copies ---- */

/* the copy is complete before anybody looks */
static void copytruncate(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log", LONG);
    bench_start(b);
    EXPECT(b, long_line());
    char expected[4096];
    (void)snprintf(expected, sizeof(expected), "%s", long_line());
    for (int i = 0; i < 5; i++) {
        char name[32], line[64];
        /* written between the last read and the truncation: only the copy has it */
        (void)snprintf(line, sizeof(line), "unread %d\n", i);
        append(b, "app.log", line);
        (void)snprintf(name, sizeof(name), "app.log.%d", i);
        copy(b, "app.log", name, SIZE_MAX);
        cut(b, "app.log", 0);
        (void)snprintf(expected + strlen(expected), 64, "unread %d|", i);
        EXPECT_FROM(b, 0, NULL, expected);
        append(b, "app.log", LONG);
        append(b, "app.log", line);
        (void)snprintf(expected + strlen(expected), 256, "%sunread %d|", long_line(), i);
        EXPECT_FROM(b, 0, NULL, expected);
    }
    bench_pass(b, 330000);
    EXPECT_FROM(b, 0, NULL, expected);
    /* and nothing is read twice after a restart */
    bench_restart(b, true);
    bench_pass(b, 20000);
    EXPECT_FROM(b, 0, NULL, expected);
}

/* the copy grows while it is looked at */
static void slow_copy(void **state)
{
    (void)state;
    static const size_t steps[] = {0, 10, 50, 100, 200, 250};
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log", LONG LONG LONG);
    char expected[1024];
    (void)snprintf(expected, sizeof(expected), "%s%s%s", long_line(), long_line(), long_line());
    bench_start(b);
    EXPECT(b, expected);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        if (i == 0)
            append(b, "app.log.1", "");
        else
            copy(b, "app.log", "app.log.1", steps[i] - steps[i - 1]);
        bench_pass(b, 3000);
    }
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    bench_pass(b, 3000);
    EXPECT(b, expected);
    cut(b, "app.log", 0);
    append(b, "app.log", "new\n");
    bench_pass(b, 3000);
    (void)snprintf(expected + strlen(expected), 16, "new|");
    EXPECT(b, expected);
}

/* The tail of the copy is the old generation: what was not read before the truncation is read
 * there, with its old ids. */
static void rest_is_read_from_the_copy(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log", LONG);
    bench_start(b);
    EXPECT(b, long_line());
    append(b, "app.log", "unread\nhalf");
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    cut(b, "app.log", 0);
    append(b, "app.log", "new\n");
    bench_pass(b, 3000);
    EXPECT_OF(b, "app.log.1", "unread|");
    assert_int_equal(generations(b), 2);
    assert_int_equal(b->ledgers[0].abandoned[ABANDON_TRUNCATED].bytes, 0);
    for (size_t i = 0; i < b->doc_count; i++)
        if (strcmp(b->docs[i].message, "unread") == 0)
            assert_true(b->docs[i].offset == sizeof(LONG) - 1);
    append(b, "app.log.1", " and whole\n");
    EXPECT_OF(b, "app.log.1", "unread|half and whole|");
}

/* the same while nothing of it is acknowledged yet */
static void copytruncate_while_the_output_is_down(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log", LONG);
    b->server_down = true;
    bench_start(b);
    bench_pass(b, 500);
    append(b, "app.log", "read\n");
    bench_pass(b, 500);
    append(b, "app.log", "unread\n");
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    cut(b, "app.log", 0);
    append(b, "app.log", "new\n");
    bench_pass(b, 5000);
    b->server_down = false;
    UNTIL(b, b->doc_count == 4);
    EXPECT_FROM(b, 1, NULL, "read|unread|new|");
    assert_int_equal(generations(b), 2);
    bench_restart(b, false);
    bench_pass(b, 3000);
    assert_int_equal(b->doc_count, 4);
}

/* the copy matches no pattern: its rest is read all the same */
static void rest_is_read_from_a_copy_that_does_not_match(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG);
    bench_start(b);
    EXPECT(b, long_line());
    append(b, "app.log", "unread\nhalf");
    bench_pass(b, 1000);
    size_t before = b->doc_count;
    append(b, "app.log", " and whole\nlast\n");
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    cut(b, "app.log", 0);
    append(b, "app.log", "new\n");
    EXPECT_FROM(b, before, NULL, "half and whole|last|new|"); /* in this order */
    assert_int_equal(generations(b), 2);
    assert_int_equal(b->ledgers[0].abandoned[ABANDON_TRUNCATED].bytes, 0);
    bench_pass(b, 330000);
    assert_int_equal(tail_file_count(b->tail), 1);
    /* a second time: the older copy is not taken for the new one */
    append(b, "app.log", LONG);
    bench_pass(b, 1000);
    before = b->doc_count;
    append(b, "app.log", "second rest\n");
    move(b, "app.log.1", "app.log.2");
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    cut(b, "app.log", 0);
    EXPECT_FROM(b, before, NULL, "second rest|");
    bench_restart(b, true);
    bench_pass(b, 3000);
    EXPECT_FROM(b, before, NULL, "second rest|");
}

/* a copy that nobody truncates for is a file of its own, if it matches */
static void copy_that_stays(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log", LONG);
    bench_start(b);
    EXPECT(b, long_line());
    copy(b, "app.log", "app.log.bak", SIZE_MAX);
    bench_pass(b, 8000);
    assert_int_equal(b->doc_count, 1); /* undecided */
    bench_pass(b, 5000);
    EXPECT_OF(b, "app.log.bak", long_line());
    append(b, "app.log", "one\n");
    append(b, "app.log.bak", "two\n");
    UNTIL(b, b->doc_count == 4);
}

/* a sibling that is another log is read at once when that can be told */
static void sibling_that_is_no_copy(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log", LONG);
    bench_start(b);
    EXPECT(b, long_line());
    append(b, "app.log.other", "x" LONG);
    bench_pass(b, 1500);
    assert_int_equal(b->doc_count, 2);
    /* it begins as the original does, and differs later */
    append(b, "app.log.third", "a line that is long enough to be");
    bench_pass(b, 1500);
    assert_int_equal(b->doc_count, 2);
    append(b, "app.log.third", " something else\n");
    bench_pass(b, 1500);
    assert_string_equal(lines_from(b, 0, "app.log.third"),
                        "a line that is long enough to be something else|");
}

/* a sibling that differs in the midst alone is no copy, and does not wait as one */
static void differs_in_the_midst(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log.*");
    append_run(b, "app.log", 'h', 5000);
    append(b, "app.log", "\none\n");
    append_run(b, "app.log", 'e', 300);
    append(b, "app.log", "\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 3);
    append_run(b, "app.log.1", 'h', 5000);
    append(b, "app.log.1", "\ntwo\n");
    append_run(b, "app.log.1", 'e', 300);
    append(b, "app.log.1", "\n");
    bench_pass(b, 3000);
    assert_int_equal(b->doc_count, 6);
}

/* fifty logs begin with the same banner: they are fifty logs */
static void same_banner(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "banner*");
    char *banner = mem_zalloc(4001);
    memset(banner, 'b', 4000);
    banner[3999] = '\n';
    for (int i = 0; i < 50; i++) {
        char name[32], line[32];
        (void)snprintf(name, sizeof(name), "banner%d", i);
        (void)snprintf(line, sizeof(line), "line of %d\n", i);
        append(b, name, banner);
        if (i < 25)
            append(b, name, line);
    }
    bench_start(b);
    UNTIL(b, b->doc_count == 75);
    for (int i = 25; i < 50; i++) {
        char name[32], line[32];
        (void)snprintf(name, sizeof(name), "banner%d", i);
        (void)snprintf(line, sizeof(line), "line of %d\n", i);
        append(b, name, line);
    }
    UNTIL(b, b->doc_count == 100);
    bench_pass(b, 1000);
    assert_int_equal(b->doc_count, 100);
    assert_int_equal(generations(b), 50);
    mem_free(banner);
}

/* ---- a file that cannot be read for a while ---- */

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

/* neither does it turn the loop without end, nor keep others from being read */
static void unreadable_for_a_while(void **state)
{
    (void)state;
    struct bench *b = &bench;
    struct stat st;
    bench_pattern(b, 0, "b.log");
    append(b, "app.log", "one\n");
    append(b, "b.log", "b1\n");
    bench_start(b);
    EXPECT_OF(b, "app.log", "one|");
    EXPECT_OF(b, "b.log", "b1|");
    assert_int_equal(fstatat(b->logs.fd, "app.log", &st, 0), 0);
    bad_inode = st.st_ino;
    append(b, "app.log", "two\n");
    bench_pass(b, 100);
    uint64_t turns = loop_rounds(b->loop);
    for (int i = 0; i < 50; i++) { /* no round of its own: the loop would sleep */
        clock_fake_advance_ms(&b->clock, 20);
        loop_once(b->loop, 0);
    }
    assert_int_equal(loop_rounds(b->loop) - turns, 50);
    append(b, "b.log", "b2\n");
    EXPECT_OF(b, "b.log", "b1|b2|");
    /* the next generation does not wait for it */
    move(b, "app.log", "app.log.1");
    append(b, "app.log", "new\n");
    EXPECT_OF(b, "app.log", "one|new|");
    assert_in_range(said(b, "cannot read"), 1, 10);
    bad_inode = 0;
    bench_pass(b, 2000);
    EXPECT_OF(b, "app.log", "one|new|two|");
}

/* how often an idle tail wakes */
static void idle_sleeps(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", "one\n");
    bench_start(b);
    EXPECT(b, "one|");
    bench_pass(b, 5000);
    /* real time: nothing is due within 100 ms of a clock that stands still */
    uint64_t before = loop_rounds(b->loop);
    int64_t until = real_ms() + 100;
    while (real_ms() < until)
        loop_once(b->loop, 20);
    assert_in_range(loop_rounds(b->loop) - before, 1, 8);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rename_and_create),
        TEST(old_before_new),
        TEST(rename_chain_that_matches),
        TEST(unfinished_line_over_a_rename),
        TEST(renamed_to_another_directory),
        TEST(removed_while_open),
        TEST(removed_and_created_anew),
        TEST(removed_while_the_output_is_down),
        TEST(deleted_too_long_ago),
        TEST(deleted_too_large),
        TEST(truncated),
        TEST(rewritten),
        TEST(large_file_rewritten),
        TEST(truncated_in_a_line),
        TEST(truncated_in_a_long_line),
        TEST(truncated_with_a_hole),
        TEST(truncated_with_a_large_hole),
        TEST(copytruncate),
        TEST(slow_copy),
        TEST(rest_is_read_from_the_copy),
        TEST(copytruncate_while_the_output_is_down),
        TEST(rest_is_read_from_a_copy_that_does_not_match),
        TEST(copy_that_stays),
        TEST(sibling_that_is_no_copy),
        TEST(differs_in_the_midst),
        TEST(same_banner),
        TEST(unreadable_for_a_while),
        TEST(idle_sleeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
