#ifndef TESTS_UNIT_METRICS_BENCH_H
#define TESTS_UNIT_METRICS_BENCH_H

/* A loop on a fake clock, a feed, and an output that keeps what it is given until the test answers.
 */
#include "base/list.h"
#include "bulk/feed.h"
#include "check.h"
#include "os/loop.h"

#define MESSAGES 8

struct seen {
    char action[512];
    char document[8192];
    char url[BATCH_TARGET_MAX + 1]; /* target of its request */
};

struct bench {
    struct clock_fake clock;
    struct loop *loop;
    struct feed *feed;
    struct ledger ledger;
    struct list sealed; /* batches, in order */
    void (*ready)(void *ctx);
    void *ready_ctx;
    unsigned seals;
    char messages[MESSAGES][512];
    unsigned message_count;
};

static inline void bench_sealed(void *ctx, struct batch *b)
{
    struct bench *bench = ctx;
    bench->seals++;
    list_push_back(&bench->sealed, &b->link);
}

static inline void bench_ready(void *ctx)
{
    struct bench *bench = ctx;
    if (bench->ready != NULL)
        bench->ready(bench->ready_ctx);
}

static inline void bench_message(void *ctx, enum log_level level, const char *text)
{
    struct bench *bench = ctx;
    assert_int_equal(level, strstr(text, "answers again") != NULL ? LOG_INFO : LOG_WARN);
    assert_true(bench->message_count < MESSAGES);
    (void)snprintf(bench->messages[bench->message_count++], sizeof(bench->messages[0]), "%s", text);
}

static inline void bench_open(struct bench *b, size_t max_bytes, int64_t wall_ms)
{
    memset(b, 0, sizeof(*b));
    clock_fake_init(&b->clock, 1000 * INT64_C(1000000), wall_ms * 1000000);
    list_init(&b->sealed);
    int error = 0;
    b->loop = loop_new(&b->clock.clock, &error);
    assert_non_null(b->loop);
    struct feed_opts opts = {
        .kind = BATCH_METRICS, .batches = 1, .max_bytes = max_bytes, .linger_ms = 100};
    struct feed_hooks hooks = {.sealed = bench_sealed, .ready = bench_ready, .ctx = b};
    b->feed = feed_new(b->loop, &opts, &hooks);
}

/* Runs what is due at the present time of the fake clock. */
static inline void bench_run(struct bench *b)
{
    for (int i = 0; i < 4; i++)
        loop_once(b->loop, 0);
}

static inline void bench_advance(struct bench *b, int64_t ms)
{
    clock_fake_advance_ms(&b->clock, ms);
    bench_run(b);
}

/* Answers the oldest sealed batch: every item is created. Copies at most max of its items to seen
 * (may be NULL); returns how many it had. */
static inline unsigned bench_answer(struct bench *b, struct seen *seen, unsigned max)
{
    struct list *node = list_pop_front(&b->sealed);
    if (node == NULL)
        return 0;
    struct batch *batch = LIST_ENTRY(node, struct batch, link);
    unsigned count = batch->item_count;
    for (unsigned i = 0; i < count; i++) {
        struct batch_item *item = &batch->items[i];
        struct slice action = batch_action(batch, item);
        struct slice document = batch_document(batch, item);
        assert_int_equal(item->source_bytes, document.len);
        assert_int_equal(item->source_lines, 1);
        item->state = ITEM_CREATED;
        if (seen == NULL || i >= max)
            continue;
        (void)snprintf(seen[i].action, sizeof(seen[i].action), "%.*s", (int)action.len, action.ptr);
        (void)snprintf(seen[i].document, sizeof(seen[i].document), "%.*s", (int)document.len,
                       document.ptr);
        (void)snprintf(seen[i].url, sizeof(seen[i].url), "%s", batch->target);
    }
    assert_int_equal(batch_resolve(batch), 0);
    feed_return(b->feed, batch);
    return count;
}

/* Seals what is open and answers everything. */
static inline unsigned bench_answer_all(struct bench *b, struct seen *seen, unsigned max)
{
    unsigned n = 0;
    feed_flush(b->feed);
    while (!list_is_empty(&b->sealed)) {
        n += bench_answer(b, seen == NULL ? NULL : seen + (n < max ? n : max),
                          n < max ? max - n : 0);
        bench_run(b);
        feed_flush(b->feed);
    }
    return n;
}

/* Everything in its place; the ledger adds up. */
static inline void bench_close(struct bench *b)
{
    assert_true(ledger_adds_up(&b->ledger));
    assert_int_equal(span_pool_used(feed_spans(b->feed)), 0);
    feed_free(&b->feed);
    assert_int_equal(loop_free(&b->loop), 0);
}

#endif
