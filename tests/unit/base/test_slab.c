/* base/slab: objects do not overlap, are zeroed, and their blocks come and go. */
#include "base/slab.h"

#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "check.h"

enum { OBJECTS = 3000 };

/* whether all bytes have one value */
static bool is_all(const unsigned char *p, size_t n, unsigned char value)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != value)
            return false;
    }
    return true;
}

/* gets and puts at random: each object keeps what is written into it, and is zeroed when it comes
 */
static void objects_are_apart(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 16, 24, 100, 4096};
    static unsigned char *objects[OBJECTS];
    for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
        struct slab s;
        struct prng random;
        size_t count = 0;
        slab_init(&s, sizes[k]);
        prng_init(&random, 7);
        memset(objects, 0, sizeof(objects));
        for (int step = 0; step < 20000; step++) {
            size_t i = (size_t)prng_upto(&random, OBJECTS - 1);
            unsigned char mark = (unsigned char)(i % 255 + 1);
            if (objects[i] == NULL) {
                objects[i] = slab_get(&s);
                assert_true((uintptr_t)objects[i] % sizeof(void *) == 0);
                assert_true(is_all(objects[i], sizes[k], 0));
                memset(objects[i], mark, sizes[k]);
                count++;
            } else {
                assert_true(is_all(objects[i], sizes[k], mark));
                slab_put(&s, objects[i]);
                objects[i] = NULL;
                count--;
            }
            assert_int_equal(s.count, count);
        }
        for (size_t i = 0; i < OBJECTS; i++)
            slab_put(&s, objects[i]);
        assert_int_equal(s.count, 0);
        slab_clear(&s);
    }
}

static void what_comes_and_goes_allocates_nothing(void **state)
{
    (void)state;
    struct slab s;
    slab_init(&s, 64);
    void *first = slab_get(&s);
    uint64_t before = mem_calls();
    slab_put(&s, first);
    for (int round = 0; round < 100; round++) {
        void *p = slab_get(&s);
        assert_ptr_equal(p, first);
        memset(p, 1, 64);
        slab_put(&s, p);
        slab_trim(&s);
    }
    assert_true(mem_calls() == before);
    assert_true(is_all(slab_get(&s), 64, 0));
    slab_put(&s, first);
    slab_clear(&s);
}

/* of many blocks one is left when all objects are back, whatever their order */
static void empty_blocks_go(void **state)
{
    (void)state;
    static void *objects[OBJECTS];
    struct slab s;
    slab_init(&s, 1000);
    for (int backwards = 0; backwards < 2; backwards++) {
        for (size_t i = 0; i < OBJECTS; i++)
            objects[i] = slab_get(&s);
        for (size_t i = 0; i < OBJECTS; i++)
            slab_put(&s, objects[backwards ? OBJECTS - 1 - i : i]);
        assert_true(list_is_empty(&s.full));
        assert_ptr_equal(s.roomy.next, s.roomy.prev); /* one at most */
    }
    slab_clear(&s);
    assert_true(list_is_empty(&s.roomy));
    slab_put(&s, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_apart),
        cmocka_unit_test(what_comes_and_goes_allocates_nothing),
        cmocka_unit_test(empty_blocks_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
