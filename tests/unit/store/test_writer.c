/*
 * tests/unit/store/test_writer - jobs through the store thread and back, on a real loop
 */
#include "model.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/loop.h"
#include "store/deadbox.h"
#include "store/writer.h"
#include "tmp_dir.h"

enum { DEADLINE_MS = 10000 };

/* ---- a disk that waits at a gate and counts syncs ---- */

struct gate_fs {
    struct fs fs; /* first */
    struct gate_fs *self;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_shut;     /* syncs wait */
    unsigned waiting; /* syncs at the gate */
    unsigned syncs;   /* of files */
    int fail_next;    /* errno of the next sync, 0 = none */
};

/* waits until the gate is open */
static int gate_fdatasync(const struct fs *fs, int fd)
{
    struct gate_fs *g = ((const struct gate_fs *)(const void *)fs)->self;
    pthread_mutex_lock(&g->mutex);
    g->syncs++;
    g->waiting++;
    pthread_cond_broadcast(&g->changed);
    while (g->is_shut)
        pthread_cond_wait(&g->changed, &g->mutex);
    g->waiting--;
    int error = g->fail_next;
    g->fail_next = 0;
    pthread_mutex_unlock(&g->mutex);
    return error != 0 ? -error : fs_system()->fdatasync(fs_system(), fd);
}

/* an open gate */
static void gate_init(struct gate_fs *g)
{
    memset(g, 0, sizeof(*g));
    g->fs = *fs_system();
    g->fs.fdatasync = gate_fdatasync;
    g->self = g;
    assert_int_equal(pthread_mutex_init(&g->mutex, NULL), 0);
    assert_int_equal(pthread_cond_init(&g->changed, NULL), 0);
}

/* opens or shuts it */
static void gate_set(struct gate_fs *g, bool is_shut)
{
    pthread_mutex_lock(&g->mutex);
    g->is_shut = is_shut;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->mutex);
}

/* waits until a sync stands at the gate */
static void gate_wait(struct gate_fs *g)
{
    struct timespec deadline;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &deadline), 0);
    deadline.tv_sec += DEADLINE_MS / 1000;
    pthread_mutex_lock(&g->mutex);
    while (g->waiting == 0)
        assert_int_equal(pthread_cond_timedwait(&g->changed, &g->mutex, &deadline), 0);
    pthread_mutex_unlock(&g->mutex);
}

/* syncs so far */
static unsigned gate_syncs(struct gate_fs *g)
{
    pthread_mutex_lock(&g->mutex);
    unsigned n = g->syncs;
    pthread_mutex_unlock(&g->mutex);
    return n;
}

/* ---- the subject ---- */

struct fixture {
    struct tmp_dir dir;
    struct gate_fs gate;
    struct loop *loop;
    struct journal *journal;
    struct deadbox *box;
    struct writer *writer;
    struct model model;
    uint64_t next_ticket; /* the owner's order */
    uint64_t done_tickets;
    int last_result;
    struct writer_job last; /* a copy of the job that ended last */
    unsigned more;          /* jobs that done still submits */
};

static void submit(struct fixture *f, enum writer_job_kind kind, unsigned records);

/* the owner's end of a job: order is kept, in the loop's thread */
static void on_done(struct writer_job *job)
{
    struct fixture *f = job->ctx;
    assert_int_equal(job->ticket, f->done_tickets);
    f->done_tickets++;
    f->last_result = job->result;
    f->last = *job;
    buf_clear(&job->records);
    mem_free(job);
    if (f->more > 0) {
        f->more--;
        submit(f, WRITER_APPEND, 1);
    }
}

/* a job of so many new records; for a checkpoint the whole state, for the box letters */
static void submit(struct fixture *f, enum writer_job_kind kind, unsigned records)
{
    struct writer_job *job = mem_zalloc(sizeof(*job));
    job->kind = kind;
    job->ctx = f;
    job->done = on_done;
    job->ticket = f->next_ticket++;
    buf_init(&job->records, 1 << 20);
    for (unsigned i = 0; i < records && kind == WRITER_APPEND; i++)
        model_pack(&job->records, ++f->model.attempted);
    for (unsigned i = 0; i < records && kind == WRITER_DEAD; i++)
        assert_int_equal(journal_pack(&job->records, FRAME_DEAD, SLICE_LIT("a letter")), 0);
    if (kind == WRITER_CHECKPOINT)
        model_pack_state(&job->records, f->model.attempted);
    writer_submit(f->writer, job);
}

/* turns the loop until all jobs have come back */
static void settle(struct fixture *f)
{
    int64_t deadline = clock_mono_ms(clock_system()) + DEADLINE_MS;
    while (writer_pending(f->writer) > 0) {
        assert_true(clock_mono_ms(clock_system()) < deadline);
        loop_once(f->loop, 100);
    }
}

/* everything on an open gate */
static int setup(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    memset(f, 0, sizeof(*f));
    tmp_dir_make(&f->dir);
    gate_init(&f->gate);
    int error = 0;
    f->loop = loop_new(clock_system(), &error);
    assert_non_null(f->loop);
    struct journal_recovery rec;
    f->journal = model_open(&f->model, &f->gate.fs, f->dir.fd, &rec);
    assert_int_equal(deadbox_open(&f->gate.fs, f->dir.fd, 1 << 20, 0, &f->box), 0);
    f->writer = writer_new(f->loop, f->journal, f->box);
    assert_non_null(f->writer);
    *state = f;
    return 0;
}

/* nothing may be left over */
static int teardown(void **state)
{
    struct fixture *f = *state;
    writer_free(&f->writer);
    assert_int_equal(f->next_ticket, f->done_tickets);
    journal_free(&f->journal);
    deadbox_free(&f->box);
    assert_int_equal(loop_free(&f->loop), 0);
    tmp_dir_remove(&f->dir);
    return 0;
}

/* what the disk has after the writer is gone */
static uint64_t reopen(struct fixture *f)
{
    struct model m;
    struct journal_recovery rec;
    writer_free(&f->writer);
    journal_free(&f->journal);
    f->journal = model_open(&m, fs_system(), f->dir.fd, &rec);
    assert_string_equal(rec.text, "");
    return m.acked;
}

/* one job there and back */
static void test_one(void **state)
{
    struct fixture *f = *state;
    submit(f, WRITER_APPEND, 3);
    assert_int_equal(writer_pending(f->writer), 1);
    settle(f);
    assert_int_equal(f->last_result, 0);
    assert_false(f->last.poisoned || f->last.wants_checkpoint);
    assert_true(f->last.bytes_written > 3 * FRAME_RECORD_BYTES);
    assert_int_equal(f->done_tickets, 1);
    assert_int_equal(reopen(f), 3);
}

/* appends that wait together share one sync; their order is kept */
static void test_group_commit(void **state)
{
    struct fixture *f = *state;
    unsigned before = gate_syncs(&f->gate);
    gate_set(&f->gate, true);
    submit(f, WRITER_APPEND, 1);
    gate_wait(&f->gate);
    for (unsigned i = 0; i < 12; i++)
        submit(f, WRITER_APPEND, 1);
    assert_int_equal(writer_pending(f->writer), 13);
    loop_once(f->loop, 0);
    assert_int_equal(f->done_tickets, 0);
    gate_set(&f->gate, false);
    settle(f);
    assert_int_equal(f->done_tickets, 13);
    assert_int_equal(gate_syncs(&f->gate) - before, 2);
    assert_int_equal(f->last_result, 0);
    assert_int_equal(reopen(f), 13);
}

/* jobs of other kinds end a group and keep their place */
static void test_order(void **state)
{
    struct fixture *f = *state;
    unsigned before = gate_syncs(&f->gate);
    gate_set(&f->gate, true);
    submit(f, WRITER_APPEND, 1);
    gate_wait(&f->gate);
    submit(f, WRITER_APPEND, 2);
    submit(f, WRITER_APPEND, 2);
    submit(f, WRITER_DEAD, 2);
    submit(f, WRITER_APPEND, 1);
    submit(f, WRITER_CHECKPOINT, 0);
    submit(f, WRITER_APPEND, 1);
    submit(f, WRITER_APPEND, 1);
    gate_set(&f->gate, false);
    settle(f);
    /* 1 | 2 + 2 | dead | 1 | checkpoint and log | 1 + 1 */
    assert_int_equal(gate_syncs(&f->gate) - before, 7);
    assert_int_equal(f->last_result, 0);
    assert_true(deadbox_bytes(f->box) > 0);
    assert_int_equal(reopen(f), 8);
}

/* a group that the log cannot hold is refused whole, then held by the checkpoint */
static void test_full_log(void **state)
{
    struct fixture *f = *state;
    gate_set(&f->gate, true);
    submit(f, WRITER_APPEND, 1);
    gate_wait(&f->gate);
    for (unsigned i = 0; i < 40; i++)
        submit(f, WRITER_APPEND, 1);
    gate_set(&f->gate, false);
    settle(f);
    assert_int_equal(f->last_result, -ENOSPC);
    assert_true(f->last.wants_checkpoint);
    assert_false(f->last.poisoned);
    submit(f, WRITER_CHECKPOINT, 0);
    settle(f);
    assert_int_equal(f->last_result, 0);
    assert_false(f->last.wants_checkpoint);
    assert_int_equal(reopen(f), 41);
}

/* a failed sync poisons, the next checkpoint makes new files */
static void test_failure(void **state)
{
    struct fixture *f = *state;
    f->gate.fail_next = EIO;
    submit(f, WRITER_APPEND, 1);
    settle(f);
    assert_int_equal(f->last_result, -EIO);
    assert_true(f->last.poisoned);
    submit(f, WRITER_APPEND, 1);
    settle(f);
    assert_int_equal(f->last_result, -EIO);
    submit(f, WRITER_CHECKPOINT, 0);
    settle(f);
    assert_int_equal(f->last_result, 0);
    assert_false(f->last.poisoned);
    /* a checkpoint that fails itself goes on to new files at once */
    f->gate.fail_next = EIO;
    submit(f, WRITER_CHECKPOINT, 0);
    settle(f);
    assert_int_equal(f->last_result, 0);
    assert_false(f->last.poisoned);
    submit(f, WRITER_APPEND, 1);
    settle(f);
    assert_int_equal(f->last_result, 0);
    assert_int_equal(reopen(f), 3);
}

/* what is queued is finished by writer_free, also what done functions submit on the way */
static void test_finish(void **state)
{
    struct fixture *f = *state;
    f->more = 5;
    for (unsigned i = 0; i < 10; i++)
        submit(f, WRITER_APPEND, 1);
    writer_free(&f->writer);
    assert_null(f->writer);
    assert_int_equal(f->done_tickets, 15);
    assert_int_equal(f->last_result, 0);
    assert_int_equal(reopen(f), 15);
}

/* without a journal or a box their jobs fail, nothing else happens */
static void test_without(void **state)
{
    struct fixture *f = *state;
    writer_free(&f->writer);
    f->writer = writer_new(f->loop, NULL, NULL);
    static const enum writer_job_kind kinds[] = {WRITER_APPEND, WRITER_CHECKPOINT, WRITER_DEAD};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        submit(f, kinds[i], 1);
        settle(f);
        assert_int_equal(f->last_result, -ENODEV);
    }
}

/* many jobs while the thread runs freely */
static void test_many(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 2000; i++) {
        submit(f, i % 20 == 19 ? WRITER_CHECKPOINT : WRITER_APPEND, 1);
        if (i % 7 == 0)
            loop_once(f->loop, 0);
    }
    submit(f, WRITER_CHECKPOINT, 0);
    settle(f);
    assert_int_equal(f->last_result, 0);
    assert_int_equal(f->done_tickets, 2001);
    assert_int_equal(reopen(f), 1900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_group_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_log, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(test_finish, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
