/* metrics/sets: names, bits and files of the table; what each set says on hosts that lack it. */
#include "metrics/sets.h"

#include <errno.h>

#include "base/mem.h"
#include "check.h"
#include "config/config.h"

static void test_table(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned bit;
        const char *path;
    } expected[] = {
        {"cpu", CONFIG_METRICS_CPU, "stat"},
        {"load", CONFIG_METRICS_LOAD, "loadavg"},
        {"memory", CONFIG_METRICS_MEMORY, "meminfo"},
        {"network", CONFIG_METRICS_NETWORK, "net/dev"},
    };
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    assert_int_equal(count, ARRAY_LEN(expected));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(table[i]->name, expected[i].name);
        assert_int_equal(table[i]->bit, expected[i].bit);
        assert_string_equal(table[i]->path, expected[i].path);
    }
}

/* what one sample of a fresh set on a host says */
static int sample_once(const struct metric_set *set, const char *hostfs, size_t *ret_documents)
{
    char hostname[] = "h";
    const struct sysinfo host = {.hostname = hostname, .cores = 1};
    struct procfs *procfs = procfs_new(hostfs, NULL, NULL, MIB);
    struct set_source source = {procfs, &host};
    void *state = mem_zalloc(set->state_bytes);
    int r = set->sample(state, &source);
    *ret_documents = r == 0 ? set->documents(state) : 0;
    if (set->clear != NULL)
        set->clear(state);
    mem_free(state);
    procfs_free(&procfs);
    return r;
}

static void test_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        int cpu, load, memory, network;
        size_t interfaces;
    } cases[] = {
        {HOSTS "vm-1", 0, 0, 0, 0, 3},
        {HOSTS "linux-2.4", 0, 0, 0, 0, 1},
        {HOSTS "empty", -EBADMSG, -EBADMSG, -EBADMSG, -EBADMSG, 0},
        {HOSTS "truncated", -EBADMSG, -EBADMSG, -EBADMSG, 0, 1},
        {HOSTS "hostile", -EBADMSG, -EBADMSG, -EBADMSG, 0, 3},
        {HOSTS "server-1", 0, -ENOENT, -ENOENT, -ENOENT, 0},
        {HOSTS "none", -ENOENT, -ENOENT, -ENOENT, -ENOENT, 0},
        {HOSTS "vm-1/proc/stat", -ENOTDIR, -ENOTDIR, -ENOTDIR, -ENOTDIR, 0},
    };
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int expected[] = {cases[i].cpu, cases[i].load, cases[i].memory, cases[i].network};
        /* the first sample: no rate yet */
        const size_t documents[] = {0, 1, 1, cases[i].interfaces};
        for (size_t k = 0; k < count; k++) {
            size_t n;
            CHECK(cases[i].host, sample_once(table[k], cases[i].host, &n) == expected[k]);
            CHECK(cases[i].host, n == (expected[k] == 0 ? documents[k] : 0));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
