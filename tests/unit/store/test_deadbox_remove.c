/*
 * tests/unit/store/test_deadbox_remove - taking letters out, making room, two users of one box
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/def.h"
#include "fault_fs.h"
#include "store/deadbox.h"
#include "store/journal.h"
#include "tmp_dir.h"

#define LIMIT  ((uint64_t)64 * 1024 * 1024)
#define FIRST  "dead-0000000001.wdl"
#define SECOND "dead-0000000002.wdl"
#define MAX    512

/* appends letters with these offsets, each with a document of n bytes */
static int append(struct deadbox *d, uint64_t from, unsigned count, size_t n)
{
    static char text[MIB];
    struct buf records, payload;
    memset(text, 'd', n);
    buf_init(&records, (n + 1024) * count);
    buf_init(&payload, n + 1024);
    for (unsigned i = 0; i < count; i++) {
        struct dead_letter l = {.status = 400, .offset = from + i, .document = slice_of(text, n)};
        buf_reset(&payload);
        assert_int_equal(dead_letter_pack(&payload, &l), 0);
        assert_int_equal(journal_pack(&records, FRAME_DEAD, buf_slice(&payload)), 0);
    }
    int r = deadbox_append(d, buf_slice(&records));
    buf_clear(&records);
    buf_clear(&payload);
    return r;
}

struct found {
    uint64_t offsets[MAX];
    struct dead_letter_id at[MAX];
    unsigned n;
};

/* notes a letter down */
static int note(void *ctx, const struct dead_letter *letter)
{
    struct found *f = ctx;
    assert_true(f->n < MAX);
    f->at[f->n] = letter->at;
    f->offsets[f->n++] = letter->offset;
    return 0;
}

/* what is in the box */
static struct found look(const struct tmp_dir *t)
{
    struct found f = {.n = 0};
    assert_int_equal(deadbox_each(fs_system(), t->fd, note, &f), 0);
    return f;
}

/* the offsets in the box must be these, ended by 0 */
static void check(const struct tmp_dir *t, const uint64_t *offsets)
{
    struct found f = look(t);
    for (unsigned i = 0; i < f.n; i++)
        assert_int_equal(f.offsets[i], offsets[i]);
    assert_int_equal(offsets[f.n], 0);
}

#define CHECK(t, ...) check((t), (const uint64_t[]){__VA_ARGS__, 0})

/* whether an offset is in a list that ends with 0 */
static bool is_listed(void *ctx, const struct dead_letter *letter)
{
    for (const uint64_t *o = ctx; *o != 0; o++)
        if (*o == letter->offset)
            return true;
    return false;
}

/* takes letters out */
static int take(const struct fs *fs, const struct tmp_dir *t, uint64_t *offsets, uint64_t *removed)
{
    return deadbox_remove(fs, t->fd, is_listed, offsets, removed);
}

#define TAKE(t, want, ...)                                                                         \
    do {                                                                                           \
        uint64_t removed_ = 99;                                                                    \
        assert_int_equal(take(fs_system(), (t), (uint64_t[]){__VA_ARGS__, 0}, &removed_), 0);      \
        assert_int_equal(removed_, (want));                                                        \
    } while (0)

/* a box on a directory */
static struct deadbox *open_box(const struct tmp_dir *t, uint64_t limit)
{
    struct deadbox *d = NULL;
    assert_int_equal(deadbox_open(fs_system(), t->fd, limit, 1, &d), 0);
    return d;
}

/* letters go one by one; the others keep their ids, which are never given again */
static void test_ids_stay(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct deadbox *d = open_box(&t, LIMIT);
    assert_int_equal(append(d, 1, 5, 8), 0);
    deadbox_free(&d);
    struct found before = look(&t);
    assert_int_equal(before.n, 5);
    TAKE(&t, 2, 2, 5);
    CHECK(&t, 1, 3, 4);
    struct found after = look(&t);
    assert_int_equal(after.at[1].sequence, before.at[2].sequence);
    TAKE(&t, 0, 2, 5, 77);
    d = open_box(&t, LIMIT);
    assert_int_equal(append(d, 6, 1, 8), 0);
    deadbox_free(&d);
    after = look(&t);
    assert_int_equal(after.n, 4);
    assert_int_equal(after.at[3].segment, 1);
    assert_int_equal(after.at[3].sequence, 6); /* that of 5 is not given again */
    TAKE(&t, 4, 1, 3, 4, 6);
    assert_int_equal(look(&t).n, 0);
    assert_int_equal(tmp_dir_count(&t), 1);
    d = open_box(&t, LIMIT);
    assert_int_equal(append(d, 9, 1, 8), 0);
    deadbox_free(&d);
    after = look(&t);
    assert_true(after.n == 1 && after.at[0].sequence > 6);
    tmp_dir_remove(&t);
}

/* a segment without letters goes, but not the newest */
static void test_segments_go(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct deadbox *d = open_box(&t, LIMIT);
    assert_int_equal(append(d, 1, 10, MIB - 1), 0); /* 8 + 2 */
    assert_int_equal(tmp_dir_count(&t), 2);
    TAKE(&t, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    if (look(&t).n == 2)
        assert_int_equal(tmp_dir_count(&t), 1);
    TAKE(&t, 2, 9, 10);
    assert_int_equal(tmp_dir_count(&t), 1);
    assert_int_equal(look(&t).n, 0);
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* an agent that runs sees that its segment was changed, and that there is room again */
static void test_beside_a_running_one(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    uint64_t limit = 2000;
    struct deadbox *d = open_box(&t, limit);
    unsigned n = 0;
    while (append(d, n + 1, 1, 100) == 0)
        n++;
    assert_in_range(n, 5, 20);
    assert_int_equal(append(d, n + 1, 1, 100), -EDQUOT);
    TAKE(&t, 2, 1, 2);
    assert_int_equal(append(d, 100, 1, 100), 0);
    struct found f = look(&t);
    assert_int_equal(f.n, n - 1);
    assert_int_equal(f.offsets[f.n - 1], 100);
    assert_int_equal(f.at[f.n - 1].segment, 2); /* not behind the file that was replaced */
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* two that append do not overwrite each other */
static void test_two_boxes(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct deadbox *a = open_box(&t, LIMIT);
    assert_int_equal(append(a, 1, 1, 8), 0);
    struct deadbox *b = open_box(&t, LIMIT);
    assert_int_equal(append(b, 2, 1, 8), 0);
    assert_int_equal(append(a, 3, 1, 8), 0);
    assert_int_equal(append(b, 4, 1, 8), 0);
    assert_int_equal(append(a, 5, 1, 8), 0);
    struct found f = look(&t);
    assert_int_equal(f.n, 5);
    uint64_t sum = 0;
    for (unsigned i = 0; i < f.n; i++)
        sum += f.offsets[i];
    assert_int_equal(sum, 15);
    deadbox_free(&a);
    deadbox_free(&b);
    tmp_dir_remove(&t);
}

/* while another process changes the box nothing is written, and nothing waits long */
static void test_lock(void **state)
{
    (void)state;
    struct tmp_dir t;
    uint64_t removed;
    tmp_dir_make(&t);
    struct deadbox *d = open_box(&t, LIMIT);
    assert_int_equal(append(d, 1, 1, 8), 0);
    int other = open(t.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(append(d, 2, 1, 8), -EBUSY);
    assert_int_equal(take(fs_system(), &t, (uint64_t[]){1, 0}, &removed), -EBUSY);
    CHECK(&t, 1);
    assert_int_equal(flock(other, LOCK_UN), 0);
    assert_int_equal(append(d, 2, 1, 8), 0);
    TAKE(&t, 1, 1);
    CHECK(&t, 2);
    (void)close(other);
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* the oldest make room; how many is told once */
static void test_drop_oldest(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    const uint64_t limit = 64 * KIB;
    struct deadbox *d = open_box(&t, limit);
    deadbox_drop_oldest(d);
    uint64_t dropped = 0;
    for (uint64_t i = 1; i <= 1000; i++) {
        assert_int_equal(append(d, i, 1, 1000), 0);
        assert_true(deadbox_bytes(d) <= limit);
        dropped += deadbox_take_dropped(d);
    }
    struct found f = look(&t);
    assert_int_equal(f.n + dropped, 1000);
    assert_true(f.n >= 45); /* an eighth goes at a time */
    for (unsigned i = 0; i < f.n; i++)
        assert_int_equal(f.offsets[i], 1001 - f.n + i);
    assert_int_equal(deadbox_take_dropped(d), 0);
    assert_int_equal(append(d, 2000, 1, 2 * limit), -EDQUOT);
    assert_int_equal(look(&t).n, f.n);
    deadbox_free(&d);
    tmp_dir_remove(&t);
}

/* damage: what can be read goes or stays as asked, the original is kept */
static void test_damaged(void **state)
{
    (void)state;
    struct tmp_dir t;
    static char content[8192];
    tmp_dir_make(&t);
    struct deadbox *d = open_box(&t, LIMIT);
    for (uint64_t i = 1; i <= 4; i++)
        assert_int_equal(append(d, i, 1, 8), 0);
    deadbox_free(&d);
    long n = tmp_dir_read(&t, FIRST, content, sizeof(content));
    content[FRAME_HEADER_BYTES + 30] ^= 1;
    tmp_dir_write(&t, FIRST, content, (size_t)n);
    CHECK(&t, 2, 3, 4);
    TAKE(&t, 1, 3);
    CHECK(&t, 2, 4);
    assert_int_equal(tmp_dir_read(&t, FIRST ".damaged", content, sizeof(content)), n);
    TAKE(&t, 2, 2, 4);
    assert_int_equal(look(&t).n, 0);
    tmp_dir_remove(&t);
}

/* every call fails once: the letters that stay are never lost */
static void test_every_call(void **state)
{
    (void)state;
    static struct fault_fs ff;
    for (unsigned n = 1;; n++) {
        struct tmp_dir t;
        uint64_t removed;
        tmp_dir_make(&t);
        struct deadbox *d = open_box(&t, LIMIT);
        assert_int_equal(append(d, 1, 10, MIB - 1), 0);
        deadbox_free(&d);
        fault_fs_init(&ff, fs_system());
        ff.kinds &= ~FAULT_BIT(FAULT_PREAD); /* there are hundreds, all in one place */
        fault_fs_fail(&ff, n, EIO);
        int r = take(&ff.fs, &t, (uint64_t[]){1, 10, 0}, &removed);
        struct found f = look(&t);
        assert_true(f.n >= 8);
        for (uint64_t i = 2, at = f.offsets[0] == 1; i <= 9; i++, at++)
            assert_int_equal(f.offsets[at], i);
        assert_true(r < 0 || f.n == 8);
        assert_true(10 - f.n >= removed);
        tmp_dir_remove(&t);
        if (!ff.has_fired)
            break;
        assert_true(n < 100);
    }
}

/* how it was sent is kept; letters of the first version have none of it */
static void test_tail_of_a_letter(void **state)
{
    (void)state;
    static const struct {
        bool plain;
        const char *pipeline;
    } cases[] = {{false, ""}, {true, ""}, {false, "p"}, {true, "parse-logs"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf payload;
        struct dead_letter got, d = {.document = SLICE_LIT("{}"),
                                     .plain_index = cases[i].plain,
                                     .pipeline = slice_str(cases[i].pipeline)};
        buf_init(&payload, 1024);
        assert_int_equal(dead_letter_pack(&payload, &d), 0);
        assert_int_equal(dead_letter_unpack(buf_slice(&payload), &got), 0);
        assert_int_equal(got.plain_index, cases[i].plain);
        assert_true(slice_eq_str(got.pipeline, cases[i].pipeline));
        size_t fixed = 18 + 6 * 4 + 2;
        for (size_t n = 0; n < payload.len; n++)
            assert_int_equal(dead_letter_unpack(slice_of(payload.ptr, n), &got),
                             n == fixed ? 0 : -EBADMSG);
        buf_clear(&payload);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_stay),
        cmocka_unit_test(test_segments_go),
        cmocka_unit_test(test_beside_a_running_one),
        cmocka_unit_test(test_two_boxes),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_drop_oldest),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_every_call),
        cmocka_unit_test(test_tail_of_a_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
