#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

/*
 * Streaming JSON scanner: bytes in, in pieces of any size; events out, by callback. No tree, no
 * allocation besides one bounded token buffer; memory is O(token limit), whatever the input.
 *
 * A string longer than the token limit is cut: the event carries its first bytes and `cut`.
 * Depth is bounded; duplicate keys are passed on as they come. Numbers are given as text.
 * Leading and trailing white space is allowed, anything else after the top value is an error.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

#define JSON_SCAN_DEPTH 64

enum json_event {
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,    /* text = unescaped name */
    JSON_STRING, /* text = unescaped value */
    JSON_NUMBER, /* text = as written */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

/* depth: how many containers are open around the event (0 for the top value; an END has the depth
 * of its opening). text is valid during the call only. A non-zero return stops the scan with that
 * value. */
typedef int (*json_event_fn)(void *ctx, enum json_event event, unsigned depth, struct slice text,
                             bool cut);

struct json_scan;

/* token_max: longest name, string or number kept. */
struct json_scan *json_scan_new(size_t token_max, json_event_fn fn, void *ctx);
void json_scan_free(struct json_scan **s);
/* Ready for another document. */
void json_scan_reset(struct json_scan *s);

/* 0, -EBADMSG (not JSON), -E2BIG (too deep), -ENOMEM (token buffer), or what the callback returned.
 * After an error every call returns the same error until reset. */
int json_scan_feed(struct json_scan *s, struct slice bytes) MUST_CHECK;
/* 0 when exactly one whole value was seen, else -EBADMSG or the sticking error. A number as the top
 * value ends only here: its event may come from this call. */
int json_scan_finish(struct json_scan *s) MUST_CHECK;
/* Whether the top value is complete. */
bool json_scan_is_done(const struct json_scan *s);

#endif
