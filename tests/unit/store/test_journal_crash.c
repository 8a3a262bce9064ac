/*
 * tests/unit/store/test_journal_crash - power loss at every point of a journal's life
 *
 * A tape records every call that changes the disk while an owner appends, checkpoints and grows
 * files. Then, for every call as the last one, disks are built as power loss may leave them: of
 * what was not synced, 512-byte sector by sector and name by name, nothing, everything, every
 * prefix, each piece alone, all but one piece, and random subsets. Recovery from each must give a
 * state between the last acknowledged and the last attempted record, and must not cry damage. From
 * some of these disks a second life is recorded (the recovery itself, then more appends) and
 * crashed in the same way.
 */
#include "model.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tmp_dir.h"

enum {
    SECTOR = 512,
    FILE_MAX = 8192, /* bytes; the state is small enough that no file grows beyond */
    FILES = 16,      /* that have a name at one time */
    INODES = 256,    /* of one tape */
    OPS = 4096,
    FDS = 256,
    PIECES = 128,
};

/* ---- a disk: what is durable ---- */

struct file {
    char name[40]; /* "" = free */
    size_t size;
    uint8_t data[FILE_MAX];
};

struct disk {
    struct file files[FILES];
};

/* ---- the tape ---- */

enum op_kind { OP_CREATE, OP_TRUNCATE, OP_WRITE, OP_SYNC, OP_SYNC_DIR, OP_RENAME, OP_UNLINK };

struct op {
    enum op_kind kind;
    unsigned inode;
    size_t at, n;
    uint8_t *data;
    char name[40], to[40];
    uint64_t acked, attempted; /* when the call was made */
};

struct name {
    char text[40]; /* "" = free */
    unsigned inode;
};

struct tape {
    struct fs fs; /* first */
    struct tape *self;
    const struct model *model;
    int dir;
    struct name names[FILES]; /* as the running process sees them */
    unsigned inode_of_fd[FDS];
    unsigned inodes;
    struct op ops[OPS];
    unsigned count;
};

/* the mutable tape around fs */
static struct tape *tape_of(const struct fs *fs)
{
    return ((const struct tape *)(const void *)fs)->self;
}

/* a new entry */
static struct op *record(struct tape *t, enum op_kind kind, unsigned inode)
{
    assert_true(t->count < OPS);
    struct op *op = &t->ops[t->count++];
    *op = (struct op){
        .kind = kind, .inode = inode, .acked = t->model->acked, .attempted = t->model->attempted};
    return op;
}

/* the place of a name; a free one if it is new; "" finds a free one */
static struct name *find_name(struct name *names, const char *text)
{
    for (unsigned i = 0; i < FILES; i++)
        if (strcmp(names[i].text, text) == 0)
            return &names[i];
    struct name *free_one = find_name(names, "");
    assert_non_null(free_one);
    return free_one;
}

/* opens, and records what that makes */
static int tape_openat(const struct fs *fs, int dir, const char *name, int flags, mode_t mode)
{
    struct tape *t = tape_of(fs);
    int fd = fs_system()->openat(fs_system(), dir, name, flags, mode);
    if (fd < 0)
        return fd;
    assert_true(fd < FDS);
    struct name *n = find_name(t->names, name);
    if (n->text[0] == '\0') {
        assert_true((flags & O_CREAT) != 0 && t->inodes < INODES);
        (void)snprintf(n->text, sizeof(n->text), "%s", name);
        n->inode = t->inodes++;
        struct op *op = record(t, OP_CREATE, n->inode);
        (void)snprintf(op->name, sizeof(op->name), "%s", name);
    } else if ((flags & O_TRUNC) != 0) {
        record(t, OP_TRUNCATE, n->inode);
    }
    t->inode_of_fd[fd] = n->inode;
    return fd;
}

/* writes */
static ssize_t tape_pwrite(const struct fs *fs, int fd, const void *p, size_t n, off_t at)
{
    struct tape *t = tape_of(fs);
    struct op *op = record(t, OP_WRITE, t->inode_of_fd[fd]);
    op->at = (size_t)at;
    op->n = n;
    op->data = malloc(n);
    assert_non_null(op->data);
    memcpy(op->data, p, n);
    return fs_system()->pwrite(fs_system(), fd, p, n, at);
}

/* syncs on the tape only */
static int tape_sync(const struct fs *fs, int fd)
{
    struct tape *t = tape_of(fs);
    record(t, fd == t->dir ? OP_SYNC_DIR : OP_SYNC, fd == t->dir ? 0 : t->inode_of_fd[fd]);
    return 0;
}

/* renames */
static int tape_renameat(const struct fs *fs, int dir, const char *from, const char *to)
{
    struct tape *t = tape_of(fs);
    struct op *op = record(t, OP_RENAME, 0);
    (void)snprintf(op->name, sizeof(op->name), "%s", from);
    (void)snprintf(op->to, sizeof(op->to), "%s", to);
    struct name *source = find_name(t->names, from);
    unsigned inode = source->inode;
    source->text[0] = '\0';
    struct name *target = find_name(t->names, to);
    (void)snprintf(target->text, sizeof(target->text), "%s", to);
    target->inode = inode;
    return fs_system()->renameat(fs_system(), dir, from, to);
}

/* removes */
static int tape_unlinkat(const struct fs *fs, int dir, const char *name)
{
    struct tape *t = tape_of(fs);
    struct op *op = record(t, OP_UNLINK, 0);
    (void)snprintf(op->name, sizeof(op->name), "%s", name);
    find_name(t->names, name)->text[0] = '\0';
    return fs_system()->unlinkat(fs_system(), dir, name);
}

/* an empty tape over the files that a disk holds: file i is inode i */
static void tape_init(struct tape *t, const struct disk *d, const struct model *m, int dir)
{
    memset(t, 0, sizeof(*t));
    t->fs = *fs_system();
    t->fs.openat = tape_openat;
    t->fs.pwrite = tape_pwrite;
    t->fs.fdatasync = tape_sync;
    t->fs.fsync = tape_sync;
    t->fs.renameat = tape_renameat;
    t->fs.unlinkat = tape_unlinkat;
    t->self = t;
    t->model = m;
    t->dir = dir;
    t->inodes = FILES;
    for (unsigned i = 0; i < FILES; i++) {
        memcpy(t->names[i].text, d->files[i].name, sizeof(t->names[i].text));
        t->names[i].inode = i;
    }
}

/* frees the written bytes */
static void tape_clear(struct tape *t)
{
    for (unsigned i = 0; i < t->count; i++)
        free(t->ops[i].data);
    t->count = 0;
}

/* ---- from tape to disks ---- */

struct inode {
    size_t size;
    uint8_t data[FILE_MAX];
};

/* the platter while the tape is played: what is durable for sure */
struct platter {
    struct name names[FILES];
    struct inode inodes[INODES];
};

/* a part of a call that may or may not have reached the disk */
struct piece {
    const struct op *op;
    size_t from, to; /* bytes of a write */
};

/* lets one piece reach the disk */
static void settle(struct platter *p, const struct piece *piece)
{
    const struct op *op = piece->op;
    struct inode *inode = &p->inodes[op->inode];
    struct name *n;
    unsigned number;
    switch (op->kind) {
    case OP_CREATE:
        n = find_name(p->names, op->name);
        memcpy(n->text, op->name, sizeof(n->text));
        n->inode = op->inode;
        break;
    case OP_TRUNCATE:
        inode->size = 0;
        memset(inode->data, 0, FILE_MAX);
        break;
    case OP_WRITE:
        assert_true(op->at + piece->to <= FILE_MAX);
        memcpy(inode->data + op->at + piece->from, op->data + piece->from, piece->to - piece->from);
        if (inode->size < op->at + piece->to)
            inode->size = op->at + piece->to;
        break;
    case OP_RENAME:
        n = find_name(p->names, op->name);
        if (n->text[0] == '\0')
            break; /* its creation did not reach the disk */
        number = n->inode;
        n->text[0] = '\0';
        n = find_name(p->names, op->to);
        memcpy(n->text, op->to, sizeof(n->text));
        n->inode = number;
        break;
    case OP_UNLINK:
        find_name(p->names, op->name)->text[0] = '\0';
        break;
    case OP_SYNC:
    case OP_SYNC_DIR:
        break;
    }
}

/* whether a call is about names */
static bool is_naming(enum op_kind kind)
{
    return kind == OP_CREATE || kind == OP_RENAME || kind == OP_UNLINK;
}

struct pending {
    struct piece pieces[PIECES];
    unsigned count;
};

/* adds a call's pieces: a write's sectors, or the call itself */
static void add_pieces(struct pending *w, const struct op *op)
{
    size_t from = 0;
    do {
        size_t to = op->n;
        if (op->kind == OP_WRITE && (op->at + from) / SECTOR != (op->at + to - 1) / SECTOR)
            to = ((op->at + from) / SECTOR + 1) * SECTOR - op->at;
        assert_true(w->count < PIECES);
        w->pieces[w->count++] = (struct piece){op, from, to};
        from = to;
    } while (from < op->n);
}

/* a sync: what it covers is durable */
static void sync_pieces(struct platter *p, struct pending *w, const struct op *sync)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < w->count; i++) {
        const struct op *op = w->pieces[i].op;
        if (sync->kind == OP_SYNC_DIR ? is_naming(op->kind)
                                      : !is_naming(op->kind) && op->inode == sync->inode)
            settle(p, &w->pieces[i]);
        else
            w->pieces[kept++] = w->pieces[i];
    }
    w->count = kept;
}

/* one more call happens */
static void play(struct platter *p, struct pending *w, const struct op *op)
{
    if (op->kind == OP_SYNC || op->kind == OP_SYNC_DIR)
        sync_pieces(p, w, op);
    else
        add_pieces(w, op);
}

/* the disk of a platter */
static void to_disk(const struct platter *p, struct disk *d)
{
    memset(d, 0, sizeof(*d));
    for (unsigned i = 0; i < FILES; i++) {
        if (p->names[i].text[0] == '\0')
            continue;
        const struct inode *inode = &p->inodes[p->names[i].inode];
        memcpy(d->files[i].name, p->names[i].text, sizeof(d->files[i].name));
        d->files[i].size = inode->size;
        memcpy(d->files[i].data, inode->data, inode->size);
    }
}

/* writes a disk into the scratch directory, instead of what is there */
static void put_disk(const struct tmp_dir *t, const struct disk *d)
{
    static const char *const names[] = {
        "log.0",     "log.1",     "checkpoint.0",     "checkpoint.1",
        "log.0.new", "log.1.new", "checkpoint.0.new", "checkpoint.1.new"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)unlinkat(t->fd, names[i], 0); /* may be absent */
    assert_int_equal(tmp_dir_count(t), 0);
    for (unsigned i = 0; i < FILES; i++)
        if (d->files[i].name[0] != '\0')
            tmp_dir_write(t, d->files[i].name, d->files[i].data, d->files[i].size);
}

/* ---- the test ---- */

struct enumeration {
    struct tmp_dir dir;
    struct prng prng;
    struct fs fs; /* the system's, without waiting for its disk */
    uint64_t disks, second_lives, distinct;
};

/* a sync that costs nothing */
static int no_sync(const struct fs *fs, int fd)
{
    (void)fs;
    (void)fd;
    return 0;
}

/* recovers a disk and judges; returns how many records were found */
static uint64_t judge(struct enumeration *e, const struct disk *d, uint64_t low, uint64_t high)
{
    struct model m;
    struct journal_recovery rec;
    put_disk(&e->dir, d);
    struct journal *j = model_open(&m, &e->fs, e->dir.fd, &rec);
    e->disks++;
    if (m.acked < low || m.acked > high || rec.lost_files + rec.bad_middles > 0 || rec.read_only)
        fail_msg("found %lu, promised %lu to %lu: %s", (unsigned long)m.acked, (unsigned long)low,
                 (unsigned long)high, rec.text);
    uint64_t found = m.acked;
    /* what was found stays found, and new records come behind it */
    if (e->disks % 8 == 0) {
        model_step(&m, j, 1 + (unsigned)(e->disks / 8 % 3));
        assert_int_equal(m.acked, m.attempted);
        uint64_t expected = m.acked;
        journal_free(&j);
        j = model_open(&m, &e->fs, e->dir.fd, &rec);
        assert_int_equal(m.acked, expected);
        assert_string_equal(rec.text, "");
    }
    journal_free(&j);
    return found;
}

static void second_life(struct enumeration *e, const struct disk *d, uint64_t found);

/* which pieces reach the disk in one variant of a crash */
static bool reaches(struct enumeration *e, unsigned variant, unsigned piece, unsigned count)
{
    if (variant <= count)
        return piece < variant; /* every prefix, none and all among them */
    variant -= count + 1;
    if (variant < count)
        return piece == variant;
    variant -= count;
    if (variant < count)
        return piece != variant;
    return prng_upto(&e->prng, 1) == 1;
}

/* all variants of a crash at one point; one in `sample` lives on */
static void crash(struct enumeration *e, const struct platter *p, const struct pending *w,
                  uint64_t low, uint64_t high, unsigned sample)
{
    static struct platter copy;
    unsigned randoms = w->count > 2 ? 6 : 0;
    unsigned variants = w->count == 0 ? 1 : w->count == 1 ? 2 : 3 * w->count + 1 + randoms;
    for (unsigned v = 0; v < variants; v++) {
        struct disk d;
        copy = *p;
        for (unsigned i = 0; i < w->count; i++)
            if (reaches(e, v, i, w->count))
                settle(&copy, &w->pieces[i]);
        to_disk(&copy, &d);
        uint64_t found = judge(e, &d, low, high);
        if (sample > 0 && prng_upto(&e->prng, sample - 1) == 0)
            second_life(e, &d, found);
    }
}

/* crashes after every call of a tape that began on disk d with `found` records */
static void crash_everywhere(struct enumeration *e, const struct tape *t, const struct disk *d,
                             const struct model *end, uint64_t found, unsigned sample)
{
    struct platter *p = calloc(1, sizeof(*p));
    struct pending *w = calloc(1, sizeof(*w));
    assert_true(p != NULL && w != NULL);
    for (unsigned i = 0; i < FILES; i++) {
        memcpy(p->names[i].text, d->files[i].name, sizeof(p->names[i].text));
        p->names[i].inode = i;
        p->inodes[i].size = d->files[i].size;
        memcpy(p->inodes[i].data, d->files[i].data, FILE_MAX);
    }
    for (unsigned i = 0; i < t->count; i++) {
        play(p, w, &t->ops[i]);
        uint64_t low = i + 1 < t->count ? t->ops[i + 1].acked : end->acked;
        uint64_t high = t->ops[i].attempted;
        crash(e, p, w, low > found ? low : found, high > found ? high : found, sample);
    }
    free(p);
    free(w);
}

/* records a life of `steps` steps from what is in the scratch directory */
static void live(struct enumeration *e, struct tape *t, const struct disk *d, struct model *m,
                 unsigned steps)
{
    struct journal_recovery rec;
    memset(m, 0, sizeof(*m));
    put_disk(&e->dir, d);
    tape_init(t, d, m, e->dir.fd);
    struct journal *j = model_open(m, &t->fs, e->dir.fd, &rec);
    for (unsigned i = 0; i < steps; i++) {
        unsigned most = i % 7 == 3 ? 14 : 4;
        model_step(m, j, 1 + (unsigned)prng_upto(&e->prng, most));
    }
    assert_false(journal_is_poisoned(j));
    journal_free(&j);
}

/* recovery and a few steps more, crashed again */
static void second_life(struct enumeration *e, const struct disk *d, uint64_t found)
{
    struct tape *t = malloc(sizeof(*t));
    struct model m;
    assert_non_null(t);
    e->second_lives++;
    live(e, t, d, &m, 3);
    crash_everywhere(e, t, d, &m, found, 0);
    tape_clear(t);
    free(t);
}

/* the whole enumeration for one seed */
static void enumerate(uint64_t seed, unsigned steps, unsigned sample)
{
    struct enumeration *e = calloc(1, sizeof(*e));
    struct disk *empty = calloc(1, sizeof(*empty));
    struct tape *t = malloc(sizeof(*t));
    struct model m;
    assert_true(e != NULL && empty != NULL && t != NULL);
    tmp_dir_make(&e->dir);
    prng_init(&e->prng, seed);
    e->fs = *fs_system();
    e->fs.fsync = no_sync;
    e->fs.fdatasync = no_sync;
    live(e, t, empty, &m, steps);
    crash_everywhere(e, t, empty, &m, 0, sample);
    print_message("seed %lu: %u calls, %lu records, %lu disks, %lu second lives\n",
                  (unsigned long)seed, t->count, (unsigned long)m.acked, (unsigned long)e->disks,
                  (unsigned long)e->second_lives);
    assert_true(e->disks > 500);
    tape_clear(t);
    tmp_dir_remove(&e->dir);
    free(t);
    free(empty);
    free(e);
}

/* one long life, every disk */
static void test_first_crash(void **state)
{
    (void)state;
    enumerate(1, 200, 0);
}

/* shorter lives with crashes during and after recovery */
static void test_second_crash(void **state)
{
    (void)state;
    for (uint64_t seed = 2; seed < 6; seed++)
        enumerate(seed, 40, 20);
}

int main(void)
{
    /* thousands of disks are written: memory is quick, and nothing here depends on a real disk */
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0); /* else the default is only slower */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_crash),
        cmocka_unit_test(test_second_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
