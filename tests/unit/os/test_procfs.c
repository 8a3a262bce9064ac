/* os/procfs: roots, limits, the reused buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/procfs.h"
#include "tmp_dir.h"

static struct tmp_dir dir;

static int setup(void **state)
{
    (void)state;
    tmp_dir_make(&dir);
    tmp_dir_mkdir(&dir, "proc");
    tmp_dir_mkdir(&dir, "proc/net");
    tmp_dir_mkdir(&dir, "sys");
    tmp_dir_mkdir(&dir, "etc");
    tmp_dir_mkdir(&dir, "elsewhere");
    tmp_dir_write_str(&dir, "proc/net/dev", "proc text");
    tmp_dir_write_str(&dir, "sys/file", "sys text\n");
    tmp_dir_write_str(&dir, "etc/file", "etc text");
    tmp_dir_write_str(&dir, "elsewhere/file", "elsewhere");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tmp_dir_remove(&dir);
    return 0;
}

static void assert_reads(struct procfs *p, enum procfs_root root, const char *path,
                         const char *wanted)
{
    struct slice text;
    assert_int_equal(procfs_read(p, root, path, &text), 0);
    assert_int_equal(text.len, strlen(wanted));
    assert_memory_equal(text.ptr, wanted, text.len);
}

static void assert_path(const struct procfs *p, enum procfs_root root, const char *path,
                        const char *wanted)
{
    char *made = procfs_path(p, root, path);
    assert_string_equal(made, wanted);
    mem_free(made);
}

static void test_roots(void **state)
{
    (void)state;
    struct procfs *p = procfs_new(dir.path, NULL, NULL, 4096);
    assert_reads(p, PROCFS_PROC, "net/dev", "proc text");
    assert_reads(p, PROCFS_SYS, "file", "sys text\n");
    assert_reads(p, PROCFS_ETC, "file", "etc text");
    assert_path(p, PROCFS_PROC, "net/dev", tmp_dir_path(&dir, "proc/net/dev"));
    procfs_free(&p);
    assert_null(p);
    procfs_free(&p);

    p = procfs_new("", NULL, NULL, 4096);
    assert_path(p, PROCFS_PROC, "stat", "/proc/stat");
    assert_path(p, PROCFS_SYS, "a/b", "/sys/a/b");
    assert_path(p, PROCFS_ETC, "os-release", "/etc/os-release");
    procfs_free(&p);

    p = procfs_new("/hostfs", tmp_dir_path(&dir, "elsewhere"), tmp_dir_path(&dir, "sys"), 4096);
    assert_reads(p, PROCFS_PROC, "file", "elsewhere");
    assert_reads(p, PROCFS_SYS, "file", "sys text\n");
    assert_path(p, PROCFS_ETC, "x", "/hostfs/etc/x");
    procfs_free(&p);
}

static void test_failures_leave_the_result_alone(void **state)
{
    (void)state;
    struct procfs *p = procfs_new(dir.path, NULL, NULL, 4096);
    struct slice text = SLICE_LIT("before");
    char longest[5000];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(procfs_read(p, PROCFS_PROC, "none", &text), -ENOENT);
    assert_int_equal(procfs_read(p, PROCFS_PROC, "net", &text), -EISDIR);
    assert_int_equal(procfs_read(p, PROCFS_PROC, longest, &text), -ENAMETOOLONG);
    assert_true(slice_eq_str(text, "before"));
    assert_reads(p, PROCFS_SYS, "file", "sys text\n");
    procfs_free(&p);
}

static void test_sizes_around_the_limit(void **state)
{
    (void)state;
    static const struct {
        size_t max;
        size_t size;
        int wanted;
    } cases[] = {
        {0, 0, 0},
        {0, 1, -EFBIG},
        {1, 1, 0},
        {9, 10, -EFBIG},
        {10, 10, 0},
        {4096, 4096, 0},
        {4096, 4097, -EFBIG},
        {20000, 4096, 0},
        {20000, 19999, 0},
        {20000, 20000, 0},
        {20000, 20001, -EFBIG},
        {200000, 100000, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *content = malloc(cases[i].size + 1);
        memset(content, 'z', cases[i].size);
        tmp_dir_write(&dir, "proc/sized", content, cases[i].size);
        struct procfs *p = procfs_new(dir.path, NULL, NULL, cases[i].max);
        struct slice text;
        int r = procfs_read(p, PROCFS_PROC, "sized", &text);
        if (r != cases[i].wanted)
            fail_msg("limit %zu, size %zu: %d", cases[i].max, cases[i].size, r);
        if (r == 0) {
            assert_int_equal(text.len, cases[i].size);
            if (text.len > 0)
                assert_memory_equal(text.ptr, content, text.len);
        }
        procfs_free(&p);
        free(content);
    }
}

static void test_the_buffer_is_reused(void **state)
{
    (void)state;
    struct procfs *p = procfs_new(dir.path, NULL, NULL, 65536);
    assert_reads(p, PROCFS_PROC, "net/dev", "proc text");
    uint64_t calls = mem_calls();
    for (int i = 0; i < 100; i++)
        assert_reads(p, PROCFS_PROC, "net/dev", "proc text");
    assert_int_equal(mem_calls(), calls);
    procfs_free(&p);
}

static void test_the_network_of_the_host(void **state)
{
    (void)state;
    char proc[600];
    (void)snprintf(proc, sizeof(proc), "%s/proc", dir.path);
    tmp_dir_mkdir(&dir, "proc/1");
    tmp_dir_mkdir(&dir, "proc/1/net");
    tmp_dir_write_str(&dir, "proc/1/net/dev", "of the host");
    struct procfs *by_hostfs = procfs_new(dir.path, NULL, NULL, 100);
    struct procfs *by_proc = procfs_new("", proc, NULL, 100);
    struct procfs *own = procfs_new("", NULL, NULL, 1048576);
    assert_reads(by_hostfs, PROCFS_PROC, "net/dev", "of the host");
    assert_reads(by_proc, PROCFS_PROC, "net/dev", "of the host");
    assert_reads(by_hostfs, PROCFS_SYS, "file", "sys text\n");
    assert_path(own, PROCFS_PROC, "net/dev", "/proc/net/dev");
    char *path = procfs_path(by_proc, PROCFS_PROC, "net/dev");
    assert_string_equal(path + strlen(proc), "/1/net/dev");
    mem_free(path);
    procfs_free(&by_hostfs);
    procfs_free(&by_proc);
    procfs_free(&own);
}

static void test_one_read(void **state)
{
    (void)state;
    char big[PROCFS_ONCE_BYTES + 2];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    tmp_dir_write_str(&dir, "sys/big", big);
    struct procfs *p = procfs_new(dir.path, NULL, NULL, 100000);
    struct slice text = slice_str("before");
    assert_int_equal(procfs_read_once(p, PROCFS_SYS, "file", &text), 0);
    assert_true(slice_eq_str(text, "sys text\n"));
    assert_int_equal(procfs_read_once(p, PROCFS_SYS, "big", &text), 0);
    assert_int_equal(text.len, PROCFS_ONCE_BYTES);
    assert_int_equal(procfs_read_once(p, PROCFS_SYS, "none", &text), -ENOENT);
    assert_int_equal(procfs_read_once(p, PROCFS_SYS, "", &text), -EISDIR);
    procfs_free(&p);
}

/* reads each file while the directory is open; stops at the second name when told to */
struct listing {
    struct procfs *p;
    unsigned count, limit;
    size_t bytes;
};

static bool on_name(void *ctx, const char *name)
{
    struct listing *l = ctx;
    struct slice text;
    assert_int_equal(procfs_read(l->p, PROCFS_ETC, name, &text), 0);
    l->bytes += text.len;
    return ++l->count < l->limit;
}

static void test_lists(void **state)
{
    (void)state;
    struct procfs *p = procfs_new(dir.path, NULL, NULL, 100);
    tmp_dir_write_str(&dir, "etc/second", "12");
    struct listing all = {p, 0, 10, 0};
    struct listing one = {p, 0, 1, 0};
    assert_int_equal(procfs_list(p, PROCFS_ETC, "", on_name, &all), 0);
    assert_int_equal(all.count, 2);
    assert_int_equal(all.bytes, strlen("etc text") + 2);
    assert_int_equal(procfs_list(p, PROCFS_ETC, "", on_name, &one), 0);
    assert_int_equal(one.count, 1);
    assert_int_equal(procfs_list(p, PROCFS_ETC, "none", on_name, &one), -ENOENT);
    assert_int_equal(procfs_list(p, PROCFS_ETC, "file", on_name, &one), -ENOTDIR);
    procfs_free(&p);
}

static void test_the_real_proc(void **state)
{
    (void)state;
    struct procfs *p = procfs_new("", NULL, NULL, 1048576);
    struct slice text;
    assert_int_equal(procfs_read(p, PROCFS_PROC, "stat", &text), 0);
    assert_true(slice_starts(text, SLICE_LIT("cpu ")));
    assert_int_equal(text.ptr[text.len - 1], '\n');
    procfs_free(&p);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_roots),
        TEST(test_failures_leave_the_result_alone),
        TEST(test_sizes_around_the_limit),
        TEST(test_the_buffer_is_reused),
        TEST(test_the_network_of_the_host),
        TEST(test_one_read),
        TEST(test_lists),
        TEST(test_the_real_proc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
