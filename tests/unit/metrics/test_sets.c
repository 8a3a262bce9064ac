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
    }
    assert_string_equal(choice->choices[CONFIG_SETS_DEFAULT], "default");
    assert_string_equal(choice->choices[CONFIG_SETS_ALL], "all");
}

/* what one sample of a fresh set on a host says */
static int sample_once(const struct metric_set *set, const char *hostfs, size_t *ret_documents)
{
    char hostname[] = "h";
    const struct sysinfo host = {.hostname = hostname, .cores = 1};
    struct fsprobe *probe = fake_probe();
    struct procfs *procfs = procfs_new(hostfs, NULL, NULL, MIB);
    struct set_source source = {procfs, &host, 0, probe, NULL, NULL};
    void *state = mem_zalloc(set->state_bytes);
    int r = set->sample(state, &source);
    *ret_documents = r == 0 ? set->documents(state) : 0;
    if (set->clear != NULL)
        set->clear(state);
    mem_free(state);
    procfs_free(&procfs);
    fsprobe_free(&probe);
    return r;
}

/* a captured host has the files of every set, a missing one none; rates need a second sample */
static void test_present_and_missing(void **state)
{
    (void)state;
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    for (size_t k = 0; k < count; k++) {
        const struct metric_set *set = table[k];
        size_t n;
        if (set->path == NULL)
            continue;
        CHECK(set->name, sample_once(set, HOSTS "vm-1", &n) == 0);
        CHECK(set->name,
              (n == 0) == (set->which == CONFIG_SET_CPU || set->which == CONFIG_SET_CORE));
        CHECK(set->name, sample_once(set, HOSTS "none", &n) == -ENOENT && n == 0);
        CHECK(set->name, sample_once(set, HOSTS "vm-1/proc/stat", &n) == -ENOTDIR && n == 0);
    }
}

static void test_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        int results[6]; /* cpu, load, memory, network, pressure, uptime */
        size_t interfaces;
    } cases[] = {
        {HOSTS "linux-2.4", {0, 0, 0, 0, -ENOENT, 0}, 1},
        {HOSTS "empty", {-EBADMSG, -EBADMSG, -EBADMSG, -EBADMSG, -EBADMSG, -EBADMSG}, 0},
        {HOSTS "truncated", {-EBADMSG, -EBADMSG, -EBADMSG, 0, -EBADMSG, -EBADMSG}, 1},
        {HOSTS "hostile", {-EBADMSG, -EBADMSG, -EBADMSG, 0, -EBADMSG, -EBADMSG}, 3},
        {HOSTS "server-1", {0, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT}, 0},
    };
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t k = 0; k < ARRAY_LEN(cases[i].results); k++) {
            size_t n;
            int r = sample_once(table[k], cases[i].host, &n);
            if (r != cases[i].results[k])
                fail_msg("%s: %s: %d", cases[i].host, table[k]->name, r);
            if (k == CONFIG_SET_NETWORK && r == 0)
                CHECK(cases[i].host, n == cases[i].interfaces);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_present_and_missing),
        cmocka_unit_test(test_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
