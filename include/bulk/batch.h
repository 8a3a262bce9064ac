#ifndef BULK_BATCH_H
#define BULK_BATCH_H

/*
 * A batch owns the body of one `_bulk` request, the index of its items and its spans.
 *
 *     OPEN --seal--> SEALED --submit--> (output: queued, in flight, waiting to be sent again)
 *       ^                                                      |
 *       +---------------- free <--- every item resolved <------+
 *
 * A batch is owned by exactly one party at a time: feed (open, free), output (sealed), one sender
 * thread (in flight). Its memory is reserved once and lives as long as the pool: the number of
 * batches is the memory budget.
 *
 * The body is NDJSON: for each item an action line and a document line. The request's URL names
 * `target`; an item for another target says so by `_index` in its action line.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/list.h"
#include "base/slice.h"
#include "bulk/span.h"

#define BATCH_TARGET_MAX 255 /* bytes of an index or data stream name */

enum item_state {
    ITEM_PENDING,   /* no answer yet, or sent again */
    ITEM_CREATED,   /* 200, 201 */
    ITEM_DUPLICATE, /* 409 on our own id */
    ITEM_RETRY,     /* to be sent again */
    ITEM_REJECTED,  /* to be dead-lettered */
    ITEM_DEAD,      /* durable in the dead-letter box */
};

struct batch_item {
    uint32_t at;           /* of the action line in the body */
    uint32_t action_bytes; /* its length with the newline */
    uint32_t bytes;        /* of both lines with their newlines */
    uint32_t source_bytes; /* what the record takes in its source */
    uint32_t source_lines;
    uint16_t span;   /* index of its first span in this batch */
    uint8_t spans;   /* a record joined across a rotation has more than one */
    uint8_t state;   /* enum item_state */
    uint16_t status; /* of the last answer, 0 = none */
    uint16_t tries;  /* times sent */
};

enum batch_kind { BATCH_LOGS, BATCH_METRICS };

struct batch {
    struct list link; /* of the party that owns it */
    enum batch_kind kind;
    char *body; /* mapped memory, body_cap bytes reserved */
    size_t body_bytes;
    size_t body_cap;
    struct batch_item *items; /* mapped memory */
    uint32_t item_count;
    uint32_t item_cap;
    struct span **spans; /* mapped memory */
    uint32_t span_count;
    uint32_t span_cap;
    char target[BATCH_TARGET_MAX + 1]; /* "" until the first item */
    uint64_t barrier;    /* ticket of the registry write that must be durable before sending; 0 */
    int64_t opened_ms;   /* monotonic, first item */
    int64_t returned_ms; /* monotonic, when it was free again; 0 = it has no pages */
    unsigned sends;      /* times it was sent */
    bool slow;           /* large, and took long to be filled */
    void *owner_data;    /* output's */
    struct span_pool *pool; /* borrowed: where its spans come from; NULL: it had none yet */
};

/* Memory for body and items is reserved here, touched later. */
struct batch *batch_new(enum batch_kind kind, size_t body_cap, uint32_t item_cap,
                        uint32_t span_cap);
/* No item may be open. */
void batch_free(struct batch **b);

/* Empties it for reuse; gives pages beyond keep_bytes back to the kernel. Spans must be resolved.
 */
void batch_reset(struct batch *b, size_t keep_bytes);
/* Gives all pages of one that is free back, until it is used again. */
void batch_rest(struct batch *b);

/* Bytes, items and spans still free. */
bool batch_has_room(const struct batch *b, size_t bytes);

/* Index of the last span of owner that ends at `from`, or a new one taken from the pool: -ENOBUFS
 * when the span table is full. */
int batch_span_for(struct batch *b, struct span_pool *pool, struct span_owner *owner, uint64_t from,
                   uint16_t *ret_index) MUST_CHECK;

/* Takes the bytes [item->at, item->at + item->bytes), already written behind body_bytes, as an
 * item; counts it open in its spans and read in their ledger. Room was checked. */
void batch_commit_item(struct batch *b, const struct batch_item *item);

/* The same for `count` items of one span, already written behind the others; the body ends at
 * body_bytes then, and their source is c in all. */
void batch_commit_run(struct batch *b, uint16_t span, uint32_t count, size_t body_bytes,
                      struct ledger_count c);

/* Adds an item from finished text: action without newline, document without newline. -ENOBUFS. */
int batch_add(struct batch *b, struct slice action, struct slice document, uint16_t span,
              uint32_t source_bytes, uint32_t source_lines) MUST_CHECK;

struct slice batch_action(const struct batch *b, const struct batch_item *item);
struct slice batch_document(const struct batch *b, const struct batch_item *item);
/* Value of a member of the action line ("_id", "_index"), unescaped values only; empty if absent.
 */
struct slice batch_action_value(const struct batch *b, const struct batch_item *item,
                                const char *name);

/* Replaces the generation in the id of an item that has one of the form of bulk/docid.h. */
void batch_set_generation(struct batch *b, const struct batch_item *item,
                          const char generation[DOCID_GENERATION_CHARS]);

/* Moves all items and spans behind those of `to`, in order; an empty `to` takes the target over,
 * any other has the same. Their states are as batch_resolve leaves them. -ENOBUFS: no room, nothing
 * is moved. */
int batch_move(struct batch *to, struct batch *from) MUST_CHECK;

/* Has the owners of all spans read them again, if no item of them was settled and all of them
 * agree; the batch is empty then, and what was counted of it is not any more. False: nothing is
 * changed. */
bool batch_unread(struct batch *b) MUST_CHECK;

/* Lets go of items and spans that were not resolved: their source was not acknowledged and is read
 * again by another life. */
void batch_abandon(struct batch *b);

/* Takes "_id" out of the action lines of the items that go to `target`: those that name it by
 * `_index`, and those that name none if it is the batch's. Returns how many had one. */
uint32_t batch_drop_ids(struct batch *b, struct slice target);

/*
 * Resolves every item that is CREATED, DUPLICATE or DEAD: counts it off its spans and in their
 * ledgers, tells the owners of spans that are done, and removes the item and its bytes; the rest
 * becomes PENDING (RETRY) or stays (REJECTED), moved together in order. A span without items is
 * resolved too. Returns the number of items left. Idempotent.
 */
uint32_t batch_resolve(struct batch *b);

/* As batch_resolve when every item is CREATED, whatever their states are: the usual end. */
void batch_accept(struct batch *b);

#endif
