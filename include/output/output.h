#ifndef OUTPUT_OUTPUT_H
#define OUTPUT_OUTPUT_H

/*
 * The output: takes sealed batches, sends them to Elasticsearch or OpenSearch until every item is
 * accepted or durable in the dead-letter box, and gives the empty batches back. Nothing else ends
 * an item. All state lives in the loop's thread.
 *
 * A batch of BATCH_LOGS holds items of its own target only; items of BATCH_METRICS may name others
 * by `_index`. Where a target refuses, it alone waits: what it refused is moved into a buffer of
 * the output's own, as far as there is room, so that the batch is free for others.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/log.h"
#include "bulk/batch.h"
#include "os/http.h"
#include "os/loop.h"
#include "output/status.h"
#include "store/writer.h"

struct output;

enum output_compression {
    OUTPUT_COMPRESSION_AUTO, /* gzip, but none to a loopback address */
    OUTPUT_COMPRESSION_GZIP,
    OUTPUT_COMPRESSION_NONE,
};

/* Strings are borrowed until output_free. */
struct output_opts {
    char *const *hosts; /* URLs, maybe with a path: http://h:9200, https://h/es/ */
    size_t host_count;
    struct http_opts http; /* the user agent is the output's own */
    enum output_compression compression;
    unsigned compression_level; /* 1..9 */
    bool plain_index;           /* logs go to indices, not to data streams */
    bool plain_metrics;         /* and so do metrics */
    const char *pipeline;       /* that logs go through; NULL: the target's own */
    unsigned workers;           /* sender threads at most, >= 1 */
    size_t max_bytes;           /* that a batch is made for, >= 1: the pace never asks for more */
    bool auto_ids;              /* no document has an id of ours */
    bool verify_resend;      /* documents whose answer was lost are asked for before they are sent
                              * again */
    int64_t backoff_init_ms; /* >= 1 */
    int64_t backoff_max_ms;
};

/* None of them runs inside output_submit or output_new. */
struct output_hooks {
    /* Every item is resolved, or kept here to be sent again: the batch is its feed's again. */
    void (*returned)(void *ctx, struct batch *b);
    /* Whether the ticket that an owner of spans gave is durable by now. */
    bool (*durable)(void *ctx, uint64_t ticket);
    /* Nothing is pending any more. */
    void (*idle)(void *ctx);
    /* A target refuses, or takes documents again: what is read for it meanwhile could only wait. */
    void (*paused)(void *ctx, const char *target, bool paused);
    /* Batches should not be larger than this from now on: the server is busy, or takes no more. */
    void (*resized)(void *ctx, size_t max_bytes);
    /* Health or its reason changed. why is "" for OUTPUT_OK. */
    void (*health)(void *ctx, enum output_health health, const char *why);
    /* A line for the log, already rate-limited; without content of documents. */
    void (*message)(void *ctx, enum log_level level, const char *text);
    void *ctx;
};

/* writer: where dead letters go (WRITER_DEAD), borrowed. http_global_init was called. -EINVAL: no
 * host, no worker, back-off out of order. */
int output_new(struct loop *loop, const struct output_opts *opts, const struct output_hooks *hooks,
               struct writer *writer, struct output **ret_output) MUST_CHECK;

/* The batch, sealed, with its barrier passed, is the output's until hooks.returned. A batch
 * without items resolves its spans and comes back. */
void output_submit(struct output *o, struct batch *b);

/* Batches that are not back, and items kept to be sent again: one for each target with such. */
unsigned output_pending(const struct output *o);

enum output_health output_health(const struct output *o);
const struct output_counters *output_counters(const struct output *o);

/* Stops sending now: exchanges under way are ended (their outcome stays unknown); what had been
 * answered is still applied, so hooks run. Batches not resolved stay here. 0; -EBUSY: a thread
 * hangs in a system call and may read its batch: no batch may be freed, only the process can end.
 */
int output_stop(struct output *o) MUST_CHECK;

/* Lets go of the batches that were not resolved (they belong to their feed, which frees them
 * afterwards). Every writer job must be done: call writer_free first. After -EBUSY it leaks. */
void output_free(struct output **o);

/* Where documents go. */
struct output_target {
    const char *name;
    bool plain_index; /* an index, not a data stream */
};

/*
 * `wherry test output`: reaches each host, names product and version, and for each target looks
 * for a data-stream template and for the right to write, without leaving a document behind. A right
 * that is missing is named. Appends lines for people to report. 0, or the first failure: -ENOTCONN
 * (not reached), -EACCES (credentials), -ENOENT (no template), -EPROTO (answers not understood).
 */
int output_test(const struct output_opts *opts, const struct output_target *targets, size_t count,
                struct buf *report) MUST_CHECK;

#endif
