/*
 * tests/unit/store/test_journal - append, checkpoint, growth, and a table of damaged files
 */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault_fs.h"
#include "tmp_dir.h"

static const char *const names[] = {"log.0", "log.1", "checkpoint.0", "checkpoint.1"};

/* size of a file, -1 when it is missing */
static long size_of(const struct tmp_dir *t, const char *name)
{
    struct stat st;
    return fstatat(t->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (long)st.st_size : -1;
}

/* an empty directory becomes four files of zeros and headers, and stays so when opened again */
static void test_fresh(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct model m;
    struct journal_recovery rec;
    for (unsigned round = 0; round < 2; round++) {
        struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
        assert_int_equal(rec.existed, round == 1);
        assert_string_equal(rec.text, "");
        assert_int_equal(rec.records + rec.torn_tails + rec.bad_middles + rec.lost_files, 0);
        assert_false(rec.read_only || rec.newer_version || journal_is_poisoned(j));
        assert_int_equal(journal_sequence(j), 0);
        assert_int_equal(tmp_dir_count(&t), 4);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            assert_int_equal(size_of(&t, names[i]), SMALL_FILE);
        journal_free(&j);
        assert_null(j);
    }
    static const uint8_t id[16] = {1, 2, 3};
    assert_memory_equal(rec.machine_id, id, 16);
    tmp_dir_remove(&t);
}

/* appended records come back; the sequence goes on */
static void test_append(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct model m;
    struct journal_recovery rec;
    for (uint64_t round = 0; round < 5; round++) {
        struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
        assert_int_equal(m.acked, round * 3);
        assert_int_equal(rec.records, round * 3);
        assert_string_equal(rec.text, "");
        assert_int_equal(journal_sequence(j), round * 3);
        assert_int_equal(model_append(&m, j, 1), 0);
        assert_int_equal(model_append(&m, j, 2), 0);
        assert_int_equal(journal_append(j, (struct slice){0}), 0);
        assert_int_equal(journal_sequence(j), round * 3 + 3);
        journal_free(&j);
    }
    tmp_dir_remove(&t);
}

/* one append is one write and one fdatasync, however many records */
static void test_calls(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    static struct fault_fs ff;
    fault_fs_init(&ff, fs_system());
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, &ff.fs, t.fd, &rec);
    unsigned before = fault_fs_calls(&ff);
    uint64_t bytes = journal_bytes_written(j);
    assert_int_equal(model_append(&m, j, 5), 0);
    assert_int_equal(fault_fs_calls(&ff), before + 2);
    assert_int_equal(fault_fs_op(&ff, before)->kind, FAULT_PWRITE);
    assert_int_equal(fault_fs_op(&ff, before + 1)->kind, FAULT_FDATASYNC);
    assert_int_equal(journal_bytes_written(j) - bytes, fault_fs_op(&ff, before)->n);
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* bad input changes nothing and poisons nothing */
static void test_bad_input(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(journal_append(j, SLICE_LIT("\1\5\0\0\0abc")), -EINVAL);
    assert_int_equal(journal_append(j, SLICE_LIT("\0\0\0\0\0")), -EINVAL);
    assert_int_equal(journal_checkpoint(j, SLICE_LIT("\1\5\0\0\0abc")), -EINVAL);
    assert_false(journal_is_poisoned(j));
    assert_int_equal(model_append(&m, j, 1), 0);
    journal_free(&j);
    j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(m.acked, 1);
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* a full log says so, a checkpoint makes room; many rounds over both slots */
static void test_checkpoints(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
    unsigned checkpoints = 0;
    for (unsigned i = 0; i < 200; i++) {
        int r = model_append(&m, j, 1 + i % 4);
        if (r == 0 && !journal_wants_checkpoint(j))
            continue;
        assert_true(r == 0 || r == -ENOSPC);
        assert_false(journal_is_poisoned(j));
        assert_true(journal_wants_checkpoint(j));
        assert_int_equal(model_checkpoint(&m, j), 0);
        assert_false(journal_wants_checkpoint(j));
        checkpoints++;
        uint64_t expected = m.acked;
        journal_free(&j);
        j = model_open(&m, fs_system(), t.fd, &rec);
        assert_int_equal(m.acked, expected);
        assert_string_equal(rec.text, "");
    }
    assert_true(checkpoints > 10);
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* an append larger than any log asks for a checkpoint instead */
static void test_large_append(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(model_append(&m, j, 100), -ENOSPC);
    assert_false(journal_is_poisoned(j));
    assert_true(journal_wants_checkpoint(j));
    assert_int_equal(model_checkpoint(&m, j), 0);
    journal_free(&j);
    j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(m.acked, 100);
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* packs a state of about n bytes */
static void pack_blob(struct buf *records, size_t n)
{
    struct buf blob;
    buf_init(&blob, n);
    assert_int_equal(buf_reserve(&blob, n), 0);
    memset(blob.ptr, 'b', n);
    blob.len = n;
    assert_int_equal(journal_pack(records, FRAME_CURSOR, buf_slice(&blob)), 0);
    buf_clear(&blob);
}

/* adds up the payload bytes replayed */
static void count_bytes(void *ctx, const struct frame *f)
{
    *(size_t *)ctx += f->payload.len;
}

/* files grow before the state fills more than half of them, slot by slot */
static void test_growth(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct journal_opts opts = model_opts(fs_system(), t.fd);
    struct journal_recovery rec;
    struct journal *j;
    size_t got = 0;
    struct buf records;
    buf_init(&records, 1 << 20);
    pack_blob(&records, 10000);
    assert_int_equal(journal_open(&opts, count_bytes, &got, &rec, &j), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(journal_checkpoint(j, buf_slice(&records)), 0);
    journal_free(&j);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(size_of(&t, names[i]), 32768);
    assert_int_equal(journal_open(&opts, count_bytes, &got, &rec, &j), 0);
    assert_int_equal(got, 10000);
    assert_string_equal(rec.text, "");
    assert_int_equal(tmp_dir_count(&t), 4);
    journal_free(&j);
    buf_clear(&records);
    tmp_dir_remove(&t);
}

/* ---- a disk without space for new files ---- */

struct full_fs {
    struct fs fs;
    bool is_full;
};

/* refuses to create */
static int full_openat(const struct fs *fs, int dir, const char *name, int flags, mode_t mode)
{
    if (((const struct full_fs *)(const void *)fs)->is_full && (flags & O_CREAT) != 0)
        return -ENOSPC;
    return fs_system()->openat(fs_system(), dir, name, flags, mode);
}

/* refuses to write beyond the end */
static ssize_t full_pwrite(const struct fs *fs, int fd, const void *p, size_t n, off_t at)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    if (((const struct full_fs *)(const void *)fs)->is_full && at + (off_t)n > st.st_size)
        return -ENOSPC;
    return fs_system()->pwrite(fs_system(), fd, p, n, at);
}

/* a full disk does not stop offsets: append and checkpoint go on in place, over restarts */
static void test_full_disk(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct full_fs full = {.fs = *fs_system()};
    full.fs.openat = full_openat;
    full.fs.pwrite = full_pwrite;
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, &full.fs, t.fd, &rec);
    full.is_full = true;
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(model_append(&m, j, 1), 0);
        if (journal_wants_checkpoint(j))
            assert_int_equal(model_checkpoint(&m, j), 0);
        if (i % 50 == 49) {
            journal_free(&j);
            j = model_open(&m, &full.fs, t.fd, &rec);
            assert_string_equal(rec.text, "");
        }
        assert_int_equal(m.acked, i + 1);
    }
    /* a state that does not fit is refused, and nothing is lost by that */
    struct buf records;
    buf_init(&records, 1 << 20);
    pack_blob(&records, SMALL_FILE);
    assert_int_equal(journal_checkpoint(j, buf_slice(&records)), -ENOSPC);
    buf_clear(&records);
    assert_false(journal_is_poisoned(j));
    assert_int_equal(model_append(&m, j, 1), 0);
    journal_free(&j);
    j = model_open(&m, &full.fs, t.fd, &rec);
    assert_int_equal(m.acked, 301);
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* ---- damage ---- */

/* a journal with 10 records in the older checkpoint, 10 in its log, 10 more in the newest log;
 * the newest files are those of slot 1 */
static void make_history(const struct tmp_dir *t)
{
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, fs_system(), t->fd, &rec); /* epoch 1 */
    assert_int_equal(model_append(&m, j, 10), 0);
    for (unsigned i = 0; i < 2; i++) { /* epochs 2 and 3 */
        assert_int_equal(model_checkpoint(&m, j), 0);
        for (unsigned n = 0; n < 10; n++)
            assert_int_equal(model_append(&m, j, 1), 0);
    }
    journal_free(&j);
}

/* writes bytes into a file */
static void poke(const struct tmp_dir *t, const char *name, size_t at, const void *p, size_t n)
{
    int fd = openat(t->fd, name, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, p, n, (off_t)at), n);
    (void)close(fd);
}

enum change { KEEP, FLIP, CUT, EMPTY, REMOVE, ZERO, NEWER, LINK };

struct damage {
    const char *file;
    enum change change;
    size_t at;
};

/* does one change */
static void apply(const struct tmp_dir *t, const struct damage *d)
{
    static char content[SMALL_FILE + 1];
    long n = tmp_dir_read(t, d->file, content, sizeof(content));
    assert_int_equal(n, SMALL_FILE);
    struct frame_header h;
    switch (d->change) {
    case KEEP:
        return;
    case FLIP:
        content[d->at] ^= 0x10;
        poke(t, d->file, d->at, content + d->at, 1);
        return;
    case CUT:
        tmp_dir_write(t, d->file, content, d->at);
        return;
    case EMPTY:
        tmp_dir_write(t, d->file, "", 0);
        return;
    case REMOVE:
    case LINK:
        assert_int_equal(unlinkat(t->fd, d->file, 0), 0);
        if (d->change == LINK)
            assert_int_equal(symlinkat("/dev/null", t->fd, d->file), 0);
        return;
    case ZERO:
        memset(content, 0, sizeof(content));
        tmp_dir_write(t, d->file, content, SMALL_FILE);
        return;
    case NEWER:
        assert_int_equal(frame_header_read(slice_of(content, SMALL_FILE), &h), 0);
        h.version = 2;
        frame_header_write((uint8_t *)content, &h);
        tmp_dir_write(t, d->file, content, SMALL_FILE);
        return;
    }
}

/* byte offset in the newest log at which the record of the given number (1..10) begins */
static size_t record_at(const struct tmp_dir *t, unsigned number)
{
    static char content[SMALL_FILE + 1];
    assert_int_equal(tmp_dir_read(t, "log.1", content, sizeof(content)), SMALL_FILE);
    size_t at = FRAME_HEADER_BYTES;
    struct frame f;
    for (unsigned i = 1; i < number; i++)
        assert_int_equal(frame_next(slice_of(content, SMALL_FILE), 3, &at, &f), 1);
    return at;
}

/* files named NAME.corrupt-TIME */
static unsigned copies(const struct tmp_dir *t)
{
    unsigned count = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "%s.corrupt-20261123T020203Z", names[i]);
        count += size_of(t, name) >= 0;
    }
    return count;
}

#define RECORD 1000000 /* damage.at: plus n = inside the n-th record of the newest log */

/* every kind of damage: what is kept, what is counted; then the journal works again */
static void test_damage(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct damage damage[4];
        uint64_t kept; /* records */
        unsigned torn, bad, lost, set_aside;
        bool due;
    } cases[] = {
        {"none", {{"log.0", KEEP, 0}}, 30, 0, 0, 0, 0, false},
        {"last record", {{"log.1", FLIP, RECORD + 10}}, 29, 1, 0, 0, 0, false},
        {"record in the middle", {{"log.1", FLIP, RECORD + 5}}, 24, 0, 1, 0, 1, true},
        {"first record", {{"log.1", FLIP, RECORD + 1}}, 20, 0, 1, 0, 1, true},
        {"log cut in a record", {{"log.1", CUT, RECORD + 5}}, 24, 1, 0, 0, 0, true},
        {"log cut to nothing", {{"log.1", EMPTY, 0}}, 20, 0, 0, 1, 0, false},
        {"log missing", {{"log.1", REMOVE, 0}}, 20, 0, 0, 1, 0, false},
        {"log a symlink", {{"log.1", LINK, 0}}, 20, 0, 0, 1, 0, false},
        {"log's header", {{"log.1", FLIP, 20}}, 30, 0, 0, 1, 0, false},
        {"log's header in pieces", {{"log.1", CUT, 24}}, 20, 0, 0, 1, 0, false},
        {"newest checkpoint", {{"checkpoint.1", FLIP, 200}}, 30, 0, 0, 1, 1, true},
        {"newest checkpoint's header", {{"checkpoint.1", FLIP, 3}}, 30, 0, 0, 1, 1, true},
        {"newest checkpoint missing", {{"checkpoint.1", REMOVE, 0}}, 30, 0, 0, 1, 0, true},
        {"newest checkpoint empty", {{"checkpoint.1", EMPTY, 0}}, 30, 0, 0, 1, 0, true},
        {"newest checkpoint cut", {{"checkpoint.1", CUT, 300}}, 30, 0, 0, 1, 1, true},
        {"older checkpoint", {{"checkpoint.0", FLIP, 200}}, 30, 0, 0, 0, 0, false},
        {"older checkpoint's header", {{"checkpoint.0", FLIP, 3}}, 30, 1, 0, 0, 0, false},
        {"older checkpoint missing", {{"checkpoint.0", REMOVE, 0}}, 30, 0, 0, 1, 0, false},
        {"older checkpoint empty", {{"checkpoint.0", EMPTY, 0}}, 30, 0, 0, 1, 0, false},
        {"older log's header", {{"log.0", FLIP, 3}}, 30, 0, 0, 1, 0, false},
        {"older log missing", {{"log.0", REMOVE, 0}}, 30, 0, 0, 1, 0, false},
        {"older log's middle", {{"log.0", FLIP, 100}}, 30, 0, 0, 0, 0, false},
        {"newest checkpoint and its log's header",
         {{"checkpoint.1", FLIP, 200}, {"log.1", FLIP, 20}},
         30,
         1,
         0,
         1,
         0,
         true},
        {"newest checkpoint and the older log",
         {{"checkpoint.1", FLIP, 200}, {"log.0", FLIP, 100}},
         10,
         0,
         1,
         2,
         3,
         true},
        {"both checkpoints",
         {{"checkpoint.0", FLIP, 200}, {"checkpoint.1", FLIP, 200}},
         0,
         0,
         0,
         2,
         4,
         false},
        {"both checkpoints missing",
         {{"checkpoint.0", REMOVE, 0}, {"checkpoint.1", REMOVE, 0}},
         0,
         0,
         0,
         2,
         2,
         false},
        {"all empty",
         {{"checkpoint.0", EMPTY, 0},
          {"checkpoint.1", EMPTY, 0},
          {"log.0", EMPTY, 0},
          {"log.1", EMPTY, 0}},
         0,
         0,
         0,
         2,
         0,
         false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tmp_dir t;
        tmp_dir_make(&t);
        make_history(&t);
        for (size_t n = 0; n < ARRAY_LEN(cases[i].damage); n++) {
            struct damage d = cases[i].damage[n];
            if (d.file == NULL)
                break;
            if (d.at >= RECORD)
                d.at = record_at(&t, (unsigned)(d.at - RECORD)) + 9;
            apply(&t, &d);
        }
        struct model m;
        struct journal_recovery rec;
        struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
        if (m.acked != cases[i].kept || rec.torn_tails != cases[i].torn ||
            rec.bad_middles != cases[i].bad || rec.lost_files != cases[i].lost ||
            copies(&t) != cases[i].set_aside || journal_wants_checkpoint(j) != cases[i].due)
            fail_msg("%s: kept %lu torn %u bad %u lost %u aside %u due %d: %s", cases[i].name,
                     (unsigned long)m.acked, rec.torn_tails, rec.bad_middles, rec.lost_files,
                     copies(&t), journal_wants_checkpoint(j), rec.text);
        assert_true(rec.existed);
        assert_false(rec.read_only || rec.newer_version);
        assert_int_equal(rec.text[0] != '\0',
                         rec.torn_tails + rec.bad_middles + rec.lost_files > 0);
        /* the damage is reported once, and what is appended now stays */
        uint64_t expected = m.acked;
        int r = model_append(&m, j, 1);
        if (r == -ENOSPC && cases[i].damage[0].change == CUT)
            r = model_checkpoint(&m, j); /* no room is left in what remains */
        assert_int_equal(r, 0);
        for (unsigned n = 0; n < 3; n++) {
            if (n == 2)
                assert_int_equal(model_checkpoint(&m, j), 0);
            journal_free(&j);
            j = model_open(&m, fs_system(), t.fd, &rec);
            assert_int_equal(m.acked, expected + 1);
            if (!cases[i].due && rec.lost_files > 0)
                fail_msg("%s: still told: %s", cases[i].name, rec.text);
        }
        assert_string_equal(rec.text, "");
        journal_free(&j);
        tmp_dir_remove(&t);
    }
}

/* a first life whose only checkpoint is lost is told whole by its log */
static void test_first_life(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(model_append(&m, j, 7), 0);
    journal_free(&j);
    assert_int_equal(unlinkat(t.fd, "checkpoint.1", 0), 0);
    j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(m.acked, 7);
    assert_int_equal(rec.lost_files, 2);
    assert_true(journal_wants_checkpoint(j));
    static const uint8_t id[16] = {1, 2, 3};
    assert_memory_equal(rec.machine_id, id, 16);
    assert_int_equal(model_append(&m, j, 1), 0);
    assert_int_equal(model_checkpoint(&m, j), 0);
    assert_int_equal(model_append(&m, j, 1), 0);
    journal_free(&j);
    j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(m.acked, 9);
    assert_string_equal(rec.text, "");
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* stale records behind damage never come back, also when a new one ends where an old one begins */
static void test_no_resurrection(void **state)
{
    (void)state;
    for (unsigned number = 1; number <= 9; number++) {
        struct tmp_dir t;
        tmp_dir_make(&t);
        make_history(&t);
        struct damage d = {"log.1", FLIP, record_at(&t, number) + 9};
        apply(&t, &d);
        struct model m;
        struct journal_recovery rec;
        struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
        assert_int_equal(m.acked, 19 + number);
        /* the same record again, byte for byte as long as the damaged one */
        assert_int_equal(model_append(&m, j, 1), 0);
        journal_free(&j);
        j = model_open(&m, fs_system(), t.fd, &rec);
        assert_int_equal(m.acked, 20 + number);
        assert_string_equal(rec.text, "");
        journal_free(&j);
        tmp_dir_remove(&t);
    }
}

/* a log that was not joined stays out when the sequence later reaches its first record */
static void test_no_late_join(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    make_history(&t);
    const struct damage damage[] = {{"checkpoint.1", FLIP, 200}, {"log.0", FLIP, 100}};
    for (size_t i = 0; i < ARRAY_LEN(damage); i++)
        apply(&t, &damage[i]);
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(m.acked, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(model_append(&m, j, 1), 0);
    journal_free(&j);
    j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(m.acked, 20);
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* the epoch in a file's header */
static uint64_t epoch_of(const struct tmp_dir *t, const char *name)
{
    static char content[SMALL_FILE + 1];
    struct frame_header h;
    assert_int_equal(tmp_dir_read(t, name, content, sizeof(content)), SMALL_FILE);
    assert_int_equal(frame_header_read(slice_of(content, SMALL_FILE), &h), 0);
    return h.epoch;
}

/* an epoch that only the records of a log could tell is not used again */
static void test_epoch_of_records(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    make_history(&t);
    const struct damage damage[] = {{"checkpoint.1", FLIP, 3}, {"log.1", FLIP, 3}};
    for (size_t i = 0; i < ARRAY_LEN(damage); i++)
        apply(&t, &damage[i]);
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(m.acked, 30);
    assert_int_equal(epoch_of(&t, "log.1"), 3);
    assert_int_equal(model_checkpoint(&m, j), 0);
    assert_int_equal(epoch_of(&t, "log.1"), 5);
    assert_int_equal(epoch_of(&t, "checkpoint.1"), 5);
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* tries a checkpoint of eight records from `first` on; ret_content is what it wrote */
static void attempt_checkpoint(const struct tmp_dir *t, uint64_t first, char *ret_content)
{
    struct model m;
    struct journal_recovery rec;
    struct buf records;
    buf_init(&records, 4096);
    for (uint64_t i = first; i < first + 8; i++)
        model_pack(&records, i);
    struct journal *j = model_open(&m, fs_system(), t->fd, &rec);
    assert_int_equal(m.acked, 30);
    assert_int_equal(journal_checkpoint(j, buf_slice(&records)), 0);
    journal_free(&j);
    buf_clear(&records);
    assert_int_equal(tmp_dir_read(t, "checkpoint.0", ret_content, SMALL_FILE + 1), SMALL_FILE);
}

/* parts of two attempts at the same checkpoint do not make one */
static void test_mixed_checkpoint(void **state)
{
    (void)state;
    static char before[2][SMALL_FILE + 1];
    static char tried[2][SMALL_FILE + 1];
    struct tmp_dir t;
    tmp_dir_make(&t);
    make_history(&t);
    assert_int_equal(tmp_dir_read(&t, "checkpoint.0", before[0], sizeof(before[0])), SMALL_FILE);
    assert_int_equal(tmp_dir_read(&t, "log.0", before[1], sizeof(before[1])), SMALL_FILE);
    for (size_t i = 0; i < 2; i++) {
        attempt_checkpoint(&t, i == 0 ? 1 : 81, tried[i]); /* records of the same sizes */
        tmp_dir_write(&t, "checkpoint.0", before[0], SMALL_FILE);
        tmp_dir_write(&t, "log.0", before[1], SMALL_FILE);
    }
    size_t at = FRAME_HEADER_BYTES;
    struct frame f;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(frame_next(slice_of(tried[0], SMALL_FILE), 4, &at, &f), 1);
    memcpy(tried[1], tried[0], at);
    tmp_dir_write(&t, "checkpoint.0", tried[1], SMALL_FILE);
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(m.acked, 30);
    assert_string_equal(rec.text, "checkpoint.0: unfinished checkpoint ignored");
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* files of a newer version stay as they are, whatever is asked */
static void test_newer_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct tmp_dir t;
        tmp_dir_make(&t);
        make_history(&t);
        struct damage d = {names[i], NEWER, 0};
        apply(&t, &d);
        static char before[4][SMALL_FILE + 1];
        static char after[SMALL_FILE + 1];
        for (size_t n = 0; n < 4; n++)
            assert_int_equal(tmp_dir_read(&t, names[n], before[n], sizeof(before[n])), SMALL_FILE);
        struct model m;
        struct journal_recovery rec;
        struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
        assert_int_equal(m.acked, 0);
        assert_true(rec.newer_version && rec.read_only && rec.existed);
        assert_true(journal_is_poisoned(j));
        assert_string_equal(rec.text,
                            "written by a newer version, left alone; state is kept in memory");
        assert_int_equal(model_append(&m, j, 1), -EPROTONOSUPPORT);
        assert_int_equal(model_checkpoint(&m, j), -EPROTONOSUPPORT);
        assert_int_equal(journal_checkpoint(j, (struct slice){0}), -EPROTONOSUPPORT);
        journal_free(&j);
        assert_int_equal(tmp_dir_count(&t), 4);
        for (size_t n = 0; n < 4; n++) {
            assert_int_equal(tmp_dir_read(&t, names[n], after, sizeof(after)), SMALL_FILE);
            assert_memory_equal(before[n], after, SMALL_FILE);
        }
        tmp_dir_remove(&t);
    }
}

/* the machine id of the files is reported, not judged */
static void test_clone(void **state)
{
    (void)state;
    struct tmp_dir t;
    tmp_dir_make(&t);
    make_history(&t);
    struct journal_opts opts = model_opts(fs_system(), t.fd);
    memset(opts.machine_id, 0xcc, sizeof(opts.machine_id));
    struct journal_recovery rec;
    struct journal *j;
    struct model m = {0};
    assert_int_equal(journal_open(&opts, model_replay, &m, &rec, &j), 0);
    static const uint8_t id[16] = {1, 2, 3};
    assert_memory_equal(rec.machine_id, id, 16);
    assert_int_equal(model_check(&m), 30);
    assert_int_equal(model_checkpoint(&m, j), 0);
    journal_free(&j);
    j = model_open(&m, fs_system(), t.fd, &rec);
    assert_memory_equal(rec.machine_id, opts.machine_id, 16);
    journal_free(&j);
    tmp_dir_remove(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fresh),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_checkpoints),
        cmocka_unit_test(test_large_append),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_first_life),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_no_resurrection),
        cmocka_unit_test(test_newer_version),
        cmocka_unit_test(test_no_late_join),
        cmocka_unit_test(test_epoch_of_records),
        cmocka_unit_test(test_mixed_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
