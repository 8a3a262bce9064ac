/* metrics/filesystem: the numbers, which answers count, and samples that come later. */
#include "metrics/filesystem.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "base/mem.h"
#include "check.h"
#include "tmp_dir.h"

#define NO_SHARE (-1.0)

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct fsprobe_answer answer;
        bool has_size;
        struct filesystem_usage usage;
        double share;
    } cases[] = {
        {"as df counts",
         {0, 0, 4096, 1000, 300, 200, 50, 20},
         true,
         {4096000, 1228800, 819200, 2867200, 50, 20},
         700.0 / 900},
        {"empty", {0, 0, 512, 10, 10, 10, 0, 0}, true, {5120, 5120, 5120, 0, 0, 0}, 0},
        {"full", {0, 0, 512, 10, 0, 0, 1, 0}, true, {5120, 0, 0, 5120, 1, 0}, 1},
        {"only root may write", {0, 0, 1, 10, 10, 0, 0, 0}, true, {10, 10, 0, 0, 0, 0}, NO_SHARE},
        {"less than nothing available",
         {0, 0, 1, 10, 1, UINT64_MAX - 5, 0, 0},
         true,
         {10, 1, 0, 9, 0, 0},
         1},
        {"more free than there is", {0, 0, 1, 10, 11, 12, 5, 6}, true, {10, 10, 10, 0, 5, 5}, 0},
        {"huge",
         {0, 0, 1 << 20, UINT64_MAX / 4, UINT64_MAX / 8, 0, UINT64_MAX, UINT64_MAX},
         true,
         {INT64_MAX, INT64_MAX, 0, 0, INT64_MAX, INT64_MAX},
         NO_SHARE},
        {"no size", {0, 0, 4096, 0, 0, 0, 0, 0}, false, {0}, 0},
        {"no unit", {0, 0, 0, 100, 0, 0, 0, 0}, false, {0}, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct filesystem_usage u = {0};
        double share = NO_SHARE;
        CHECK(cases[i].name, filesystem_usage(&cases[i].answer, &u) == cases[i].has_size);
        CHECK(cases[i].name, memcmp(&u, &cases[i].usage, sizeof(u)) == 0);
        if (!cases[i].has_size)
            continue;
        CHECK(cases[i].name, filesystem_used_share(&u, &share) == (cases[i].share >= 0));
        CHECK(cases[i].name, share - cases[i].share < 1e-9 && cases[i].share - share < 1e-9);
    }
}

/* as the places say: /error, /empty, /other (the answer is that of another device) */
static void answer(struct slice path, struct fsprobe_answer *ret)
{
    *ret = (struct fsprobe_answer){0, makedev(8, 1), 1, 100, 40, 40, 10, 5};
    if (slice_starts(path, SLICE_LIT("/error")))
        ret->error = -EAGAIN;
    if (slice_starts(path, SLICE_LIT("/empty")))
        ret->blocks = 0;
    if (slice_starts(path, SLICE_LIT("/other")))
        ret->device = makedev(9, 9);
    if (slice_starts(path, SLICE_LIT("/untold")))
        ret->device = 0;
}

/* a tree with that mountinfo, sampled once */
static int sample(const struct metric_set *set, void *set_state, const char *name, const char *text)
{
    const struct fsprobe_opts opts = {.prefix = "", .answer = answer};
    struct fsprobe *probe = fsprobe_new(NULL, &opts);
    struct tmp_dir dir;
    char path[64];
    tmp_dir_make(&dir);
    tmp_dir_mkdir(&dir, "proc");
    tmp_dir_mkdir(&dir, "proc/1");
    tmp_dir_mkdir(&dir, "proc/self");
    (void)snprintf(path, sizeof(path), "proc/%s/mountinfo", name);
    tmp_dir_write_str(&dir, path, text);
    struct procfs *procfs = procfs_new(dir.path, NULL, NULL, MIB);
    const struct set_source source = {.procfs = procfs, .probe = probe};
    int r = set->sample(set_state, &source);
    procfs_free(&procfs);
    fsprobe_free(&probe);
    tmp_dir_remove(&dir);
    return r;
}

static const char table[] = "1 0 8:1 / / rw - ext4 /dev/a rw\n"
                            "2 1 0:7 / /error rw - nfs4 h:/ rw\n"
                            "3 1 0:8 / /empty rw - fuse.x y rw\n"
                            "4 1 8:2 / /other rw - ext4 /dev/b rw\n"
                            "5 1 0:9 /@ /other/btrfs rw - btrfs /dev/c rw\n"
                            "6 1 0:10 / /untold rw - fuse.z z rw\n";

static void test_which_answers_count(void **state)
{
    (void)state;
    static const char *const points[] = {"/", "/other/btrfs", "/untold"};
    struct filesystem_sample *s = mem_zalloc(filesystem_set.state_bytes);
    /* the first process's mounts; ours where there is no such file */
    static const char *const names[] = {"1", "self"};
    for (size_t k = 0; k < ARRAY_LEN(names); k++) {
        assert_int_equal(sample(&filesystem_set, s, names[k], table), 0);
        assert_int_equal(filesystem_set.documents(s), ARRAY_LEN(points));
        for (size_t i = 0; i < ARRAY_LEN(points); i++) {
            assert_true(slice_eq_str(s->volumes.all[i].point, points[i]));
            assert_int_equal(s->usage[i].used, 60);
        }
    }
    assert_int_equal(sample(&filesystem_set, s, "1", "what"), -EBADMSG);
    assert_int_equal(filesystem_set.documents(s), 0);
    assert_int_equal(sample(&filesystem_set, s, "1", "1 0 0:1 / / rw - tmpfs t rw\n"), 0);
    assert_int_equal(filesystem_set.documents(s), 0);
    filesystem_set.clear(s);
    mem_free(s);
}

static void test_sums(void **state)
{
    (void)state;
    struct value v[5] = {0};
    void *s = mem_zalloc(fsstat_set.state_bytes);
    assert_int_equal(sample(&fsstat_set, s, "1", table), 0);
    assert_int_equal(fsstat_set.documents(s), 1);
    fsstat_set.values(s, 0, v);
    static const int64_t expected[] = {3, 30, 120, 300, 180};
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_int_equal(v[i].whole, expected[i]);
    fsstat_set.clear(s);
    mem_free(s);
}

/* no inodes told: no such members; names that need escapes are whole JSON */
static void test_document(void **state)
{
    (void)state;
    struct filesystem_sample *s = mem_zalloc(filesystem_set.state_bytes);
    struct value v[VALUES_MAX] = {0};
    struct json_writer w;
    struct buf b = {0};
    assert_int_equal(
        sample(&filesystem_set, s, "1",
               "1 0 8:1 / /a\"\\134\\012\xff rw,x - vfat /dev/\"x\x01 rw,iocharset=\"\n"),
        0);
    s->usage[0].files = 0;
    filesystem_set.values(s, 0, v);
    open_json(&w, &b);
    values_write(&w, filesystem_set.fields, filesystem_set.field_count, v);
    close_json(&w, "{\"system\":{\"filesystem\":{\"available\":40,\"device_name\":\"/dev/"
                   "\\\"x\\u0001\",\"free\":40,\"mount_point\":\"/a\\\"\\\\\\n\xef\xbf\xbd\","
                   "\"options\":\"rw,x,iocharset=\\\"\",\"total\":100,\"type\":\"vfat\",\"used\":{"
                   "\"bytes\":60,\"pct\":0.6}}}}");
    filesystem_set.clear(s);
    mem_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_which_answers_count),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
