#ifndef OUTPUT_ELASTICSEARCH_INTERNAL_H
#define OUTPUT_ELASTICSEARCH_INTERNAL_H

/*
 * The state behind output/output.h; all of it belongs to the loop's thread.
 *
 *     output --- hosts    where to send: probed once, paused by their failures
 *            --- targets  data streams: paused by what they refuse
 *            --- queue    flights (a batch and how far it is) that wait to be sent
 *            --- pace     how many requests of which size go at once
 *            --- idle     jobs of the sender that are free
 *
 * A flight is in exactly one place: in the queue; with a sender thread (one job at a time, so that
 * the batch can be compacted when it comes back); or with the store thread (dead letters).
 */
#include "base/buf.h"
#include "base/list.h"
#include "base/prng.h"
#include "output/backoff.h"
#include "output/control.h"
#include "output/decisions.h"
#include "output/output.h"
#include "output/sender.h"

#define WHY_BYTES 256

/* What is wrong with a host, a target or the dead-letter box, told at a falling rate. */
struct trouble {
    enum output_health health;
    char why[WHY_BYTES];
    bool told;
    int64_t tell_at_ms; /* not told again before */
    int64_t gap_ms;     /* until the time after next */
};

enum host_state { HOST_NEW, HOST_PROBING, HOST_READY };

struct host {
    char *url;  /* owned; no trailing slash */
    char *name; /* owned; the same without user information, for people */
    bool loopback;
    enum host_state state;
    struct product product;
    unsigned outstanding; /* bulk requests under way */
    unsigned failures;    /* in a row */
    bool unreached;       /* could not be connected to since it was last asked who it is */
    int64_t not_before_ms;
    int64_t plain_until_ms; /* takes no compressed bodies, as far as seen */
    bool plain_json;        /* it refused application/x-ndjson */
    struct trouble trouble;
};

enum target_state { TARGET_UNCHECKED, TARGET_CHECKING, TARGET_READY };

struct target {
    struct list link; /* in output.targets, most recently looked up first */
    char name[BATCH_TARGET_MAX + 1];
    bool plain_index;     /* an index, not a data stream */
    unsigned flights;     /* that name it as their batch's target */
    unsigned outstanding; /* bulk requests under way for it */
    struct flight *retry; /* of the batch that keeps what it refused; NULL: nothing */
    bool held;            /* told to be paused */
    bool gave_back;       /* its files keep what it refused: they go on when its pause is over */
    enum target_state state;
    unsigned failures; /* in a row */
    int64_t not_before_ms;
    bool no_verify;                 /* it does not let us ask for documents */
    bool no_ids;                    /* it takes none of ours */
    uint64_t sends;                 /* bulk requests so far */
    uint64_t passed;                /* the newest of them in whose answer a document was accepted */
    uint64_t seen_items, bad_items; /* of about the last GUARD_ITEMS */
    struct trouble trouble;
};

struct flight {
    struct list link; /* in output.queue or nowhere */
    bool is_retry;    /* its batch is the output's own */
    struct output *output;
    struct batch *batch;
    struct target *target;
    struct host *host;     /* while sending */
    uint32_t first, count; /* the items under way: a contiguous range of the body */
    uint32_t cursor;       /* items before it are left out for now: they wait or are suspects */
    uint32_t range_max;    /* items sent at once while narrowing down, 0 = no limit */
    unsigned suspects;     /* single documents answered 400 without any other passing */
    bool isolating;
    uint64_t send;         /* its newest request is that many-th of its target */
    uint64_t isolate_mark; /* target->sends when isolating began */
    bool singles;          /* so many exchanges broke that it began anew with one document */
    bool unsure;           /* an answer was lost: items may have been taken */
    uint32_t verify_at;    /* the items before it were asked for */
    struct buf query;      /* ids, then the search for them */
    unsigned broken;       /* exchanges in a row that ended without an answer */
    unsigned failures;     /* in a row */
    int64_t not_before_ms;
    uint64_t barrier;       /* ticket that its new ids wait for, 0 = none */
    bool burying;           /* has rejected items, which go to the dead-letter box first */
    uint32_t burying_count; /* of them with the store thread */
    struct buf texts;       /* type and reason of the rejected items, in order */
    struct writer_job dead_job;
};

/* How much is sent at once: halved by back-pressure, grown by good answers. */
struct pace {
    unsigned limit;    /* of requests under way, 1..workers */
    size_t bytes;      /* of a request's body */
    unsigned good;     /* answers without back-pressure since the limit last changed */
    int64_t shrunk_ms; /* when it was last halved, 0 = never */
    size_t told_bytes; /* last given to hooks.resized */
};

struct output {
    struct loop *loop;
    struct loop_timer *timer;
    struct output_opts opts;
    struct output_hooks hooks;
    struct backoff_opts backoff;
    struct writer *writer;
    struct sender *sender;
    struct host *hosts;
    size_t next_host; /* whose turn it is among equals */
    struct list targets;
    unsigned target_count;
    struct list queue;
    struct list spare; /* blank flights, for reuse */
    struct sender_job *jobs;
    unsigned job_count;
    struct list idle;
    unsigned pending;   /* flights */
    unsigned in_flight; /* bulk requests with the sender */
    size_t kept_bytes;  /* reserved for what is kept to be sent again */
    struct pace pace;
    size_t max_bytes; /* learned from 413 */
    struct trouble dead_trouble;
    struct log_throttle dead_notice; /* of documents that were dead-lettered */
    struct log_throttle drop_notice; /* of dead letters that made room for others */
    struct log_throttle collision_notice;
    struct log_throttle store_notice; /* of documents in a failure store */
    enum output_health health;
    char why[WHY_BYTES];
    struct output_counters counters;
    struct prng prng;
    bool stopped;
    bool hanging; /* a sender thread did not end */
};

/* elasticsearch.c */

/* Delay after that many failures in a row. */
int64_t es_delay(struct output *o, unsigned failures, int64_t retry_after_ms);
/* The same where a server that works asks for patience: never long, since asking costs it little
 * and nothing else tells when it is over. */
int64_t es_busy_delay(struct output *o, unsigned failures, int64_t retry_after_ms);
/* A flight for a batch, in no list. */
struct flight *es_new_flight(struct output *o, struct batch *b);
/* Looks for work as soon as the loop comes round. */
void es_kick(struct output *o);
/* Back into the queue; in front when only time was lost. */
void es_requeue(struct output *o, struct flight *f, bool front);
/* Its batch is empty: back to the feed, or freed if it is our own. f is freed. */
void es_finish(struct output *o, struct flight *f);

/* elasticsearch_pace.c */

void es_pace_init(struct output *o);
/* Back-pressure: fewer and smaller requests. */
void es_pace_shrink(struct output *o);
/* A good answer. */
void es_pace_good(struct output *o);
/* A request of so many bytes was too large. */
void es_pace_learn(struct output *o, size_t bytes);
/* Bytes that a request's body should not pass. */
size_t es_pace_bytes(const struct output *o);

/* elasticsearch_verify.c */

/* Whether the flight's documents are to be asked for before they are sent again. */
bool es_verify_wants(const struct output *o, const struct flight *f);
/* Chooses the next items to ask for and builds the search. 0, or an error: they cannot be asked
 * for. */
int es_verify_prepare(struct output *o, struct flight *f) MUST_CHECK;
/* The answer: what was found is not sent again. */
void es_verify_apply(struct output *o, struct flight *f, const struct sender_job *job);
/* They are sent again unasked. */
void es_verify_give_up(struct output *o, struct flight *f, const char *why);

/* elasticsearch_retry.c */

/* Moves what is left of the flight into the buffer of its target, so that its batch is free again;
 * the flight is gone then. False: it stays as it is, in no list or in its own. delay_ms: until the
 * buffer is sent, if it was empty. */
bool es_retry_take(struct output *o, struct flight *f, int64_t delay_ms);
/* Has what is left of a flight that has waited read again from its files; the flight is gone then.
 * False: it stays as it is. */
bool es_retry_give_back(struct output *o, struct flight *f);
/* Whether what is left of it should be taken: little, or of a target that waits. */
bool es_retry_wants(const struct output *o, const struct flight *f);
/* Frees the buffer of a target, which is empty. */
void es_retry_free(struct output *o, struct target *t, struct batch *b);

/* elasticsearch_send.c */

/* Answers in a row that never came: first compression is given up, then batches. */
#define BROKEN_PLAIN  4
#define BROKEN_SINGLE 8

/* Sends what can be sent now and sets the timer for the rest. */
void es_pump(struct output *o);

/* elasticsearch_apply.c */

/* The sender's done function. */
void es_on_job(void *ctx, struct sender_job *job);

/* elasticsearch_bulk.c */

/* Applies the verified results of a reply. Whether many of them were refused for back-pressure. f
 * may be gone afterwards. */
bool es_apply_items(struct output *o, struct flight *f, const struct sender_job *job);
/* The items of the range may have been taken though no answer says so. */
void es_mark_tried(struct flight *f);
/* The one document of the range is rejected for what the whole request was answered. */
void es_reject_single(struct output *o, struct flight *f, const struct sender_job *job);
/* What follows once items have changed state: bury, finish, or queue again after delay_ms. */
void es_settle(struct output *o, struct flight *f, int64_t delay_ms);

/* elasticsearch_dead.c */

/* Keeps the error of the next rejected item, in order. */
void es_keep_text(struct flight *f, struct slice type, struct slice reason);
/* Hands the rejected items of a flight in no list to the store thread; goes on when that is done.
 */
void es_bury(struct output *o, struct flight *f);

/* elasticsearch_host.c */

void es_host_init(struct host *h, const char *url);
void es_host_clear(struct host *h);
/* One that may be asked now, NULL if none. */
struct host *es_host_pick(struct output *o, int64_t now_ms);
/* It failed or refuses: it waits. */
void es_host_fail(struct output *o, struct host *h, enum output_health health, const char *why,
                  int64_t retry_after_ms);
/* It asks for patience: it waits, but not for long. */
void es_host_busy(struct output *o, struct host *h, enum output_health health, const char *why,
                  int64_t retry_after_ms);
void es_host_good(struct output *o, struct host *h);
/* What every HTTP client of this output has in common. */
struct http_opts es_http_opts(const struct output_opts *opts);

/* elasticsearch_target.c */

/* The target of that name; made if it is new. */
struct target *es_target(struct output *o, struct slice name);
/* That of an item. */
struct target *es_item_target(struct output *o, const struct flight *f, uint32_t item);
/* It refuses: what goes to it waits. No effect while it waits already. */
void es_target_pause(struct output *o, struct target *t, enum output_health health, const char *why,
                     int64_t retry_after_ms);
/* It accepted a document: its troubles are over, unless it is waiting. */
void es_target_pass(struct output *o, struct target *t);
/* Whether it waits at a time. */
bool es_target_waits(const struct target *t, int64_t now_ms);
/* Nothing of it is on its way any more. */
void es_target_idle(struct output *o, struct target *t);
/* Lets files of targets of which nothing is on its way go on when the pause is over; returns when
 * the next one is (INT64_MAX = none waits). */
int64_t es_target_wake(struct output *o, int64_t now_ms);
/* It takes no ids of ours: from now on its documents are sent without. Told once. */
void es_target_drop_ids(struct output *o, struct target *t);
/* Counts items and how many of them would be rejected. Whether too many are, so that none may be
 * dead-lettered now. */
bool es_target_guards(struct target *t, uint32_t items, uint32_t bad);
void es_targets_free(struct output *o);
/* The pipeline that a batch's documents go through; NULL = the target's own. */
static inline const char *es_pipeline(const struct output *o, const struct batch *b)
{
    return b->kind == BATCH_LOGS ? o->opts.pipeline : NULL;
}

/* elasticsearch_health.c */

/* Something is wrong; tells it if it is time. */
void es_trouble(struct output *o, struct trouble *t, enum output_health health, const char *fmt,
                ...) PRINTF_LIKE(4, 5);
/* It is over; tells so if it was told. */
void es_trouble_end(struct output *o, struct trouble *t, const char *fmt, ...) PRINTF_LIKE(3, 4);
void es_tell(struct output *o, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same as a warning, if the throttle lets it through, with how many it held back. */
void es_tell_throttled(struct output *o, struct log_throttle *t, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Works out the health of the whole and reports a change. */
void es_health_update(struct output *o);

static inline void es_count(struct output *o, enum output_counter c, uint64_t n)
{
    o->counters.n[c] += n;
}

#endif
