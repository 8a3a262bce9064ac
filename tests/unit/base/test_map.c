/* base/map: against a plain array as model, with good, bad and equal hashes. */
#include "base/map.h"

#include <string.h>

#include "base/hash.h"
#include "base/prng.h"
#include "check.h"

enum { KEYS = 2000 };

struct entry {
    uint64_t key;
    bool in_map;
    unsigned seen;
    struct map_node node;
};

static bool has_key(const struct map_node *node, const void *key)
{
    const struct entry *e = MAP_ENTRY(node, const struct entry, node);
    return e->key == *(const uint64_t *)key;
}

static uint64_t all_equal(uint64_t key)
{
    (void)key;
    return 5;
}

static uint64_t only_high_bits(uint64_t key)
{
    return key << 40;
}

/* every node is visited once, and no other */
static void check_walk(struct map *m, struct entry *entries, size_t n)
{
    size_t visited = 0;
    for (struct map_node *node = map_next(m, NULL); node != NULL; node = map_next(m, node)) {
        MAP_ENTRY(node, struct entry, node)->seen++;
        visited++;
    }
    assert_int_equal(visited, m->count);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(entries[i].seen, entries[i].in_map ? 1 : 0);
        entries[i].seen = 0;
    }
}

static void follows_the_model(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t (*hash)(uint64_t key);
        size_t keys, steps;
    } cases[] = {
        {"good hash", hash64_u64, KEYS, 20000},
        {"all equal", all_equal, 100, 3000},
        {"same slot", only_high_bits, 100, 3000},
    };
    static struct entry entries[KEYS];
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        struct prng random;
        struct map m;
        size_t count = 0;
        prng_init(&random, 1);
        map_init(&m, has_key);
        memset(entries, 0, sizeof(entries));
        for (size_t step = 0; step < cases[c].steps; step++) {
            uint64_t key = (uint64_t)prng_upto(&random, (int64_t)cases[c].keys - 1);
            struct entry *e = &entries[key];
            e->key = key;
            struct map_node *found = map_find(&m, cases[c].hash(key), &key);
            CHECK(cases[c].name, found == (e->in_map ? &e->node : NULL));
            if (e->in_map) {
                map_remove(&m, &e->node);
                count--;
            } else {
                map_insert(&m, &e->node, cases[c].hash(key));
                count++;
            }
            e->in_map = !e->in_map;
            CHECK(cases[c].name, m.count == count);
            CHECK(cases[c].name, m.count <= m.slot_count);
        }
        check_walk(&m, entries, cases[c].keys);
        map_clear(&m);
        CHECK(cases[c].name, m.slots == NULL && m.count == 0);
    }
}

static void empty_map(void **state)
{
    (void)state;
    struct map m;
    uint64_t key = 1;
    map_init(&m, has_key);
    assert_null(map_find(&m, 1, &key));
    assert_null(map_next(&m, NULL));
    map_clear(&m);
    /* usable again after clear */
    struct entry e = {.key = 1};
    map_insert(&m, &e.node, 1);
    assert_true(map_find(&m, 1, &key) == &e.node);
    map_remove(&m, &e.node);
    assert_null(map_find(&m, 1, &key));
    map_clear(&m);
}

static void hash_alone_is_no_match(void **state)
{
    (void)state;
    struct map m;
    struct entry a = {.key = 1};
    struct entry b = {.key = 2};
    uint64_t key = 3;
    map_init(&m, has_key);
    map_insert(&m, &a.node, 77);
    map_insert(&m, &b.node, 77);
    assert_null(map_find(&m, 77, &key));
    key = 2;
    assert_true(map_find(&m, 77, &key) == &b.node);
    assert_null(map_find(&m, 78, &key));
    map_clear(&m);
}

static void finds_all_of_one_key(void **state)
{
    (void)state;
    static struct entry entries[60];
    struct map m;
    map_init(&m, has_key);
    for (unsigned i = 0; i < ARRAY_LEN(entries); i++) { /* keys 0, 1, 2, in slots that they share */
        entries[i] = (struct entry){.key = i % 3};
        map_insert(&m, &entries[i].node, i % 3 == 0 ? 16 : 32);
    }
    for (uint64_t key = 0; key < 4; key++) {
        size_t found = 0;
        uint64_t hash = key == 0 ? 16 : 32;
        for (struct map_node *node = map_find(&m, hash, &key); node != NULL;
             node = map_find_next(&m, node, &key)) {
            struct entry *e = MAP_ENTRY(node, struct entry, node);
            assert_int_equal(e->key, key);
            assert_int_equal(e->seen++, 0);
            found++;
        }
        assert_int_equal(found, key < 3 ? 20 : 0);
    }
    map_clear(&m);
}

static void removing_while_visiting(void **state)
{
    (void)state;
    static struct entry entries[100];
    struct map m;
    map_init(&m, has_key);
    for (uint64_t i = 0; i < ARRAY_LEN(entries); i++) {
        entries[i] = (struct entry){.key = i, .in_map = true};
        map_insert(&m, &entries[i].node, hash64_u64(i));
    }
    struct map_node *next;
    for (struct map_node *node = map_next(&m, NULL); node != NULL; node = next) {
        next = map_next(&m, node);
        struct entry *e = MAP_ENTRY(node, struct entry, node);
        if (e->key % 3 != 0) {
            map_remove(&m, node);
            e->in_map = false;
        }
    }
    assert_int_equal(m.count, 34);
    check_walk(&m, entries, ARRAY_LEN(entries));
    map_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_model),       cmocka_unit_test(empty_map),
        cmocka_unit_test(hash_alone_is_no_match),  cmocka_unit_test(finds_all_of_one_key),
        cmocka_unit_test(removing_while_visiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
