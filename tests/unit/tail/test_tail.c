/* tail: lines of files that are there, that grow, and that are found; what is skipped; framing. */
#include "bench.h"

static struct bench bench;

static int setup(void **state)
{
    (void)state;
    bench_init(&bench);
    bench_pattern(&bench, 0, "*.log");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_end(&bench);
    return 0;
}

/* ---- lines ---- */

static void what_is_there_and_what_is_appended(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "a.log", "one\ntwo\n");
    bench_start(b);
    EXPECT(b, "one|two|");
    append(b, "a.log", "three\n");
    EXPECT(b, "one|two|three|");
    for (int i = 0; i < 5; i++)
        append(b, "a.log", "x\n");
    EXPECT(b, "one|two|three|x|x|x|x|x|");
    assert_true(b->docs[1].offset == 4 && b->docs[2].offset == 8);
    assert_string_equal(name_of(b->docs[0].path), "a.log");
    assert_memory_equal(b->docs[0].id, b->docs[7].id, DOCID_GENERATION_CHARS);
    assert_int_equal(b->duplicates, 0);
    assert_int_equal(b->ledgers[0].read.bytes, 24);
    assert_int_equal(b->ledgers[0].read.lines, 8);
}

static void framing(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *lines;
        uint64_t empty_bytes, empty_lines;
    } cases[] = {
        {"crlf", "one\r\ntwo\r\n", "one|two|", 0, 0},
        {"lone cr stays", "a\rb\n\rc\n", "a\rb|\rc|", 0, 0},
        {"only the last cr goes", "a\r\r\n", "a\r|", 0, 0},
        {"empty lines", "\n\none\n\n\ntwo\n\n", "one|two|", 5, 5},
        {"empty crlf lines", "\r\none\r\n\r\n", "one|", 4, 2},
        {"blanks are no empty line", " \n\t\n", " |\t|", 0, 0},
        {"unfinished last line", "one\ntwo", "one|", 0, 0},
        {"only an unfinished line", "one", "", 0, 0},
        {"empty file", "", "", 0, 0},
        {"quotes", "a\"b\\c\n", "a\"b\\c|", 0, 0},
    };
    struct bench *b = &bench;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%zu.log", i);
        append(b, name, cases[i].text);
    }
    bench_start(b);
    EXPECT_OF(b, "0.log", "one|two|");
    uint64_t bytes = 0, lines = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%zu.log", i);
        if (strcmp(lines_from(b, 0, name), cases[i].lines) != 0)
            fail_msg("case \"%s\": %s", cases[i].name, lines_from(b, 0, name));
        bytes += cases[i].empty_bytes;
        lines += cases[i].empty_lines;
    }
    assert_int_equal(b->ledgers[0].skipped[SKIP_EMPTY].bytes, bytes);
    assert_int_equal(b->ledgers[0].skipped[SKIP_EMPTY].lines, lines);
    append(b, "0.log", "x");
    append(b, "6.log", "end\n");
    EXPECT_OF(b, "6.log", "one|twoend|");
    assert_string_equal(lines_from(b, 0, "0.log"), "one|two|");
}

/* a line that comes in pieces is one line with the offset of its first byte */
static void line_in_pieces(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "a.log", "first\nsec");
    bench_start(b);
    EXPECT(b, "first|");
    append(b, "a.log", "o");
    bench_pass(b, 1000);
    append(b, "a.log", "nd");
    bench_pass(b, 1000);
    EXPECT(b, "first|");
    append(b, "a.log", "\nthird");
    EXPECT(b, "first|second|");
    assert_true(b->docs[1].offset == 6);
    append(b, "a.log", "\r");
    bench_pass(b, 200);
    append(b, "a.log", "\n");
    EXPECT(b, "first|second|third|");
}

/* bytes that are no text stay where they can */
static void bytes_that_are_no_text(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_bytes(b, "a.log", "nul\0in\nbad\xff\xfe\n\0\0\n", 16);
    bench_start(b);
    UNTIL(b, b->doc_count == 3);
    assert_int_equal(b->docs[0].message_bytes, 6);
    assert_memory_equal(b->docs[0].message, "nul\0in", 6);
    assert_string_equal(b->docs[1].message, "bad\xef\xbf\xbd\xef\xbf\xbd");
    assert_int_equal(b->docs[2].message_bytes, 2);
    assert_int_equal(b->ledgers[0].documents[DOCUMENT_BAD_UTF8], 2);
}

/* ---- long lines ---- */

/* longer than one read, written at once and in pieces */
static void line_longer_than_a_read(void **state)
{
    (void)state;
    struct bench *b = &bench;
    static const size_t lengths[] = {TAIL_QUANTUM - 1, TAIL_QUANTUM,        TAIL_QUANTUM + 1,
                                     700 * KIB,        (size_t)1 * MIB - 1, (size_t)1 * MIB};
    bench_start(b);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        if (i % 2 == 0) {
            append_run(b, "a.log", 'x', lengths[i]);
        } else {
            for (size_t left = lengths[i], piece; left > 0; left -= piece) {
                piece = left < 90000 ? left : 90000;
                append_run(b, "a.log", 'x', piece);
                bench_pass(b, 60);
            }
        }
        append(b, "a.log", "\nshort\n");
        UNTIL(b, b->doc_count == 2 * (i + 1));
        assert_int_equal(b->docs[2 * i].message_bytes, lengths[i]);
        assert_string_equal(b->docs[2 * i].flags, "");
        assert_string_equal(b->docs[2 * i + 1].message, "short");
    }
    bench_pass(b, 1000);
    assert_int_equal(b->doc_count, 2 * ARRAY_LEN(lengths));
}

/* longer than max_bytes: cut, told, and the rest is passed over to the line's end */
static void oversize_lines(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].max_bytes = 1000;
    static const struct {
        size_t length;
        bool is_cut;
    } cases[] = {{999, false}, {1000, false}, {1001, true}, {5000, true}, {900000, true}};
    bench_start(b);
    uint64_t tail = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        append_run(b, "a.log", (char)('a' + i), cases[i].length);
        append(b, "a.log", "\nnext\n");
        UNTIL(b, b->doc_count == 2 * (i + 1));
        const struct doc *d = &b->docs[2 * i];
        assert_int_equal(d->message_bytes, cases[i].is_cut ? 1000 : cases[i].length);
        assert_string_equal(d->flags, cases[i].is_cut ? "truncated" : "");
        assert_int_equal(d->message[0], 'a' + i);
        /* an id with its length, since a limit ended the record */
        assert_int_equal(strlen(d->id), cases[i].is_cut ? DOCID_CHARS + 5 : DOCID_CHARS);
        assert_string_equal(b->docs[2 * i + 1].message, "next");
        tail += cases[i].is_cut ? cases[i].length - 1000 + 1 : 0;
    }
    bench_pass(b, 500);
    assert_int_equal(b->doc_count, 2 * ARRAY_LEN(cases));
    assert_int_equal(b->ledgers[0].skipped[SKIP_OVERSIZE_TAIL].bytes, tail);
    assert_int_equal(b->ledgers[0].documents[DOCUMENT_TRUNCATED], 3);
}

/* an oversize line whose end comes much later */
static void oversize_line_in_pieces(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].max_bytes = 1000;
    bench_start(b);
    for (int i = 0; i < 50; i++) {
        append_run(b, "a.log", 'x', 30000);
        bench_pass(b, 60);
    }
    assert_int_equal(b->doc_count, 1); /* its beginning has left long ago */
    append(b, "a.log", "y\nnext\n");
    UNTIL(b, b->doc_count == 2);
    bench_pass(b, 300);
    assert_int_equal(b->doc_count, 2);
    assert_string_equal(b->docs[1].message, "next");
    assert_int_equal(b->ledgers[0].skipped[SKIP_OVERSIZE_TAIL].bytes, 50 * 30000 - 1000 + 2);
}

/* ---- an unfinished line may be given after a while ---- */

static void line_flush_timeout(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].line_flush_ms = 5000;
    append(b, "a.log", "one\ntw");
    bench_start(b);
    EXPECT(b, "one|");
    bench_pass(b, 3000);
    append(b, "a.log", "o"); /* it grows: the time begins anew */
    bench_pass(b, 4500);
    assert_string_equal(lines_from(b, 0, NULL), "one|");
    bench_pass(b, 1000);
    EXPECT(b, "one|two|");
    assert_int_equal(strlen(b->docs[1].id), DOCID_CHARS + 2);
    assert_memory_equal(b->docs[1].id + DOCID_CHARS, "-3", 2);
    append(b, "a.log", " and more\nfour\n");
    EXPECT(b, "one|two| and more|four|");
    bench_pass(b, 20000);
    EXPECT(b, "one|two| and more|four|");
}

static void line_flush_after_a_line(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].line_flush_ms = 1000;
    bench_start(b);
    append(b, "a.log", "x");
    bench_pass(b, 3000);
    append(b, "a.log", "\n"); /* its end comes late: an empty rest */
    append(b, "a.log", "y\n");
    EXPECT(b, "x|y|");
    /* a long one is searched piece by piece, and given whole */
    append_run(b, "a.log", 'z', 300 * KIB);
    bench_pass(b, 3000);
    UNTIL(b, b->doc_count == 3);
    assert_int_equal(b->docs[2].message_bytes, 300 * KIB);
}

/* ---- which files ---- */

static void only_regular_files(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "real.log", "real\n");
    tmp_dir_mkdir(&b->logs, "dir.log");
    append(b, "dir.log/x.log", "inside\n");
    assert_int_equal(mkfifoat(b->logs.fd, "fifo.log", 0644), 0);
    append(b, "target", "target\n");
    assert_int_equal(symlinkat("target", b->logs.fd, "link.log"), 0);
    assert_int_equal(symlinkat("nowhere", b->logs.fd, "dangling.log"), 0);
    assert_int_equal(mknodat(b->logs.fd, "s.log", S_IFSOCK | 0644, 0), 0);
    bench_start(b);
    EXPECT(b, "real|");
    bench_pass(b, 330000); /* two more scans: told once */
    append(b, "target", "more\n");
    EXPECT(b, "real|");
    assert_int_equal(said(b, "fifo.log\": it is a FIFO"), 1);
    assert_int_equal(said(b, "dir.log\": it is a directory"), 1);
    assert_int_equal(said(b, "link.log\": it is a symbolic link"), 1);
    assert_int_equal(said(b, "dangling.log\": it is a symbolic link"), 1);
    assert_int_equal(said(b, "s.log\": it is a socket"), 1);
    assert_int_equal(tail_file_count(b->tail), 1);
}

static void unreadable_file(void **state)
{
    (void)state;
    struct bench *b = &bench;
    if (geteuid() == 0)
        return; /* root reads everything: nothing to see */
    append(b, "a.log", "one\n");
    assert_int_equal(fchmodat(b->logs.fd, "a.log", 0, 0), 0);
    bench_start(b);
    bench_pass(b, 500);
    assert_int_equal(b->doc_count, 0);
    assert_int_equal(said(b, "a.log\": Permission denied"), 1);
    assert_int_equal(fchmodat(b->logs.fd, "a.log", 0644, 0), 0);
    EXPECT(b, "one|");
}

static void excluded_files(void **state)
{
    (void)state;
    struct bench *b = &bench;
    char base[] = "b*.log";
    char *whole = mem_strdup(tmp_dir_path(&b->logs, "c.log"));
    char *excludes[] = {base, whole};
    b->inputs[0].excludes = excludes;
    b->inputs[0].exclude_count = 2;
    append(b, "a.log", "a\n");
    append(b, "b1.log", "b\n");
    append(b, "c.log", "c\n");
    bench_start(b);
    EXPECT(b, "a|");
    append(b, "b2.log", "b\n");
    append(b, "c.log", "c\n");
    append(b, "d.log", "d\n");
    EXPECT(b, "a|d|");
    bench_stop(b, true);
    mem_free(whole);
}

/* two inputs and two patterns match: the first input has it, once */
static void matched_twice(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->input_count = 2;
    bench_pattern(b, 0, "a*");
    bench_pattern(b, 1, "*");
    append(b, "a.log", "one\n");
    append(b, "other", "other\n");
    bench_start(b);
    EXPECT_OF(b, "a.log", "one|");
    EXPECT_OF(b, "other", "other|");
    append(b, "a.log", "two\n");
    append(b, "a2.log", "three\n");
    EXPECT_OF(b, "a.log", "one|two|");
    EXPECT_OF(b, "a2.log", "three|");
    bench_pass(b, 61000);
    assert_int_equal(b->doc_count, 4);
    assert_int_equal(b->ledgers[0].acknowledged.lines, 3);
    assert_int_equal(b->ledgers[1].acknowledged.lines, 1);
    assert_int_equal(tail_file_count(b->tail), 3);
}

/* one inode under two names is one file */
static void hard_links(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "a.log", "one\n");
    assert_int_equal(linkat(b->logs.fd, "a.log", b->logs.fd, "b.log", 0), 0);
    bench_start(b);
    EXPECT(b, "one|");
    append(b, "b.log", "two\n");
    append(b, "a.log", "three\n");
    EXPECT(b, "one|two|three|");
    assert_int_equal(linkat(b->logs.fd, "a.log", b->logs.fd, "c.log", 0), 0);
    append(b, "c.log", "four\n");
    EXPECT(b, "one|two|three|four|");
    /* one name goes, the content lives on under the others */
    unlink_log(b, "a.log");
    append(b, "b.log", "five\n");
    bench_pass(b, 100000);
    append(b, "c.log", "six\n");
    EXPECT(b, "one|two|three|four|five|six|");
    assert_int_equal(tail_file_count(b->tail), 1);
    unlink_log(b, "b.log");
    unlink_log(b, "c.log");
    bench_pass(b, 100000);
    assert_int_equal(tail_file_count(b->tail), 0);
    assert_int_equal(registry_count(b->registry), 0);
}

static void new_files_and_odd_names(void **state)
{
    (void)state;
    static const char *const names[] = {"new\nline.log", "quo\"te.log", "\xff\xfe.log",
                                        "white space.log", "-rf.log"};
    struct bench *b = &bench;
    bench_start(b);
    bench_pass(b, 200);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        append(b, names[i], "x\n");
    append(b, ".hidden.log", "hidden\n");
    append(b, "a.txt", "other\n");
    EXPECT(b, "x|x|x|x|x|");
    assert_int_equal(tail_file_count(b->tail), ARRAY_LEN(names));
}

/* empty files that get their first bytes later */
static void empty_file_grows(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "a.log", "");
    bench_start(b);
    bench_pass(b, 1000);
    append(b, "b.log", "");
    bench_pass(b, 1000);
    append(b, "a.log", "1\n");
    append(b, "b.log", "2\n");
    EXPECT_OF(b, "a.log", "1|");
    EXPECT_OF(b, "b.log", "2|");
}

/* a busy writer beside one that writes rarely: both are soon */
static void quiet_file_beside_a_busy_one(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "busy.log", "0\n");
    append(b, "quiet.log", "first\n");
    bench_start(b);
    EXPECT_OF(b, "quiet.log", "first|");
    int busy = log_open(b, "busy.log", O_WRONLY | O_APPEND);
    int quiet = log_open(b, "quiet.log", O_WRONLY | O_APPEND);
    for (int i = 0; i < 50; i++) { /* a second of it, so that it is hot */
        write_fd(busy, "x\n", 2);
        bench_turn(b, 20);
    }
    write_fd(quiet, "second\n", 7);
    for (int i = 0; i < 50; i++) {
        write_fd(busy, "x\n", 2);
        bench_turn(b, 20);
    }
    assert_string_equal(lines_from(b, 0, "quiet.log"), "first|second|");
    (void)close(busy);
    (void)close(quiet);
}

/* many files, each gets its turn though one is large */
static void large_file_beside_small_ones(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].max_bytes = 4096;
    for (int i = 0; i < 2000; i++)
        append_run(b, "large.log", 'x', 4000);
    bench_start(b);
    bench_turn(b, 10);
    for (int i = 0; i < 30; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "small%d.log", i);
        append(b, name, "small\n");
    }
    EXPECT_OF(b, "small29.log", "small|");
    assert_int_equal(count_lines(lines_from(b, 0, NULL)), b->doc_count);
}

/* ---- where reading begins ---- */

static void start_at_end(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].start_at_end = true;
    append(b, "a.log", "old\nolder\nhalf");
    bench_start(b);
    bench_pass(b, 500);
    assert_int_equal(b->doc_count, 0);
    assert_int_equal(b->ledgers[0].skipped[SKIP_START_AT].bytes, 14);
    append(b, "a.log", " a line\nnew\n");
    append(b, "later.log", "from its beginning\n"); /* born while we run */
    EXPECT_OF(b, "a.log", " a line|new|");
    EXPECT_OF(b, "later.log", "from its beginning|");
    size_t before = b->doc_count;
    bench_restart(b, true);
    append(b, "a.log", "resumed\n"); /* known now: goes on */
    EXPECT_FROM(b, before, NULL, "resumed|");
}

/* what was written while the agent was down is not skipped */
static void start_at_end_resumes(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].start_at_end = true;
    append(b, "a.log", "skipped\n");
    bench_start(b);
    bench_pass(b, 3000);
    bench_stop(b, true);
    append(b, "a.log", "while down\n");
    bench_start(b);
    EXPECT(b, "while down|");
}

static void ignore_older(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].ignore_older_ms = 3600 * 1000;
    append(b, "old.log", "old\n");
    set_age(b, "old.log", 3601 * 1000);
    append(b, "young.log", "young\n");
    set_age(b, "young.log", 3500 * 1000);
    bench_start(b);
    EXPECT(b, "young|");
    assert_int_equal(b->ledgers[0].skipped[SKIP_IGNORE_OLDER].bytes, 4);
    append(b, "old.log", "new\n"); /* it lives again: what is new is read */
    EXPECT(b, "young|new|");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_there_and_what_is_appended),
        TEST(framing),
        TEST(line_in_pieces),
        TEST(bytes_that_are_no_text),
        TEST(line_longer_than_a_read),
        TEST(oversize_lines),
        TEST(oversize_line_in_pieces),
        TEST(line_flush_timeout),
        TEST(line_flush_after_a_line),
        TEST(only_regular_files),
        TEST(unreadable_file),
        TEST(excluded_files),
        TEST(matched_twice),
        TEST(hard_links),
        TEST(new_files_and_odd_names),
        TEST(empty_file_grows),
        TEST(quiet_file_beside_a_busy_one),
        TEST(large_file_beside_small_ones),
        TEST(start_at_end),
        TEST(start_at_end_resumes),
        TEST(ignore_older),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
