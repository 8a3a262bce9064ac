#ifndef STORE_WRITER_H
#define STORE_WRITER_H

/*
 * The store thread: the only place that waits for the disk while the agent runs. The loop hands it
 * sealed jobs in order and hears of each one's end in its own thread; jobs of one writer run one
 * after the other. Consecutive journal appends that wait together become one write and one sync
 * (group commit).
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/list.h"
#include "os/loop.h"

struct writer;
struct journal;
struct deadbox;

enum writer_job_kind {
    WRITER_APPEND,     /* records -> journal_append */
    WRITER_CHECKPOINT, /* whole state -> journal_checkpoint; journal_renew when poisoned, also by
                        * this very checkpoint */
    WRITER_SAVE,       /* the same to the journal of writer_set_copy */
    WRITER_DEAD,       /* records -> deadbox_append */
    WRITER_RUN,        /* run(job), whose return value is the result */
};

struct writer_job {
    struct list link; /* the writer's while the job is under way */
    enum writer_job_kind kind;
    struct buf records;                   /* packed; owned by the job */
    uint64_t ticket;                      /* the owner's number, untouched */
    int result;                           /* 0 or negative errno, set before done */
    bool wants_checkpoint;                /* journal jobs: journal_wants_checkpoint after it */
    bool poisoned;                        /* journal jobs: journal_is_poisoned after it */
    uint64_t bytes_written;               /* journal jobs: journal_bytes_written after it */
    uint64_t dropped;                     /* dead jobs: older letters removed to make room */
    int (*run)(struct writer_job *job);   /* WRITER_RUN: in the thread, may wait for the disk */
    void *ctx;                            /* the owner's */
    void (*done)(struct writer_job *job); /* in the loop's thread; the job is the owner's again */
};

/* journal and deadbox may be NULL (their jobs end with -ENODEV); borrowed, touched only by the
 * thread until writer_free. NULL when no thread or wake-up can be had. */
struct writer *writer_new(struct loop *loop, struct journal *journal, struct deadbox *deadbox);

/* Another journal, which WRITER_SAVE writes to; borrowed. Before the first job of that kind. */
void writer_set_copy(struct writer *w, struct journal *copy);

/* The job is the writer's until done runs. */
void writer_submit(struct writer *w, struct writer_job *job);
/* Jobs under way. */
unsigned writer_pending(const struct writer *w);

/* Finishes what is queued, joins the thread; the done functions run inside this call, and what they
 * submit is finished as well. */
void writer_free(struct writer **w);

#endif
