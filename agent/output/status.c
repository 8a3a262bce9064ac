/*
 * output/status - names of health states and counters
 *
 * One table each; an entry without a name would show as NULL in the unit test.
 */
#include "output/status.h"

static const char *const health_names[] = {
    [OUTPUT_OK] = "ok",
    [OUTPUT_DEGRADED] = "degraded",
    [OUTPUT_FAILED] = "failed",
};

static const char *const counter_names[OUTPUT_COUNTER_COUNT] = {
    [OUTPUT_REQUESTS] = "requests",
    [OUTPUT_REQUEST_BYTES] = "request_bytes",
    [OUTPUT_SENT_BYTES] = "sent_bytes",
    [OUTPUT_RETRIES] = "retries",
    [OUTPUT_SPLITS] = "splits",
    [OUTPUT_ISOLATIONS] = "isolations",
    [OUTPUT_REFUSED] = "refused",
    [OUTPUT_BROKEN] = "broken",
    [OUTPUT_BAD_REPLIES] = "bad_replies",
    [OUTPUT_REPLIES_2XX] = "replies_2xx",
    [OUTPUT_REPLIES_3XX] = "replies_3xx",
    [OUTPUT_REPLIES_4XX] = "replies_4xx",
    [OUTPUT_REPLIES_5XX] = "replies_5xx",
    [OUTPUT_ITEMS_CREATED] = "items_created",
    [OUTPUT_ITEMS_DUPLICATE] = "items_duplicate",
    [OUTPUT_ITEMS_FOUND] = "items_found",
    [OUTPUT_ITEMS_COLLISION] = "items_collision",
    [OUTPUT_ITEMS_CONFLICT] = "items_conflict",
    [OUTPUT_ITEMS_REJECTED] = "items_rejected",
    [OUTPUT_ITEMS_BUSY] = "items_busy",
    [OUTPUT_ITEMS_ERROR] = "items_error",
    [OUTPUT_ITEMS_BLOCKED] = "items_blocked",
    [OUTPUT_FAILURE_STORE] = "failure_store",
    [OUTPUT_DEAD_LETTERED] = "dead_lettered",
    [OUTPUT_DEAD_WRITE_FAILS] = "dead_write_fails",
    [OUTPUT_DEAD_DROPPED] = "dead_dropped",
};

/* looks up the name */
const char *output_health_name(enum output_health h)
{
    return health_names[h];
}

/* looks up the name */
const char *output_counter_name(enum output_counter c)
{
    return counter_names[c];
}
