#ifndef METRICS_PARCEL_H
#define METRICS_PARCEL_H

/*
 * A block of documents (metrics/block.h) with what became of it: how much of it is in batches, how
 * much is acknowledged, whether it lies in the spool. It is the owner of its spans.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "bulk/ledger.h"
#include "bulk/span.h"
#include "metrics/block.h"
#include "metrics/handover.h"
#include "store/spool.h"
#include "store/writer.h"

struct parcel {
    struct list link; /* the spooler's */
    struct span_owner owner;
    void *ctx;                 /* the spooler */
    struct buf block;          /* empty once it is not needed in memory */
    struct ledger_count held;  /* in the block */
    struct ledger_count given; /* of these, given to a feed */
    uint64_t open;             /* documents in batches that are not acknowledged */
    size_t read_to;            /* of the block: where the next one to give begins */
    uint64_t sequence;         /* in the spool; 0 = is not there */
    struct writer *writer;     /* borrowed, as the spool; set by the maker */
    struct spool *spool;       /* touched by the store thread only */
    bool is_writing;           /* its job is with the writer: only `open` may change */
    struct writer_job job;     /* its ctx is the parcel */
    /* Set by the job in the store thread, for its end in the loop. */
    struct ledger_count dropped; /* by the full spool */
    uint64_t left;               /* blocks in it that nobody has taken */
    uint64_t gone;               /* spool_gone */
};

/* ops: with resolved only; ledger, ctx: borrowed. For jobs set writer and spool. */
struct parcel *parcel_new(const struct span_owner_ops *ops, struct ledger *ledger, void *ctx);
/* It is in no list, its job not under way. NULL is allowed. */
void parcel_free(struct parcel **p);

/* Adds a document, which is given to a feed already or is to be given later. 0, -ENOBUFS, -ENOMEM.
 */
int parcel_add(struct parcel *p, const char generation[DOCID_GENERATION_CHARS],
               const struct block_document *d, bool is_given) MUST_CHECK;
/* The block was read from the spool: counts what is in it. */
int parcel_count(struct parcel *p) MUST_CHECK;
/* Gives to the feed what was not given, as far as it takes it. True: all of it was. */
bool parcel_give(struct parcel *p, struct handover *h);
/* Whether all of it is acknowledged. */
bool parcel_is_done(const struct parcel *p);
/* What is not given yet. */
struct ledger_count parcel_rest(const struct parcel *p);

/* Jobs for the store thread, one at a time; done as in store/writer.h. The result of writing is
 * spool_append's, of loading spool_take's; both set `sequence`. */
void parcel_write(struct parcel *p, void (*done)(struct writer_job *job));
void parcel_load(struct parcel *p, void (*done)(struct writer_job *job));
/* It need not be read again by a later life. */
void parcel_mark_done(struct parcel *p, void (*done)(struct writer_job *job));

#endif
