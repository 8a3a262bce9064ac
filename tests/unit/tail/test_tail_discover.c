/* tail: directories that come, go, move and are links; patterns over several levels; lost events.
 */
#include <sys/inotify.h>
#include <sys/syscall.h>

#include "bench.h"

static struct bench bench;

static int watch_error; /* what inotify answers, 0 = as it is */
static int init_error;

#define STANDS_BEFORE_LIBC __attribute__((visibility("default"), used))

STANDS_BEFORE_LIBC int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    if (watch_error != 0) {
        errno = watch_error;
        return -1;
    }
    return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

STANDS_BEFORE_LIBC int inotify_init1(int flags)
{
    if (init_error != 0) {
        errno = init_error;
        return -1;
    }
    return (int)syscall(SYS_inotify_init1, flags);
}

STANDS_BEFORE_LIBC int inotify_init(void)
{
    return inotify_init1(0);
}

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

/* removes a directory */
static void remove_dir(struct bench *b, const char *name)
{
    assert_int_equal(unlinkat(b->logs.fd, name, AT_REMOVEDIR), 0);
}

/* how far a pattern reaches, and that each file is found by events alone */
static void patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *found; /* of the files below, one letter each */
    } cases[] = {
        {"*.log", "a"},          {"*/*.log", "bd"},           {"sub/*.log", "b"},
        {"sub/b.log", "b"},      {"**/*.log", "abcdf"},       {"sub/**/*.log", "bcf"},
        {"sub/deep/c.log", "c"}, {"*/deep/c.log", "c"},       {"**/deep/*", "c"},
        {".hid/*.log", "e"},     {"s*/d*/[c-f]*/*.log", "f"}, {"nothing/*.log", ""},
    };
    static const char *const files[] = {"a.log",       "sub/b.log",  "sub/deep/c.log",
                                        "other/d.log", ".hid/e.log", "sub/deep/dir/f.log"};
    static const char *const dirs[] = {"sub", "other", ".hid", "sub/deep", "sub/deep/dir"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int before = 0; before < 2; before++) {
            struct bench *b = &bench;
            char got[16] = "";
            bench_pattern(b, 0, cases[i].pattern);
            if (!before)
                bench_start(b);
            for (size_t k = 0; k < ARRAY_LEN(dirs); k++)
                tmp_dir_mkdir(&b->logs, dirs[k]);
            for (size_t k = 0; k < ARRAY_LEN(files); k++)
                append(b, files[k], "x\n");
            if (before)
                bench_start(b);
            bench_pass(b, 1000);
            for (size_t k = 0; k < ARRAY_LEN(files); k++)
                if (lines_from(b, 0, name_of(files[k]))[0] != '\0')
                    strncat(got, name_of(files[k]), 1);
            if (strcmp(got, cases[i].found) != 0)
                fail_msg("case \"%s\", %s: %s", cases[i].pattern, before ? "before" : "after", got);
            assert_int_equal(b->doc_count, strlen(cases[i].found));
            assert_int_equal(teardown(NULL), 0);
            assert_int_equal(setup(NULL), 0);
        }
    }
}

/* a whole tree is made at once, faster than anybody can watch it */
static void tree_made_at_once(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "**/*.log");
    bench_start(b);
    bench_pass(b, 100);
    for (int i = 0; i < 10; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "d%d", i);
        tmp_dir_mkdir(&b->logs, name);
        (void)snprintf(name, sizeof(name), "d%d/e", i);
        tmp_dir_mkdir(&b->logs, name);
        (void)snprintf(name, sizeof(name), "d%d/e/f", i);
        tmp_dir_mkdir(&b->logs, name);
        (void)snprintf(name, sizeof(name), "d%d/e/f/x.log", i);
        append(b, name, "x\n");
    }
    bench_pass(b, 500);
    assert_int_equal(b->doc_count, 10);
    append(b, "d3/e/f/x.log", "y\n");
    append(b, "d3/e/new.log", "z\n");
    bench_pass(b, 500);
    assert_int_equal(b->doc_count, 12);
}

static void directory_removed_and_made_again(void **state)
{
    (void)state;
    static const char *const patterns_of[] = {"sub/*.log", "*/a.log", "sub/a.log", "**/a.log"};
    for (size_t i = 0; i < ARRAY_LEN(patterns_of); i++) {
        struct bench *b = &bench;
        bench_pattern(b, 0, patterns_of[i]);
        tmp_dir_mkdir(&b->logs, "sub");
        append(b, "sub/a.log", "1\n");
        bench_start(b);
        EXPECT(b, "1|");
        unlink_log(b, "sub/a.log");
        remove_dir(b, "sub");
        tmp_dir_mkdir(&b->logs, "sub"); /* at once */
        append(b, "sub/a.log", "2\n");
        bench_pass(b, 1000);
        append(b, "sub/a.log", "3\n");
        EXPECT(b, "1|2|3|");
        unlink_log(b, "sub/a.log");
        remove_dir(b, "sub");
        bench_pass(b, 40000); /* seen */
        tmp_dir_mkdir(&b->logs, "sub");
        bench_pass(b, 1000);
        append(b, "sub/a.log", "4\n");
        EXPECT(b, "1|2|3|4|");
        assert_int_equal(teardown(NULL), 0);
        assert_int_equal(setup(NULL), 0);
    }
}

/* parts of the path come one by one */
static void path_appears(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "one/two/three/a.log");
    bench_start(b);
    bench_pass(b, 100);
    tmp_dir_mkdir(&b->logs, "one");
    bench_pass(b, 100);
    tmp_dir_mkdir(&b->logs, "one/two");
    bench_pass(b, 100);
    tmp_dir_mkdir(&b->logs, "one/two/three");
    bench_pass(b, 100);
    append(b, "one/two/three/a.log", "x\n");
    EXPECT(b, "x|");
}

static void directory_renamed(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "*/*.log");
    tmp_dir_mkdir(&b->logs, "old");
    append(b, "old/a.log", "1\n");
    bench_start(b);
    EXPECT(b, "1|");
    move(b, "old", "new");
    append(b, "new/a.log", "2\n");
    bench_pass(b, 1000);
    append(b, "new/b.log", "b\n");
    append(b, "new/a.log", "3\n");
    EXPECT(b, "1|2|b|3|");
    assert_int_equal(tail_file_count(b->tail), 2);
    /* out of what is matched: followed to its end, then over */
    tmp_dir_mkdir(&b->logs, "new/far");
    tmp_dir_mkdir(&b->logs, "away");
    assert_int_equal(renameat(b->logs.fd, "new/a.log", b->logs.fd, "new/far/a.log"), 0);
    append(b, "new/far/a.log", "4\n");
    bench_pass(b, 330000);
    EXPECT(b, "1|2|b|3|4|");
    assert_int_equal(tail_file_count(b->tail), 1);
}

/* a spelled-out part of a path may be a link, what a wildcard finds may not */
static void links_to_directories(void **state)
{
    (void)state;
    struct bench *b = &bench;
    tmp_dir_mkdir(&b->logs, "real");
    append(b, "real/a.log", "1\n");
    assert_int_equal(symlinkat("real", b->logs.fd, "link"), 0);
    assert_int_equal(symlinkat(".", b->logs.fd, "loop"), 0);
    bench_pattern(b, 0, "link/*.log");
    bench_start(b);
    EXPECT(b, "1|");
    append(b, "real/a.log", "2\n");
    append(b, "real/b.log", "b\n");
    EXPECT(b, "1|2|b|");
    bench_stop(b, true);
    b->inputs[0].path_count = 0;
    bench_pattern(b, 0, "l*/*.log");
    bench_pattern(b, 0, "**/x.log");
    append(b, "real/x.log", "x\n");
    bench_start(b);
    append(b, "real/a.log", "3\n");
    bench_pass(b, 1000);
    EXPECT_FROM(b, 3, NULL, "x|");
}

/* one directory by two paths: its files once */
static void one_directory_by_two_paths(void **state)
{
    (void)state;
    struct bench *b = &bench;
    tmp_dir_mkdir(&b->logs, "real");
    assert_int_equal(symlinkat("real", b->logs.fd, "link"), 0);
    bench_pattern(b, 0, "real/*.log");
    bench_pattern(b, 0, "link/*.log");
    append(b, "real/a.log", "1\n");
    bench_start(b);
    EXPECT(b, "1|");
    append(b, "real/a.log", "2\n");
    append(b, "real/b.log", "b\n");
    EXPECT(b, "1|2|b|");
    bench_pass(b, 330000);
    append(b, "link/a.log", "3\n");
    EXPECT(b, "1|2|b|3|");
}

/* more events than the kernel keeps: a scan finds what they would have told */
static void events_are_lost(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "*.log");
    append(b, "a.log", "1\n");
    bench_start(b);
    EXPECT(b, "1|");
    append(b, "x", "");
    for (int i = 0; i < 10000; i++) { /* two events each; fs.inotify.max_queued_events is 16384 */
        move(b, "x", "y");
        move(b, "y", "x");
    }
    append(b, "b.log", "b\n");
    append(b, "a.log", "2\n");
    EXPECT_OF(b, "b.log", "b|");
    EXPECT_OF(b, "a.log", "1|2|");
}

/* what no event told is found by the scan of every minute */
static void scan_is_the_truth(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "*.log");
    append(b, "a.log", "1\n");
    bench_start(b);
    EXPECT(b, "1|");
    LIST_EACH(node, &b->tail->dirs) {
        struct dir *d = LIST_ENTRY(node, struct dir, link);
        if (d->watch >= 0)
            watch_remove(b->tail->watch, d->watch); /* as if the kernel told nothing any more */
    }
    append(b, "a.log", "2\n");
    append(b, "b.log", "b\n");
    bench_pass(b, 61000);
    assert_int_equal(b->doc_count, 3);
}

/* limits of inotify: it is said, and scans do the work */
static void no_watches(void **state)
{
    (void)state;
    static const struct {
        int *error;
        int code;
        const char *health;
    } cases[] = {
        {&watch_error, ENOSPC, "max_user_watches"},
        {&init_error, EMFILE, "max_user_instances"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench *b = &bench;
        bench_pattern(b, 0, "**/*.log");
        append(b, "a.log", "1\n");
        *cases[i].error = cases[i].code;
        bench_start(b);
        EXPECT_OF(b, "a.log", "1|");
        if (strstr(b->health, cases[i].health) == NULL)
            fail_msg("health is \"%s\"", b->health);
        append(b, "a.log", "2\n");
        tmp_dir_mkdir(&b->logs, "sub");
        append(b, "sub/b.log", "b\n");
        bench_pass(b, 10500);
        assert_int_equal(b->doc_count, 3);
        unlink_log(b, "a.log");
        append(b, "a.log", "3\n");
        bench_pass(b, 10500);
        assert_string_equal(lines_from(b, 0, "a.log"), "1|2|3|");
        *cases[i].error = 0; /* there are some again */
        bench_pass(b, 10500);
        assert_string_equal(b->health, "");
        append(b, "a.log", "4\n");
        bench_pass(b, 500); /* told by an event */
        assert_string_equal(lines_from(b, 0, "a.log"), "1|2|3|4|");
        assert_int_equal(teardown(NULL), 0);
        assert_int_equal(setup(NULL), 0);
    }
}

static void many_directories(void **state)
{
    (void)state;
    struct bench *b = &bench;
    bench_pattern(b, 0, "**/x.log");
    for (int i = 0; i < 300; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "d%d", i);
        tmp_dir_mkdir(&b->logs, name);
        (void)snprintf(name, sizeof(name), "d%d/x.log", i);
        append(b, name, "x\n");
    }
    bench_start(b);
    UNTIL(b, b->doc_count == 300);
    assert_true(tail_dir_count(b->tail) >= 301);
    for (int i = 0; i < 300; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "d%d/x.log", i);
        unlink_log(b, name);
        (void)snprintf(name, sizeof(name), "d%d", i);
        remove_dir(b, name);
    }
    bench_pass(b, 200000);
    assert_in_range(tail_dir_count(b->tail), 1, 20); /* those that lead here */
    assert_int_equal(tail_file_count(b->tail), 0);
    assert_int_equal(registry_count(b->registry), 0);
}

static void directory_without_permission(void **state)
{
    (void)state;
    struct bench *b = &bench;
    if (geteuid() == 0)
        return; /* root reads everything: nothing to see */
    tmp_dir_mkdir(&b->logs, "sub");
    append(b, "sub/a.log", "1\n");
    assert_int_equal(fchmodat(b->logs.fd, "sub", 0, 0), 0);
    bench_pattern(b, 0, "sub/*.log");
    bench_start(b);
    bench_pass(b, 330000);
    assert_int_equal(said(b, "sub\": permission denied"), 1);
    assert_int_equal(fchmodat(b->logs.fd, "sub", 0755, 0), 0);
    bench_pass(b, 61000);
    EXPECT(b, "1|");
}

static void wrong_pattern(void **state)
{
    (void)state;
    struct bench *b = &bench;
    struct err e = {0};
    struct tail_hooks hooks = {0};
    char good[] = "/var/log/*.log", bad[] = "/var/log/";
    char *paths[] = {good, bad};
    bench_pattern(b, 0, "a.log");
    bench_start(b);
    bench_stop(b, true);
    struct tail_input input = b->inputs[0];
    input.paths = paths;
    input.path_count = 2;
    struct tail_opts opts = {.inputs = &input, .input_count = 1, .agent = &b->agent};
    assert_null(tail_new(b->loop, &opts, &hooks, NULL, NULL, &e));
    assert_true(e.code == -EINVAL && strstr(e.text, "\"/var/log/\" names a directory") != NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(patterns),
        TEST(tree_made_at_once),
        TEST(directory_removed_and_made_again),
        TEST(path_appears),
        TEST(directory_renamed),
        TEST(links_to_directories),
        TEST(one_directory_by_two_paths),
        TEST(events_are_lost),
        TEST(scan_is_the_truth),
        TEST(no_watches),
        TEST(many_directories),
        TEST(directory_without_permission),
        TEST(wrong_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
