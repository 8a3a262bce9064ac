#ifndef METRICS_SPOOLER_H
#define METRICS_SPOOLER_H

/*
 * Documents that shall outlive the process: they are kept until they are acknowledged, in memory
 * for a moment, then in the spool on disk. What a healthy output takes within that moment never
 * touches the disk. The store thread writes and reads; nothing here waits.
 *
 * The order of documents is kept: what waits on disk goes before what waits in memory, that before
 * what comes. A start sends what an earlier life has left, under its ids.
 *
 * While nothing can be written, documents wait in memory up to a limit; then the oldest go
 * (ABANDON_QUEUE). What the full spool drops is ABANDON_SPOOL.
 */
#include "base/log.h"
#include "base/slice.h"
#include "bulk/docid.h"
#include "bulk/feed.h"
#include "bulk/ledger.h"
#include "os/loop.h"
#include "store/spool.h"
#include "store/writer.h"

/* How long a document may be on its way before it is written: until the output has failed to take
 * one in time, and from then on. What a kill -9 can cost. */
#define SPOOLER_PATIENCE_MS 1000
#define SPOOLER_HASTE_MS    100

struct spooler;

/* All borrowed. The spool is touched by the writer's thread only. */
struct spooler_opts {
    struct loop *loop;
    struct feed *feed;
    struct ledger *ledger;
    struct writer *writer;
    struct spool *spool;
    size_t memory_bytes; /* of documents that wait in memory */
    void (*message)(void *ctx, enum log_level level, const char *text); /* may be NULL */
    void *ctx;
};

struct spooler *spooler_new(const struct spooler_opts *opts);

/* Takes a document; ids of one generation, sequences rise. Everything is copied. target needs no
 * escape, document is at most HANDOVER_DOCUMENT_MAX bytes. */
void spooler_put(struct spooler *s, const char generation[DOCID_GENERATION_CHARS],
                 uint64_t sequence, struct slice target, struct slice document);
/* Gives to the feed what waits, as far as it takes it. */
void spooler_drain(struct spooler *s);
/* Drains; what still waits in memory goes to disk. Nothing is taken or given from then on. */
void spooler_close(struct spooler *s);
/* After spooler_close, when no batch comes back any more: what is on its way goes to disk too. To
 * be called before writer_free, which waits for it. */
void spooler_end(struct spooler *s);
/* After writer_free. Spans in batches must be
 * resolved, or their batches freed unsent. NULL is allowed. */
void spooler_free(struct spooler **s);

#endif
