#ifndef OUTPUT_STATUS_H
#define OUTPUT_STATUS_H

/* Health and counters of an output, one table of names. */
#include <stdint.h>

enum output_health {
    OUTPUT_OK,
    OUTPUT_DEGRADED, /* something waits that may cure itself: a server away or busy */
    OUTPUT_FAILED,   /* something waits for the operator */
};
const char *output_health_name(enum output_health h);

enum output_counter {
    OUTPUT_REQUESTS,      /* `_bulk` requests sent, repeats included */
    OUTPUT_REQUEST_BYTES, /* of their bodies before compression */
    OUTPUT_SENT_BYTES,    /* of their bodies on the wire */
    OUTPUT_RETRIES,       /* requests that will be sent again whole */
    OUTPUT_SPLITS,        /* 413: sent again in halves */
    OUTPUT_ISOLATIONS,    /* 400 for a whole body: sent again in halves to find the document */
    OUTPUT_REFUSED,       /* no connection */
    OUTPUT_BROKEN,        /* connection ended without a whole answer */
    OUTPUT_BAD_REPLIES,   /* 2xx, but not a whole `_bulk` reply with one result for each item */
    OUTPUT_REPLIES_2XX,   /* by status of the request */
    OUTPUT_REPLIES_3XX,
    OUTPUT_REPLIES_4XX,
    OUTPUT_REPLIES_5XX,
    OUTPUT_ITEMS_CREATED,    /* item results */
    OUTPUT_ITEMS_DUPLICATE,  /* 409: was there already */
    OUTPUT_ITEMS_FOUND,      /* asked for before they were sent again: they were there */
    OUTPUT_ITEMS_COLLISION,  /* 409 for an id that another document has: sent again under another */
    OUTPUT_ITEMS_CONFLICT,   /* 409 without an id of ours: the target has one like it */
    OUTPUT_ITEMS_REJECTED,   /* the document can never succeed */
    OUTPUT_ITEMS_BUSY,       /* back-pressure */
    OUTPUT_ITEMS_ERROR,      /* the server's own failure */
    OUTPUT_ITEMS_BLOCKED,    /* the target refuses until an operator or time cures it */
    OUTPUT_FAILURE_STORE,    /* created, but in the failure store */
    OUTPUT_DEAD_LETTERED,    /* documents durable in the dead-letter box */
    OUTPUT_DEAD_WRITE_FAILS, /* dead-letter writes that failed and will be tried again */
    OUTPUT_DEAD_DROPPED,     /* older dead letters removed to make room */
    OUTPUT_COUNTER_COUNT,
};
/* snake_case, as status and metrics show it. */
const char *output_counter_name(enum output_counter c);

struct output_counters {
    uint64_t n[OUTPUT_COUNTER_COUNT];
};

#endif
