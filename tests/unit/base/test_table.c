/* base/table: against a plain array as model, with good, bad and equal hashes. */
#include "base/table.h"

#include <string.h>

#include "base/hash.h"
#include "base/prng.h"
#include "check.h"

enum { OBJECTS = 2000 };

struct object {
    uint64_t key;
    bool in_table;
    unsigned seen;
};

static bool has_key(const void *object, const void *key)
{
    return ((const struct object *)object)->key == *(const uint64_t *)key;
}

static uint64_t well_mixed(const void *object)
{
    return hash64_u64(((const struct object *)object)->key);
}

static uint64_t all_equal(const void *object)
{
    (void)object;
    return UINT64_MAX; /* the last slot: what follows wraps */
}

static uint64_t close_together(const void *object)
{
    return ((const struct object *)object)->key / 3;
}

/* what the table finds under a key is what the model has under it */
static void check_key(struct table *t, struct object *objects, size_t n, uint64_t key)
{
    struct object probe = {.key = key};
    size_t found = 0;
    size_t expected = 0;
    for (struct object *o = table_find(t, t->hash(&probe), &key); o != NULL;
         o = table_find_next(t, o, &key)) {
        assert_true(o->key == key && o->in_table);
        assert_int_equal(o->seen++, 0);
        found++;
    }
    for (size_t i = 0; i < n; i++) {
        expected += objects[i].in_table && objects[i].key == key;
        objects[i].seen = 0;
    }
    assert_int_equal(found, expected);
}

static void follows_the_model(void **state)
{
    (void)state;
    static const struct {
        table_hash_fn hash;
        size_t objects, keys, steps;
    } cases[] = {
        {well_mixed, OBJECTS, OBJECTS, 10000}, /* a key for each */
        {well_mixed, OBJECTS, 300, 5000},      /* several of each */
        {all_equal, 100, 40, 5000},
        {close_together, 100, 100, 10000},
    };
    static struct object objects[OBJECTS];
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        struct prng random;
        struct table t;
        size_t count = 0;
        prng_init(&random, 1);
        table_init(&t, cases[c].hash, has_key);
        memset(objects, 0, sizeof(objects));
        for (size_t i = 0; i < cases[c].objects; i++)
            objects[i].key = i % cases[c].keys;
        for (size_t step = 0; step < cases[c].steps; step++) {
            struct object *o = &objects[prng_upto(&random, (int64_t)cases[c].objects - 1)];
            o->in_table = !o->in_table;
            if (o->in_table)
                table_insert(&t, o);
            else
                table_remove(&t, o);
            count = o->in_table ? count + 1 : count - 1;
            assert_int_equal(t.count, count);
            assert_true(t.count <= t.slot_count / 4 * 3);
            check_key(&t, objects, cases[c].objects, o->key);
        }
        for (uint64_t key = 0; key <= cases[c].keys; key++)
            check_key(&t, objects, cases[c].objects, key);
        table_clear(&t);
        assert_true(t.slots == NULL && t.count == 0);
    }
}

static void empty_table(void **state)
{
    (void)state;
    struct table t;
    uint64_t key = 1;
    struct object o = {.key = 1};
    table_init(&t, well_mixed, has_key);
    assert_null(table_find(&t, 1, &key));
    table_clear(&t);
    table_insert(&t, &o); /* usable after clear */
    assert_ptr_equal(table_find(&t, well_mixed(&o), &key), &o);
    assert_null(table_find_next(&t, &o, &key));
    table_remove(&t, &o);
    assert_null(table_find(&t, well_mixed(&o), &key));
    table_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_model),
        cmocka_unit_test(empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
