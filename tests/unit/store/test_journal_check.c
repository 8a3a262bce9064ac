/*
 * store/journal_check - files of a journal, looked at one by one
 */
#include "store/journal_check.h"

#include <stdlib.h>
#include <unistd.h>

#include "model.h"
#include "tmp_dir.h"

static char content[2 * SMALL_FILE];
static size_t content_bytes;
static struct journal_check check;
static unsigned visited;
static uint64_t last_at;

/* records come in order of their place */
static void on_record(void *ctx, uint64_t at, const struct frame *f)
{
    (void)ctx;
    assert_true(at >= FRAME_HEADER_BYTES && (visited == 0 || at > last_at));
    assert_true(f->type != FRAME_COUNT);
    last_at = at;
    visited++;
}

/* checks what is in `content` */
static enum journal_verdict verdict(void)
{
    visited = 0;
    journal_check(slice_of(content, content_bytes), on_record, NULL, &check);
    assert_int_equal(visited, check.records);
    return check.verdict;
}

/* a journal's file after three appends of two records behind a checkpoint */
static void load(struct tmp_dir *t, const char *name)
{
    struct model m;
    struct journal_recovery rec;
    tmp_dir_make(t);
    struct journal *j = model_open(&m, fs_system(), t->fd, &rec);
    assert_int_equal(model_append(&m, j, 4), 0);
    assert_int_equal(model_checkpoint(&m, j), 0); /* epoch 2, slot 0 */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(model_append(&m, j, 2), 0);
    journal_free(&j);
    long n = tmp_dir_read(t, name, content, sizeof(content));
    assert_true(n > 0);
    content_bytes = (size_t)n;
}

static void whole_files(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t epoch, records;
    } cases[] = {{"log.0", 2, 6}, {"log.1", 1, 4}, {"checkpoint.0", 2, 4}, {"checkpoint.1", 1, 0}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tmp_dir t;
        load(&t, cases[i].name);
        assert_int_equal(verdict(), JOURNAL_GOOD);
        assert_int_equal(check.header.epoch, cases[i].epoch);
        assert_int_equal(check.records, cases[i].records);
        assert_true(check.end > FRAME_HEADER_BYTES || cases[i].records == 0);
        tmp_dir_remove(&t);
    }
}

/* the place of the n-th record of the file in `content` */
static size_t place_of(uint64_t n)
{
    size_t at = FRAME_HEADER_BYTES;
    struct frame f;
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(frame_next(slice_of(content, content_bytes), check.header.epoch, &at, &f),
                         1);
    return at;
}

static void first_bad_offset(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        unsigned record; /* the one that is spoilt */
        enum journal_verdict verdict;
    } cases[] = {
        {"log.0", 0, JOURNAL_DAMAGED},     {"log.0", 3, JOURNAL_DAMAGED},
        {"log.0", 4, JOURNAL_TORN},        {"log.0", 5, JOURNAL_TORN},
        {"checkpoint.0", 2, JOURNAL_TORN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tmp_dir t;
        load(&t, cases[i].file);
        assert_int_equal(verdict(), JOURNAL_GOOD);
        size_t at = place_of(cases[i].record);
        content[at + FRAME_RECORD_BYTES] ^= 4;
        assert_int_equal(verdict(), cases[i].verdict);
        assert_int_equal(check.end, at);
        assert_int_equal(check.records, cases[i].record);
        tmp_dir_remove(&t);
    }
}

static void cut_files(void **state)
{
    (void)state;
    struct tmp_dir t;
    load(&t, "log.0");
    assert_int_equal(verdict(), JOURNAL_GOOD);
    content_bytes = place_of(5); /* no END any more */
    assert_int_equal(verdict(), JOURNAL_TORN);
    assert_int_equal(check.records, 5);
    content_bytes -= 8;
    assert_int_equal(verdict(), JOURNAL_TORN);
    assert_int_equal(check.records, 4);
    content_bytes = FRAME_HEADER_BYTES - 1;
    assert_int_equal(verdict(), JOURNAL_NO_HEADER);
    content_bytes = 0;
    assert_int_equal(verdict(), JOURNAL_NO_HEADER);
    tmp_dir_remove(&t);
}

static void other_files(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct frame_header header;
        enum journal_verdict verdict;
    } cases[] = {
        {"newer", {FRAME_VERSION + 1, FRAME_KIND_LOG, 7, {0}, 1}, JOURNAL_NEWER},
        {"dead letters", {FRAME_VERSION, FRAME_KIND_DEAD_LETTER, 7, {0}, 1}, JOURNAL_OTHER_KIND},
        {"empty log", {FRAME_VERSION, FRAME_KIND_LOG, 7, {0}, 1}, JOURNAL_GOOD},
        {"checkpoint without a COUNT",
         {FRAME_VERSION, FRAME_KIND_CHECKPOINT, 7, {0}, 1},
         JOURNAL_TORN},
    };
    content_bytes = 1024;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memset(content, 0, content_bytes);
        frame_header_write((uint8_t *)content, &cases[i].header);
        assert_int_equal(verdict(), cases[i].verdict);
        assert_int_equal(check.records, 0);
    }
    memset(content, 0, content_bytes);
    assert_int_equal(verdict(), JOURNAL_UNUSED);
    memset(content, 'x', content_bytes);
    assert_int_equal(verdict(), JOURNAL_NO_HEADER);
}

/* every single flipped bit: a verdict, and never a record more than there is */
static void bit_flips(void **state)
{
    (void)state;
    static const char *const files[] = {"log.0", "checkpoint.0"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct tmp_dir t;
        load(&t, files[i]);
        assert_int_equal(verdict(), JOURNAL_GOOD);
        uint64_t all = check.records;
        size_t end = (size_t)check.end;
        for (size_t bit = 0; bit < end * 8; bit++) {
            content[bit / 8] ^= (char)(1 << bit % 8);
            assert_true(verdict() != JOURNAL_GOOD || bit / 8 < FRAME_HEADER_BYTES);
            assert_true(check.records <= all);
            content[bit / 8] ^= (char)(1 << bit % 8);
        }
        tmp_dir_remove(&t);
    }
}

int main(void)
{
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the default is only slower */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files), cmocka_unit_test(first_bad_offset),
        cmocka_unit_test(cut_files),   cmocka_unit_test(other_files),
        cmocka_unit_test(bit_flips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
