/*
 * tests/unit/store/test_frame - records and headers, good and bad bytes
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "store/frame.h"

#define EPOCH 7

/* adds a record */
static void add(struct buf *b, uint64_t sequence, bool opens, const char *text)
{
    struct frame f = {
        .sequence = sequence, .type = FRAME_GEN, .opens = opens, .payload = slice_str(text)};
    assert_int_equal(frame_add(b, EPOCH, &f), 0);
}

/* three records: 1 opens, 2 of the same append, 3 opens; then END and garbage */
static void three(struct buf *b)
{
    buf_init(b, 65536);
    add(b, 1, true, "one");
    add(b, 2, false, "");
    add(b, 3, true, "twenty-four bytes of text");
    assert_int_equal(frame_add_end(b), 0);
    assert_int_equal(buf_add_str(b, "garbage behind END......"), 0);
}

/* exact bytes of a record, so that the format cannot change unnoticed */
static void test_layout(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    struct frame f = {.sequence = 0x0102030405060708,
                      .type = FRAME_SENT_TO,
                      .opens = true,
                      .payload = SLICE_LIT("abc")};
    assert_int_equal(frame_add(&b, EPOCH, &f), 0);
    static const uint8_t expected[32] = {3, 0, 0, 0, 0, 0, 0, 0, 8, 7, 6,   5,   4,  3,
                                         2, 1, 3, 1, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c'};
    assert_int_equal(b.len, sizeof(expected));
    assert_memory_equal(b.ptr, expected, 4);
    assert_memory_equal(b.ptr + 8, expected + 8, sizeof(expected) - 8);
    uint8_t covered[27] = {EPOCH};
    memcpy(covered + 8, expected + 8, 19);
    uint32_t crc = crc32c(0, covered, sizeof(covered));
    uint8_t stored[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                         (uint8_t)(crc >> 24)};
    assert_memory_equal(b.ptr + 4, stored, 4);
    buf_clear(&b);
}

/* what is written is read, END ends, another epoch reads nothing */
static void test_round(void **state)
{
    (void)state;
    struct buf b;
    three(&b);
    static const struct {
        bool opens;
        const char *text;
    } expected[] = {{true, "one"}, {false, ""}, {true, "twenty-four bytes of text"}};
    size_t at = 0;
    struct frame f;
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_int_equal(frame_next(buf_slice(&b), EPOCH, &at, &f), 1);
        assert_int_equal(f.sequence, i + 1);
        assert_int_equal(f.type, FRAME_GEN);
        assert_int_equal(f.opens, expected[i].opens);
        assert_true(slice_eq_str(f.payload, expected[i].text));
    }
    assert_int_equal(at, frame_size(3) + frame_size(0) + frame_size(25));
    assert_int_equal(frame_next(buf_slice(&b), EPOCH, &at, &f), 0);
    at = 0;
    assert_int_equal(frame_next(buf_slice(&b), EPOCH + 1, &at, &f), -EBADMSG);
    assert_int_equal(at, 0);
    buf_clear(&b);
}

/* every flipped bit is seen by the record it is in */
static void test_flips(void **state)
{
    (void)state;
    struct buf b;
    three(&b);
    size_t all = frame_size(3) + frame_size(0) + frame_size(25);
    for (size_t bit = 0; bit < all * 8; bit++) {
        b.ptr[bit / 8] = (char)(b.ptr[bit / 8] ^ (1 << bit % 8));
        size_t at = 0;
        struct frame f;
        while (frame_next(buf_slice(&b), EPOCH, &at, &f) == 1)
            continue;
        assert_true(at <= bit / 8);
        b.ptr[bit / 8] = (char)(b.ptr[bit / 8] ^ (1 << bit % 8));
    }
    buf_clear(&b);
}

/* every cut: only whole records before it */
static void test_cuts(void **state)
{
    (void)state;
    struct buf b;
    three(&b);
    for (size_t len = 0; len <= b.len; len++) {
        /* a copy of exact size, so that a sanitizer sees every byte read beyond it */
        struct buf copy;
        buf_init(&copy, 65536);
        assert_int_equal(buf_add(&copy, b.ptr, len), 0);
        size_t at = 0;
        struct frame f;
        unsigned count = 0;
        while (frame_next(buf_slice(&copy), EPOCH, &at, &f) == 1)
            count++;
        size_t two = frame_size(3) + frame_size(0);
        unsigned expected = len >= two + frame_size(25) ? 3
                            : len >= two                ? 2
                            : len >= frame_size(3)      ? 1
                                                        : 0;
        assert_int_equal(count, expected);
        buf_clear(&copy);
    }
    buf_clear(&b);
}

/* what the writer refuses */
static void test_refusals(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 32);
    struct frame f = {.sequence = 1, .type = FRAME_END};
    assert_int_equal(frame_add(&b, EPOCH, &f), -EINVAL);
    f.type = FRAME_GEN;
    f.payload = slice_of("", FRAME_PAYLOAD_MAX + 1);
    assert_int_equal(frame_add(&b, EPOCH, &f), -EMSGSIZE);
    f.payload = SLICE_LIT("123456789");
    assert_int_equal(frame_add(&b, EPOCH, &f), -ENOBUFS);
    assert_int_equal(b.len, 0);
    buf_clear(&b);
}

/* what stands behind an end or damage */
static void test_later(void **state)
{
    (void)state;
    size_t second = frame_size(3);
    size_t third = second + frame_size(0);
    const struct {
        const char *name;
        size_t damage; /* one byte of this record is changed */
        size_t at;     /* reading stopped here */
        uint64_t after;
        enum frame_later expected;
    } cases[] = {
        {"first damaged, the third opens", 8, 0, 0, FRAME_LATER_NEXT},
        {"second damaged, the third opens", second + 8, second, 1, FRAME_LATER_NEXT},
        {"third damaged, nothing behind", third + 8, third, 2, FRAME_LATER_NONE},
        {"nothing above that sequence", 8, 0, 3, FRAME_LATER_NONE},
        {"sequences too far ahead are of no record", 8, 0, UINT64_MAX - 1000, FRAME_LATER_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b;
        three(&b);
        b.ptr[cases[i].damage] ^= 0x40;
        enum frame_later later =
            frame_find_later(buf_slice(&b), EPOCH, cases[i].at, cases[i].after);
        if (later != cases[i].expected)
            fail_msg("%s: %d", cases[i].name, (int)later);
        buf_clear(&b);
    }
    struct buf b;
    buf_init(&b, 65536);
    add(&b, 1, true, "lost");
    add(&b, 2, false, "kept");
    b.ptr[8] ^= 1;
    assert_int_equal(frame_find_later(buf_slice(&b), EPOCH, 0, 0), FRAME_LATER_SAME);
    buf_clear(&b);
}

/* forged heads that would make a search quadratic end it instead */
static void test_seek_budget(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1 << 20);
    for (unsigned i = 0; i < 2048; i++) {
        uint8_t head[24] = {0, 0x80, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1};
        assert_int_equal(buf_add(&b, head, sizeof(head)), 0);
    }
    uint64_t budget = FRAME_SEEK_BUDGET(b.len);
    size_t at = 0;
    assert_false(frame_seek(buf_slice(&b), EPOCH, 0, &budget, &at));
    assert_int_equal(budget, 0);
    assert_int_equal(frame_find_later(buf_slice(&b), EPOCH, 0, 0), FRAME_LATER_NEXT);
    buf_clear(&b);
}

/* headers: round trip and each way to be bad */
static void test_header(void **state)
{
    (void)state;
    struct frame_header h = {.version = 1,
                             .kind = FRAME_KIND_LOG,
                             .epoch = 0x123456789abcdef0,
                             .machine_id = {9, 8, 7},
                             .created_ns = -5};
    struct frame_header got = {0};
    uint8_t bytes[FRAME_HEADER_BYTES];
    frame_header_write(bytes, &h);
    struct slice s = slice_of((const char *)bytes, sizeof(bytes));
    assert_int_equal(frame_header_read(s, &got), 0);
    assert_int_equal(got.version, 1);
    assert_int_equal(got.kind, FRAME_KIND_LOG);
    assert_true(got.epoch == h.epoch && got.created_ns == -5);
    assert_memory_equal(got.machine_id, h.machine_id, 16);
    for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(frame_header_read(s, &got), -EBADMSG);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(frame_header_read(slice_of(s.ptr, 63), &got), -EBADMSG);
    assert_int_equal(frame_header_read(slice_of(NULL, 0), &got), -ENODATA);
    h.version = 0;
    frame_header_write(bytes, &h);
    assert_int_equal(frame_header_read(s, &got), -EBADMSG);
    h.version = 2;
    frame_header_write(bytes, &h);
    assert_int_equal(frame_header_read(s, &got), -EPROTONOSUPPORT);
    assert_int_equal(got.version, 2);
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(frame_header_read(s, &got), -ENODATA);
}

/* fields: round trip, exact bytes, and too little of them */
static void test_fields(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 64);
    assert_int_equal(frame_put_u8(&b, 0xfe), 0);
    assert_int_equal(frame_put_u16(&b, 0xfedc), 0);
    assert_int_equal(frame_put_u32(&b, 0xfedcba98), 0);
    assert_int_equal(frame_put_u64(&b, 0xfedcba9876543210), 0);
    assert_int_equal(frame_put_bytes(&b, SLICE_LIT("xy")), 0);
    static const uint8_t expected[] = {0xfe, 0xdc, 0xfe, 0x98, 0xba, 0xdc, 0xfe,
                                       0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc,
                                       0xfe, 2,    0,    0,    0,    'x',  'y'};
    assert_int_equal(b.len, sizeof(expected));
    assert_memory_equal(b.ptr, expected, sizeof(expected));
    for (size_t len = 0; len <= b.len; len++) {
        struct slice s = slice_of(b.ptr, len);
        uint8_t u8 = 0;
        uint16_t u16 = 0;
        uint32_t u32 = 0;
        uint64_t u64 = 0;
        struct slice bytes = {0};
        assert_int_equal(frame_get_u8(&s, &u8), len >= 1);
        assert_int_equal(len >= 1 && frame_get_u16(&s, &u16), len >= 3);
        assert_int_equal(len >= 3 && frame_get_u32(&s, &u32), len >= 7);
        assert_int_equal(len >= 7 && frame_get_u64(&s, &u64), len >= 15);
        struct slice before = s;
        assert_int_equal(len >= 15 && frame_get_bytes(&s, &bytes), len >= 21);
        if (len >= 15 && len < 21)
            assert_true(s.ptr == before.ptr && s.len == before.len);
        if (len == 21) {
            assert_int_equal(u8, 0xfe);
            assert_int_equal(u16, 0xfedc);
            assert_true(u32 == 0xfedcba98 && u64 == 0xfedcba9876543210);
            assert_true(slice_eq_str(bytes, "xy"));
        }
    }
    struct buf small;
    buf_init(&small, 5);
    assert_int_equal(frame_put_bytes(&small, SLICE_LIT("xy")), -ENOBUFS);
    assert_int_equal(small.len, 0);
    buf_clear(&small);
    buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),   cmocka_unit_test(test_round),
        cmocka_unit_test(test_flips),    cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_later),    cmocka_unit_test(test_seek_budget),
        cmocka_unit_test(test_header),   cmocka_unit_test(test_fields),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
