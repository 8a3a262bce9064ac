/*
 * output/decisions - the tables of what an answer means
 *
 * The rows are the policy; the code only finds the first that matches. The reason of an error may
 * quote the user's document, so a row looks at the beginning of a reason only together with the
 * type of the error: no log line can steer a decision.
 */
#include "output/decisions.h"

#include <string.h>

#include "base/def.h"
#include "output/control.h"

/* the shard limit is told as a validation failure that begins so */
#define SHARD_LIMIT "Validation Failed: 1: this action would add ["
/* an index in time_series mode makes its ids itself */
#define OWN_IDS "_id must be unset or set to ["
#define NO_IDS  "takes no ids of ours"

#define NO_TEMPLATE "no data-stream template matches: run \"wherry setup\""

static const struct item_decision items[] = {
    {200, 299, .action = DECIDE_ACK, .counter = OUTPUT_ITEMS_CREATED, .why = "created"},
    {409, 409, .action = DECIDE_DUPLICATE, .counter = OUTPUT_ITEMS_DUPLICATE, .why = "exists"},
    {400, 400, "index_closed_exception", .action = DECIDE_PAUSE_TARGET,
     .counter = OUTPUT_ITEMS_BLOCKED, .health = OUTPUT_FAILED, .why = "the index is closed"},
    {400, 400, "validation_exception", SHARD_LIMIT, .action = DECIDE_PAUSE_TARGET,
     .counter = OUTPUT_ITEMS_BLOCKED, .health = OUTPUT_FAILED,
     .why = "the cluster's shard limit is reached"},
    {400, 400, "illegal_argument_exception", SHARD_LIMIT, .action = DECIDE_PAUSE_TARGET,
     .counter = OUTPUT_ITEMS_BLOCKED, .health = OUTPUT_FAILED,
     .why = "the cluster's shard limit is reached"},
    {400, 400, "invalid_index_name_exception", .action = DECIDE_PAUSE_TARGET,
     .counter = OUTPUT_ITEMS_BLOCKED, .health = OUTPUT_FAILED,
     .why = "the server refuses its name"},
    {400, 400, "illegal_argument_exception", "pipeline with id [", .action = DECIDE_PAUSE_TARGET,
     .counter = OUTPUT_ITEMS_BLOCKED, .health = OUTPUT_FAILED,
     .why = "its ingest pipeline does not exist"},
    {400, 400, "illegal_argument_exception", "Document ID is not supported",
     .action = DECIDE_DROP_IDS, .counter = OUTPUT_ITEMS_BLOCKED, .why = NO_IDS},
    {400, 400, "illegal_argument_exception", OWN_IDS, .action = DECIDE_DROP_IDS,
     .counter = OUTPUT_ITEMS_BLOCKED, .why = NO_IDS},
    {400, 400, "document_parsing_exception", "failed to parse: " OWN_IDS, .action = DECIDE_DROP_IDS,
     .counter = OUTPUT_ITEMS_BLOCKED, .why = NO_IDS},
    {400, 400, .action = DECIDE_REJECT, .counter = OUTPUT_ITEMS_REJECTED, .why = "bad document"},
    {401, 401, .action = DECIDE_PAUSE_TARGET, .counter = OUTPUT_ITEMS_BLOCKED,
     .health = OUTPUT_FAILED, .why = "credentials refused"},
    {403, 403, "cluster_block_exception", .action = DECIDE_PAUSE_TARGET,
     .counter = OUTPUT_ITEMS_BLOCKED, .health = OUTPUT_DEGRADED, .why = "blocked for writing"},
    {403, 403, .action = DECIDE_PAUSE_TARGET, .counter = OUTPUT_ITEMS_BLOCKED,
     .health = OUTPUT_FAILED, .why = "the credentials may not write to it"},
    {404, 404, .action = DECIDE_PAUSE_TARGET, .counter = OUTPUT_ITEMS_BLOCKED,
     .health = OUTPUT_FAILED, .why = NO_TEMPLATE},
    {413, 413, .action = DECIDE_REJECT, .counter = OUTPUT_ITEMS_REJECTED, .why = "too large"},
    {429, 429, "cluster_block_exception", .action = DECIDE_PAUSE_TARGET,
     .counter = OUTPUT_ITEMS_BLOCKED, .health = OUTPUT_DEGRADED,
     .why = "blocked, the server's disk is nearly full"},
    {429, 429, .action = DECIDE_RETRY, .counter = OUTPUT_ITEMS_BUSY, .busy = true, .why = "busy"},
    {500, 500, .action = DECIDE_RETRY_BOUNDED, .counter = OUTPUT_ITEMS_ERROR,
     .why = "server error"},
    {503, 503, .action = DECIDE_RETRY, .counter = OUTPUT_ITEMS_BUSY, .busy = true,
     .why = "unavailable"},
    {501, 599, .action = DECIDE_RETRY, .counter = OUTPUT_ITEMS_ERROR, .why = "server error"},
    {0, UINT16_MAX, .action = DECIDE_RETRY_BOUNDED, .counter = OUTPUT_ITEMS_ERROR,
     .why = "unknown status"},
};

static const struct request_decision requests[] = {
    {HTTP_REFUSED, 0, UINT16_MAX, .action = REQUEST_RETRY, .health = OUTPUT_DEGRADED},
    {HTTP_REPLIED, 200, 200, .action = REQUEST_ITEMS},
    {REQUEST_ANY_OUTCOME, 400, 400, "media_type_header_exception", REQUEST_MEDIA_TYPE,
     .health = OUTPUT_FAILED, .why = "refuses the content type (400)"},
    {REQUEST_ANY_OUTCOME, 400, 400, CONTROL_NO_HANDLER, REQUEST_PAUSE_HOST, .health = OUTPUT_FAILED,
     .why = "has no _bulk here (400): is the URL right?"},
    {REQUEST_ANY_OUTCOME, 400, 400, .action = REQUEST_ISOLATE, .health = OUTPUT_FAILED,
     .why = "answers 400 to every document"},
    {REQUEST_ANY_OUTCOME, 401, 401, .action = REQUEST_CREDENTIALS, .health = OUTPUT_FAILED,
     .why = "credentials refused (401)"},
    {REQUEST_ANY_OUTCOME, 403, 403, "cluster_block_exception", REQUEST_PAUSE_TARGET,
     .health = OUTPUT_DEGRADED, .why = "the cluster is blocked for writing (403)"},
    {REQUEST_ANY_OUTCOME, 403, 403, .action = REQUEST_PAUSE_TARGET, .health = OUTPUT_FAILED,
     .why = "refused (403): no right to write, or blocked"},
    {REQUEST_ANY_OUTCOME, 404, 404, "index_not_found_exception", REQUEST_PAUSE_TARGET,
     .health = OUTPUT_FAILED, .why = NO_TEMPLATE},
    {REQUEST_ANY_OUTCOME, 404, 404, .action = REQUEST_PAUSE_HOST, .health = OUTPUT_FAILED,
     .why = "not found (404): is the URL right?"},
    {REQUEST_ANY_OUTCOME, 406, 406, .action = REQUEST_MEDIA_TYPE, .health = OUTPUT_FAILED,
     .why = "refuses the content type (406)"},
    {REQUEST_ANY_OUTCOME, 408, 408, .action = REQUEST_RETRY, .health = OUTPUT_DEGRADED,
     .why = "request time-out (408)"},
    {REQUEST_ANY_OUTCOME, 413, 413, .action = REQUEST_SPLIT, .health = OUTPUT_OK,
     .why = "too large (413)"},
    {REQUEST_ANY_OUTCOME, 415, 415, .action = REQUEST_MEDIA_TYPE, .health = OUTPUT_FAILED,
     .why = "refuses the content type (415)"},
    {REQUEST_ANY_OUTCOME, 425, 425, .action = REQUEST_RETRY, .health = OUTPUT_DEGRADED,
     .why = "too early (425)"},
    {REQUEST_ANY_OUTCOME, 429, 429, .action = REQUEST_RETRY, .busy = true,
     .health = OUTPUT_DEGRADED, .why = "busy (429)"},
    {REQUEST_ANY_OUTCOME, 503, 503, .action = REQUEST_RETRY, .busy = true,
     .health = OUTPUT_DEGRADED, .why = "unavailable (503)"},
    {REQUEST_ANY_OUTCOME, 500, 599, .action = REQUEST_RETRY, .health = OUTPUT_DEGRADED,
     .why = "server error"},
    {REQUEST_ANY_OUTCOME, 300, 399, .action = REQUEST_PAUSE_HOST, .health = OUTPUT_FAILED,
     .why = "redirects, which is not followed"},
    {REQUEST_ANY_OUTCOME, 400, 499, .action = REQUEST_PAUSE_HOST, .health = OUTPUT_FAILED,
     .why = "does not take _bulk requests"},
    {HTTP_REPLIED, 0, UINT16_MAX, .action = REQUEST_UNKNOWN, .health = OUTPUT_DEGRADED,
     .why = "unexpected status"},
    {REQUEST_ANY_OUTCOME, 0, UINT16_MAX, .action = REQUEST_UNKNOWN, .health = OUTPUT_DEGRADED},
};

/* a reason without "[line:column] " in front */
static struct slice without_place(struct slice reason)
{
    size_t n = 1;
    if (!slice_starts(reason, SLICE_LIT("[")))
        return reason;
    while (n < reason.len &&
           ((reason.ptr[n] >= '0' && reason.ptr[n] <= '9') || reason.ptr[n] == ':'))
        n++;
    struct slice rest = slice_sub(reason, n, SIZE_MAX);
    return slice_starts(rest, SLICE_LIT("] ")) ? slice_sub(rest, 2, SIZE_MAX) : reason;
}

/* whether a row's conditions hold */
static bool item_matches(const struct item_decision *d, unsigned status, struct slice type,
                         struct slice reason)
{
    if (status < d->from || status > d->to)
        return false;
    if (d->type != NULL && !slice_eq_str(type, d->type))
        return false;
    return d->reason_prefix == NULL ||
           slice_starts(without_place(reason), slice_str(d->reason_prefix));
}

/* first row that matches */
const struct item_decision *decide_item(unsigned status, struct slice type, struct slice reason)
{
    for (size_t i = 0; i + 1 < ARRAY_LEN(items); i++) {
        if (item_matches(&items[i], status, type, reason))
            return &items[i];
    }
    return &items[ARRAY_LEN(items) - 1];
}

/* place of a row */
uint8_t decide_item_index(const struct item_decision *d)
{
    return (uint8_t)(d - items);
}

/* row of a place */
const struct item_decision *decide_item_row(uint8_t index)
{
    return &items[index];
}

/* size of the item table */
size_t decide_item_rows(void)
{
    return ARRAY_LEN(items);
}

/* first row that matches */
const struct request_decision *decide_request(enum http_outcome outcome, long status,
                                              struct slice type)
{
    for (size_t i = 0; i + 1 < ARRAY_LEN(requests); i++) {
        const struct request_decision *d = &requests[i];
        bool same = d->outcome == REQUEST_ANY_OUTCOME || d->outcome == (int)outcome;
        bool told = d->type == NULL || slice_eq_str(type, d->type);
        if (same && told && status >= d->from && status <= d->to)
            return d;
    }
    return &requests[ARRAY_LEN(requests) - 1];
}

/* row of a place */
const struct request_decision *decide_request_row(size_t index)
{
    return index < ARRAY_LEN(requests) ? &requests[index] : NULL;
}
