/*
 * store/writer - the thread that waits for the disk
 *
 * Two mailboxes: jobs go out through `todo`, come back through `ended`, and a wake-up tells the
 * loop. The thread takes as many waiting appends as follow one another and makes one of them; each
 * job gets the common result.
 *
 * Invariants: a job is in exactly one place (todo, the thread, ended, the owner); the journal and
 * the dead-letter box are touched by the thread only; `pending` belongs to the loop's thread.
 *
 * What can fail: the jobs, each with its result. Where a gathered append does not fit the log, all
 * of its jobs get -ENOSPC: the checkpoint that the owner writes then holds them all.
 */
#include "store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "base/mem.h"
#include "os/mailbox.h"
#include "store/deadbox.h"
#include "store/journal.h"

/* Packed records of one gathered append; a single job may be larger. */
#define GATHER_MAX ((size_t)64 * 1024)

struct writer {
    struct journal *journal;
    struct journal *copy; /* NULL = none */
    struct deadbox *deadbox;
    struct mailbox *todo;
    struct mailbox *ended;
    struct loop_wake *wake;
    unsigned pending;
    pthread_t thread;
};

/* ---- the thread ---- */

/* fills in what the owner wants to know and sends the job back */
static void finish(struct writer *w, struct writer_job *job, int result)
{
    job->result = result;
    if (w->journal != NULL && (job->kind == WRITER_APPEND || job->kind == WRITER_CHECKPOINT)) {
        job->wants_checkpoint = journal_wants_checkpoint(w->journal);
        job->poisoned = journal_is_poisoned(w->journal);
        job->bytes_written = journal_bytes_written(w->journal);
    }
    mailbox_send(w->ended, &job->link);
    loop_wake_send(w->wake);
}

/* the job of a node, NULL of none */
static struct writer_job *job_of(struct list *node)
{
    return node == NULL ? NULL : LIST_ENTRY(node, struct writer_job, link);
}

/* adds the appends that wait behind `first` to a batch; returns the job that did not go in */
static struct writer_job *gather(struct writer *w, struct writer_job *first, struct list *batch,
                                 struct buf *records)
{
    list_push_back(batch, &first->link);
    struct writer_job *next = job_of(mailbox_take(w->todo));
    if (next == NULL || next->kind != WRITER_APPEND ||
        buf_add_slice(records, buf_slice(&first->records)) < 0)
        return next;
    while (next != NULL && next->kind == WRITER_APPEND &&
           buf_add_slice(records, buf_slice(&next->records)) == 0) {
        list_push_back(batch, &next->link);
        next = job_of(mailbox_take(w->todo));
    }
    return next;
}

/* one write for all appends that wait; returns the job that comes after them, if it was taken */
static struct writer_job *append(struct writer *w, struct writer_job *first)
{
    struct list batch;
    struct buf records;
    list_init(&batch);
    buf_init(&records, GATHER_MAX);
    struct writer_job *next = gather(w, first, &batch, &records);
    struct slice all = buf_slice(records.len > 0 ? &records : &first->records);
    int r = w->journal == NULL ? -ENODEV : journal_append(w->journal, all);
    buf_clear(&records);
    struct list *node;
    while ((node = list_pop_front(&batch)) != NULL)
        finish(w, job_of(node), r);
    return next;
}

/* the whole state; new files where the old ones have failed */
static int checkpoint(struct journal *j, struct slice records)
{
    if (j == NULL)
        return -ENODEV;
    int r = 0;
    if (!journal_is_poisoned(j))
        r = journal_checkpoint(j, records);
    if (journal_is_poisoned(j))
        r = journal_renew(j, records);
    return r;
}

/* rejected documents */
static int bury(struct writer *w, struct writer_job *job)
{
    if (w->deadbox == NULL)
        return -ENODEV;
    int r = deadbox_append(w->deadbox, buf_slice(&job->records));
    job->dropped = deadbox_take_dropped(w->deadbox);
    return r;
}

/* one job; returns the next one if it was taken already */
static struct writer_job *work(struct writer *w, struct writer_job *job)
{
    switch (job->kind) {
    case WRITER_APPEND:
        return append(w, job);
    case WRITER_CHECKPOINT:
        finish(w, job, checkpoint(w->journal, buf_slice(&job->records)));
        break;
    case WRITER_SAVE:
        finish(w, job, checkpoint(w->copy, buf_slice(&job->records)));
        break;
    case WRITER_DEAD:
        finish(w, job, bury(w, job));
        break;
    case WRITER_RUN:
        finish(w, job, job->run(job));
        break;
    }
    return NULL;
}

/* until the box is closed and empty */
static void *run(void *arg)
{
    struct writer *w = arg;
    struct writer_job *job = job_of(mailbox_wait(w->todo, -1));
    while (job != NULL) {
        job = work(w, job);
        if (job == NULL)
            job = job_of(mailbox_wait(w->todo, -1));
    }
    return NULL;
}

/* ---- the loop's side ---- */

/* a job is its owner's again */
static void hand_back(struct writer *w, struct writer_job *job)
{
    w->pending--;
    job->done(job);
}

/* hands ended jobs back to their owners */
static void on_wake(void *ctx)
{
    struct writer *w = ctx;
    struct writer_job *job;
    while ((job = job_of(mailbox_take(w->ended))) != NULL)
        hand_back(w, job);
}

/* a thread that takes no signals: they are the loop's */
static int start_thread(struct writer *w)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);                            /* cannot fail */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* nor can this, with these arguments */
    int r = pthread_create(&w->thread, NULL, run, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL); /* as above */
    return -r;
}

/* frees what writer_new has made, without a thread */
static void destroy(struct writer **w)
{
    loop_wake_cancel(&(*w)->wake);
    mailbox_free(&(*w)->todo);
    mailbox_free(&(*w)->ended);
    mem_free(*w);
    *w = NULL;
}

/* starts the thread */
struct writer *writer_new(struct loop *loop, struct journal *journal, struct deadbox *deadbox)
{
    struct writer *w = mem_zalloc(sizeof(*w));
    w->journal = journal;
    w->deadbox = deadbox;
    w->todo = mailbox_new();
    w->ended = mailbox_new();
    w->wake = loop_wake_new(loop, on_wake, w);
    if (w->wake == NULL || start_thread(w) < 0)
        destroy(&w);
    return w;
}

/* the thread looks at it only for jobs that come later, through the mailbox */
void writer_set_copy(struct writer *w, struct journal *copy)
{
    w->copy = copy;
}

/* to the thread */
void writer_submit(struct writer *w, struct writer_job *job)
{
    w->pending++;
    list_init(&job->link);
    mailbox_send(w->todo, &job->link);
}

/* not yet handed back */
unsigned writer_pending(const struct writer *w)
{
    return w->pending;
}

/* finishes, joins, hands back */
void writer_free(struct writer **w)
{
    if (*w == NULL)
        return;
    while ((*w)->pending > 0)
        hand_back(*w, job_of(mailbox_wait((*w)->ended, -1)));
    mailbox_close((*w)->todo);
    (void)pthread_join((*w)->thread, NULL); /* fails only for a thread that is none */
    destroy(w);
}
