/* metrics/diskio: rows, partitions, sums of the host, rates over wraps and resets. */
#include "metrics/diskio.h"

#include <errno.h>

#include "base/mem.h"
#include "check.h"
#include "tmp_dir.h"

static void test_rows(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        size_t count;
        const char *name;
        uint64_t read_bytes;
        bool whole;
    } cases[] = {
        {"8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n", 0, 1, "sda", 1536, true},
        {"8 0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", 0, 1, "sda", 1536, true},
        {"8 1 sda1 1 2 3 4 5 6 7 8 9 10 11\n", 0, 1, "sda1", 1536, false},
        {"8 0 sda 1 2 9223372036854775807 4 5 6 7 8 9 10 11\n", 0, 1, "sda", INT64_MAX, true},
        {"8 1 sda1 1 2 3 4\n", 0, 0, NULL, 0, false},
        {"8 0 a/b 1 2 3 4 5 6 7 8 9 10 11\n", 0, 0, NULL, 0, false},
        {"8 0 a2345678901234567890123456789012 1 2 3 4 5 6 7 8 9 10 11\n", 0, 0, NULL, 0, false},
        {"8 0 sda -1 2 3 4 5 6 7 8 9 10 11\n", 0, 0, NULL, 0, false},
        {"8 0 sda 1 2 3 4 5 6 7 8 9 10 11", -EBADMSG, 0, NULL, 0, false},
        {"", -EBADMSG, 0, NULL, 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diskio_sample s = {0};
        CHECK(cases[i].text, diskio_parse(slice_str(cases[i].text), &s) == cases[i].error);
        CHECK(cases[i].text, s.count == cases[i].count);
        if (s.count > 0) {
            assert_string_equal(s.disks[0].name, cases[i].name);
            CHECK(cases[i].text, s.disks[0].read.bytes == cases[i].read_bytes);
            CHECK(cases[i].text, s.disks[0].is_whole == cases[i].whole);
        }
        diskio_sample_clear(&s);
    }
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool partition, physical;
    } cases[] = {
        {"sda", false, true},       {"sda1", true, false},      {"sdaa", false, true},
        {"hdb12", true, false},     {"vdc3", true, false},      {"xvda1", true, false},
        {"nvme0n1", false, true},   {"nvme0n1p2", true, false}, {"mmcblk0", false, true},
        {"mmcblk0p1", true, false}, {"dm-0", false, false},     {"md127", false, false},
        {"md0p1", true, false},     {"loop3", false, false},    {"zram0", false, false},
        {"sr0", false, false},      {"mtdblock4", false, true}, {"p1", false, true},
        {"1", false, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diskio_disk d = {0};
        (void)snprintf(d.name, sizeof(d.name), "%s", cases[i].name);
        d.is_whole = !diskio_is_partition(slice_str(cases[i].name));
        CHECK(cases[i].name, d.is_whole == !cases[i].partition);
        CHECK(cases[i].name, diskio_is_physical(&d) == cases[i].physical);
    }
}

static void test_rates(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct diskio_disk prev, now;
        int64_t ns;
        bool told;
        struct diskio_rates rates;
    } cases[] = {
        {"ten requests in a second",
         {.read = {10, 0, 100}},
         {.read = {20, 0, 150}, .busy_ms = 500, .weighted_ms = 2000},
         1000000000,
         true,
         {5, 0.5, 2}},
        {"counters of 32 bits wrap",
         {.read = {1, 0, 4294967290}, .busy_ms = 4294967295},
         {.read = {2, 0, 4}, .busy_ms = 99},
         1000000000,
         true,
         {10, 0.1, 0}},
        {"nothing done", {.read = {1}}, {.read = {1}}, 1000000000, true, {0, 0, 0}},
        {"busier than the time",
         {.read = {1}},
         {.read = {2}, .busy_ms = 1010},
         1000000000,
         true,
         {0, 1, 0}},
        {"set back", {.read = {9}}, {.read = {1}}, 1000000000, false, {0, 0, 0}},
        {"no time passed", {.read = {1}}, {.read = {2}}, 0, false, {0, 0, 0}},
        {"another disk", {.name = "sda"}, {.name = "sdb"}, 1000000000, false, {0, 0, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diskio_rates r = {0};
        CHECK(cases[i].name,
              diskio_rate(&cases[i].prev, &cases[i].now, cases[i].ns, &r) == cases[i].told);
        CHECK(cases[i].name, r.await_ms == cases[i].rates.await_ms);
        CHECK(cases[i].name, r.busy == cases[i].rates.busy);
        CHECK(cases[i].name, r.queue_size == cases[i].rates.queue_size);
    }
}

/* takes a sample of a text of its own */
static void sample(void *state, const char *text)
{
    struct tmp_dir dir;
    tmp_dir_make(&dir);
    tmp_dir_write_str(&dir, "diskstats", text);
    struct procfs *procfs = procfs_new("", dir.path, NULL, MIB);
    const struct set_source source = {.procfs = procfs};
    assert_int_equal(diskio_set.sample(state, &source), 0);
    procfs_free(&procfs);
    tmp_dir_remove(&dir);
}

/* what the host read by the last document; -1 when there is none */
static int64_t host_read(void *state)
{
    struct value v[VALUES_MAX] = {0};
    diskio_set.values(state, diskio_set.documents(state) - 1, v);
    return v[0].is_set ? v[0].whole : -1;
}

static void test_a_disk_that_vanishes_and_returns(void **state)
{
    (void)state;
    void *s = mem_zalloc(diskio_set.state_bytes);
    sample(s, "8 0 sda 1 0 10 0 0 0 0 0 0 0 0\n8 16 sdb 1 0 1000 0 0 0 0 0 0 0 0\n");
    assert_int_equal(host_read(s), -1);
    sample(s, "8 0 sda 2 0 12 0 0 0 0 0 0 0 0\n");
    assert_int_equal(host_read(s), 1024);
    sample(s, "8 16 sdb 9 0 9000 0 0 0 0 0 0 0 0\n8 0 sda 3 0 13 0 0 0 0 0 0 0 0\n");
    assert_int_equal(host_read(s), 512);
    sample(s, "8 16 sdb 1 0 5 0 0 0 0 0 0 0 0\n8 0 sda 4 0 15 0 0 0 0 0 0 0 0\n");
    assert_int_equal(host_read(s), 1024);
    diskio_set.clear(s);
    mem_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_a_disk_that_vanishes_and_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
