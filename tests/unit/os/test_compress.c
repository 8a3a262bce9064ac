/* os/compress: what zlib inflates from a member is the input, for every backend and size */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/prng.h"
#include "os/compress.h"

#define OUT_MAX (8 * MIB)

static const enum compress_backend backends[] = {
    COMPRESS_AUTO,
    COMPRESS_LIBDEFLATE,
#if WHERRY_ISAL
    COMPRESS_ISAL,
#endif
};

/* zeros, bytes that do not shrink, lines like a bulk body */
enum filling { ZEROS, NOISE, LINES };

/* fills dst, the same each time */
static void fill(char *dst, size_t n, enum filling how)
{
    struct prng r;
    prng_init(&r, 42);
    for (size_t i = 0; how != LINES && i < n; i++)
        dst[i] = how == ZEROS ? 0 : (char)(prng_next(&r) >> 32);
    for (size_t i = 0; how == LINES && i < n;) {
        char line[256];
        int len = snprintf(line, sizeof(line),
                           "{\"create\":{\"_id\":\"Jx0yq2Zl8A_b%013zx\"}}\n{\"@timestamp\":"
                           "\"2026-11-23T01:02:03.456Z\",\"log\":{\"offset\":%zu},\"message\":"
                           "\"request %u took %u ms\"}\n",
                           i, i, (unsigned)(prng_next(&r) >> 40), (unsigned)(prng_next(&r) >> 54));
        size_t part = (size_t)len < n - i ? (size_t)len : n - i;
        memcpy(dst + i, line, part);
        i += part;
    }
}

/* inflates exactly one gzip member into dst; the length, or -1 */
static ssize_t gunzip(struct slice in, char *dst, size_t cap)
{
    z_stream z = {0};
    /* zlib's input pointer is not const without ZLIB_CONST, so the test gives it a copy. */
    unsigned char *copy = malloc(in.len + 1);
    memcpy(copy, in.ptr, in.len);
    z.next_in = copy;
    z.avail_in = (uInt)in.len;
    z.next_out = (unsigned char *)dst;
    z.avail_out = (uInt)cap;
    assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
    int r = inflate(&z, Z_FINISH);
    ssize_t n = r == Z_STREAM_END && z.avail_in == 0 ? (ssize_t)z.total_out : -1;
    inflateEnd(&z);
    free(copy);
    return n;
}

static const struct round_case {
    const char *name;
    size_t len;
    enum filling how;
    size_t at_most; /* of the compressed form */
} rounds[] = {
    {"empty", 0, ZEROS, 64},
    {"one byte", 1, NOISE, 64},
    {"two hundred bytes", 200, LINES, 200},
    {"one block of noise", 65535, NOISE, 65535 + 1024},
    {"one block and a byte of noise", 65536, NOISE, 65536 + 1024},
    {"lines, 64 KiB", 64 * KIB, LINES, 16 * KIB},
    {"lines, 1 MiB", 1 * MIB, LINES, 256 * KIB},
    {"lines, 5 MiB", 5 * MIB, LINES, 1280 * KIB},
    {"zeros, 5 MiB", 5 * MIB, ZEROS, 64 * KIB},
    {"noise, 5 MiB", 5 * MIB, NOISE, 5 * MIB + 8 * KIB},
};

/* every case with one and the same compressor of each backend */
static void test_round_trip(void **state)
{
    (void)state;
    char *in = malloc(5 * MIB);
    char *back = malloc(5 * MIB + 1);
    for (size_t b = 0; b < ARRAY_LEN(backends); b++) {
        struct compress *c = compress_new(backends[b], COMPRESS_LEVEL_MIN);
        struct buf out;
        buf_init(&out, OUT_MAX);
        assert_non_null(c);
        for (size_t i = 0; i < ARRAY_LEN(rounds); i++) {
            const struct round_case *t = &rounds[i];
            fill(in, t->len, t->how);
            int r = compress_gzip(c, slice_of(in, t->len), &out);
            if (r != 0 || out.len > t->at_most)
                fail_msg("%s, %s: %d, %zu bytes", compress_name(c), t->name, r, out.len);
            ssize_t n = gunzip(buf_slice(&out), back, 5 * MIB + 1);
            if (n != (ssize_t)t->len || memcmp(in, back, t->len) != 0)
                fail_msg("%s, %s: inflated to %zd bytes", compress_name(c), t->name, n);
        }
        buf_clear(&out);
        compress_free(&c);
        assert_null(c);
    }
    free(in);
    free(back);
}

/* a body that is empty as slices may be: no pointer */
static void test_null_input(void **state)
{
    (void)state;
    for (size_t b = 0; b < ARRAY_LEN(backends); b++) {
        struct compress *c = compress_new(backends[b], COMPRESS_LEVEL_MIN);
        struct buf out;
        char back[1];
        buf_init(&out, OUT_MAX);
        assert_int_equal(compress_gzip(c, slice_of(NULL, 0), &out), 0);
        assert_int_equal(gunzip(buf_slice(&out), back, sizeof(back)), 0);
        buf_clear(&out);
        compress_free(&c);
    }
}

/* limits below the compressed length are -ENOBUFS and leave nothing */
static void test_limit(void **state)
{
    (void)state;
    char *in = malloc(MIB);
    char *back = malloc(MIB);
    for (size_t b = 0; b < ARRAY_LEN(backends); b++) {
        for (enum filling how = NOISE; how <= LINES; how++) {
            struct compress *c = compress_new(backends[b], COMPRESS_LEVEL_MIN);
            struct buf out;
            fill(in, MIB, how);
            buf_init(&out, OUT_MAX);
            assert_int_equal(compress_gzip(c, slice_of(in, MIB), &out), 0);
            const size_t whole = out.len;
            buf_clear(&out);
            const size_t limits[] = {0, 1, 10, 18, 100, whole / 2, whole - 1};
            for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
                buf_init(&out, limits[i]);
                int r = compress_gzip(c, slice_of(in, MIB), &out);
                if (r != -ENOBUFS || out.len != 0)
                    fail_msg("%s, limit %zu: %d, %zu bytes", compress_name(c), limits[i], r,
                             out.len);
                buf_clear(&out);
            }
            /* A backend may want a few bytes of slack, never more than this. */
            buf_init(&out, whole + 1024);
            assert_int_equal(compress_gzip(c, slice_of(in, MIB), &out), 0);
            assert_int_equal(gunzip(buf_slice(&out), back, MIB), MIB);
            assert_memory_equal(in, back, MIB);
            buf_clear(&out);
            compress_free(&c);
        }
    }
    free(in);
    free(back);
}

/* the old content goes, and a second body of the same size asks for no memory */
static void test_reuse(void **state)
{
    (void)state;
    char *in = malloc(MIB);
    char *back = malloc(MIB);
    for (size_t b = 0; b < ARRAY_LEN(backends); b++) {
        struct compress *c = compress_new(backends[b], COMPRESS_LEVEL_MIN);
        struct buf out;
        buf_init(&out, OUT_MAX);
        fill(in, MIB, LINES);
        assert_int_equal(compress_gzip(c, slice_of(in, MIB), &out), 0);
        uint64_t before = mem_calls();
        fill(in, MIB, NOISE);
        assert_int_equal(compress_gzip(c, slice_of(in, MIB), &out), 0);
        fill(in, MIB - 7, LINES);
        assert_int_equal(compress_gzip(c, slice_of(in, MIB - 7), &out), 0);
        assert_int_equal(mem_calls() - before, 0);
        assert_int_equal(gunzip(buf_slice(&out), back, MIB), MIB - 7);
        assert_memory_equal(in, back, MIB - 7);
        buf_clear(&out);
        compress_free(&c);
    }
    free(in);
    free(back);
}

/* every level that there is, none beside; the highest makes less of lines than the lowest */
static void test_levels(void **state)
{
    (void)state;
    char *in = malloc(MIB);
    char *back = malloc(MIB);
    size_t sizes[COMPRESS_LEVEL_MAX + 1];
    fill(in, MIB, LINES);
    for (unsigned level = COMPRESS_LEVEL_MIN; level <= COMPRESS_LEVEL_MAX; level++) {
        struct compress *c = compress_new(COMPRESS_AUTO, level);
        struct buf out;
        buf_init(&out, OUT_MAX);
        assert_non_null(c);
        assert_true(level == COMPRESS_LEVEL_MIN || strcmp(compress_name(c), "libdeflate") == 0);
        assert_int_equal(compress_gzip(c, slice_of(in, MIB), &out), 0);
        assert_int_equal(gunzip(buf_slice(&out), back, MIB), MIB);
        assert_memory_equal(in, back, MIB);
        sizes[level] = out.len;
        buf_clear(&out);
        compress_free(&c);
    }
    assert_true(sizes[COMPRESS_LEVEL_MAX] < sizes[COMPRESS_LEVEL_MIN]);
    assert_null(compress_new(COMPRESS_LIBDEFLATE, 0));
    assert_null(compress_new(COMPRESS_LIBDEFLATE, 10));
    assert_null(compress_new(COMPRESS_ISAL, 2));
    free(in);
    free(back);
}

/* which backend a name stands for in this build */
static void test_choice(void **state)
{
    (void)state;
    struct compress *c = compress_new(COMPRESS_LIBDEFLATE, COMPRESS_LEVEL_MIN);
    assert_string_equal(compress_name(c), "libdeflate");
    compress_free(&c);
    compress_free(&c);
    c = compress_new(COMPRESS_ISAL, COMPRESS_LEVEL_MIN);
#if WHERRY_ISAL
    assert_string_equal(compress_name(c), "isa-l");
    compress_free(&c);
    const char *best = "isa-l";
#else
    assert_null(c);
    const char *best = "libdeflate";
#endif
#if !defined(__x86_64__) && !defined(__aarch64__)
    best = "libdeflate";
#endif
    c = compress_new(COMPRESS_AUTO, COMPRESS_LEVEL_MIN);
    assert_string_equal(compress_name(c), best);
    compress_free(&c);
}

/* runs them */
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_null_input),
        cmocka_unit_test(test_limit),      cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_levels),     cmocka_unit_test(test_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
