#ifndef OUTPUT_DECISIONS_H
#define OUTPUT_DECISIONS_H

/*
 * What to do about an answer: two tables, first match wins, one for the items of a `_bulk` reply
 * and one for whole requests. Pure.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "os/http.h"
#include "output/status.h"

enum item_action {
    DECIDE_ACK,
    DECIDE_DUPLICATE,
    DECIDE_REJECT,        /* to the dead-letter box */
    DECIDE_RETRY,         /* send the item again */
    DECIDE_RETRY_BOUNDED, /* the same, a bounded number of times, then reject */
    DECIDE_PAUSE_TARGET,  /* send it again slowly; its target waits */
    DECIDE_DROP_IDS,      /* its target takes no ids of ours: send it again without */
};

struct item_decision {
    uint16_t from, to;         /* status, both included */
    const char *type;          /* error.type, NULL = any */
    const char *reason_prefix; /* error.reason begins with it behind a place "[line:column] ",
                                * which may stand there; NULL = any */
    enum item_action action;
    enum output_counter counter;
    bool busy;                 /* back-pressure: counts towards slowing down */
    enum output_health health; /* DECIDE_PAUSE_TARGET: what the pause means */
    const char *why;           /* for people; what was wrong with the item */
};

/* Never NULL: the last row takes everything. */
const struct item_decision *decide_item(unsigned status, struct slice type, struct slice reason);
/* Place of a row in the table, below 256, and back. */
uint8_t decide_item_index(const struct item_decision *d);
const struct item_decision *decide_item_row(uint8_t index);
size_t decide_item_rows(void);

enum request_action {
    REQUEST_ITEMS,        /* the item table decides, if the reply is whole */
    REQUEST_RETRY,        /* same bytes again; this host waits */
    REQUEST_UNKNOWN,      /* same bytes again: it is not known what was applied */
    REQUEST_SPLIT,        /* too large: in halves, and remember */
    REQUEST_ISOLATE,      /* one bad document or a bad path: in halves, until it is found */
    REQUEST_CREDENTIALS,  /* every host waits for other credentials */
    REQUEST_PAUSE_TARGET, /* the target waits for the operator */
    REQUEST_PAUSE_HOST,   /* the host waits for the operator */
    REQUEST_MEDIA_TYPE,   /* same bytes under another content type, then as PAUSE_HOST */
};

#define REQUEST_ANY_OUTCOME (-1)

struct request_decision {
    int outcome;       /* enum http_outcome or REQUEST_ANY_OUTCOME */
    uint16_t from, to; /* status, both included; 0 = none known */
    const char *type;  /* error.type of the body, NULL = any */
    enum request_action action;
    bool busy;                 /* back-pressure: slow down */
    enum output_health health; /* unless REQUEST_ITEMS */
    const char *why;           /* NULL: the transport's own text */
};

/* Never NULL. A status decides also when the connection broke after it was known. type: of the
 * body's error, empty where it has none: no answer needs one to be understood. */
const struct request_decision *decide_request(enum http_outcome outcome, long status,
                                              struct slice type);
const struct request_decision *decide_request_row(size_t index); /* NULL past the end */

#endif
