/* Documents of every set on a captured host (vm-1, then vm-2), as they stand in
 * tests/data/metrics/SET.ndjson: one line each, what the set adds to the envelope. Sets that ask
 * the kernel instead of a file have none. */
#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "config/config.h"
#include "metrics/sets.h"

static char text[] = "text";
static const struct sysinfo host = {
    .hostname = text, .machine_id = text, .boot_id = text, .cores = 2};

/* all documents of the second sample, one line each */
static void write_all(const struct metric_set *set, struct buf *out)
{
    struct fsprobe *probe = fake_probe();
    struct procfs *first = procfs_new(HOSTS "vm-1", NULL, NULL, MIB);
    struct procfs *second = procfs_new(HOSTS "vm-2", NULL, NULL, MIB);
    const struct set_source sources[] = {{first, &host, 1000000000, probe, NULL, NULL},
                                         {second, &host, 11000000000, probe, NULL, NULL}};
    void *state = mem_zalloc(set->state_bytes);
    CHECK(set->name, set->sample(state, &sources[0]) == 0);
    CHECK(set->name, set->sample(state, &sources[1]) == 0);
    for (size_t i = 0; i < set->documents(state); i++) {
        struct json_writer w;
        json_begin(&w, out);
        write_members(set, state, i, &w);
        CHECK(set->name, json_done(&w) == 0);
        CHECK(set->name, buf_add(out, "\n", 1) == 0);
    }
    if (set->clear != NULL)
        set->clear(state);
    mem_free(state);
    procfs_free(&first);
    procfs_free(&second);
    fsprobe_free(&probe);
}

/* the expected lines */
static void read_golden(const char *set, struct buf *out)
{
    char name[128];
    char piece[4096];
    size_t n;
    (void)snprintf(name, sizeof(name), "tests/data/metrics/%s.ndjson", set);
    FILE *f = fopen(name, "re");
    if (f == NULL)
        fail_msg("no file %s", name);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        assert_int_equal(buf_add(out, piece, n), 0);
    (void)fclose(f);
}

static void test_documents(void **state)
{
    (void)state;
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    for (size_t i = 0; i < count; i++) {
        struct buf got, want;
        if (table[i]->path == NULL)
            continue;
        buf_init(&got, MIB);
        buf_init(&want, MIB);
        write_all(table[i], &got);
        read_golden(table[i]->name, &want);
        assert_string_equal(buf_cstr(&got), buf_cstr(&want));
        buf_clear(&got);
        buf_clear(&want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_documents)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
