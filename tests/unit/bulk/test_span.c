/* bulk/span: spans come clean, are recycled without allocation, and are counted. */
#include "bulk/span.h"

#include "bulk_test.h"

/* whether a span is as span_get promises */
static bool is_fresh(const struct span *s, const struct span_owner *owner, uint64_t at)
{
    return s->owner == owner && s->from == at && s->to == at && s->open_items == 0 &&
           !s->resolved && s->evidence.offset == 0 && s->evidence.head_bytes == 0 &&
           count_is(s->shipped, 0, 0) && count_is(s->dead, 0, 0) && list_is_empty(&s->link);
}

static void comes_clean_again(void **state)
{
    (void)state;
    struct span_pool *pool = span_pool_new();
    struct recorder a, b;
    recorder_init(&a, pool);
    recorder_init(&b, pool);
    struct span *s = span_get(pool, &a.owner, 7);
    assert_true(is_fresh(s, &a.owner, 7));
    assert_int_equal(span_pool_used(pool), 1);
    struct list head;
    list_init(&head);
    list_push_back(&head, &s->link);
    s->to = 9;
    s->evidence = (struct evidence){9, 1, 2, 3, EVIDENCE_IN_OVERSIZE};
    s->shipped = s->dead = (struct ledger_count){1, 1};
    s->open_items = 4;
    s->resolved = true;
    span_put(pool, s);
    assert_true(list_is_empty(&head)); /* it leaves its list */
    assert_int_equal(span_pool_used(pool), 0);
    assert_true(span_get(pool, &b.owner, UINT64_MAX) == s);
    assert_true(is_fresh(s, &b.owner, UINT64_MAX));
    span_put(pool, s);
    span_pool_free(&pool);
    assert_null(pool);
    span_pool_free(&pool);
}

/* what goes with a span is resolved with it, or goes back with it */
static void companions(void **state)
{
    (void)state;
    struct span_pool *pool = span_pool_new();
    struct recorder a, b;
    recorder_init(&a, pool);
    recorder_init(&b, pool);
    struct span *s = span_get(pool, &a.owner, 1);
    span_add_companion(s, span_get(pool, &b.owner, 2));
    span_add_companion(s, span_get(pool, &b.owner, 3));
    span_resolve_companions(s);
    assert_true(s->companion == NULL && a.count == 0 && b.count == 2);
    assert_int_equal(span_pool_used(pool), 1);
    span_resolve_companions(s);
    assert_int_equal(b.count, 2);
    span_add_companion(s, span_get(pool, &b.owner, 4));
    span_add_companion(s, span_get(pool, &b.owner, 5));
    span_put(pool, s);
    assert_int_equal(b.count, 2);
    assert_int_equal(span_pool_used(pool), 0);
    span_pool_free(&pool);
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    enum { SPANS = 50 };
    struct span_pool *pool = span_pool_new();
    struct recorder owner;
    struct span *spans[SPANS];
    recorder_init(&owner, pool);
    uint64_t before = 0;
    for (unsigned round = 0; round < 20; round++) {
        if (round == 1)
            before = mem_calls();
        for (unsigned i = 0; i < SPANS; i++)
            spans[i] = span_get(pool, &owner.owner, i);
        assert_int_equal(span_pool_used(pool), SPANS);
        for (unsigned i = 0; i < SPANS; i++)
            span_put(pool, spans[(i * 7 + round) % SPANS]);
        assert_int_equal(span_pool_used(pool), 0);
    }
    assert_true(mem_calls() == before);
    span_pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_clean_again),
        cmocka_unit_test(companions),
        cmocka_unit_test(steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
