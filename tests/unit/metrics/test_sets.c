/* metrics/sets: names, bits and files of the table; what each set says on hosts that lack it. */
#include "metrics/sets.h"

#include <errno.h>

#include "base/mem.h"
#include "check.h"
#include "config/config.h"
#include "config/options.h"

static void test_table(void **state)
{
    (void)state;
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    const struct option *choice =
        options_find(false, slice_str("metrics.sets"), &(struct slice){0});
    assert_non_null(choice);
    assert_int_equal(count, CONFIG_SETS);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(table[i]->which, i);
        assert_string_equal(table[i]->name, choice->choices[i]);
        assert_non_null(table[i]->path);
    }
    assert_string_equal(choice->choices[count], "all");
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
        int cpu, load, memory, network, pressure, uptime;
        size_t interfaces;
    } cases[] = {
        {HOSTS "vm-1", 0, 0, 0, 0, 0, 0, 3},
        {HOSTS "linux-2.4", 0, 0, 0, 0, -ENOENT, 0, 1},
        {HOSTS "empty", -EBADMSG, -EBADMSG, -EBADMSG, -EBADMSG, -EBADMSG, -EBADMSG, 0},
        {HOSTS "truncated", -EBADMSG, -EBADMSG, -EBADMSG, 0, -EBADMSG, -EBADMSG, 1},
        {HOSTS "hostile", -EBADMSG, -EBADMSG, -EBADMSG, 0, -EBADMSG, -EBADMSG, 3},
        {HOSTS "server-1", 0, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, 0},
        {HOSTS "none", -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, 0},
        {HOSTS "vm-1/proc/stat", -ENOTDIR, -ENOTDIR, -ENOTDIR, -ENOTDIR, -ENOTDIR, -ENOTDIR, 0},
    };
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const int expected[CONFIG_SETS] = {
            [CONFIG_SET_CPU] = cases[i].cpu,           [CONFIG_SET_LOAD] = cases[i].load,
            [CONFIG_SET_MEMORY] = cases[i].memory,     [CONFIG_SET_NETWORK] = cases[i].network,
            [CONFIG_SET_PRESSURE] = cases[i].pressure, [CONFIG_SET_UPTIME] = cases[i].uptime,
        };
        for (size_t k = 0; k < count; k++) {
            /* the first sample: no rate yet */
            size_t documents = k == CONFIG_SET_CPU       ? 0
                               : k == CONFIG_SET_NETWORK ? cases[i].interfaces
                                                         : 1;
            size_t n;
            int r = sample_once(table[k], cases[i].host, &n);
            if (r != expected[k])
                fail_msg("%s: %s: %d", cases[i].host, table[k]->name, r);
            CHECK(cases[i].host, n == (r == 0 ? documents : 0));
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
