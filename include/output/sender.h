#ifndef OUTPUT_SENDER_H
#define OUTPUT_SENDER_H

/*
 * Sender threads. Each has an HTTP client and a compressor of its own, takes a job from the common
 * mailbox, does its exchange and posts it back; `done` runs in the loop's thread. What a job
 * borrows stays untouched by others until then. Threads start when there is a job and none is idle.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/list.h"
#include "base/slice.h"
#include "os/http.h"
#include "os/loop.h"
#include "output/control.h"
#include "output/reply.h"

#define SENDER_HEAD_BYTES (2 * KIB) /* kept of a body, for messages and dead letters */

enum sender_kind {
    SENDER_BULK,     /* POST {host}/{target}/_bulk */
    SENDER_PROBE,    /* which product and version */
    SENDER_TEMPLATE, /* does a data-stream template match the target */
    SENDER_VERIFY,   /* which of these ids does the target have */
};

struct sender_job {
    struct list link; /* the sender's while the job is under way */
    void *owner;      /* untouched */

    /* asked; all borrowed */
    enum sender_kind kind;
    const char *host;         /* URL without trailing slash */
    const char *target;       /* "" = none: items name theirs */
    const char *pipeline;     /* BULK; NULL = the target's own */
    bool require_data_stream; /* BULK */
    bool gzip;                /* BULK */
    bool plain_json;          /* BULK: content type application/json, else x-ndjson */
    struct slice body;        /* BULK; VERIFY: the search */
    uint32_t item_count;      /* BULK */

    /* answered */
    struct http_reply reply;
    int items_error;        /* BULK, status 200: 0 = `items` is verified */
    struct reply *items;    /* BULK; the job's own */
    struct buf head;        /* first bytes of the body */
    struct buf url;         /* of the exchange; kept for the next one */
    struct product product; /* PROBE */
    struct buf found;       /* VERIFY: ids, a line each, in no order */
    int found_error;        /* VERIFY, status 200: 0 = found is whole */
    int has_template;       /* TEMPLATE: 1 yes, 0 no, -EACCES cannot be known, other: try later */
};

void sender_job_init(struct sender_job *job);
void sender_job_clear(struct sender_job *job);

typedef void (*sender_done_fn)(void *ctx, struct sender_job *job);

struct sender;

/* http: strings borrowed for the sender's life; http_global_init was called. level: of
 * compression, COMPRESS_LEVEL_MIN..MAX. */
struct sender *sender_new(struct loop *loop, const struct http_opts *http, unsigned level,
                          unsigned workers, sender_done_fn done, void *ctx);

/* The job is the sender's until done. 0, or -EAGAIN when there is no thread and none can be
 * started: the job was not taken. */
int sender_submit(struct sender *s, struct sender_job *job) MUST_CHECK;

/* Ends every exchange, hands all jobs back by `done` inside this call as far as their threads end
 * within wait_ms. 0; -EBUSY: a thread hangs and still uses its job: neither the sender nor that
 * job nor what it borrows may be freed, only the process can end. Nothing can be submitted
 * afterwards. */
int sender_stop(struct sender *s, int64_t wait_ms) MUST_CHECK;
/* After sender_stop gave 0 (called here if it was not); else it leaks. */
void sender_free(struct sender **s);

/* One exchange in the calling thread, for `wherry test output`. compress NULL: never gzip. */
struct compress;
void sender_exchange(struct http *http, struct compress *compress, struct buf *packed,
                     struct sender_job *job);

#endif
