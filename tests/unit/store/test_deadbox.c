/*
 * tests/unit/store/test_deadbox - the box of rejected documents
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/def.h"
#include "fault_fs.h"
#include "store/deadbox.h"
#include "store/journal.h"
#include "tmp_dir.h"

#define LIMIT      ((uint64_t)64 * 1024 * 1024)
#define FIRST      "dead-0000000001.wdl"
#define SECOND     "dead-0000000002.wdl"
#define THIRD      "dead-0000000003.wdl"
#define LETTER_LEN ((uint64_t)FRAME_RECORD_BYTES + 104) /* bytes of a small letter on disk */

/* packs the letter of a number, with a document of n bytes */
static void pack_letter(struct buf *records, uint64_t number, size_t n)
{
    struct buf document;
    struct buf payload;
    buf_init(&document, n + 1);
    buf_init(&payload, n + 1024);
    assert_int_equal(buf_reserve(&document, n), 0);
    if (n > 0)
        memset(document.ptr, 'd', n);
    document.len = n;
    struct dead_letter d = {
        .status = 400,
        .wall_ms = -1,
        .offset = number,
        .type = SLICE_LIT("mapper_parsing"),
        .reason = SLICE_LIT("failed"),
        .target = SLICE_LIT("logs-generic-default"),
        .id = SLICE_LIT(""),
        .source = SLICE_LIT("/var/log/app"),
        .document = buf_slice(&document),
    };
    assert_int_equal(dead_letter_pack(&payload, &d), 0);
    assert_int_equal(journal_pack(records, FRAME_DEAD, buf_slice(&payload)), 0);
    buf_clear(&document);
    buf_clear(&payload);
}

/* appends `count` letters from `number` on in one call */
static int append(struct deadbox *d, uint64_t number, unsigned count, size_t n)
{
    struct buf records;
    buf_init(&records, (n + 1024) * count);
    for (unsigned i = 0; i < count; i++)
        pack_letter(&records, number + i, n);
    int r = deadbox_append(d, buf_slice(&records));
    buf_clear(&records);
    return r;
}

struct visit {
    uint64_t numbers[256];
    unsigned count;
    unsigned stop_at; /* returns 77 at this letter, from 1; 0 = never */
};

/* notes a letter down */
static int on_letter(void *ctx, const struct dead_letter *letter)
{
    struct visit *v = ctx;
    assert_int_equal(letter->status, 400);
    assert_int_equal(letter->wall_ms, -1);
    assert_true(slice_eq_str(letter->type, "mapper_parsing"));
    assert_true(slice_eq_str(letter->source, "/var/log/app"));
    assert_int_equal(letter->id.len, 0);
    assert_true(v->count < ARRAY_LEN(v->numbers));
    v->numbers[v->count++] = letter->offset;
    return v->count == v->stop_at ? 77 : 0;
}

/* the letters on disk must be these numbers: from..to, without `hole` (0 = none) */
static void check_letters(const struct tmp_dir *t, uint64_t from, uint64_t to, uint64_t hole)
{
    struct visit v = {.count = 0};
    assert_int_equal(deadbox_each(fs_system(), t->fd, on_letter, &v), 0);
    unsigned at = 0;
    for (uint64_t i = from; i <= to; i++) {
        if (i == hole)
            continue;
        assert_true(at < v.count);
        assert_int_equal(v.numbers[at++], i);
    }
    assert_int_equal(v.count, at);
}

/* a box on an empty directory */
static struct deadbox *open_box(const struct tmp_dir *t, uint64_t limit)
{
    struct deadbox *d = NULL;
    assert_int_equal(deadbox_open(fs_system(), t->fd, limit, 1, &d), 0);
    assert_non_null(d);
    return d;
}

/* size of a file, -1 when it is missing */
static long size_of(const struct tmp_dir *t, const char *name)
{
    struct stat st;
    return fstatat(t->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (long)st.st_size : -1;
}

/* letters: round trip, every cut */
static void test_letter(void **state)
{
    (void)state;
    struct buf records;
    struct buf payload;
    buf_init(&records, 4096);
    buf_init(&payload, 4096);
    struct dead_letter d = {.status = 404,
                            .wall_ms = 1700000000000,
                            .offset = UINT64_MAX,
                            .type = SLICE_LIT("t"),
                            .reason = SLICE_LIT("re\0ason"),
                            .target = SLICE_LIT("tgt"),
                            .id = SLICE_LIT("id"),
                            .source = SLICE_LIT("src"),
                            .document = SLICE_LIT("{}")};
    struct dead_letter got;
    assert_int_equal(dead_letter_pack(&payload, &d), 0);
    assert_int_equal(dead_letter_unpack(buf_slice(&payload), &got), 0);
    assert_int_equal(got.status, 404);
    assert_true(got.wall_ms == d.wall_ms && got.offset == d.offset);
    assert_true(slice_eq(got.type, d.type) && slice_eq(got.reason, d.reason));
    assert_true(slice_eq(got.target, d.target) && slice_eq(got.id, d.id));
    assert_true(slice_eq(got.source, d.source) && slice_eq(got.document, d.document));
    for (size_t n = 0; n < payload.len; n++)
        assert_int_equal(dead_letter_unpack(slice_of(payload.ptr, n), &got), -EBADMSG);
    struct buf small;
    buf_init(&small, 30);
    assert_int_equal(dead_letter_pack(&small, &d), -ENOBUFS);
    assert_int_equal(small.len, 0);
    buf_clear(&small);
    buf_clear(&payload);
    buf_clear(&records);
}

/* an empty box makes no file; letters come back in order, over restarts, in one segment */
static void test_reopen(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct deadbox *d = open_box(&t, LIMIT);
    assert_int_equal(deadbox_bytes(d), 0);
    assert_int_equal(deadbox_append(d, (struct slice){0}), 0);
    assert_int_equal(tmp_dir_count(&t), 0);
    check_letters(&t, 1, 0, 0);
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(append(d, 1 + i * 3, 1, 8), 0);
        assert_int_equal(append(d, 2 + i * 3, 2, 8), 0);
        assert_int_equal(deadbox_bytes(d), FRAME_HEADER_BYTES + (i + 1) * 3 * LETTER_LEN);
        deadbox_free(&d);
        assert_null(d);
        assert_int_equal(tmp_dir_count(&t), 1);
        d = open_box(&t, LIMIT);
        assert_int_equal(deadbox_bytes(d), size_of(&t, FIRST));
    }
    check_letters(&t, 1, 12, 0);
    struct visit v = {.stop_at = 5};
    assert_int_equal(deadbox_each(fs_system(), t.fd, on_letter, &v), 77);
    assert_int_equal(v.count, 5);
    assert_int_equal(deadbox_append(d, SLICE_LIT("\7\5\0\0\0abc")), -EINVAL);
    assert_int_equal(deadbox_append(d, SLICE_LIT("\0\0\0\0\0")), -EINVAL);
    assert_int_equal(append(d, 13, 1, 8), 0);
    check_letters(&t, 1, 13, 0);
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* the limit is over all segments; what does not fit is not begun */
static void test_limit(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    uint64_t limit = FRAME_HEADER_BYTES + 3 * LETTER_LEN;
    struct deadbox *d = open_box(&t, limit);
    assert_int_equal(append(d, 1, 4, 8), -EDQUOT);
    assert_int_equal(tmp_dir_count(&t), 0);
    assert_int_equal(append(d, 1, 2, 8), 0);
    assert_int_equal(append(d, 3, 2, 8), -EDQUOT);
    assert_int_equal(append(d, 3, 1, 8), 0);
    assert_int_equal(append(d, 4, 1, 8), -EDQUOT);
    assert_int_equal(deadbox_bytes(d), limit);
    deadbox_free(&d);
    d = open_box(&t, limit);
    assert_int_equal(append(d, 4, 1, 8), -EDQUOT);
    check_letters(&t, 1, 3, 0);
    deadbox_free(&d);
    d = open_box(&t, limit / 2); /* a smaller limit than what is there */
    assert_int_equal(append(d, 4, 1, 8), -EDQUOT);
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* segments end at their limit; a letter larger than that has one of its own */
static void test_segments(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct deadbox *d = open_box(&t, LIMIT);
    assert_int_equal(append(d, 1, 10, MIB), 0); /* 7 + 3 */
    assert_int_equal(size_of(&t, THIRD), -1);
    assert_in_range(size_of(&t, FIRST), 7 * MIB, DEADBOX_SEGMENT_BYTES);
    assert_int_equal(append(d, 11, 1, 9 * MIB), 0);
    assert_in_range(size_of(&t, THIRD), 9 * MIB, 10 * MIB);
    assert_int_equal(append(d, 12, 1, 8), 0);
    assert_int_equal(tmp_dir_count(&t), 4);
    check_letters(&t, 1, 12, 0);
    uint64_t bytes = deadbox_bytes(d);
    deadbox_free(&d);
    d = open_box(&t, LIMIT);
    assert_int_equal(deadbox_bytes(d), bytes);
    assert_int_equal(append(d, 13, 1, 8), 0);
    assert_int_equal(tmp_dir_count(&t), 4);
    check_letters(&t, 1, 13, 0);
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* every length to which a crash may cut the last letter: it is gone, the others stay */
static void test_torn_tail(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct deadbox *d = open_box(&t, LIMIT);
    assert_int_equal(append(d, 1, 2, 8), 0);
    assert_int_equal(append(d, 3, 1, 8), 0);
    deadbox_free(&d);
    static char content[4096];
    long n = tmp_dir_read(&t, FIRST, content, sizeof(content));
    assert_int_equal(n, FRAME_HEADER_BYTES + 3 * LETTER_LEN);
    for (long len = n - (long)LETTER_LEN; len < n; len++) {
        tmp_dir_write(&t, FIRST, content, (size_t)len);
        check_letters(&t, 1, 2, 0);
        d = open_box(&t, LIMIT);
        assert_int_equal(deadbox_bytes(d), FRAME_HEADER_BYTES + 2 * LETTER_LEN);
        assert_int_equal(size_of(&t, FIRST), FRAME_HEADER_BYTES + 2 * LETTER_LEN);
        assert_int_equal(append(d, 3, 2, 8), 0);
        assert_int_equal(tmp_dir_count(&t), 1);
        check_letters(&t, 1, 4, 0);
        deadbox_free(&d);
    }
    /* a tail of zeros, as some file systems leave it */
    memset(content + n - LETTER_LEN, 0, LETTER_LEN);
    tmp_dir_write(&t, FIRST, content, (size_t)n);
    d = open_box(&t, LIMIT);
    assert_int_equal(size_of(&t, FIRST), FRAME_HEADER_BYTES + 2 * LETTER_LEN);
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* a damaged segment is kept, letters behind the damage are read, a new segment is begun */
static void test_damage(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t at;
        uint64_t lost;
    } cases[] = {
        {"header", 3, 0},
        {"first letter", FRAME_HEADER_BYTES + 40, 1},
        {"second letter", FRAME_HEADER_BYTES + LETTER_LEN + 2, 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tmp_dir t;
        tmp_dir_make(&t);
        struct deadbox *d = open_box(&t, LIMIT);
        for (uint64_t n = 1; n <= 4; n++)
            assert_int_equal(append(d, n, 1, 8), 0);
        deadbox_free(&d);
        static char content[4096];
        long n = tmp_dir_read(&t, FIRST, content, sizeof(content));
        content[cases[i].at] ^= 4;
        tmp_dir_write(&t, FIRST, content, (size_t)n);
        check_letters(&t, 1, 4, cases[i].lost);
        d = open_box(&t, LIMIT);
        assert_int_equal(deadbox_bytes(d), n);
        assert_int_equal(append(d, 5, 1, 8), 0);
        assert_int_equal(size_of(&t, FIRST), n);
        assert_true(size_of(&t, SECOND) > 0);
        check_letters(&t, 1, 5, cases[i].lost);
        deadbox_free(&d);
        tmp_dir_remove(&t);
    }
}

/* other files in the directory, and things that only look like segments, change nothing */
static void test_strangers(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    tmp_dir_write_str(&t, "dead-1.wdl", "x");
    tmp_dir_write_str(&t, "dead-000000000x.wdl", "x");
    tmp_dir_write_str(&t, "dead-0000000000.wdl", "x");
    tmp_dir_write_str(&t, "dead-0000000007.wdl.bak", "x");
    tmp_dir_mkdir(&t, SECOND);
    assert_int_equal(symlinkat("/etc/passwd", t.fd, FIRST), 0);
    struct deadbox *d = open_box(&t, LIMIT);
    assert_int_equal(deadbox_bytes(d), 0);
    check_letters(&t, 1, 0, 0);
    assert_int_equal(append(d, 1, 1, 8), 0);
    assert_true(size_of(&t, THIRD) > 0);
    check_letters(&t, 1, 1, 0);
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* segments of a newer version are neither read nor written */
static void test_newer_version(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    uint8_t bytes[FRAME_HEADER_BYTES];
    struct frame_header h = {.version = 2, .kind = FRAME_KIND_DEAD_LETTER, .epoch = 1};
    frame_header_write(bytes, &h);
    tmp_dir_write(&t, FIRST, bytes, sizeof(bytes));
    struct deadbox *d = open_box(&t, LIMIT);
    assert_int_equal(append(d, 1, 1, 8), 0);
    assert_int_equal(size_of(&t, FIRST), FRAME_HEADER_BYTES);
    check_letters(&t, 1, 1, 0);
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* every call fails once: 0 means the letters are there, and the box goes on in a new segment */
static void test_every_call(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC};
    static struct fault_fs ff;
    for (unsigned n = 1;; n++) {
        struct tmp_dir t;
        struct deadbox *d = NULL;
        tmp_dir_make(&t);
        fault_fs_init(&ff, fs_system());
        fault_fs_fail(&ff, n, errors[n % ARRAY_LEN(errors)]);
        bool is_acked[16] = {false};
        uint64_t number = 1;
        for (unsigned life = 0; life < 2; life++) {
            assert_int_equal(deadbox_open(&ff.fs, t.fd, LIMIT, 1, &d), 0);
            for (unsigned i = 0; i < 5; i++, number++)
                is_acked[number] = append(d, number, 1, 8) == 0;
            deadbox_free(&d);
        }
        struct visit v = {.count = 0};
        assert_int_equal(deadbox_each(fs_system(), t.fd, on_letter, &v), 0);
        unsigned failed = 0;
        for (uint64_t i = 1, at = 0; i < number; i++) {
            failed += !is_acked[i];
            if (at < v.count && v.numbers[at] == i)
                at++;
            else
                assert_false(is_acked[i]);
        }
        assert_true(failed <= 1 && v.count >= number - 1 - failed);
        tmp_dir_remove(&t);
        if (!ff.has_fired)
            break;
        assert_true(n < 100);
    }
}

/* the first letter of a segment is durable only with the segment's name */
static void test_syncs(void **state)
{
    (void)state;
    static struct fault_fs ff;
    struct tmp_dir t;
    struct deadbox *d = NULL;
    tmp_dir_make(&t);
    fault_fs_init(&ff, fs_system());
    assert_int_equal(deadbox_open(&ff.fs, t.fd, LIMIT, 1, &d), 0);
    for (unsigned i = 0; i < 2; i++) {
        fault_fs_reset(&ff);
        assert_int_equal(append(d, 1 + i, 1, 8), 0);
        assert_int_equal(fault_fs_calls_of(&ff, FAULT_FDATASYNC), 1);
        assert_int_equal(fault_fs_calls_of(&ff, FAULT_FSYNC), i == 0 ? 1 : 0);
    }
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* a full disk leaves no litter, however often it is tried */
static void test_full_disk(void **state)
{
    (void)state;
    static struct fault_fs ff;
    struct tmp_dir t;
    struct deadbox *d = NULL;
    tmp_dir_make(&t);
    fault_fs_init(&ff, fs_system());
    ff.kinds = FAULT_BIT(FAULT_PWRITE);
    assert_int_equal(deadbox_open(&ff.fs, t.fd, LIMIT, 1, &d), 0);
    assert_int_equal(append(d, 1, 1, 8), 0);
    for (unsigned i = 0; i < 20; i++) {
        fault_fs_fail(&ff, 1, ENOSPC);
        ff.torn_bytes = 50;
        assert_int_equal(append(d, 2, 1, 8), -ENOSPC);
    }
    assert_int_equal(tmp_dir_count(&t), 1);
    assert_int_equal(deadbox_bytes(d), FRAME_HEADER_BYTES + LETTER_LEN);
    assert_int_equal(size_of(&t, FIRST), FRAME_HEADER_BYTES + LETTER_LEN);
    assert_int_equal(append(d, 2, 1, 8), 0);
    check_letters(&t, 1, 2, 0);
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letter),        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_limit),         cmocka_unit_test(test_segments),
        cmocka_unit_test(test_torn_tail),     cmocka_unit_test(test_damage),
        cmocka_unit_test(test_strangers),     cmocka_unit_test(test_every_call),
        cmocka_unit_test(test_newer_version), cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_syncs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
