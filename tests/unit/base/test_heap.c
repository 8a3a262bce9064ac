/* base/heap: order out, removal from everywhere, invariants after each random step. */
#include "base/heap.h"

#include "base/def.h"
#include "base/prng.h"
#include "check.h"

enum { NODES = 300 };

static void check_invariants(const struct heap *h)
{
    for (size_t i = 0; i < h->count; i++) {
        assert_true(h->nodes[i]->index == i + 1);
        if (i > 0)
            assert_true(h->nodes[(i - 1) / 2]->key <= h->nodes[i]->key);
    }
}

static void comes_out_sorted(void **state)
{
    (void)state;
    static const int64_t keys[] = {5, -3, INT64_MAX, 0, INT64_MIN, 5, 5, 1, -3};
    static const int64_t sorted[] = {INT64_MIN, -3, -3, 0, 1, 5, 5, 5, INT64_MAX};
    struct heap_node nodes[ARRAY_LEN(keys)] = {0};
    struct heap h;
    heap_init(&h);
    assert_null(heap_peek(&h));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_false(heap_has(&nodes[i]));
        heap_push(&h, &nodes[i], keys[i]);
        assert_true(heap_has(&nodes[i]));
    }
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
        struct heap_node *first = heap_peek(&h);
        assert_non_null(first);
        assert_true(first->key == sorted[i]);
        heap_remove(&h, first);
        assert_false(heap_has(first));
        check_invariants(&h);
    }
    assert_null(heap_peek(&h));
    heap_clear(&h);
}

static void random_steps(void **state)
{
    (void)state;
    static struct heap_node nodes[NODES];
    struct heap h;
    struct prng random;
    size_t count = 0;
    heap_init(&h);
    prng_init(&random, 3);
    for (int step = 0; step < 20000; step++) {
        struct heap_node *node = &nodes[prng_upto(&random, NODES - 1)];
        if (heap_has(node)) {
            heap_remove(&h, node);
            count--;
        } else {
            heap_push(&h, node, prng_upto(&random, 50));
            count++;
        }
        assert_int_equal(h.count, count);
        check_invariants(&h);
    }
    /* clear lets every node go */
    heap_clear(&h);
    for (size_t i = 0; i < NODES; i++)
        assert_false(heap_has(&nodes[i]));
    assert_null(heap_peek(&h));
}

static void removing_a_stranger(void **state)
{
    (void)state;
    struct heap h;
    struct heap_node in = {0};
    struct heap_node out = {0};
    heap_init(&h);
    heap_remove(&h, &out);
    heap_push(&h, &in, 1);
    heap_remove(&h, &out);
    assert_true(heap_peek(&h) == &in);
    heap_remove(&h, &in);
    heap_remove(&h, &in);
    assert_null(heap_peek(&h));
    heap_clear(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_out_sorted),
        cmocka_unit_test(random_steps),
        cmocka_unit_test(removing_a_stranger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
