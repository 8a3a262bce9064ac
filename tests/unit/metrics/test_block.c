/* metrics/block: documents packed and read again, and what is refused. */
#include "metrics/block.h"

#include <errno.h>

#include "check.h"
#include "metrics/outlet.h"
#include "store/frame.h"

#define GENERATION "abcdefgh-_12"

static void test_round_trip(void **state)
{
    (void)state;
    struct buf b;
    struct block_reader r;
    struct block_document d;
    buf_init(&b, 4096);
    assert_int_equal(block_begin(&b, GENERATION), 0);
    for (unsigned i = 0; i < 3; i++) {
        d = (struct block_document){i * 7, SLICE_LIT("metrics-a"), SLICE_LIT("{\"a\":\"\\n\"}")};
        assert_int_equal(block_add(&b, &d), 0);
    }
    assert_int_equal(block_open(buf_slice(&b), &r), 0);
    assert_memory_equal(r.generation, GENERATION, DOCID_GENERATION_CHARS);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(block_next(&r, &d), 1);
        assert_int_equal(d.sequence, i * 7);
        assert_true(slice_eq_str(d.target, "metrics-a"));
        assert_true(slice_eq_str(d.document, "{\"a\":\"\\n\"}"));
    }
    assert_int_equal(block_next(&r, &d), 0);
    buf_clear(&b);
}

/* every cut but those between documents is noticed */
static void test_every_cut(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    struct block_document d = {1, SLICE_LIT("t"), SLICE_LIT("{}")};
    assert_int_equal(block_begin(&b, GENERATION), 0);
    size_t empty = b.len;
    assert_int_equal(block_add(&b, &d), 0);
    for (size_t cut = 0; cut < b.len; cut++) {
        struct block_reader r;
        int opened = block_open(slice_of(b.ptr, cut), &r);
        assert_int_equal(opened, cut < empty ? -EBADMSG : 0);
        if (opened == 0)
            assert_int_equal(block_next(&r, &d), cut == empty ? 0 : -EBADMSG);
    }
    buf_clear(&b);
}

static void test_refused(void **state)
{
    (void)state;
    static char large[OUTLET_DOCUMENT_MAX + 1];
    memset(large, 'x', sizeof(large));
    const struct {
        const char *name;
        struct block_document d;
        int expected;
    } rows[] = {
        {"good", {1, SLICE_LIT("t"), SLICE_LIT("{}")}, 1},
        {"highest sequence", {(UINT64_C(1) << 52) - 1, SLICE_LIT("t"), SLICE_LIT("{}")}, 1},
        {"sequence", {UINT64_C(1) << 52, SLICE_LIT("t"), SLICE_LIT("{}")}, -EBADMSG},
        {"no target", {1, SLICE_LIT(""), SLICE_LIT("{}")}, -EBADMSG},
        {"quote", {1, SLICE_LIT("a\"b"), SLICE_LIT("{}")}, -EBADMSG},
        {"backslash", {1, SLICE_LIT("a\\b"), SLICE_LIT("{}")}, -EBADMSG},
        {"blank", {1, SLICE_LIT("a b"), SLICE_LIT("{}")}, -EBADMSG},
        {"not ASCII", {1, SLICE_LIT("a\xc3\xa4"), SLICE_LIT("{}")}, -EBADMSG},
        {"long target", {1, slice_of(large, 256), SLICE_LIT("{}")}, -EBADMSG},
        {"no document", {1, SLICE_LIT("t"), SLICE_LIT("")}, -EBADMSG},
        {"newline", {1, SLICE_LIT("t"), SLICE_LIT("{\n}")}, -EBADMSG},
        {"long document", {1, SLICE_LIT("t"), slice_of(large, sizeof(large))}, -EBADMSG},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b;
        struct block_reader r;
        struct block_document d;
        buf_init(&b, MIB);
        assert_int_equal(block_begin(&b, GENERATION), 0);
        assert_int_equal(block_add(&b, &rows[i].d), 0);
        assert_int_equal(block_open(buf_slice(&b), &r), 0);
        if (block_next(&r, &d) != rows[i].expected)
            fail_msg("%s", rows[i].name);
        buf_clear(&b);
    }
    struct block_reader r;
    assert_int_equal(block_open(SLICE_LIT("abc\"efghijkl"), &r), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
