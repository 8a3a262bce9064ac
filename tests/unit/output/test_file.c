/*
 * tests/unit/output/test_file - lines to a file, rotation, failures
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fault_fs.h"
#include "output/stream.h"
#include "tmp_dir.h"

/* a sink on a directory */
static struct stream_sink *open_sink(const struct fs *fs, const struct tmp_dir *t, uint64_t rotate,
                                     unsigned files)
{
    int dir = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir >= 0);
    const struct stream_file_opts opts = {fs, dir, "out", rotate, files};
    return stream_file(&opts);
}

/* writes text */
static int put(struct stream_sink *s, const char *text)
{
    return s->write(s, slice_str(text));
}

/* a file's content must be this; NULL = there is none */
static void check(const struct tmp_dir *t, const char *name, const char *text)
{
    static char content[4096];
    struct stat st;
    if (text == NULL) {
        assert_int_equal(fstatat(t->fd, name, &st, AT_SYMLINK_NOFOLLOW), -1);
        return;
    }
    long n = tmp_dir_read(t, name, content, sizeof(content) - 1);
    assert_true(n >= 0);
    content[n] = '\0';
    assert_string_equal(content, text);
}

/* lines follow each other, also over lives; a torn line is cut */
static void test_append(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct stream_sink *s = open_sink(fs_system(), &t, 1000, 3);
    assert_int_equal(tmp_dir_count(&t), 0);
    assert_int_equal(put(s, "a\n"), 0);
    assert_int_equal(put(s, "b\nc\n"), 0);
    s->close(s);
    check(&t, "out", "a\nb\nc\n");
    static const struct {
        const char *left, *cut;
    } cases[] = {{"a\nb\ntor", "a\nb\n"}, {"torn", ""}, {"", ""}, {"a\n", "a\n"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char want[64];
        tmp_dir_write_str(&t, "out", cases[i].left);
        s = open_sink(fs_system(), &t, 1000, 3);
        assert_int_equal(put(s, "new\n"), 0);
        s->close(s);
        (void)snprintf(want, sizeof(want), "%snew\n", cases[i].cut);
        check(&t, "out", want);
    }
    tmp_dir_remove(&t);
}

/* a torn line longer than what is read at once */
static void test_long_tail(void **state)
{
    (void)state;
    struct tmp_dir t;
    static char tail[300 * 1024];
    tmp_dir_make(&t);
    memset(tail, 'x', sizeof(tail));
    tail[70000] = '\n';
    tmp_dir_write(&t, "out", tail, sizeof(tail));
    struct stream_sink *s = open_sink(fs_system(), &t, 1 << 20, 3);
    assert_int_equal(put(s, "b\n"), 0);
    s->close(s);
    struct stat st;
    assert_int_equal(fstatat(t.fd, "out", &st, 0), 0);
    assert_int_equal(st.st_size, 70003);
    tmp_dir_remove(&t);
}

/* sizes, numbers, the oldest goes */
static void test_rotation(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct stream_sink *s = open_sink(fs_system(), &t, 4, 3);
    assert_int_equal(put(s, "1\n"), 0);
    assert_int_equal(put(s, "2\n"), 0);
    check(&t, "out", "1\n2\n");
    check(&t, "out.1", NULL);
    assert_int_equal(put(s, "3\n"), 0);
    check(&t, "out.1", "1\n2\n");
    check(&t, "out", "3\n");
    assert_int_equal(put(s, "larger than a file\n"), 0); /* never split */
    assert_int_equal(put(s, "4\n"), 0);
    check(&t, "out.2", "3\n");
    check(&t, "out.1", "larger than a file\n");
    check(&t, "out", "4\n");
    assert_int_equal(tmp_dir_count(&t), 3);
    s->close(s);
    tmp_dir_remove(&t);
}

/* a file that others moved, removed or changed */
static void test_others(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct stream_sink *s = open_sink(fs_system(), &t, 1000, 3);
    assert_int_equal(put(s, "1\n"), 0);
    assert_int_equal(renameat(t.fd, "out", t.fd, "moved"), 0);
    assert_int_equal(put(s, "2\n"), 0);
    check(&t, "moved", "1\n");
    check(&t, "out", "2\n");
    assert_int_equal(unlinkat(t.fd, "out", 0), 0);
    assert_int_equal(put(s, "3\n"), 0);
    check(&t, "out", "3\n");
    tmp_dir_write_str(&t, "out", "");
    assert_int_equal(put(s, "4\n"), 0);
    check(&t, "out", "4\n");
    assert_int_equal(unlinkat(t.fd, "out", 0), 0);
    assert_int_equal(symlinkat("elsewhere", t.fd, "out"), 0);
    assert_int_equal(put(s, "5\n"), -ELOOP);
    check(&t, "elsewhere", NULL);
    s->close(s);
    tmp_dir_remove(&t);
}

/* every call fails once: what was accepted is there, once, and in order */
static void test_every_call(void **state)
{
    (void)state;
    static struct fault_fs ff;
    for (unsigned n = 1;; n++) {
        struct tmp_dir t;
        tmp_dir_make(&t);
        fault_fs_init(&ff, fs_system());
        fault_fs_fail(&ff, n, n % 2 == 0 ? EIO : ENOSPC);
        ff.torn_bytes = 1;
        struct stream_sink *s = open_sink(&ff.fs, &t, 6, 8);
        static const char *const lines[] = {"a1\n", "b2\n", "c3\n", "d4\n", "e5\n"};
        for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
            unsigned tries = 0;
            while (put(s, lines[i]) != 0)
                assert_true(++tries < 3);
        }
        s->close(s);
        char all[64] = "";
        for (int i = 7; i >= 0; i--) {
            char name[16], content[64];
            struct stat st;
            (void)snprintf(name, sizeof(name), i > 0 ? "out.%d" : "out", i);
            if (fstatat(t.fd, name, &st, 0) < 0)
                continue;
            long got = tmp_dir_read(&t, name, content, sizeof(content));
            strncat(all, content, (size_t)got);
        }
        assert_string_equal(all, "a1\nb2\nc3\nd4\ne5\n");
        tmp_dir_remove(&t);
        if (!ff.has_fired)
            break;
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),     cmocka_unit_test(test_long_tail),
        cmocka_unit_test(test_rotation),   cmocka_unit_test(test_others),
        cmocka_unit_test(test_every_call),
    };
    return cmocka_run_group_tests_name("output/file", tests, NULL, NULL);
}
