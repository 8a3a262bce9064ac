/* tail: an output that takes nothing for a while, restarts at every kind of place, crashes, and
 * what rotation did while nobody ran. */
#include "base/prng.h"
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

/* appends lines "from" to "to - 1", each 100 bytes long */
static void append_numbers(struct bench *b, const char *name, unsigned from, unsigned to)
{
    struct buf text;
    buf_init(&text, 64 * MIB);
    for (unsigned i = from; i < to; i++)
        assert_int_equal(buf_printf(&text, "%099u\n", i), 0);
    append_bytes(b, name, text.ptr, text.len);
    buf_clear(&text);
}

/* the documents are the lines 0 to n - 1, each once, in order */
static void assert_numbers(const struct bench *b, unsigned n)
{
    assert_int_equal(b->doc_count, n);
    for (unsigned i = 0; i < n; i++)
        if (strtoul(b->docs[i].message, NULL, 10) != i)
            fail_msg("document %u is \"%s\"", i, b->docs[i].message);
}

/* ---- an output that is away ---- */

static void blocked_and_resumed(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_numbers(b, "app.log", 0, 8000); /* 800 KB in batches of 64 KiB, of which there are 4 */
    b->server_down = true;
    bench_start(b);
    bench_pass(b, 5000);
    assert_int_equal(feed_outstanding(b->feed), 4);
    uint64_t read = b->ledgers[0].read.bytes;
    assert_in_range(read, 50000, 400000); /* no more than the batches hold */
    bench_pass(b, 300000);
    assert_true(b->ledgers[0].read.bytes == read);
    /* what waits is not read in vain */
    uint64_t rounds = loop_rounds(b->loop);
    int64_t until = real_ms() + 50;
    while (real_ms() < until)
        loop_once(b->loop, 10);
    assert_in_range(loop_rounds(b->loop) - rounds, 1, 8);
    b->server_down = false;
    UNTIL(b, b->doc_count == 8000);
    assert_numbers(b, 8000);
    append_numbers(b, "app.log", 8000, 8001);
    UNTIL(b, b->doc_count == 8001);
}

static void many_files_through_one_batch(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->batches = 1;
    b->batch_bytes = 4096;
    bench_pattern(b, 0, "f*");
    for (int i = 0; i < 100; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "f%d", i);
        append_numbers(b, name, 0, 20);
    }
    bench_start(b);
    UNTIL(b, b->doc_count == 2000);
    bench_pass(b, 500);
    assert_int_equal(b->doc_count, 2000);
}

/* files that are born while nothing can be sent get their generations at once */
static void found_while_blocked(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "new*");
    append_numbers(b, "app.log", 0, 5000);
    b->server_down = true;
    bench_start(b);
    bench_pass(b, 1000);
    append(b, "new1", "short life\n");
    bench_pass(b, 500);
    assert_int_equal(registry_count(b->registry), 2);
    unlink_log(b, "new1");
    bench_pass(b, 500);
    b->server_down = false;
    UNTIL(b, b->doc_count == 5001);
    assert_string_equal(lines_from(b, 0, "new1"), "short life|");
}

/* bytes that are passed over wait for a batch too */
static void blocked_while_skipping(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->batches = 1;
    b->inputs[0].max_bytes = 1000;
    append_run(b, "app.log", '\n', 50000);
    append(b, "app.log", "one\n");
    append_run(b, "app.log", 'x', 600000);
    append(b, "app.log", "\ntwo\n");
    append_run(b, "app.log", '\n', 50000);
    append_run(b, "app.log", 'y', 600000);
    b->server_down = true;
    bench_start(b);
    for (int i = 0; i < 40; i++) {
        bench_pass(b, 500);
        b->server_down = i % 2 == 0;
        bench_turn(b, 1);
    }
    b->server_down = false;
    UNTIL(b, b->doc_count == 4);
    bench_pass(b, 500);
    assert_string_equal(b->docs[0].message, "one");
    assert_string_equal(b->docs[2].message, "two");
    assert_int_equal(b->ledgers[0].skipped[SKIP_EMPTY].lines, 100000);
    assert_int_equal(b->ledgers[0].skipped[SKIP_OVERSIZE_TAIL].bytes, 2 * 599000 + 1);
    assert_int_equal(b->ledgers[0].read.bytes, 50000 + 4 + 600001 + 4 + 50000 + 600000);
}

/* the latest answer comes first: the offset waits for the others */
static void answers_out_of_order(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_numbers(b, "app.log", 0, 3000);
    b->lose_answers = b->answer_oddly = true;
    bench_start(b);
    bench_pass(b, 1000);
    b->lose_answers = false;
    UNTIL(b, b->doc_count == 3000);
    bench_restart(b, true);
    bench_pass(b, 1000);
    assert_numbers(b, 3000);
    assert_int_equal(b->duplicates, 0);
}

/* ---- restarts ---- */

static void resumes_at_the_exact_offset(void **state)
{
    (void)state;
    static const struct {
        const char *name, *before, *while_down, *after, *lines;
    } cases[] = {
        {"between lines", "a\nb\n", "c\n", "d\n", "a|b|c|d|"},
        {"in a line", "a\nb", "c\n", "d\n", "a|bc|d|"},
        {"between cr and lf", "a\nb\r", "\nc\n", "d\n", "a|b|c|d|"},
        {"behind empty lines", "a\n\n\n", "\nc\n", "d\n", "a|c|d|"},
        {"nothing read yet", "a", "", "b\n", "ab|"},
        {"nothing happened", "a\n", "", "", "a|"},
        {"empty file", "", "a\n", "b\n", "a|b|"},
    };
    struct bench *b = &bench;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int clean = 0; clean < 2; clean++) {
            size_t at = b->doc_count;
            append(b, "app.log", cases[i].before);
            bench_start(b);
            bench_pass(b, 3000);
            bench_stop(b, clean);
            append(b, "app.log", cases[i].while_down);
            bench_start(b);
            bench_pass(b, 500);
            append(b, "app.log", cases[i].after);
            bench_pass(b, 500);
            if (strcmp(lines_from(b, at, NULL), cases[i].lines) != 0)
                fail_msg("case \"%s\": %s", cases[i].name, lines_from(b, at, NULL));
            unlink_log(b, "app.log");
            bench_pass(b, 40000);
            bench_stop(b, true);
        }
    }
    assert_int_equal(b->duplicates, 0);
    bench_start(b);
}

/* within the part of an oversize line that is passed over */
static void resumes_in_an_oversize_line(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].max_bytes = 1000;
    append(b, "app.log", "first\n");
    append_run(b, "app.log", 'x', 300000);
    bench_start(b);
    UNTIL(b, b->doc_count == 2);
    bench_pass(b, 2000);
    for (int i = 0; i < 3; i++) {
        bench_restart(b, i != 1);
        append_run(b, "app.log", 'y', 5000);
        bench_pass(b, 2000);
        assert_int_equal(b->doc_count, 2);
    }
    bench_stop(b, true);
    append(b, "app.log", "end of it\nnext\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 3);
    bench_pass(b, 500);
    assert_int_equal(b->doc_count, 3);
    assert_string_equal(b->docs[2].message, "next");
    assert_string_equal(b->docs[1].flags, "truncated");
}

/* the server has the documents, we do not know: they are sent again under the same ids */
static void crash_before_the_answers(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_numbers(b, "app.log", 0, 1000);
    b->batches = 16;
    b->lose_answers = true;
    bench_start(b);
    UNTIL(b, b->doc_count == 1000);
    bench_stop(b, false);
    b->lose_answers = false;
    append_numbers(b, "app.log", 1000, 1500);
    bench_start(b);
    UNTIL(b, b->doc_count == 1500);
    assert_numbers(b, 1500);
    assert_int_equal(b->duplicates, 1000);
}

/* killed at random moments, with a server that is away now and then: nothing is missing, nothing is
 * there twice */
static void random_crashes(void **state)
{
    (void)state;
    struct bench *b = &bench;
    struct prng random;
    unsigned written = 0;
    prng_init(&random, 61);
    bench_start(b);
    for (int round = 0; round < 60; round++) {
        unsigned more = (unsigned)prng_upto(&random, 600);
        append_numbers(b, "app.log", written, written + more);
        written += more;
        b->server_down = prng_upto(&random, 3) == 0;
        b->lose_answers = prng_upto(&random, 3) == 0;
        b->answer_oddly = prng_upto(&random, 1) == 0;
        bench_pass(b, prng_upto(&random, 1500));
        if (prng_upto(&random, 2) > 0) {
            bench_stop(b, false);
            if (prng_upto(&random, 1) == 0) {
                append_numbers(b, "app.log", written, written + 10);
                written += 10;
            }
            bench_start(b);
        }
    }
    b->server_down = b->lose_answers = false;
    UNTIL(b, b->doc_count == written);
    bench_pass(b, 1000);
    assert_int_equal(b->doc_count, written);
    uint64_t sum = 0;
    for (size_t i = 0; i < b->doc_count; i++)
        sum += strtoul(b->docs[i].message, NULL, 10);
    assert_true(sum == (uint64_t)written * (written - 1) / 2);
    for (size_t i = 0; i < b->doc_count; i++) /* one generation from first to last */
        assert_memory_equal(b->docs[i].id, b->docs[0].id, DOCID_GENERATION_CHARS);
}

/* the file was replaced by another one of the same name while the agent was down */
static void replaced_while_down(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", "one\n");
    bench_start(b);
    EXPECT(b, "one|");
    bench_stop(b, true);
    unlink_log(b, "app.log");
    append(b, "app.log", "another\n"); /* perhaps with the same inode number */
    bench_start(b);
    EXPECT(b, "one|another|");
    bench_stop(b, true);
    rewrite(b, "app.log", "third content\n");
    bench_start(b);
    EXPECT(b, "one|another|third content|");
    bench_stop(b, true);
    cut(b, "app.log", 0);
    bench_start(b);
    append(b, "app.log", "4\n");
    EXPECT(b, "one|another|third content|4|");
}

/* restored from a backup: other inode, same content */
static void restored_under_another_inode(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG "one\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 2);
    bench_stop(b, true);
    copy(b, "app.log", "new", SIZE_MAX);
    append(b, "new", "two\n");
    move(b, "new", "app.log");
    bench_start(b);
    EXPECT_FROM(b, 2, NULL, "two|");
    assert_memory_equal(b->docs[2].id, b->docs[0].id, DOCID_GENERATION_CHARS);
}

/* device numbers change over a reboot: the same inode number with the same content is the file,
 * with other content it is a coincidence */
static void other_device_number(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    for (int same = 1; same >= 0; same--) {
        struct entry *e = registry_next(b->registry, NULL);
        struct fs_identity id = {.dev = e->dev + 1, .ino = e->ino, .birth_ns = e->birth_ns};
        registry_moved(e, &id, e->path);
        bench_stop(b, true);
        if (same)
            append(b, "app.log", "two\n");
        else
            rewrite(b, "app.log", "other content\n");
        bench_start(b);
        if (same)
            EXPECT_FROM(b, 1, NULL, "two|");
        else
            EXPECT_FROM(b, 2, NULL, "other content|");
    }
    assert_memory_equal(b->docs[1].id, b->docs[0].id, DOCID_GENERATION_CHARS);
    assert_memory_not_equal(b->docs[2].id, b->docs[0].id, DOCID_GENERATION_CHARS);
}

/* other options cut the same bytes otherwise: no id may stand for two texts */
static void other_framing_options(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG "one\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 2);
    for (size_t i = 0; i < 2; i++) { /* changed, then unchanged */
        bench_stop(b, true);
        b->inputs[0].max_bytes = 10;
        append(b, "app.log", "0123456789abc\n");
        bench_start(b);
        EXPECT_FROM(b, 2 + i, NULL, "0123456789|");
    }
    assert_int_equal(registry_count(b->registry), 1);
    assert_memory_not_equal(b->docs[2].id, b->docs[0].id, DOCID_GENERATION_CHARS);
    assert_memory_equal(b->docs[3].id, b->docs[2].id, DOCID_GENERATION_CHARS);
    assert_true(b->docs[2].offset == sizeof(LONG) - 1 + 4);
}

/* moved while nobody ran and another file with its inode number stands at its path */
static void inode_number_used_again(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    bench_pass(b, 1000);
    bench_stop(b, true);
    append(b, "app.log", "rest\n");
    copy(b, "app.log", "app.log.1", SIZE_MAX);
    unlink_log(b, "app.log");
    append(b, "app.log", "new\n");
    bench_start(b);
    EXPECT_FROM(b, 1, NULL, "rest|new|");
}

/* stopped while a copy is undecided: it is found again */
static void stopped_beside_a_copy(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log", LONG);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    for (int clean = 0; clean < 2; clean++) {
        copy(b, "app.log", "app.log.1", SIZE_MAX);
        bench_pass(b, 500);
        bench_restart(b, clean);
        bench_pass(b, 3000);
        assert_int_equal(b->doc_count, 1);
    }
    cut(b, "app.log", 0);
    append(b, "app.log", "new\n");
    EXPECT_FROM(b, 1, NULL, "new|");
    assert_int_equal(registry_count(b->registry), 2);
}

/* ---- rotation while nobody ran ---- */

static void rotated_while_down(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log", LONG "one\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 2);
    bench_pass(b, 1000);
    bench_stop(b, true);
    append(b, "app.log", "rest\n");
    set_age(b, "app.log", -10000);
    move(b, "app.log", "app.log.1");
    append(b, "app.log", "new\n");
    clock_fake_advance_ms(&b->clock, 60000);
    bench_start(b);
    EXPECT_FROM(b, 2, NULL, "rest|new|");
    assert_memory_equal(b->docs[2].id, b->docs[0].id, DOCID_GENERATION_CHARS);
    append(b, "app.log.1", "late\n");
    append(b, "app.log", "newer\n");
    bench_pass(b, 3000);
    assert_int_equal(b->doc_count, 6);
    bench_pass(b, 330000);
    assert_int_equal(tail_file_count(b->tail), 1);
    bench_restart(b, true);
    bench_pass(b, 3000);
    assert_int_equal(b->doc_count, 6);
}

/* moved to another directory, where no pattern looks; with names as beside */
static void rotated_to_an_olddir(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].olddir = "old/";
    tmp_dir_mkdir(&b->logs, "old");
    append(b, "app.log", LONG "one\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 2);
    bench_pass(b, 1000);
    bench_stop(b, true);
    append(b, "app.log", "rest\n");
    set_age(b, "app.log", -10000);
    move(b, "app.log", "old/app.log.2");
    append(b, "old/app.log.1", "missed\n");
    set_age(b, "old/app.log.1", -20000);
    append(b, "app.log", "new\n");
    clock_fake_advance_ms(&b->clock, 60000);
    bench_start(b);
    EXPECT_FROM(b, 2, NULL, "rest|missed|new|");
    bench_pass(b, 330000);
    assert_int_equal(registry_count(b->registry), 3);
    bench_restart(b, true);
    bench_pass(b, 3000);
    EXPECT_FROM(b, 2, NULL, "rest|missed|new|");
    /* copied there and cut while it runs */
    append(b, "app.log", LONG);
    UNTIL(b, b->doc_count == 6);
    append(b, "app.log", "unread\n");
    copy(b, "app.log", "old/app.log.3", SIZE_MAX);
    cut(b, "app.log", 0);
    append(b, "app.log", "newer\n");
    EXPECT_FROM(b, 6, NULL, "unread|newer|");
}

/* a generation that was born and rotated away meanwhile is read; older ones are not */
static void missed_generations(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log.4", "ancient\n");
    set_age(b, "app.log.4", 1000000);
    append(b, "app.log", LONG);
    set_age(b, "app.log", 1000);
    bench_start(b);
    UNTIL(b, b->doc_count == 1);
    bench_pass(b, 1000);
    bench_stop(b, true);
    clock_fake_advance_ms(&b->clock, 100000);
    append(b, "app.log", "rest\n");
    move(b, "app.log", "app.log.3");
    set_age(b, "app.log.3", 90000);
    append(b, "app.log.2", "missed one\n");
    set_age(b, "app.log.2", 80000);
    append(b, "app.log.1", "missed two\n");
    set_age(b, "app.log.1", 70000);
    append(b, "app.log", "now\n");
    bench_start(b);
    EXPECT_FROM(b, 1, NULL, "rest|missed one|missed two|now|");
    bench_pass(b, 330000);
    bench_restart(b, true);
    bench_pass(b, 3000);
    EXPECT_FROM(b, 1, NULL, "rest|missed one|missed two|now|");
}

/* the registered one is gone altogether: what was written after its last record is missed */
static void registered_one_is_gone(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log.3", "read by nobody\n");
    set_age(b, "app.log.3", 500000);
    append(b, "app.log", "one\n");
    bench_start(b);
    EXPECT(b, "one|");
    bench_pass(b, 2000);
    bench_stop(b, true);
    clock_fake_advance_ms(&b->clock, 100000);
    unlink_log(b, "app.log");
    append(b, "app.log.1", "missed\n");
    set_age(b, "app.log.1", 50000);
    append(b, "app.log", "now\n");
    bench_start(b);
    EXPECT(b, "one|missed|now|");
}

/* the same of a file that was empty, so that no offset was ever saved */
static void registered_one_was_empty(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log.3", "read by nobody\n");
    set_age(b, "app.log.3", 500000);
    append(b, "app.log", "");
    bench_start(b);
    bench_pass(b, 500);
    bench_stop(b, true);
    clock_fake_advance_ms(&b->clock, 100000);
    unlink_log(b, "app.log");
    append(b, "app.log.1", "missed\n");
    set_age(b, "app.log.1", 50000);
    bench_start(b);
    EXPECT(b, "missed|");
}

/* a first start reads nothing beside the patterns */
static void first_start(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "app.log.1", "old\n");
    append(b, "app.log-20261123", "old\n");
    append(b, "app.log", "now\n");
    bench_start(b);
    EXPECT(b, "now|");
}

/* copied and truncated while nobody ran: the rest is in the copy */
static void copytruncate_while_down(void **state)
{
    (void)state;
    for (int matches = 0; matches < 2; matches++) {
        struct bench *b = &bench;
        if (matches)
            bench_pattern(b, 0, "app.log.*");
        append(b, "app.log", LONG);
        bench_start(b);
        UNTIL(b, b->doc_count == 1);
        bench_pass(b, 1000);
        bench_stop(b, true);
        clock_fake_advance_ms(&b->clock, 100000);
        append(b, "app.log", "rest\n");
        copy(b, "app.log", "app.log.1", SIZE_MAX);
        set_age(b, "app.log.1", 50000);
        rewrite(b, "app.log", "new\n");
        bench_start(b);
        EXPECT_FROM(b, 1, NULL, "rest|new|");
        bench_restart(b, true);
        bench_pass(b, 30000);
        EXPECT_FROM(b, 1, NULL, "rest|new|");
        if (!matches) {
            assert_int_equal(teardown(NULL), 0);
            assert_int_equal(setup(NULL), 0);
        }
    }
}

/* rotated files match too: they are known by their inode */
static void rotated_while_down_and_matching(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "app.log.*");
    append(b, "app.log.1", "older\n");
    append(b, "app.log", LONG "one\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 3);
    bench_stop(b, true);
    append(b, "app.log", "rest\n");
    move(b, "app.log.1", "app.log.2");
    move(b, "app.log", "app.log.1");
    append(b, "app.log", "new\n");
    bench_start(b);
    UNTIL(b, b->doc_count == 5);
    bench_pass(b, 1000);
    EXPECT_FROM(b, 3, "app.log.1", "rest|");
    EXPECT_FROM(b, 3, "app.log", "new|");
    assert_int_equal(b->doc_count, 5);
}

/* ---- power loss ---- */

/* bytes that were acknowledged are gone from the file: back to the anchor of a minute before, under
 * a new generation, so that no id is used twice */
static void power_loss(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_numbers(b, "app.log", 0, 20); /* more than the head */
    bench_start(b);
    for (unsigned i = 20; i < 30; i++) {
        append_numbers(b, "app.log", i, i + 1);
        UNTIL(b, b->doc_count == i + 1);
        bench_pass(b, 30000);
    }
    bench_stop(b, false);
    cut(b, "app.log", 2800);
    append(b, "app.log", "born after the power loss ");
    append_run(b, "app.log", '.', 300); /* it has bytes at the saved offset too */
    append(b, "app.log", "\n");
    b->boot = "boot-two";
    bench_start(b);
    bench_pass(b, 3000);
    const struct doc *last = &b->docs[b->doc_count - 1];
    assert_memory_equal(last->message, "born after", 10);
    assert_memory_not_equal(last->id, b->docs[0].id, DOCID_GENERATION_CHARS);
    assert_true(last->offset == 2800);
    /* repeats are bounded by the age of the anchor */
    size_t count = b->doc_count;
    assert_in_range(count, 31, 36);
    for (size_t i = 30; i < count; i++) {
        assert_true(b->docs[i].offset >= 2300);
        assert_memory_equal(b->docs[i].id, last->id, DOCID_GENERATION_CHARS);
    }
    assert_int_equal(b->ledgers[0].documents[DOCUMENT_MAYBE_REPEAT], count - 30);
    bench_restart(b, false);
    bench_pass(b, 1000);
    assert_int_equal(b->doc_count, count);
    assert_int_equal(b->ledgers[0].documents[DOCUMENT_MAYBE_REPEAT], 0);
}

/* nothing was lost: it is gone on with at the saved offset, under a new generation */
static void power_loss_without_loss(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_numbers(b, "app.log", 0, 10);
    bench_start(b);
    UNTIL(b, b->doc_count == 10);
    bench_pass(b, 2000);
    bench_stop(b, false);
    append_numbers(b, "app.log", 10, 12);
    b->boot = "boot-two";
    bench_start(b);
    UNTIL(b, b->doc_count == 12);
    assert_numbers(b, 12);
    assert_memory_not_equal(b->docs[11].id, b->docs[0].id, DOCID_GENERATION_CHARS);
    assert_true(b->docs[11].offset == 1100);
    assert_int_equal(registry_count(b->registry), 1);
}

/* Sent, but never acknowledged, and gone from the file; what was written there after the power loss
 * has the same length and must not be taken for it. */
static void grown_again_where_it_was_not_acknowledged(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_numbers(b, "app.log", 0, 10);
    bench_start(b);
    UNTIL(b, b->doc_count == 10);
    bench_pass(b, 2000);
    b->lose_answers = true;
    append_numbers(b, "app.log", 10, 12);
    UNTIL(b, b->doc_count == 12);
    bench_stop(b, false);
    b->lose_answers = false;
    cut(b, "app.log", 1000);
    append_numbers(b, "app.log", 20, 23);
    b->boot = "boot-two";
    bench_start(b);
    UNTIL(b, b->doc_count == 15);
    for (unsigned i = 12; i < 15; i++)
        assert_int_equal(strtoul(b->docs[i].message, NULL, 10), i + 8);
    assert_int_equal(b->duplicates, 0);
}

/* a file that cannot be found in the first life after the power loss is unsure in the next one */
static void found_in_the_second_life_after_it(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_numbers(b, "app.log", 0, 10);
    bench_start(b);
    UNTIL(b, b->doc_count == 10);
    bench_pass(b, 2000);
    bench_stop(b, false);
    tmp_dir_mkdir(&b->logs, "away");
    move(b, "app.log", "away/x");
    b->boot = "boot-two";
    bench_start(b);
    bench_pass(b, 2000);
    bench_stop(b, false);
    move(b, "away/x", "app.log");
    append_numbers(b, "app.log", 10, 11);
    bench_start(b);
    UNTIL(b, b->doc_count == 11);
    assert_numbers(b, 11);
    assert_memory_not_equal(b->docs[10].id, b->docs[0].id, DOCID_GENERATION_CHARS);
}

/* zeros at the end of the file are padding; what was cut off by them is a line without its end */
static void padding_after_a_power_loss(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append_numbers(b, "app.log", 0, 20);
    bench_start(b);
    UNTIL(b, b->doc_count == 20);
    bench_pass(b, 2000);
    append(b, "app.log", "ha");
    bench_pass(b, 1000);
    bench_stop(b, false);
    append_run(b, "app.log", '\0', 500);
    b->boot = "boot-two";
    bench_start(b);
    bench_pass(b, 1000);
    assert_int_equal(b->doc_count, 20); /* something may still be written there */
    append(b, "app.log", "new\n");
    EXPECT_FROM(b, 20, NULL, "ha|new|");
    assert_int_equal(strlen(b->docs[20].id), DOCID_CHARS + 2);
    assert_true(b->docs[21].offset == 2502);
    assert_int_equal(b->ledgers[0].skipped[SKIP_NUL].bytes, 500);
    /* behind it nothing is padding */
    append_run(b, "app.log", '\0', 500);
    append(b, "app.log", "x\n");
    UNTIL(b, b->doc_count == 23);
    assert_int_equal(b->docs[22].message_bytes, 501);
    assert_int_equal(b->ledgers[0].skipped[SKIP_NUL].bytes, 500);
}

/* more than a line may have, and nothing behind it; the writer comes later */
static void much_padding_after_a_power_loss(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].max_bytes = 4096;
    append_numbers(b, "app.log", 0, 20);
    bench_start(b);
    UNTIL(b, b->doc_count == 20);
    bench_pass(b, 2000);
    bench_stop(b, false);
    append_run(b, "app.log", '\0', 1000001);
    b->boot = "boot-two";
    bench_start(b);
    bench_pass(b, 1000);
    append(b, "app.log", "new\n");
    EXPECT_FROM(b, 20, NULL, "new|");
    assert_int_equal(b->ledgers[0].skipped[SKIP_NUL].bytes, 1000001);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(blocked_and_resumed),
        TEST(many_files_through_one_batch),
        TEST(found_while_blocked),
        TEST(blocked_while_skipping),
        TEST(answers_out_of_order),
        TEST(resumes_at_the_exact_offset),
        TEST(resumes_in_an_oversize_line),
        TEST(crash_before_the_answers),
        TEST(random_crashes),
        TEST(replaced_while_down),
        TEST(restored_under_another_inode),
        TEST(other_device_number),
        TEST(other_framing_options),
        TEST(inode_number_used_again),
        TEST(stopped_beside_a_copy),
        TEST(rotated_while_down),
        TEST(rotated_to_an_olddir),
        TEST(missed_generations),
        TEST(registered_one_is_gone),
        TEST(registered_one_was_empty),
        TEST(first_start),
        TEST(copytruncate_while_down),
        TEST(rotated_while_down_and_matching),
        TEST(power_loss),
        TEST(power_loss_without_loss),
        TEST(grown_again_where_it_was_not_acknowledged),
        TEST(found_in_the_second_life_after_it),
        TEST(padding_after_a_power_loss),
        TEST(much_padding_after_a_power_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
