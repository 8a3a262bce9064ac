/* tail: symbolic links to files. */
#include "bench.h"

static struct bench bench;
static char root[4096], elsewhere[4096];
static char *roots[] = {root};

static int setup(void **state)
{
    struct bench *b = &bench;
    (void)state;
    bench_init(b);
    tmp_dir_mkdir(&b->logs, "in");
    tmp_dir_mkdir(&b->logs, "in/deep");
    tmp_dir_mkdir(&b->logs, "out");
    tmp_dir_mkdir(&b->logs, "links");
    (void)snprintf(root, sizeof(root), "%.500s/in", b->logs.path);
    (void)snprintf(elsewhere, sizeof(elsewhere), "%.500s/out", b->logs.path);
    b->inputs[0].symlinks = true;
    b->inputs[0].symlink_roots = roots;
    b->inputs[0].symlink_root_count = 1;
    bench_pattern(b, 0, "links/*.log");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_end(&bench);
    return 0;
}

/* makes or switches a link below the log directory, as ln -sfn does */
static void link_to(struct bench *b, const char *target, const char *name)
{
    assert_int_equal(symlinkat(target, b->logs.fd, "new-link"), 0);
    move(b, "new-link", name);
}

static void followed_within_its_roots(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "in/deep/1.log", "1\n");
    link_to(b, "../in/deep/1.log", "links/a.log");
    bench_start(b);
    EXPECT_OF(b, "a.log", "1|"); /* known by the link */
    append(b, "in/deep/1.log", "2\n");
    EXPECT_OF(b, "a.log", "1|2|");
    bench_pass(b, 130000);
    append(b, "in/deep/1.log", "3\n");
    EXPECT_OF(b, "a.log", "1|2|3|");
    bench_restart(b, true);
    append(b, "in/deep/1.log", "4\n");
    EXPECT(b, "1|2|3|4|");
    assert_int_equal(tail_file_count(b->tail), 1);
}

/* every link that leads out, whatever it goes through, is refused with one warning */
static void refused_outside(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "out/secret", "secret\n");
    assert_int_equal(symlinkat(elsewhere, b->logs.fd, "in/door"), 0);
    link_to(b, "../out/secret", "links/direct.log");
    link_to(b, "../in/door/secret", "links/door.log");
    link_to(b, "../in/../out/secret", "links/dots.log");
    link_to(b, "../in/deep", "links/directory.log");
    link_to(b, "loop.log", "links/loop.log");
    bench_start(b);
    bench_pass(b, 190000);
    EXPECT(b, "");
    assert_int_equal(said(b, "leads out of symlink_roots"), 3);
    assert_int_equal(said(b, "not a regular file"), 1);
}

/* what is not asked for is not followed */
static void off_by_default(void **state)
{
    (void)state;
    struct bench *b = &bench;
    b->inputs[0].symlinks = false;
    append(b, "in/1.log", "1\n");
    link_to(b, "../in/1.log", "links/a.log");
    bench_start(b);
    bench_pass(b, 130000);
    EXPECT(b, "");
    assert_int_equal(said(b, "it is a symbolic link"), 1);
}

/* the old file is read to its end, also what comes late, then the new one */
static void switched(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "in/app.1", "1\n");
    append(b, "in/app.2", "a\nb\n");
    link_to(b, "../in/app.1", "links/current.log");
    bench_start(b);
    EXPECT(b, "1|");
    b->server_down = true;
    append(b, "in/app.1", "2\n");
    link_to(b, "../in/app.2", "links/current.log");
    bench_pass(b, 300);
    append(b, "in/app.1", "3\n");
    bench_pass(b, 300);
    b->server_down = false;
    UNTIL(b, b->doc_count == 5);
    append(b, "in/app.2", "c\n");
    append(b, "in/app.1", "4\n");
    UNTIL(b, b->doc_count == 7);
    bench_pass(b, 330000);
    assert_int_equal(tail_file_count(b->tail), 1);
    assert_int_equal(b->doc_count, 7);
}

/* a link on the way is switched, in a directory that no pattern names */
static void switched_on_the_way(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "in/app.1", "1\n");
    append(b, "in/app.2", "2\n");
    assert_int_equal(symlinkat("../app.1", b->logs.fd, "in/deep/now"), 0);
    link_to(b, "../in/deep/now", "links/a.log");
    bench_start(b);
    EXPECT(b, "1|");
    link_to(b, "../app.2", "in/deep/now");
    EXPECT(b, "1|2|"); /* by events: EXPECT waits less than to the next scan */
}

/* the file behind the link is renamed, and a new one takes its place */
static void rotated_behind_the_link(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "in/c.log", "1\n");
    link_to(b, "../in/c.log", "links/a.log");
    bench_start(b);
    EXPECT(b, "1|");
    append(b, "in/c.log", "2\n");
    move(b, "in/c.log", "in/c.log.1");
    append(b, "in/c.log", "3\n");
    EXPECT_OF(b, "a.log", "1|2|3|");
    append(b, "in/c.log.1", "late\n");
    EXPECT_OF(b, "a.log", "1|2|3|late|");
}

/* first there is only the link */
static void target_comes_later(void **state)
{
    (void)state;
    struct bench *b = &bench;
    link_to(b, "../in/c.log", "links/a.log");
    bench_start(b);
    bench_pass(b, 1000);
    append(b, "in/c.log", "1\n");
    EXPECT(b, "1|");
}

/* a file and links to it are one file, by its own name if a pattern matches that */
static void several_links(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "in/c.log", "1\n");
    link_to(b, "../in/c.log", "links/a.log");
    link_to(b, "../in/c.log", "links/b.log");
    bench_pattern(b, 0, "in/*.log");
    bench_start(b);
    EXPECT(b, "1|");
    bench_pass(b, 130000);
    append(b, "in/c.log", "2\n");
    EXPECT(b, "1|2|");
    assert_int_equal(registry_count(b->registry), 1);
}

/* closed for another, it is opened again through its link */
static void closed_and_opened_again(void **state)
{
    (void)state;
    struct bench *b = &bench;
    append(b, "in/c.log", "1\n");
    link_to(b, "../in/c.log", "links/a.log");
    bench_start(b);
    EXPECT(b, "1|");
    bench_pass(b, 1000);
    struct file *f = registry_next(b->registry, NULL)->file;
    fds_let_go(f);
    assert_true(f->content.fd < 0);
    append(b, "in/c.log", "2\n");
    EXPECT(b, "1|2|");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(followed_within_its_roots),
        TEST(refused_outside),
        TEST(off_by_default),
        TEST(switched),
        TEST(switched_on_the_way),
        TEST(rotated_behind_the_link),
        TEST(target_comes_later),
        TEST(several_links),
        TEST(closed_and_opened_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
