#ifndef OUTPUT_REPLY_H
#define OUTPUT_REPLY_H

/*
 * Scanner of a `_bulk` reply, fed in pieces: no tree, bounded memory whatever the size. Field
 * order is free, unknown fields and white space are passed over. The result counts only when the
 * JSON was whole, with exactly one status for each item that was sent; everything else means that
 * the outcome is unknown. Top-level `errors` is not looked at: the statuses decide.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"

#define REPLY_TOKEN_MAX 1024       /* an error's type or reason is cut here */
#define REPLY_TEXTS_MAX (64 * KIB) /* errors kept of one reply; of the others no text is known */
#define REPLY_FILTER                                                                               \
    "errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.failure_store"

struct reply_item {
    uint16_t status;
    uint8_t row;        /* of the item table, see decide_item_row */
    bool failure_store; /* created there */
};

struct reply;
struct reply *reply_new(void);
void reply_free(struct reply **r);

/* Ready for the reply to a request of that many items. */
void reply_begin(struct reply *r, uint32_t expected);
/* 0 or -EBADMSG (-E2BIG: nested too deep); errors stick until reply_begin. */
int reply_feed(struct reply *r, struct slice piece) MUST_CHECK;
int reply_finish(struct reply *r) MUST_CHECK;

/* After reply_finish gave 0: one for each item sent, in order; borrowed until reply_begin. */
const struct reply_item *reply_items(const struct reply *r);

/* After reply_finish gave 0: every item was created, and reply_items need not be looked at. False
 * says nothing: it may be so all the same. */
bool reply_all_created(const struct reply *r);

/* The errors of items that are or may become rejected, in order of the items. */
struct reply_text {
    uint32_t item;
    struct slice type, reason; /* borrowed until reply_begin; cut texts may end inside a letter */
};
/* *cursor starts at 0. False at the end. */
bool reply_next_text(const struct reply *r, size_t *cursor, struct reply_text *ret_text);

#endif
