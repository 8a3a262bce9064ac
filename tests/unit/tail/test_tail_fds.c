/* tail: more files than may be open at once. */
#include <sys/fsuid.h>

#include "bench.h"

#define FILES  40
#define OPEN   4
#define NOBODY 65534

static struct bench bench;

static int setup(void **state)
{
    (void)state;
    bench_init(&bench);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_end(&bench);
    return 0;
}

/* a tail that may have OPEN files open */
static void start(struct bench *b)
{
    loop_once(b->loop, 0);
    bench_assemble(b);
    b->tail->fds.limit = OPEN;
    tail_start(b->tail);
}

/* name of file n */
static const char *nth(int n)
{
    static char name[32];
    (void)snprintf(name, sizeof(name), "f%02d.log", n);
    return name;
}

/* appends a line to each of the files */
static void append_all(struct bench *b, const char *line)
{
    for (int i = 0; i < FILES; i++)
        append(b, nth(i), line);
}

/* files that are open, counted one by one */
static unsigned count_open(struct bench *b)
{
    unsigned n = 0;
    LIST_EACH(dir, &b->tail->dirs) {
        LIST_EACH(node, &LIST_ENTRY(dir, struct dir, link)->files) {
            n += LIST_ENTRY(node, struct file, in_dir)->content.fd >= 0;
        }
    }
    assert_int_equal(n, b->tail->fds.open);
    return n;
}

/* the followed file of a name */
static struct file *file_called(struct bench *b, const char *name)
{
    LIST_EACH(dir, &b->tail->dirs) {
        LIST_EACH(node, &LIST_ENTRY(dir, struct dir, link)->files) {
            struct file *f = LIST_ENTRY(node, struct file, in_dir);
            if (strcmp(name_of(f->entry->path), name) == 0)
                return f;
        }
    }
    return NULL;
}

/* reads FILES files of one line each, so that all but the last few are closed */
static void begin(struct bench *b)
{
    bench_pattern(b, 0, "*.log");
    append_all(b, "first\n");
    start(b);
    UNTIL(b, b->doc_count == FILES);
    bench_pass(b, 1000);
    assert_in_range(count_open(b), 1, OPEN);
}

static void all_are_read(void **state)
{
    (void)state;
    struct bench *b = &bench;
    begin(b);
    buf_reset(&b->messages); /* that they are read from the beginning */
    for (int round = 0; round < 3; round++) {
        append_all(b, "more\n");
        UNTIL(b, b->doc_count == (size_t)(FILES * (round + 2)));
        bench_pass(b, 1000);
        assert_in_range(count_open(b), 1, OPEN);
    }
    assert_int_equal(tail_file_count(b->tail), FILES);
    assert_int_equal(registry_count(b->registry), FILES);
    assert_int_equal(b->messages.len, 0);
}

/* what files needed while they were read is given back, also by those whose answer comes late, and
 * what is unfinished is not forgotten with it */
static void idle_files_need_little(void **state)
{
    (void)state;
    struct bench *b = &bench;
    begin(b);
    bench_pass(b, 70000);
    for (int i = 0; i < FILES; i++) {
        assert_ptr_equal(file_called(b, nth(i))->extra, &extra_none);
        assert_ptr_equal(file_called(b, nth(i))->entry->extra, &entry_extra_none);
    }
    assert_int_equal(b->tail->extra_slab.count, 0);
    b->lose_answers = true;
    append(b, nth(0), "second\n");
    append(b, nth(1), "unfinished");
    bench_pass(b, 70000);
    assert_true(file_at(file_called(b, nth(0)))->offset == 13);
    assert_true(file_called(b, nth(0))->entry->acked.offset == 6);
    assert_true(file_scanned_to(file_called(b, nth(1))) == 16);
    b->lose_answers = false;
    bench_pass(b, 70000);
    assert_int_equal(b->tail->extra_slab.count, 1);
    assert_true(file_called(b, nth(0))->entry->acked.offset == 13);
    append(b, nth(1), " line\n");
    append_all(b, "last\n");
    UNTIL(b, b->doc_count == 2 * FILES + 2);
    bench_pass(b, 70000);
    assert_int_equal(b->tail->extra_slab.count, 0);
}

/* the file that was active last is still open, the one that was first is not */
static void the_least_active_is_closed(void **state)
{
    (void)state;
    struct bench *b = &bench;
    begin(b);
    for (int i = 0; i < FILES; i++) {
        append(b, nth(i), "x\n");
        append(b, nth(0), "x\n"); /* always active */
        bench_pass(b, 300);
        assert_true(file_called(b, nth(0))->content.fd >= 0);
        assert_true(file_called(b, nth(i))->content.fd >= 0);
    }
    assert_true(file_called(b, nth(1))->content.fd < 0);
}

/* a closed file is written and renamed before anybody looks */
static void renamed_while_closed(void **state)
{
    (void)state;
    static const char *const names[] = {"f00.log.1", "g00.log", "sub/f00.log"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct bench *b = &bench;
        tmp_dir_mkdir(&b->logs, "sub");
        bench_pattern(b, 0, "*/*.log");
        begin(b);
        struct file *f = file_called(b, "f00.log");
        fds_let_go(f);
        assert_true(f->content.fd < 0);
        append(b, "f00.log", "second\n");
        move(b, "f00.log", names[i]);
        append(b, "f00.log", "new\n");
        UNTIL(b, b->doc_count == FILES + 2);
        append(b, names[i], "third\n");
        UNTIL(b, b->doc_count == FILES + 3);
        assert_int_equal(said(b, "went away"), 0);
        assert_int_equal(teardown(NULL), 0);
        assert_int_equal(setup(NULL), 0);
    }
}

/* all at once, to names that no pattern matches */
static void all_renamed_while_closed(void **state)
{
    (void)state;
    struct bench *b = &bench;
    begin(b);
    append_all(b, "second\n");
    for (int i = 0; i < FILES; i++) {
        char to[32];
        (void)snprintf(to, sizeof(to), "f%02d.log.1", i);
        move(b, nth(i), to);
    }
    append_all(b, "new\n");
    UNTIL(b, b->doc_count == 3 * FILES);
    bench_pass(b, 1000);
    assert_in_range(count_open(b), 1, OPEN);
    bench_pass(b, 330000); /* the renamed ones are over */
    assert_int_equal(tail_file_count(b->tail), FILES);
    assert_int_equal(said(b, "went away"), 0);
}

/* deleted files with unread bytes keep their fd, whatever else wants one */
static void deleted_ones_stay_open(void **state)
{
    (void)state;
    struct bench *b = &bench;
    char line[101];
    memset(line, 'x', 99);
    line[99] = '\n';
    line[100] = '\0';
    bench_pattern(b, 0, "*.log");
    b->batches = 1;
    b->batch_bytes = 4096;
    b->server_down = true;
    for (int i = 0; i < 2 * OPEN; i++)
        for (int n = 0; n < 100; n++)
            append(b, nth(i), line);
    loop_once(b->loop, 0);
    bench_assemble(b);
    b->tail->fds.limit = 2 * OPEN;
    tail_start(b->tail);
    bench_pass(b, 200);
    b->tail->fds.limit = OPEN; /* too late for these */
    for (int i = 0; i < 2 * OPEN; i++)
        unlink_log(b, nth(i));
    bench_pass(b, 200);
    for (int i = 2 * OPEN; i < FILES; i++)
        append(b, nth(i), "another\n");
    bench_pass(b, 2000);
    b->server_down = false;
    UNTIL(b, b->doc_count == 2 * OPEN * 100 + FILES - 2 * OPEN);
    assert_int_equal(said(b, "went away"), 0);
}

/* a closed file is replaced by another one of its name, perhaps under its inode number */
static void replaced_while_closed(void **state)
{
    (void)state;
    struct bench *b = &bench;
    begin(b);
    for (int i = 0; i < FILES; i++) {
        unlink_log(b, nth(i));
        append(b, nth(i), "other\n");
    }
    UNTIL(b, b->doc_count == 2 * FILES);
    bench_pass(b, 61000);
    assert_int_equal(b->doc_count, 2 * FILES);
    assert_int_equal(tail_file_count(b->tail), FILES);
    assert_int_equal(said(b, "went away"), 0); /* nothing unread was lost */
}

/* time passes for an agent that is not root */
static void pass_as_nobody(struct bench *b, int64_t ms)
{
    uid_t me = geteuid();
    (void)setfsuid(NOBODY);
    bench_pass(b, ms);
    (void)setfsuid(me);
}

/* permission is taken from a closed file, and given back */
static void unreadable_while_closed(void **state)
{
    (void)state;
    struct bench *b = &bench;
    begin(b);
    fds_let_go(file_called(b, "f00.log"));
    assert_int_equal(fchmod(b->logs.fd, 0755), 0);
    assert_int_equal(fchmodat(b->logs.fd, "f00.log", 0200, 0), 0);
    append(b, "f00.log", "second\n");
    pass_as_nobody(b, 5000);
    assert_int_equal(b->doc_count, FILES);
    assert_in_range(said(b, "cannot read"), 1, 5);
    assert_int_equal(fchmodat(b->logs.fd, "f00.log", 0644, 0), 0);
    pass_as_nobody(b, 1000);
    assert_int_equal(b->doc_count, FILES + 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_are_read),
        TEST(idle_files_need_little),
        TEST(the_least_active_is_closed),
        TEST(renamed_while_closed),
        TEST(all_renamed_while_closed),
        TEST(deleted_ones_stay_open),
        TEST(replaced_while_closed),
        TEST(unreadable_while_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
