/*
 * tests/unit/store/test_journal_faults - failing calls and flipped bits
 */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fault_fs.h"
#include "tmp_dir.h"

enum { STEPS = 14 };

static const char *const names[] = {"log.0", "log.1", "checkpoint.0", "checkpoint.1"};

/* an owner's life: some steps, a restart, some more; returns what the second one was promised */
static uint64_t live(const struct fs *fs, int dir)
{
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, fs, dir, &rec);
    for (unsigned i = 0; i < STEPS; i++)
        model_step(&m, j, 1 + i % 5);
    uint64_t acked = m.acked;
    uint64_t attempted = m.attempted;
    journal_free(&j);
    j = model_open(&m, fs, dir, &rec);
    if (m.acked < acked && rec.text[0] == '\0')
        fail_msg("%lu records of %lu lost in silence", (unsigned long)(acked - m.acked),
                 (unsigned long)acked);
    /* a read that fails hides what is there, and says so; nothing else may */
    assert_true(m.acked <= attempted);
    for (unsigned i = 0; i < STEPS; i++)
        model_step(&m, j, 1 + i % 3);
    acked = m.acked;
    journal_free(&j);
    return acked;
}

/* after a failed write or sync nothing is written to that file again, nor synced. (The directory is
 * another matter: what is synced there next is a new name.) */
static void check_no_second_sync(const struct fault_fs *ff, int dir)
{
    int bad = -1;
    const struct fault_op *op;
    for (unsigned i = 0; (op = fault_fs_op(ff, i)) != NULL; i++) {
        bool is_write =
            op->kind == FAULT_PWRITE || op->kind == FAULT_FDATASYNC || op->kind == FAULT_FSYNC;
        if (op->kind == FAULT_CLOSE && op->fd == bad)
            bad = -1;
        assert_false(is_write && op->fd == bad);
        if (is_write && op->is_injected && op->fd != dir)
            bad = op->fd;
    }
}

/* every call fails once, with each kind of error: what was acknowledged is there afterwards */
static void test_every_call(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC, EROFS, EDQUOT};
    static struct fault_fs ff;
    struct tmp_dir t;
    tmp_dir_make(&t);
    fault_fs_init(&ff, fs_system());
    (void)live(&ff.fs, t.fd); /* only the number of calls is wanted */
    unsigned calls = fault_fs_calls(&ff);
    tmp_dir_remove(&t);
    assert_true(calls > 50 && calls < ARRAY_LEN(ff.ops) / 2);
    for (unsigned n = 1; n <= calls; n++) {
        tmp_dir_make(&t);
        fault_fs_init(&ff, fs_system());
        fault_fs_fail(&ff, n, errors[n % ARRAY_LEN(errors)]);
        uint64_t acked = live(&ff.fs, t.fd);
        assert_true(ff.has_fired);
        check_no_second_sync(&ff, t.fd);
        struct model m;
        struct journal_recovery rec;
        struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
        if (m.acked < acked)
            fail_msg("call %u: %lu promised, %lu found: %s", n, (unsigned long)acked,
                     (unsigned long)m.acked, rec.text);
        assert_false(journal_is_poisoned(j));
        journal_free(&j);
        tmp_dir_remove(&t);
    }
}

/* the process dies at every call that changes the disk, the call half done */
static void test_every_death(void **state)
{
    (void)state;
    static struct fault_fs ff;
    unsigned deaths = 0;
    for (unsigned n = 1;; n++) {
        struct tmp_dir t;
        tmp_dir_make(&t);
        fault_fs_init(&ff, fs_system());
        ff.kinds = FAULT_WRITES;
        fault_fs_crash(&ff, n, n % 3 == 0 ? 0 : 24 * n % 200);
        struct model m;
        struct journal_recovery rec;
        struct journal *j = model_open(&m, &ff.fs, t.fd, &rec);
        for (unsigned i = 0; i < STEPS; i++)
            model_step(&m, j, 1 + i % 5);
        uint64_t acked = m.acked;
        uint64_t attempted = m.attempted;
        journal_free(&j);
        j = model_open(&m, fs_system(), t.fd, &rec);
        assert_in_range(m.acked, acked, attempted);
        assert_int_equal(rec.lost_files + rec.bad_middles, 0);
        journal_free(&j);
        tmp_dir_remove(&t);
        if (!ff.has_fired)
            break;
        deaths++;
    }
    assert_true(deaths > 30);
}

/* short transfers change nothing */
static void test_short_transfers(void **state)
{
    (void)state;
    static struct fault_fs ff;
    struct tmp_dir t;
    tmp_dir_make(&t);
    fault_fs_init(&ff, fs_system());
    ff.max_transfer = 100;
    uint64_t acked = live(&ff.fs, t.fd);
    struct model m;
    struct journal_recovery rec;
    struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(m.acked, acked);
    assert_string_equal(rec.text, "");
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* ---- directories that cannot be written ---- */

/* everything that writes fails, for as long as it is asked */
static int refuse_openat(const struct fs *fs, int dir, const char *name, int flags, mode_t mode)
{
    if ((flags & O_ACCMODE) != O_RDONLY)
        return -EROFS;
    (void)fs;
    return fs_system()->openat(fs_system(), dir, name, flags, mode);
}

/* as on a full file system that has no journal yet */
static int full_openat(const struct fs *fs, int dir, const char *name, int flags, mode_t mode)
{
    if ((flags & O_CREAT) != 0)
        return -ENOSPC;
    (void)fs;
    return fs_system()->openat(fs_system(), dir, name, flags, mode);
}

/* the journal works in memory, says why, and recovers when the disk does */
static void test_unwritable(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int (*openat)(const struct fs *fs, int dir, const char *name, int flags, mode_t mode);
        bool has_history;
        const char *text;
        int error;
    } cases[] = {
        {"read-only, new", refuse_openat, false, "no durable write: Read-only file system", -EROFS},
        {"read-only, old", refuse_openat, true, "no durable write: Read-only file system", -EROFS},
        {"full, new", full_openat, false, "no durable write: No space left on device", -ENOSPC},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tmp_dir t;
        struct model m;
        struct journal_recovery rec;
        struct journal *j;
        tmp_dir_make(&t);
        uint64_t kept = 0;
        if (cases[i].has_history)
            kept = live(fs_system(), t.fd);
        struct fs fs = *fs_system();
        fs.openat = cases[i].openat;
        j = model_open(&m, &fs, t.fd, &rec);
        assert_int_equal(m.acked, kept);
        assert_true(rec.read_only && journal_is_poisoned(j));
        assert_string_equal(rec.text, cases[i].text);
        assert_false(journal_wants_checkpoint(j));
        assert_int_equal(model_append(&m, j, 2), cases[i].error);
        assert_int_equal(model_checkpoint(&m, j), cases[i].error);
        assert_true(journal_is_poisoned(j));
        fs.openat = fs_system()->openat; /* the disk is well again */
        assert_int_equal(model_checkpoint(&m, j), 0);
        assert_false(journal_is_poisoned(j));
        assert_int_equal(model_append(&m, j, 1), 0);
        journal_free(&j);
        j = model_open(&m, fs_system(), t.fd, &rec);
        assert_int_equal(m.acked, kept + 3);
        assert_string_equal(rec.text, "");
        journal_free(&j);
        tmp_dir_remove(&t);
    }
}

/* files that could not even be opened do not outlive the new ones, whatever their epoch was */
static void test_unreadable(void **state)
{
    (void)state;
    static struct fault_fs ff;
    for (unsigned n = 1; n <= 8; n++) {
        struct tmp_dir t;
        struct model m;
        struct journal_recovery rec;
        tmp_dir_make(&t);
        struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
        for (unsigned i = 0; i < 5; i++)
            assert_int_equal(model_checkpoint(&m, j), 0);
        assert_int_equal(model_append(&m, j, 4), 0);
        journal_free(&j);
        fault_fs_init(&ff, fs_system());
        ff.kinds = FAULT_BIT(FAULT_OPENAT) | FAULT_BIT(FAULT_PREAD);
        fault_fs_fail(&ff, n, EMFILE);
        j = model_open(&m, &ff.fs, t.fd, &rec);
        assert_true(rec.read_only && journal_is_poisoned(j));
        assert_int_equal(rec.lost_files, 1);
        m.attempted = 9; /* the owner goes on */
        assert_int_equal(model_checkpoint(&m, j), 0);
        journal_free(&j);
        j = model_open(&m, fs_system(), t.fd, &rec);
        assert_int_equal(m.acked, 9);
        journal_free(&j);
        tmp_dir_remove(&t);
    }
}

/* ---- new files beside old ones ---- */

/* a file system on which some files cannot be opened, or not be made */
struct picky_fs {
    struct fs fs;      /* first */
    bool hides_files;  /* opening what exists fails */
    bool refuses_zero; /* files of slot 0 cannot be made */
};

/* fails as it is told */
static int picky_openat(const struct fs *fs, int dir, const char *name, int flags, mode_t mode)
{
    const struct picky_fs *p = (const struct picky_fs *)(const void *)fs;
    if (p->hides_files && (flags & O_CREAT) == 0)
        return -EMFILE;
    if (p->refuses_zero && (flags & O_CREAT) != 0 && strstr(name, ".0.new") != NULL)
        return -ENOSPC;
    return fs_system()->openat(fs_system(), dir, name, flags, mode);
}

/* the system's, for now */
static void picky_init(struct picky_fs *p)
{
    *p = (struct picky_fs){.fs = *fs_system()};
    p->fs.openat = picky_openat;
}

/* flips a bit of a checkpoint's first record */
static void spoil(const struct tmp_dir *t, const char *name)
{
    char content[2 * SMALL_FILE + 1];
    long n = tmp_dir_read(t, name, content, sizeof(content));
    assert_true(n > FRAME_HEADER_BYTES + 10);
    content[FRAME_HEADER_BYTES + 10] ^= 1;
    tmp_dir_write(t, name, content, (size_t)n);
}

/* a new journal wins over files that could not be seen when its epoch was chosen */
static void test_unseen_epoch(void **state)
{
    (void)state;
    struct tmp_dir t;
    struct model m;
    struct journal_recovery rec;
    struct picky_fs picky;
    picky_init(&picky);
    tmp_dir_make(&t);
    struct journal *j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(model_append(&m, j, 4), 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(model_checkpoint(&m, j), 0); /* epoch 6, slot 0 */
    journal_free(&j);
    picky.hides_files = true;
    j = model_open(&m, &picky.fs, t.fd, &rec);
    assert_true(rec.read_only);
    assert_int_equal(rec.lost_files, 4);
    picky.hides_files = false;
    picky.refuses_zero = true;
    m.attempted = 9;
    assert_int_equal(model_checkpoint(&m, j), 0);
    journal_free(&j);
    j = model_open(&m, fs_system(), t.fd, &rec);
    assert_int_equal(m.acked, 9);
    journal_free(&j);
    tmp_dir_remove(&t);
}

/* the log of a renewed journal is never joined to an older one: what happened between is only in
 * its checkpoint */
static void test_gap(void **state)
{
    (void)state;
    for (unsigned failing = 0; failing <= 2; failing++) { /* records of the failed append */
        struct tmp_dir t;
        struct model m;
        struct journal_recovery rec;
        struct picky_fs picky;
        static struct fault_fs ff;
        picky_init(&picky);
        fault_fs_init(&ff, &picky.fs);
        tmp_dir_make(&t);
        struct journal *j = model_open(&m, &ff.fs, t.fd, &rec);
        if (failing > 0) {
            assert_int_equal(model_append(&m, j, 4), 0);
            assert_int_equal(model_checkpoint(&m, j), 0); /* epoch 2, slot 0 */
            ff.kinds = FAULT_BIT(FAULT_FDATASYNC);
            fault_fs_fail(&ff, 1, EIO);
            assert_int_equal(model_append(&m, j, failing), -EIO);
        } else { /* nothing was ever written */
            journal_free(&j);
            tmp_dir_remove(&t);
            tmp_dir_make(&t);
            struct fs full = *fs_system();
            full.openat = full_openat;
            j = model_open(&m, &full, t.fd, &rec);
            full.openat = fs_system()->openat;
            m.attempted = 2;
            assert_int_equal(model_checkpoint(&m, j), 0);
            assert_int_equal(model_append(&m, j, 3), 0);
            journal_free(&j);
        }
        uint64_t old = m.attempted;
        if (failing > 0) {
            picky.refuses_zero = true;
            m.attempted += 3; /* only in memory */
            assert_int_equal(model_checkpoint(&m, j), 0);
            assert_int_equal(model_append(&m, j, 3), 0);
            journal_free(&j);
        }
        spoil(&t, "checkpoint.1");
        j = model_open(&m, fs_system(), t.fd, &rec); /* judges: an exact state */
        assert_int_equal(m.acked, failing > 0 ? old : 0);
        assert_true(rec.lost_files > 0);
        journal_free(&j);
        tmp_dir_remove(&t);
    }
}

/* a file whose new name may not be durable is not relied on */
static void test_directory_sync(void **state)
{
    (void)state;
    static struct fault_fs ff;
    for (unsigned n = 1; n <= 4; n++) { /* log, its name, checkpoint, its name */
        struct tmp_dir t;
        struct model m;
        struct journal_recovery rec;
        tmp_dir_make(&t);
        fault_fs_init(&ff, fs_system());
        struct journal *j = model_open(&m, &ff.fs, t.fd, &rec);
        ff.kinds = FAULT_BIT(FAULT_FSYNC);
        fault_fs_fail(&ff, n, EIO);
        struct buf records;
        buf_init(&records, 1 << 20);
        for (uint64_t i = 1; i <= 30; i++)
            model_pack(&records, i);
        int r = journal_checkpoint(j, buf_slice(&records));
        buf_clear(&records);
        assert_true(ff.has_fired);
        bool is_name = n % 2 == 0;
        /* a file that could not be made for lack of anything leaves the old one, too small here
         * for the checkpoint, but not for the log */
        assert_int_equal(r, is_name ? -EIO : n == 1 ? 0 : -ENOSPC);
        assert_int_equal(journal_is_poisoned(j), is_name);
        journal_free(&j);
        tmp_dir_remove(&t);
    }
}

/* ---- flipped bits ---- */

/* each byte of each file, one bit: no crash, nothing invented, and losses are never silent */
static void test_bit_flips(void **state)
{
    (void)state;
    static char content[4][SMALL_FILE + 1];
    struct tmp_dir t;
    struct model m;
    struct journal_recovery rec;
    struct fs fs = *fs_system();
    tmp_dir_make(&t);
    struct journal *j = model_open(&m, &fs, t.fd, &rec);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(model_checkpoint(&m, j), 0);
        for (unsigned n = 0; n < 5; n++)
            assert_int_equal(model_append(&m, j, 1 + n % 2), 0);
    }
    uint64_t all = m.acked;
    journal_free(&j);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(tmp_dir_read(&t, names[i], content[i], sizeof(content[i])), SMALL_FILE);
    tmp_dir_remove(&t);
    for (unsigned at = 0; at < 4 * SMALL_FILE; at++) {
        unsigned file = at / SMALL_FILE;
        tmp_dir_make(&t);
        content[file][at % SMALL_FILE] ^= (char)(1 << at % 7);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            tmp_dir_write(&t, names[i], content[i], SMALL_FILE);
        content[file][at % SMALL_FILE] ^= (char)(1 << at % 7);
        j = model_open(&m, &fs, t.fd, &rec);
        assert_true(m.acked <= all);
        assert_false(rec.read_only);
        /* only the newest log (epoch 4: log.0) is all that holds its records */
        assert_true(m.acked == all || file == 0);
        assert_true(m.acked == all || rec.text[0] != '\0');
        uint64_t found = m.acked;
        model_step(&m, j, 1);
        assert_int_equal(m.acked, found + 1);
        journal_free(&j);
        j = model_open(&m, &fs, t.fd, &rec);
        assert_int_equal(m.acked, found + 1);
        journal_free(&j);
        tmp_dir_remove(&t);
    }
}

int main(void)
{
    /* thousands of directories are made: memory is quick, and nothing here needs a real disk */
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the default is only slower */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call),      cmocka_unit_test(test_every_death),
        cmocka_unit_test(test_short_transfers), cmocka_unit_test(test_unwritable),
        cmocka_unit_test(test_unreadable),      cmocka_unit_test(test_bit_flips),
        cmocka_unit_test(test_unseen_epoch),    cmocka_unit_test(test_gap),
        cmocka_unit_test(test_directory_sync),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
