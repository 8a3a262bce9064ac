/* metrics/memory: captured /proc/meminfo, kernels without MemAvailable, impossible numbers. */
#include "metrics/memory.h"

#include <errno.h>

#include "check.h"

static struct buf text;

static int clear_text(void **state)
{
    (void)state;
    buf_clear(&text);
    return 0;
}

static void test_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        int error;
        const char *json;
    } cases[] = {
        {"vm-1", 0,
         "{\"system\":{\"memory\":{\"total\":25276510208,\"free\":22333382656,"
         "\"cached\":996212736,\"used\":{\"bytes\":2943127552,\"pct\":0.1164},"
         "\"actual\":{\"free\":23223881728,\"used\":{\"bytes\":2052628480,\"pct\":0.0812}},"
         "\"dirty\":{\"bytes\":15077376},\"hugepages\":{\"total\":0,\"free\":0,"
         "\"used\":{\"bytes\":0,\"pct\":0.0}},\"slab\":{\"bytes\":253968384,"
         "\"reclaimable\":{\"bytes\":217473024}},\"writeback\":{\"bytes\":0},"
         "\"swap\":{\"total\":0,\"free\":0,\"used\":{\"bytes\":0,\"pct\":0.0}}}}}"},
        /* actual.free = 12815 + 8000 + 64000 kB */
        {"linux-2.4", 0,
         "{\"system\":{\"memory\":{\"total\":263122944,\"free\":13122560,"
         "\"cached\":65536000,\"used\":{\"bytes\":250000384,\"pct\":0.9501},"
         "\"actual\":{\"free\":86850560,\"used\":{\"bytes\":176272384,\"pct\":0.6699}},"
         "\"dirty\":{\"bytes\":0},\"hugepages\":{\"total\":0,\"free\":0,"
         "\"used\":{\"bytes\":0,\"pct\":0.0}},\"slab\":{\"bytes\":0,"
         "\"reclaimable\":{\"bytes\":0}},\"writeback\":{\"bytes\":0},"
         "\"swap\":{\"total\":536862720,\"free\":536043520,"
         "\"used\":{\"bytes\":819200,\"pct\":0.0015}}}}}"},
        {"truncated", -EBADMSG, NULL},
        {"empty", -EBADMSG, NULL},
        {"hostile", -EBADMSG, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct memory_sample s;
        struct json_writer w;
        CHECK(cases[i].host,
              memory_parse(host_file(&text, cases[i].host, "meminfo"), &s) == cases[i].error);
        if (cases[i].error != 0)
            continue;
        open_json(&w, &text);
        memory_write(&s, &w);
        close_json(&w, cases[i].json);
    }
}

static void test_odd(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *text;
        int error;
        struct memory_sample sample;
    } cases[] = {
        {"available is believed over the sum",
         "MemTotal: 100 kB\nMemFree: 10 kB\nMemAvailable: 12 kB\nBuffers: 20 kB\nCached: 30 kB\n",
         0,
         {102400, 10240, 30720, 12288, 0, 0}},
        {"parts larger than the whole",
         "MemTotal: 4 kB\nMemFree: 5 kB\nMemAvailable: 6 kB\nCached: 7 kB\nSwapTotal: 1 kB\n"
         "SwapFree: 2 kB\n",
         0,
         {4096, 4096, 4096, 4096, 1024, 1024}},
        {"pages and kilobytes",
         "MemTotal: 4096 kB\nMemFree: 1024 kB\nDirty: 1 kB\nWriteback: 2 kB\nSlab: 3 kB\n"
         "SReclaimable: 4 kB\nHugePages_Total: 3\nHugePages_Free: 1\nHugepagesize: 2048 kB\n",
         0,
         {4194304, 1048576, 0, 1048576, 0, 0, 1024, 2048, 3072, 3072, 6291456, 2097152}},
        {"more huge pages than any memory",
         "MemTotal: 4 kB\nMemFree: 1 kB\nHugePages_Total: 9007199254740991\n"
         "Hugepagesize: 2048 kB\n",
         0,
         {4096, 1024, 0, 1024}},
        {"the first of two rows counts",
         "MemTotal: 4 kB\nMemTotal: 9 kB\nMemFree: 1 kB\n",
         0,
         {4096, 1024, 0, 1024, 0, 0}},
        {"longer names are other rows", "MemTotal: 4 kB\nMemFreeX: 1 kB\n", -EBADMSG, {0}},
        {"no number", "MemTotal: 4 kB\nMemFree:\n", -EBADMSG, {0}},
        {"the largest memory",
         "MemTotal: 9007199254740991 kB\nMemFree: 0 kB\n",
         0,
         {INT64_MAX - 1023, 0, 0, 0, 0, 0}},
        {"more than a long holds", "MemTotal: 9007199254740992 kB\nMemFree: 0 kB\n", -EBADMSG, {0}},
        {"sums beyond 64 bits",
         "MemTotal: 8 kB\nMemFree: 9007199254740991 kB\nBuffers: 9007199254740991 kB\n"
         "Cached: 9007199254740991 kB\n",
         0,
         {8192, 8192, 8192, 8192, 0, 0}},
        {"no memory", "MemTotal: 0 kB\nMemFree: 0 kB\n", 0, {0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct memory_sample s = {0};
        const struct memory_sample *e = &cases[i].sample;
        const char *name = cases[i].name;
        CHECK(name, memory_parse(slice_str(cases[i].text), &s) == cases[i].error);
        CHECK(name, s.total == e->total);
        CHECK(name, s.free == e->free);
        CHECK(name, s.cached == e->cached);
        CHECK(name, s.actual_free == e->actual_free);
        CHECK(name, s.swap_total == e->swap_total && s.swap_free == e->swap_free);
    }
}

/* 0 of 0 is no division */
static void test_no_memory(void **state)
{
    (void)state;
    struct memory_sample s = {0};
    struct json_writer w;
    open_json(&w, &text);
    memory_write(&s, &w);
    close_json(&w, "{\"system\":{\"memory\":{\"total\":0,\"free\":0,\"cached\":0,"
                   "\"used\":{\"bytes\":0,\"pct\":0.0},"
                   "\"actual\":{\"free\":0,\"used\":{\"bytes\":0,\"pct\":0.0}},"
                   "\"dirty\":{\"bytes\":0},\"hugepages\":{\"total\":0,\"free\":0,"
                   "\"used\":{\"bytes\":0,\"pct\":0.0}},\"slab\":{\"bytes\":0,"
                   "\"reclaimable\":{\"bytes\":0}},\"writeback\":{\"bytes\":0},"
                   "\"swap\":{\"total\":0,\"free\":0,\"used\":{\"bytes\":0,\"pct\":0.0}}}}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_odd),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, clear_text);
}
