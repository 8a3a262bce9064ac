#ifndef BULK_FEED_H
#define BULK_FEED_H

/*
 * The way from encoders to the output: a fixed pool of batches, of which one is open for each
 * target. Open ones are sealed by bytes, count or age (linger) and handed on. No free batch means:
 * do not read.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bulk/batch.h"
#include "os/loop.h"

struct feed;

struct feed_opts {
    enum batch_kind kind;
    unsigned batches;   /* in the pool */
    size_t max_bytes;   /* a batch is sealed before it passes this, unless one item is larger */
    size_t slack_bytes; /* room beyond max_bytes for the largest single item */
    uint32_t max_items; /* 0 = as many as fit */
    unsigned max_per_target; /* sealed batches of one target that are not back; 0 = no limit */
    int64_t linger_ms;
};

struct feed_hooks {
    /* The batch is sealed and now the receiver's; give it back by feed_return. */
    void (*sealed)(void *ctx, struct batch *b);
    /* A batch is free again after feed_open had none. Runs from the loop, not inside a call. */
    void (*ready)(void *ctx);
    void *ctx;
};

struct feed *feed_new(struct loop *loop, const struct feed_opts *opts,
                      const struct feed_hooks *hooks);
/* Every batch must be back or open. The open one's items are lost. */
void feed_free(struct feed **f);

/* At what size batches are sealed now. */
size_t feed_max_bytes(const struct feed *f);
/* Whether feed_open would return this batch, which it returned before. */
bool feed_fits(const struct feed *f, const struct batch *b, size_t likely, size_t worst);

/*
 * The open batch of a target with room for `worst` more bytes (at most max_bytes + slack_bytes);
 * seals the present one when `likely` more would pass max_bytes. target NULL: one batch for all
 * targets, whose first user sets batch->target. NULL: none is free, or feed_holds; hooks.ready
 * tells when that changes.
 */
struct batch *feed_open(struct feed *f, const char *target, size_t likely, size_t worst);

/* Nothing more is opened for a target until it goes on: what is read for it could only wait. */
void feed_pause(struct feed *f, const char *target, bool paused);
/* Whether feed_open refuses this target whatever is free: it is paused, or has its share of the
 * batches under way. hooks.ready runs when that changes. */
bool feed_holds(struct feed *f, const char *target);
/* Batches are sealed before they pass this from now on; opts.max_bytes at most. */
void feed_set_max_bytes(struct feed *f, size_t bytes);

/* Seals every open batch that has items or spans. */
void feed_flush(struct feed *f);
/* The same for one open batch. */
void feed_seal(struct feed *f, struct batch *b);

/* The batch, empty of items, is free again. */
void feed_return(struct feed *f, struct batch *b);

/* Batches that are neither open nor free. */
unsigned feed_outstanding(const struct feed *f);
struct span_pool *feed_spans(struct feed *f);

#endif
