/*
 * tests/unit/store/test_spool - blocks that wait on disk
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/def.h"
#include "fault_fs.h"
#include "store/frame.h"
#include "store/spool.h"
#include "tmp_dir.h"

#define LIMIT ((uint64_t)16 * 1024 * 1024)
#define FIRST "spool-0000000001.wsp"

/* a block of a number, n bytes that do not compress when `noise` */
static struct slice block_of(unsigned number, size_t n, bool noise)
{
    static char text[100000];
    uint32_t x = number * 2654435761U + 1;
    assert_true(n >= 16 && n <= sizeof(text));
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525U + 1013904223U;
        text[i] = noise ? (char)(x >> 24) : 'x';
    }
    (void)snprintf(text, 16, "block %08u", number);
    return slice_of(text, n);
}

static struct spool *open_on(const struct fs *fs, const struct tmp_dir *t, uint64_t max,
                             struct spool_found *found)
{
    struct spool_opts opts = {.fs = fs, .dir = t->fd, .max_bytes = max, .now_ns = 1};
    return spool_open(&opts, found);
}

static struct spool *open_spool(const struct tmp_dir *t, uint64_t max, unsigned blocks)
{
    struct spool_found found;
    struct spool *s = open_on(fs_system(), t, max, &found);
    assert_int_equal(found.blocks, blocks);
    assert_int_equal(found.torn + found.damaged + found.newer, 0);
    assert_int_equal(spool_left(s), blocks);
    return s;
}

/* a block that says it holds `number` documents of 10 bytes each */
static int put(struct spool *s, unsigned number, size_t n, bool noise)
{
    struct spool_count held = {10 * (uint64_t)number, number};
    uint64_t sequence;
    return spool_append(s, block_of(number, n, noise), &held, false, &sequence);
}

/* takes the next block; returns its number, 0 when there is none */
static unsigned take(struct spool *s, uint64_t *ret_sequence)
{
    struct buf block;
    unsigned number = 0;
    buf_init(&block, SPOOL_BLOCK_MAX);
    int r = spool_take(s, &block, ret_sequence);
    assert_true(r == 0 || r == 1);
    if (r == 1) {
        char text[17] = "";
        assert_true(block.len >= 16);
        memcpy(text, block.ptr, 15);
        assert_int_equal(sscanf(text, "block %8u", &number), 1);
    }
    buf_clear(&block);
    return number;
}

/* the blocks that wait must be these; all are done then */
static void check_blocks(struct spool *s, unsigned from, unsigned to)
{
    uint64_t sequence;
    for (unsigned i = from; i <= to; i++) {
        assert_int_equal(take(s, &sequence), i);
        spool_done(s, sequence);
    }
    assert_int_equal(take(s, &sequence), 0);
}

static void test_order_and_end(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct spool *s = open_spool(&t, LIMIT, 0);
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(put(s, i, 1000 * i, i % 2), 0);
    assert_int_equal(spool_left(s), 5);
    check_blocks(s, 1, 5);
    assert_int_equal(tmp_dir_count(&t), 0);
    assert_int_equal(spool_bytes(s), 0);
    spool_free(&s);
    assert_null(s);
    spool_free(&s);
    tmp_dir_remove(&t);
}

/* another life finds what is not done, and goes on behind it */
static void test_another_life(void **state)
{
    (void)state;
    struct tmp_dir t;
    uint64_t sequence;
    tmp_dir_make(&t);
    struct spool *s = open_spool(&t, LIMIT, 0);
    for (unsigned i = 1; i <= 4; i++)
        assert_int_equal(put(s, i, 100, true), 0);
    assert_int_equal(take(s, &sequence), 1);
    spool_done(s, sequence);
    assert_int_equal(take(s, &sequence), 2); /* taken, not done */
    spool_free(&s);
    struct spool_found found;
    s = open_on(fs_system(), &t, LIMIT, &found);
    assert_int_equal(found.blocks, 3);
    assert_int_equal(found.held.documents, 2 + 3 + 4);
    assert_int_equal(found.held.bytes, 90);
    assert_int_equal(put(s, 5, 100, true), 0);
    assert_int_equal(tmp_dir_count(&t), 2);
    check_blocks(s, 2, 5);
    assert_int_equal(tmp_dir_count(&t), 0);
    spool_free(&s);
    tmp_dir_remove(&t);
}

/* a block that is appended as taken is for a later life only */
static void test_taken(void **state)
{
    (void)state;
    struct tmp_dir t;
    uint64_t one, two;
    struct spool_count held = {10, 1};
    tmp_dir_make(&t);
    struct spool *s = open_spool(&t, LIMIT, 0);
    assert_int_equal(spool_append(s, block_of(1, 50, true), &held, true, &one), 0);
    assert_int_equal(spool_append(s, block_of(2, 50, true), &held, true, &two), 0);
    assert_true(two > one);
    assert_int_equal(spool_left(s), 0);
    spool_done(s, one);
    spool_done(s, one);
    spool_done(s, 999);
    spool_free(&s);
    s = open_spool(&t, LIMIT, 1);
    check_blocks(s, 2, 2);
    spool_free(&s);
    tmp_dir_remove(&t);
}

/* the oldest go, whole segments of them; what is counted and what is left is all */
static void test_limit(void **state)
{
    (void)state;
    struct tmp_dir t;
    uint64_t sequence, documents = 0;
    enum { COUNT = 600 };
    tmp_dir_make(&t);
    struct spool *s = open_spool(&t, 256 * KIB, 0);
    for (unsigned i = 1; i <= COUNT; i++) {
        struct spool_count held = {7, 1};
        assert_int_equal(spool_append(s, block_of(i, 1000, true), &held, false, &sequence), 0);
        assert_true(spool_bytes(s) <= 256 * KIB);
        struct spool_count dropped = spool_take_dropped(s);
        assert_int_equal(dropped.bytes, 7 * dropped.documents);
        documents += dropped.documents;
    }
    assert_true(documents > 300 && documents < 400);
    assert_int_equal(spool_gone(s), documents); /* sequences count from 1 */
    assert_int_equal(spool_left(s), COUNT - documents);
    check_blocks(s, (unsigned)documents + 1, COUNT);
    assert_int_equal(spool_take_dropped(s).documents, 0);
    spool_free(&s);
    tmp_dir_remove(&t);
}

static void test_too_large(void **state)
{
    (void)state;
    struct tmp_dir t;
    uint64_t sequence;
    struct spool_count held = {1, 1};
    tmp_dir_make(&t);
    struct spool *s = open_spool(&t, 64 * KIB, 0);
    assert_int_equal(put(s, 1, 100, true), 0);
    assert_int_equal(put(s, 2, 100000, true), -EDQUOT);
    assert_int_equal(spool_left(s), 1);
    char *large = calloc(1, SPOOL_BLOCK_MAX + 1);
    assert_non_null(large);
    assert_int_equal(spool_append(s, slice_of(large, SPOOL_BLOCK_MAX + 1), &held, false, &sequence),
                     -EMSGSIZE);
    free(large);
    check_blocks(s, 1, 1);
    spool_free(&s);
    tmp_dir_remove(&t);
}

/* makes a spool of one file with three blocks; returns its bytes */
static long make_three(const struct tmp_dir *t, char *bytes, size_t max, long ends[3])
{
    struct spool *s = open_spool(t, LIMIT, 0);
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(put(s, i, 40, true), 0);
        ends[i - 1] = (long)spool_bytes(s);
    }
    spool_free(&s);
    long n = tmp_dir_read(t, FIRST, bytes, max);
    assert_int_equal(n, ends[2]);
    return n;
}

/* cut at every byte: what was whole is there, and nothing else */
static void test_every_cut(void **state)
{
    (void)state;
    struct tmp_dir t;
    static char bytes[4096];
    long ends[3];
    tmp_dir_make(&t);
    long n = make_three(&t, bytes, sizeof(bytes), ends);
    for (long cut = 0; cut < n; cut++) {
        struct spool_found found;
        tmp_dir_write(&t, FIRST, bytes, (size_t)cut);
        struct spool *s = open_on(fs_system(), &t, LIMIT, &found);
        unsigned whole = cut >= ends[1] ? 2 : cut >= ends[0] ? 1 : 0;
        bool is_edge = cut == ends[0] || cut == ends[1] || cut == FRAME_HEADER_BYTES;
        assert_int_equal(found.blocks, whole);
        assert_int_equal(found.torn + found.damaged, is_edge ? 0 : 1);
        assert_int_equal(put(s, 9, 100, true), 0);
        uint64_t sequence;
        for (unsigned i = 1; i <= whole; i++)
            assert_int_equal(take(s, &sequence), i);
        assert_int_equal(take(s, &sequence), 9);
        assert_int_equal(take(s, &sequence), 0);
        spool_free(&s);
        (void)unlinkat(t.fd, "spool-0000000002.wsp", 0); /* may be the first again */
    }
    tmp_dir_remove(&t);
}

/* every bit flipped: at most the block it is in is lost, no other is altered, and it is told */
static void test_every_flip(void **state)
{
    (void)state;
    struct tmp_dir t;
    static char bytes[4096];
    long ends[3];
    tmp_dir_make(&t);
    long n = make_three(&t, bytes, sizeof(bytes), ends);
    for (long bit = 0; bit < 8 * n; bit++) {
        struct spool_found found;
        uint64_t sequence;
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << (bit % 8)));
        tmp_dir_write(&t, FIRST, bytes, (size_t)n);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << (bit % 8)));
        struct spool *s = open_on(fs_system(), &t, LIMIT, &found);
        bool in_header = bit / 8 < FRAME_HEADER_BYTES;
        unsigned hit = in_header ? 0 : bit / 8 < ends[0] ? 1 : bit / 8 < ends[1] ? 2 : 3;
        assert_int_equal(found.blocks + found.newer, in_header ? 3 + found.newer : 2);
        assert_int_equal(found.torn + found.damaged + found.newer, 1);
        for (unsigned i = 1; i <= 3 && found.newer == 0; i++)
            if (i != hit)
                assert_int_equal(take(s, &sequence), i);
        assert_int_equal(take(s, &sequence), 0);
        spool_free(&s);
    }
    tmp_dir_remove(&t);
}

/* damage after opening: the block is dropped and counted, the next one comes */
static void test_damage_while_open(void **state)
{
    (void)state;
    struct tmp_dir t;
    static char bytes[4096];
    long ends[3];
    uint64_t sequence;
    tmp_dir_make(&t);
    long n = make_three(&t, bytes, sizeof(bytes), ends);
    struct spool *s = open_spool(&t, LIMIT, 3);
    bytes[ends[1] - 1] = (char)~bytes[ends[1] - 1];
    bytes[ends[0] + 30] = (char)~bytes[ends[0] + 30];
    tmp_dir_write(&t, FIRST, bytes, (size_t)n);
    assert_int_equal(take(s, &sequence), 1);
    assert_int_equal(take(s, &sequence), 3);
    struct spool_count dropped = spool_take_dropped(s);
    assert_int_equal(dropped.documents, 2);
    assert_int_equal(dropped.bytes, 20);
    spool_free(&s);
    tmp_dir_remove(&t);
}

/* a segment of a newer version stays as it is */
static void test_newer(void **state)
{
    (void)state;
    struct tmp_dir t;
    uint8_t bytes[FRAME_HEADER_BYTES];
    struct frame_header h = {.version = FRAME_VERSION + 1, .kind = FRAME_KIND_SPOOL, .epoch = 1};
    struct spool_found found;
    tmp_dir_make(&t);
    frame_header_write(bytes, &h);
    tmp_dir_write(&t, FIRST, bytes, sizeof(bytes));
    struct spool *s = open_on(fs_system(), &t, LIMIT, &found);
    assert_int_equal(found.newer, 1);
    assert_int_equal(put(s, 1, 100, true), 0);
    check_blocks(s, 1, 1);
    assert_int_equal(tmp_dir_count(&t), 2); /* the current one holds marks for the other */
    spool_free(&s);
    tmp_dir_remove(&t);
}

/* each write of appending fails once: nothing that succeeded is lost, what failed can be repeated
 */
static void test_each_failure(void **state)
{
    (void)state;
    static const int errors[] = {ENOSPC, EIO, EROFS};
    for (unsigned n = 1; n < 40; n++) {
        for (size_t e = 0; e < ARRAY_LEN(errors); e++) {
            struct tmp_dir t;
            static struct fault_fs ff;
            struct spool_found found;
            unsigned failed = 0;
            tmp_dir_make(&t);
            fault_fs_init(&ff, fs_system());
            struct spool *s = open_on(&ff.fs, &t, LIMIT, &found);
            fault_fs_fail(&ff, n, errors[e]);
            ff.torn_bytes = 50;
            for (unsigned i = 1; i <= 4; i++) {
                int r = put(s, i, 200, true);
                failed += r < 0;
                assert_true(r == 0 || r == -errors[e]);
                if (r < 0)
                    assert_int_equal(put(s, i, 200, true), 0);
            }
            assert_true(failed <= 1);
            spool_free(&s);
            s = open_on(fs_system(), &t, LIMIT, &found);
            assert_int_equal(found.blocks, 4);
            check_blocks(s, 1, 4);
            spool_free(&s);
            tmp_dir_remove(&t);
        }
    }
}

/* dies at each write: what was acknowledged before is there, whole and in order */
static void test_each_death(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 30; n++) {
        struct tmp_dir t;
        static struct fault_fs ff;
        struct spool_found found;
        unsigned last = 0;
        uint64_t sequence;
        tmp_dir_make(&t);
        fault_fs_init(&ff, fs_system());
        struct spool *s = open_on(&ff.fs, &t, LIMIT, &found);
        fault_fs_crash(&ff, n, 70);
        for (unsigned i = 1; i <= 6; i++)
            if (put(s, i, 200, true) == 0)
                last = i;
        spool_free(&s);
        s = open_on(fs_system(), &t, LIMIT, &found);
        assert_true(found.blocks == last || found.blocks == last + 1);
        for (unsigned i = 1; i <= last; i++)
            assert_int_equal(take(s, &sequence), i);
        spool_free(&s);
        tmp_dir_remove(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_end), cmocka_unit_test(test_another_life),
        cmocka_unit_test(test_taken),         cmocka_unit_test(test_limit),
        cmocka_unit_test(test_too_large),     cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_every_flip),    cmocka_unit_test(test_damage_while_open),
        cmocka_unit_test(test_newer),         cmocka_unit_test(test_each_failure),
        cmocka_unit_test(test_each_death),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
