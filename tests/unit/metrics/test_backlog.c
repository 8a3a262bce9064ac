/* metrics/backlog: order, sizes, the wrap of the ring; against a plain array. */
#include "metrics/backlog.h"

#include "base/prng.h"
#include "check.h"

#define MODEL 4096

static const char *const target = "metrics-system.cpu-default";

/* a document that tells its number and length */
static struct slice make(char *dst, uint64_t sequence, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        dst[i] = (char)(sequence * 31 + i * 7);
    return slice_of(dst, bytes);
}

static void test_empty(void **state)
{
    (void)state;
    struct backlog *b = backlog_new(100);
    struct backlog_entry e;
    struct buf out;
    buf_init(&out, 100);
    assert_true(backlog_is_empty(b));
    assert_false(backlog_front(b, &e));
    assert_int_equal(backlog_document(b, &out), 0);
    assert_int_equal(out.len, 0);
    backlog_pop(b);
    size_t most = 100 - sizeof(struct backlog_entry);
    assert_true(backlog_has_room(b, most));
    assert_false(backlog_has_room(b, most + 1));
    assert_false(backlog_has_room(b, SIZE_MAX));
    backlog_free(&b);
    assert_null(b);
    backlog_free(&b);
}

static void test_against_an_array(void **state)
{
    (void)state;
    static uint32_t lengths[MODEL]; /* by sequence */
    static char document[512];
    struct backlog *b = backlog_new(2000);
    struct prng r;
    struct buf out;
    uint64_t in = 0;
    uint64_t at = 0;
    size_t used = 0;
    prng_init(&r, 42);
    buf_init(&out, sizeof(document));
    while (in < MODEL || at < in) {
        uint32_t bytes = (uint32_t)prng_upto(&r, sizeof(document));
        size_t needed = bytes + sizeof(struct backlog_entry);
        assert_int_equal(backlog_has_room(b, bytes), used + needed <= 2000);
        assert_int_equal(backlog_is_empty(b), at == in);
        if (in < MODEL && used + needed <= 2000 && prng_upto(&r, 2) > 0) {
            struct backlog_entry e = {.sequence = in, .target = target, .bytes = bytes};
            lengths[in] = bytes;
            backlog_push(b, &e, make(document, in++, bytes));
            used += needed;
        } else if (at < in) {
            struct backlog_entry e;
            assert_true(backlog_front(b, &e));
            assert_int_equal(e.sequence, at);
            assert_ptr_equal(e.target, target);
            assert_int_equal(e.bytes, lengths[at]);
            assert_int_equal(backlog_document(b, &out), 0);
            assert_true(slice_eq(buf_slice(&out), make(document, at, lengths[at])));
            backlog_pop(b);
            used -= lengths[at++] + sizeof(struct backlog_entry);
        }
    }
    buf_clear(&out);
    backlog_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_against_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
