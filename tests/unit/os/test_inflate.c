/* os/inflate: streams in any pieces; several members; what is unfinished, damaged or too wide. */
#include "os/inflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

#define TEXT_BYTES ((size_t)300 * 1000)

/* lines that compress, but not to nothing */
static struct buf text_of(unsigned seed)
{
    struct buf b;
    buf_init(&b, SIZE_MAX);
    while (b.len < TEXT_BYTES) {
        seed = seed * 1103515245 + 12345;
        assert_int_equal(buf_printf(&b, "line %u of a log, %u\n", seed >> 8, seed >> 24), 0);
    }
    return b;
}

/* appends one gzip member */
static void add_gzip(struct buf *out, struct slice in)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, in.len) + 64;
    char *p = test_malloc(room);
    char *copy = test_malloc(in.len + 1);
    memcpy(copy, in.ptr == NULL ? "" : in.ptr, in.len);
    z.next_in = (Bytef *)copy;
    z.avail_in = (unsigned)in.len;
    z.next_out = (Bytef *)p;
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(buf_add(out, p, room - z.avail_out), 0);
    (void)deflateEnd(&z);
    test_free(copy);
    test_free(p);
}

/* appends one frame with a window of 2^bits */
static void add_zstd(struct buf *out, struct slice in, int bits)
{
    ZSTD_CCtx *c = ZSTD_createCCtx();
    size_t room = ZSTD_compressBound(in.len);
    char *p = test_malloc(room);
    ZSTD_outBuffer target = {p, room, 0};
    ZSTD_inBuffer source = {in.ptr, in.len, 0};
    assert_non_null(c);
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1)));
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, bits)));
    assert_false(ZSTD_isError(ZSTD_compressStream2(c, &target, &source, ZSTD_e_flush)));
    assert_int_equal(ZSTD_compressStream2(c, &target, &source, ZSTD_e_end), 0);
    assert_int_equal(buf_add(out, p, target.pos), 0);
    (void)ZSTD_freeCCtx(c);
    test_free(p);
}

/* appends one member or frame */
static void add(struct buf *out, enum inflate_kind kind, struct slice in)
{
    if (kind == INFLATE_GZIP)
        add_gzip(out, in);
    else
        add_zstd(out, in, 17);
}

/* Inflates all with the given steps; returns the last result. */
static ssize_t run(struct inflate *i, struct slice in, size_t step_in, size_t step_out,
                   struct buf *out)
{
    ssize_t r = 0;
    char *dst = test_malloc(step_out);
    while (r >= 0) {
        struct slice piece = slice_sub(in, 0, step_in);
        size_t offered = piece.len;
        r = inflate_some(i, &piece, dst, step_out);
        in = slice_sub(in, offered - piece.len, in.len);
        if (r > 0)
            assert_int_equal(buf_add(out, dst, (size_t)r), 0);
        if (r == 0 && piece.len == offered)
            break;
    }
    test_free(dst);
    return r;
}

static const enum inflate_kind kinds[] = {INFLATE_GZIP, INFLATE_ZSTD};

static void any_pieces(void **state)
{
    (void)state;
    static const struct {
        size_t in, out;
    } steps[] = {{SIZE_MAX, 1 << 20}, {1, 4096}, {4096, 1}, {7, 13}, {65536, 100}};
    struct buf text = text_of(1), packed;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        buf_init(&packed, SIZE_MAX);
        add(&packed, kinds[k], slice_of(text.ptr, 1000));
        add(&packed, kinds[k], slice_of(NULL, 0));
        add(&packed, kinds[k], slice_of(text.ptr + 1000, text.len - 1000));
        assert_int_equal(inflate_kind_of(slice_of(packed.ptr, packed.len)), kinds[k]);
        for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
            struct buf out;
            buf_init(&out, SIZE_MAX);
            struct inflate *i = inflate_new(kinds[k]);
            assert_false(inflate_is_whole(i));
            ssize_t r = run(i, slice_of(packed.ptr, packed.len), steps[s].in, steps[s].out, &out);
            assert_int_equal(r, 0);
            assert_true(inflate_is_whole(i));
            assert_int_equal(out.len, text.len);
            assert_memory_equal(out.ptr, text.ptr, text.len);
            inflate_free(&i);
            buf_clear(&out);
        }
        buf_clear(&packed);
    }
    buf_clear(&text);
}

/* a stream that is still written gives what is there, and goes on */
static void unfinished(void **state)
{
    (void)state;
    struct buf text = text_of(2), packed, out;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        buf_init(&packed, SIZE_MAX);
        add(&packed, kinds[k], slice_of(text.ptr, text.len));
        for (size_t cut = 1; cut < packed.len; cut += packed.len / 50) {
            buf_init(&out, SIZE_MAX);
            struct inflate *i = inflate_new(kinds[k]);
            assert_int_equal(run(i, slice_of(packed.ptr, cut), 1000, 5000, &out), 0);
            assert_false(inflate_is_whole(i));
            assert_true(out.len <= text.len);
            assert_memory_equal(out.ptr == NULL ? "" : out.ptr, text.ptr, out.len);
            assert_int_equal(run(i, slice_of(packed.ptr + cut, packed.len - cut), 1000, 5000, &out),
                             0);
            assert_true(inflate_is_whole(i));
            assert_int_equal(out.len, text.len);
            inflate_free(&i);
            buf_clear(&out);
        }
        buf_clear(&packed);
    }
    buf_clear(&text);
}

/* a changed byte is noticed; the failure lasts */
static void damaged(void **state)
{
    (void)state;
    struct buf text = text_of(3), packed, out;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        buf_init(&packed, SIZE_MAX);
        add(&packed, kinds[k], slice_of(text.ptr, text.len));
        for (size_t at = packed.len / 7; at < packed.len; at += packed.len / 7) {
            buf_init(&out, SIZE_MAX);
            struct inflate *i = inflate_new(kinds[k]);
            struct slice none = {NULL, 0};
            char c;
            packed.ptr[at] = (char)(packed.ptr[at] ^ 0x55);
            ssize_t r = run(i, slice_of(packed.ptr, packed.len), 1000, 5000, &out);
            assert_true(r == -EBADMSG || r == 0); /* 0: it waits for more than there is */
            assert_int_equal(inflate_some(i, &none, &c, 1), r);
            assert_false(inflate_is_whole(i));
            packed.ptr[at] = (char)(packed.ptr[at] ^ 0x55);
            inflate_free(&i);
            buf_clear(&out);
        }
        buf_clear(&packed);
    }
    buf_clear(&text);
}

static void what_follows_a_member(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t n;
        bool whole;
        int result;
    } cases[] = {
        {"nothing", "", 0, true, 0},
        {"zeros", "\0\0\0\0\0", 5, true, 0},
        {"zeros and the begin of a member", "\0\0\x1f\x8b", 4, false, 0},
        {"something else", "text", 4, false, -EBADMSG},
    };
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        struct buf packed, out;
        buf_init(&packed, SIZE_MAX);
        buf_init(&out, SIZE_MAX);
        add_gzip(&packed, SLICE_LIT("line\n"));
        assert_int_equal(buf_add(&packed, cases[c].bytes, cases[c].n), 0);
        struct inflate *i = inflate_new(INFLATE_GZIP);
        ssize_t r = run(i, slice_of(packed.ptr, packed.len), 3, 100, &out);
        if (r != cases[c].result || inflate_is_whole(i) != cases[c].whole || out.len != 5)
            fail_msg("case \"%s\": %d", cases[c].name, (int)r);
        inflate_free(&i);
        buf_clear(&out);
        buf_clear(&packed);
    }
}

static void window_of_a_frame(void **state)
{
    (void)state;
    static const struct {
        int bits;
        int result;
    } cases[] = {{17, 0}, {23, 0}, {24, -E2BIG}, {27, -E2BIG}};
    struct buf text = text_of(4), packed, out;
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        buf_init(&packed, SIZE_MAX);
        buf_init(&out, SIZE_MAX);
        add_zstd(&packed, slice_of(text.ptr, text.len), cases[c].bits);
        struct inflate *i = inflate_new(INFLATE_ZSTD);
        assert_int_equal(run(i, slice_of(packed.ptr, packed.len), 4096, 4096, &out),
                         cases[c].result);
        inflate_free(&i);
        buf_clear(&out);
        buf_clear(&packed);
    }
    buf_clear(&text);
}

static void kinds_by_magic(void **state)
{
    (void)state;
    static const struct {
        struct slice first;
        enum inflate_kind kind;
    } cases[] = {
        {SLICE_LIT("\x1f\x8b\x08\x00"), INFLATE_GZIP},
        {SLICE_LIT("\x1f\x8b\x07\x00"), INFLATE_NONE},
        {SLICE_LIT("\x1f\x8b\x08"), INFLATE_NONE},
        {SLICE_LIT("\x28\xb5\x2f\xfd"), INFLATE_ZSTD},
        {SLICE_LIT("\x53\x2a\x4d\x18"), INFLATE_ZSTD},
        {SLICE_LIT("\x27\xb5\x2f\xfd"), INFLATE_NONE},
        {SLICE_LIT("text"), INFLATE_NONE},
        {SLICE_LIT(""), INFLATE_NONE},
    };
    for (size_t c = 0; c < ARRAY_LEN(cases); c++)
        assert_int_equal(inflate_kind_of(cases[c].first), cases[c].kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_pieces),        cmocka_unit_test(unfinished),
        cmocka_unit_test(damaged),           cmocka_unit_test(what_follows_a_member),
        cmocka_unit_test(window_of_a_frame), cmocka_unit_test(kinds_by_magic),
    };
    return cmocka_run_group_tests_name("inflate", tests, NULL, NULL);
}
