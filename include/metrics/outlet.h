#ifndef METRICS_OUTLET_H
#define METRICS_OUTLET_H

/*
 * The way of a finished document: it gets its id and goes into the feed's open batch, or waits in
 * the backlog until a batch is free; with a spool it waits there (metrics/spooler.h). It is in the
 * ledger from the moment it is in a batch, or is given up.
 */
#include "base/log.h"
#include "base/slice.h"
#include "bulk/feed.h"
#include "bulk/ledger.h"
#include "metrics/handover.h"
#include "os/loop.h"
#include "store/spool.h"
#include "store/writer.h"

/* The largest document. */
#define OUTLET_DOCUMENT_MAX HANDOVER_DOCUMENT_MAX

struct outlet;

/* All borrowed. */
struct outlet_opts {
    struct loop *loop;
    struct feed *feed; /* takes items of OUTLET_DOCUMENT_MAX + KIB bytes */
    struct ledger *ledger;
    size_t backlog_bytes;
    struct spool *spool;   /* NULL: what waits does so in memory only */
    struct writer *writer; /* for the spool */
    void (*message)(void *ctx, enum log_level level, const char *text); /* may be NULL */
    void *ctx;
};

/* Mints the generation of the ids. */
struct outlet *outlet_new(const struct outlet_opts *opts);
/* What waits is lost, uncounted: outlet_close first. Spans in batches must be resolved, or their
 * batches freed unsent. NULL is allowed. */
void outlet_free(struct outlet **o);

/* Takes a document for a data stream. target is borrowed as long as the outlet lives and needs no
 * escape; document is copied, at most OUTLET_DOCUMENT_MAX bytes. */
void outlet_put(struct outlet *o, const char *target, struct slice document);
/* Gives to the feed what waits, as far as it takes it. */
void outlet_drain(struct outlet *o);
/* Drains; what still waits goes into the spool, without one it is abandoned (ABANDON_SHUTDOWN). */
void outlet_close(struct outlet *o);
/* After outlet_close, when no batch comes back any more and before writer_free: what is on its way
 * goes into the spool, if there is one. */
void outlet_end(struct outlet *o);

#endif
