#ifndef TESTS_BULK_TEST_H
#define TESTS_BULK_TEST_H

/* What the tests of this room share: an owner of spans that remembers what it was told, and a check
 * that a document is one JSON object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_scan.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "bulk/batch.h"

#define CHECK(name, condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("case \"%s\": %s", (name), #condition);                                       \
    } while (0)

#define RESOLVED_MAX 64

struct recorder {
    struct span_owner owner; /* first */
    struct ledger ledger;
    struct span_pool *pool; /* spans go back at once; NULL: they are kept in resolved */
    struct span *resolved[RESOLVED_MAX];
    uint64_t from[RESOLVED_MAX]; /* of each resolved span, in order */
    unsigned count;
    bool keeps;      /* its source cannot be read again */
    unsigned unread; /* spans that will be */
};

/* remembers a resolved span */
static inline void recorder_resolved(struct span_owner *owner, struct span *span)
{
    struct recorder *r = CONTAINER_OF(owner, struct recorder, owner);
    assert_true(span->owner == owner && span->resolved && span->open_items == 0);
    assert_true(r->count < RESOLVED_MAX);
    r->resolved[r->count] = span;
    r->from[r->count++] = span->from;
    if (r->pool != NULL)
        span_put(r->pool, span);
}

/* whether a span can be read again; remembers those that will be */
static inline bool recorder_unread(struct span_owner *owner, struct span *span, bool commit)
{
    struct recorder *r = CONTAINER_OF(owner, struct recorder, owner);
    assert_true(span->owner == owner);
    r->unread += commit;
    return !r->keeps;
}

/* an owner that has seen nothing */
static inline void recorder_init(struct recorder *r, struct span_pool *pool)
{
    static const struct span_owner_ops ops = {.resolved = recorder_resolved,
                                              .unread = recorder_unread};
    *r = (struct recorder){.pool = pool};
    r->owner = (struct span_owner){.ops = &ops, .ledger = &r->ledger, .source = "/s"};
}

/* whether two counts are the same */
static inline bool count_is(struct ledger_count c, uint64_t bytes, uint64_t lines)
{
    return c.bytes == bytes && c.lines == lines;
}

/* notes whether the top value is an object */
static inline int note_top(void *ctx, enum json_event event, unsigned depth, struct slice text,
                           bool cut)
{
    (void)text;
    assert_false(cut);
    if (depth == 0 && event == JSON_OBJECT)
        *(bool *)ctx = true;
    return 0;
}

/* exactly one JSON object in valid UTF-8, in one line */
static inline bool is_json_object(struct slice s)
{
    bool is_object = false;
    struct json_scan *scan = json_scan_new(64 * MIB, note_top, &is_object);
    bool ok = json_scan_feed(scan, s) == 0 && json_scan_finish(scan) == 0;
    json_scan_free(&scan);
    return ok && is_object && utf8_is_valid(s) && slice_find(s, '\n') == s.len;
}

/* The whole body: action and document lines that are JSON, items without gaps. */
static inline bool is_sound_body(const struct batch *b)
{
    size_t at = 0;
    for (uint32_t i = 0; i < b->item_count; i++) {
        const struct batch_item *item = &b->items[i];
        if (item->at != at || b->body[at + item->action_bytes - 1] != '\n' ||
            b->body[at + item->bytes - 1] != '\n' || !is_json_object(batch_action(b, item)) ||
            !is_json_object(batch_document(b, item)))
            return false;
        at += item->bytes;
    }
    return at == b->body_bytes;
}

#endif
