/* bulk/feed: when batches are sealed, which one is opened, and who is told when none is free. The
 * clock is a fake one, so that ages are exact. */
#include "bulk/feed.h"

#include "base/mem.h"
#include "bulk_test.h"

#define BATCHES 4
#define SLACK   4096
#define MAX     1000
#define LINGER  200

struct bench {
    struct clock_fake clock;
    struct loop *loop;
    struct feed *feed;
    struct recorder owner;
    struct list sealed; /* in order */
    unsigned sealed_count;
    unsigned ready_count;
    unsigned share; /* max_per_target */
    bool inside;    /* a call into the feed is under way */
};

static struct bench bench;

static void on_sealed(void *ctx, struct batch *b)
{
    struct bench *t = ctx;
    assert_true(list_is_empty(&b->link));
    list_push_back(&t->sealed, &b->link);
    t->sealed_count++;
}

static void on_ready(void *ctx)
{
    struct bench *t = ctx;
    assert_false(t->inside);
    t->ready_count++;
}

/* makes the feed; 0 stands for the defaults above */
static void start(unsigned batches, size_t max_bytes, uint32_t max_items)
{
    struct feed_opts opts = {
        .kind = BATCH_LOGS,
        .batches = batches == 0 ? BATCHES : batches,
        .max_bytes = max_bytes == 0 ? MAX : max_bytes,
        .slack_bytes = SLACK,
        .max_items = max_items,
        .max_per_target = bench.share,
        .linger_ms = LINGER,
    };
    struct feed_hooks hooks = {.sealed = on_sealed, .ready = on_ready, .ctx = &bench};
    bench.feed = feed_new(bench.loop, &opts, &hooks);
    recorder_init(&bench.owner, feed_spans(bench.feed));
}

static int setup(void **state)
{
    (void)state;
    int error = 0;
    bench = (struct bench){0};
    list_init(&bench.sealed);
    clock_fake_init(&bench.clock, 1000000000, 0);
    bench.loop = loop_new(&bench.clock.clock, &error);
    return bench.loop != NULL ? 0 : error;
}

static int teardown(void **state)
{
    (void)state;
    feed_free(&bench.feed);
    assert_null(bench.feed);
    feed_free(&bench.feed);
    assert_int_equal(loop_free(&bench.loop), 0);
    return 0;
}

/* the hands move on by ms, one round of the loop for each */
static void pass_ms(int ms)
{
    for (int i = 0; i < ms; i++) {
        clock_fake_advance_ms(&bench.clock, 1);
        loop_once(bench.loop, 0);
    }
}

/* an open batch with room for an item of `bytes` */
static struct batch *open_for(const char *target, size_t bytes)
{
    bench.inside = true;
    struct batch *b = feed_open(bench.feed, target, bytes, bytes);
    bench.inside = false;
    return b;
}

/* an item of exactly `bytes` bytes in the body */
static void put(struct batch *b, size_t bytes)
{
    static char text[MAX + SLACK];
    uint16_t span;
    uint64_t from = b->span_count == 0 ? 0 : b->spans[b->span_count - 1]->to;
    memset(text, 'x', sizeof(text));
    assert_int_equal(batch_span_for(b, feed_spans(bench.feed), &bench.owner.owner, from, &span), 0);
    assert_int_equal(batch_add(b, SLICE_LIT("{}"), slice_of(text, bytes - 4), span, 1, 1), 0);
}

/* opens for a target and puts an item; the batch */
static struct batch *feed_item(const char *target, size_t bytes)
{
    struct batch *b = open_for(target, bytes);
    assert_non_null(b);
    put(b, bytes);
    return b;
}

/* the next sealed batch is acknowledged and given back */
static struct batch *give_back(void)
{
    assert_false(list_is_empty(&bench.sealed));
    struct batch *b = LIST_ENTRY(bench.sealed.next, struct batch, link);
    list_remove(&b->link);
    for (uint32_t i = 0; i < b->item_count; i++)
        b->items[i].state = ITEM_CREATED;
    bench.owner.count = 0;
    assert_int_equal(batch_resolve(b), 0);
    bench.inside = true;
    feed_return(bench.feed, b);
    bench.inside = false;
    return b;
}

/* whether the first page of a free batch holds what was written into it */
static bool has_pages(const struct batch *b)
{
    return b->body[0] != '\0';
}

static void pages_go_back_after_five_seconds(void **state)
{
    (void)state;
    start(3, 16384, 0);
    struct batch *held = feed_item("t", 100); /* on its way all the time */
    feed_seal(bench.feed, held);
    list_remove(&held->link);
    struct batch *first = feed_item("t", 100);
    feed_seal(bench.feed, first);
    struct batch *second = feed_item("t", 100);
    feed_seal(bench.feed, second);
    uint64_t before = mem_calls();
    assert_ptr_equal(give_back(), first);
    pass_ms(2000);
    assert_ptr_equal(give_back(), second);
    pass_ms(2999);
    assert_true(has_pages(first) && has_pages(second));
    pass_ms(1);
    assert_true(!has_pages(first) && first->items[0].bytes == 0 && first->spans[0] == NULL);
    assert_true(has_pages(second));
    /* the one that is used goes on having them */
    for (int i = 0; i < 4; i++) {
        assert_ptr_equal(feed_item("t", 100), second);
        feed_seal(bench.feed, second);
        assert_ptr_equal(give_back(), second);
        pass_ms(4999);
        assert_true(has_pages(second));
    }
    pass_ms(1);
    assert_false(has_pages(second));
    /* and both are as good as before */
    assert_ptr_equal(feed_item("t", 200), second);
    feed_seal(bench.feed, second);
    assert_ptr_equal(feed_item("t", 200), first);
    feed_seal(bench.feed, first);
    assert_ptr_equal(give_back(), second);
    assert_ptr_equal(give_back(), first);
    assert_true(has_pages(second) && has_pages(first));
    /* nobody hurries for the one that comes back last */
    assert_true(has_pages(held));
    list_push_back(&bench.sealed, &held->link);
    assert_ptr_equal(give_back(), held);
    assert_false(has_pages(held));
    pass_ms(4999);
    assert_true(has_pages(second) && has_pages(first));
    pass_ms(1);
    assert_false(has_pages(second) || has_pages(first));
    assert_true(mem_calls() == before);
}

static void sealed_before_it_passes_max_bytes(void **state)
{
    (void)state;
    start(0, 0, 0);
    struct batch *b = feed_item("t", 400);
    assert_string_equal(b->target, "t");
    assert_ptr_equal(feed_item("t", 400), b);
    assert_true(feed_fits(bench.feed, b, 200, 200));
    assert_false(feed_fits(bench.feed, b, 201, 201));
    assert_ptr_equal(feed_item("t", 200), b); /* exactly full */
    assert_int_equal(bench.sealed_count, 0);
    struct batch *next = feed_item("t", 10);
    assert_ptr_not_equal(next, b);
    assert_int_equal(bench.sealed_count, 1);
    assert_ptr_equal(LIST_ENTRY(bench.sealed.next, struct batch, link), b);
    assert_int_equal(b->body_bytes, 1000);
    assert_int_equal(feed_outstanding(bench.feed), 1);
    assert_ptr_equal(give_back(), b);
    assert_int_equal(feed_outstanding(bench.feed), 0);
    assert_int_equal(bench.ready_count, 0); /* nobody had to wait */
}

static void one_large_item_has_a_batch_alone(void **state)
{
    (void)state;
    start(0, 0, 0);
    struct batch *small = feed_item("t", 100);
    struct batch *large = feed_item("t", MAX + SLACK);
    assert_ptr_not_equal(small, large);
    assert_int_equal(bench.sealed_count, 1);
    assert_ptr_not_equal(feed_item("t", 100), large);
    assert_int_equal(bench.sealed_count, 2);
    assert_int_equal(large->item_count, 1);
}

/* `likely` decides about sealing, `worst` about memory */
static void likely_and_worst(void **state)
{
    (void)state;
    start(0, 0, 0);
    struct batch *b = feed_item("t", 100);
    assert_ptr_equal(feed_open(bench.feed, "t", 900, MAX + SLACK - 100), b);
    assert_int_equal(bench.sealed_count, 0);
    assert_ptr_not_equal(feed_open(bench.feed, "t", 900, MAX + SLACK - 99), b);
    assert_int_equal(bench.sealed_count, 1);
}

static void sealed_by_count(void **state)
{
    (void)state;
    start(0, 0, 3);
    struct batch *b = feed_item("t", 10);
    assert_ptr_equal(feed_item("t", 10), b);
    assert_ptr_equal(feed_item("t", 10), b);
    assert_int_equal(bench.sealed_count, 0);
    assert_ptr_not_equal(feed_item("t", 10), b);
    assert_int_equal(bench.sealed_count, 1);
    assert_int_equal(b->item_count, 3);
}

static void sealed_by_age_of_the_first_item(void **state)
{
    (void)state;
    start(0, 0, 0);
    (void)feed_item("t", 10);
    pass_ms(LINGER / 2);
    (void)feed_item("t", 10); /* a later item does not make it younger */
    (void)feed_item("u", 10);
    pass_ms(LINGER / 2 - 1);
    assert_int_equal(bench.sealed_count, 0);
    pass_ms(1);
    assert_int_equal(bench.sealed_count, 1);
    assert_string_equal(LIST_ENTRY(bench.sealed.next, struct batch, link)->target, "t");
    pass_ms(LINGER / 2 - 1);
    assert_int_equal(bench.sealed_count, 1);
    pass_ms(1);
    assert_int_equal(bench.sealed_count, 2);
    pass_ms(2 * LINGER);
    assert_int_equal(bench.sealed_count, 2);
}

/* a batch that was opened and got nothing is not sent, and its age begins with its first item */
static void blank_batches_are_not_sealed(void **state)
{
    (void)state;
    start(0, 0, 0);
    struct batch *b = open_for("t", 10);
    pass_ms(3 * LINGER);
    feed_flush(bench.feed);
    feed_seal(bench.feed, b);
    assert_int_equal(bench.sealed_count, 0);
    assert_ptr_equal(open_for("t", 10), b);
    put(b, 10);
    pass_ms(LINGER - 1);
    assert_int_equal(bench.sealed_count, 0);
    pass_ms(1);
    assert_int_equal(bench.sealed_count, 1);
}

/* a span alone is sealed too: skipped bytes must be acknowledged */
static void spans_alone_are_sealed(void **state)
{
    (void)state;
    start(0, 0, 0);
    struct batch *b = open_for("t", 0);
    uint16_t span;
    assert_int_equal(batch_span_for(b, feed_spans(bench.feed), &bench.owner.owner, 0, &span), 0);
    pass_ms(LINGER);
    assert_int_equal(bench.sealed_count, 1);
    give_back();
    assert_int_equal(span_pool_used(feed_spans(bench.feed)), 0);
}

static void one_open_batch_a_target(void **state)
{
    (void)state;
    start(0, 0, 0);
    struct batch *a = feed_item("a", 10);
    struct batch *b = feed_item("b", 10);
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(feed_item("a", 10), a);
    assert_ptr_equal(feed_item("b", 10), b);
    feed_seal(bench.feed, a);
    assert_int_equal(bench.sealed_count, 1);
    assert_ptr_equal(feed_item("b", 10), b);
    feed_flush(bench.feed);
    assert_int_equal(bench.sealed_count, 2);
    assert_int_equal(a->item_count, 2);
    assert_int_equal(b->item_count, 3);
    assert_int_equal(feed_outstanding(bench.feed), 2);
}

static void one_batch_for_all_targets(void **state)
{
    (void)state;
    start(0, 0, 0);
    struct batch *b = feed_item(NULL, 10);
    assert_string_equal(b->target, "");
    memcpy(b->target, "first", 6);
    assert_ptr_equal(feed_item(NULL, 10), b);
    feed_flush(bench.feed);
    give_back();
    assert_string_equal(feed_item(NULL, 10)->target, "");
}

static void waits_when_none_is_free(void **state)
{
    (void)state;
    start(2, 0, 0);
    (void)feed_item("t", MAX);
    (void)feed_item("t", MAX);
    assert_null(open_for("t", 10));
    assert_null(open_for("t", 10));
    assert_int_equal(feed_outstanding(bench.feed), 2);
    pass_ms(10);
    assert_int_equal(bench.ready_count, 0);
    give_back();
    assert_int_equal(bench.ready_count, 0); /* not inside the call */
    loop_once(bench.loop, 0);
    assert_int_equal(bench.ready_count, 1);
    give_back();
    pass_ms(10);
    assert_int_equal(bench.ready_count, 1); /* told once */
    assert_non_null(open_for("t", 10));
}

/* with a pool of one, targets take turns */
static void pool_of_one(void **state)
{
    (void)state;
    start(1, 0, 0);
    struct batch *b = feed_item("a", 10);
    assert_ptr_equal(feed_item("a", 10), b);
    assert_int_equal(bench.sealed_count, 0);
    assert_null(open_for("b", 10)); /* the open one goes, and comes back */
    assert_int_equal(bench.sealed_count, 1);
    assert_null(open_for("a", 10));
    give_back();
    loop_once(bench.loop, 0);
    assert_int_equal(bench.ready_count, 1);
    assert_ptr_equal(feed_item("b", 10), b);
    assert_string_equal(b->target, "b");
    assert_null(open_for("a", 10));
    assert_int_equal(bench.sealed_count, 2);
}

/* the oldest open batch makes room, not one that was opened later */
static void oldest_goes_first(void **state)
{
    (void)state;
    start(2, 0, 0);
    struct batch *a = feed_item("a", 10);
    pass_ms(5);
    (void)feed_item("b", 10);
    assert_null(open_for("c", 10));
    assert_int_equal(bench.sealed_count, 1);
    assert_ptr_equal(LIST_ENTRY(bench.sealed.next, struct batch, link), a);
}

/* a blank open batch is taken over before anything is sealed */
static void blank_open_batch_is_taken_over(void **state)
{
    (void)state;
    start(1, 0, 0);
    struct batch *b = open_for("a", 10);
    assert_ptr_equal(feed_item("b", 10), b);
    assert_string_equal(b->target, "b");
    assert_int_equal(bench.sealed_count, 0);
    pass_ms(LINGER);
    assert_int_equal(bench.sealed_count, 1);
    assert_int_equal(b->item_count, 1);
}

static void last_returned_is_opened_first(void **state)
{
    (void)state;
    start(3, 0, 0);
    for (int i = 0; i < 3; i++)
        (void)feed_item("t", MAX);
    feed_flush(bench.feed);
    (void)give_back();
    (void)give_back();
    struct batch *last = give_back();
    for (int i = 0; i < 5; i++) {
        assert_ptr_equal(feed_item("t", 10), last);
        feed_flush(bench.feed);
        assert_ptr_equal(give_back(), last);
    }
}

/* what an output that answers at once would do: give back inside `sealed` */
static void seal_at_once(void *ctx, struct batch *b)
{
    struct bench *t = ctx;
    list_push_back(&t->sealed, &b->link);
    (void)give_back();
    t->sealed_count++;
}

static void may_be_returned_inside_sealed(void **state)
{
    (void)state;
    struct feed_opts opts = {
        .batches = 1, .max_bytes = MAX, .slack_bytes = SLACK, .linger_ms = LINGER};
    struct feed_hooks hooks = {.sealed = seal_at_once, .ctx = &bench};
    bench.feed = feed_new(bench.loop, &opts, &hooks);
    recorder_init(&bench.owner, feed_spans(bench.feed));
    for (int i = 0; i < 20; i++)
        (void)feed_item("t", 400);
    assert_int_equal(bench.sealed_count, 9);
    feed_flush(bench.feed);
    assert_int_equal(bench.sealed_count, 10);
    (void)feed_item("t", 400);
    pass_ms(LINGER);
    assert_int_equal(bench.sealed_count, 11);
    assert_int_equal(feed_outstanding(bench.feed), 0);
}

/* the end of a process whose output never answered */
static void paused_target_is_not_opened(void **state)
{
    (void)state;
    start(0, 0, 0);
    struct batch *open = feed_item("a", 100);
    feed_pause(bench.feed, "a", true);
    assert_null(open_for("a", 10)); /* not even the open batch */
    assert_true(feed_holds(bench.feed, "a"));
    assert_false(feed_holds(bench.feed, "b"));
    assert_non_null(open_for("b", 10));
    pass_ms(LINGER); /* what was read before goes on its way */
    assert_int_equal(bench.sealed_count, 1);
    assert_ptr_equal(give_back(), open);
    pass_ms(1);
    assert_int_equal(bench.ready_count, 0);
    feed_pause(bench.feed, "b", false); /* was never paused */
    feed_pause(bench.feed, "a", false);
    assert_false(feed_holds(bench.feed, "a"));
    pass_ms(1);
    assert_int_equal(bench.ready_count, 1);
    assert_non_null(open_for("a", 10));
    feed_pause(bench.feed, "a", true);
    feed_pause(bench.feed, "a", false);
    pass_ms(1);
    assert_int_equal(bench.ready_count, 1); /* nobody asked meanwhile */
}

static void target_has_a_share(void **state)
{
    (void)state;
    bench.share = 2;
    start(0, 0, 0);
    (void)feed_item("a", MAX);
    (void)feed_item("a", MAX);
    assert_int_equal(bench.sealed_count, 1);
    assert_false(feed_holds(bench.feed, "a"));
    struct batch *b = open_for("b", 1);
    assert_null(open_for("a", 1)); /* seals the second and opens no third */
    assert_int_equal(bench.sealed_count, 2);
    assert_true(feed_holds(bench.feed, "a"));
    assert_ptr_equal(open_for("b", 1), b); /* the pool has more */
    (void)give_back();
    assert_false(feed_holds(bench.feed, "a"));
    pass_ms(1);
    assert_int_equal(bench.ready_count, 1);
    (void)feed_item("a", 10);
    while (!list_is_empty(&bench.sealed))
        (void)give_back();
    for (int i = 0; i < 100; i++) { /* names that come and go */
        char name[16];
        snprintf(name, sizeof(name), "x%d", i);
        (void)feed_item(name, MAX);
        feed_flush(bench.feed);
        while (!list_is_empty(&bench.sealed))
            (void)give_back();
    }
}

static void smaller_batches_for_a_while(void **state)
{
    (void)state;
    start(0, 0, 0);
    struct batch *b = feed_item("t", 400);
    feed_set_max_bytes(bench.feed, 500);
    assert_ptr_equal(feed_item("t", 100), b);
    assert_ptr_not_equal(feed_item("t", 100), b);
    feed_set_max_bytes(bench.feed, SIZE_MAX);
    b = feed_item("t", 800);
    assert_int_equal(b->body_bytes, 900);
    assert_ptr_not_equal(feed_item("t", 101), b);
}

static void freed_with_batches_outside(void **state)
{
    (void)state;
    start(0, 0, 0);
    (void)feed_item("t", MAX);
    (void)feed_item("t", MAX);
    (void)feed_item("u", 10);
    assert_int_equal(span_pool_used(feed_spans(bench.feed)), 3);
    /* teardown frees the feed: batches take themselves out of the list of sealed ones */
    feed_free(&bench.feed);
    assert_true(list_is_empty(&bench.sealed));
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    bench.share = 3;
    start(0, 0, 0);
    uint64_t before = 0;
    for (int i = 0; i < 100; i++) {
        if (i == 50)
            before = mem_calls();
        (void)feed_item(i % 3 == 0 ? "a" : "b", 300);
        while (!list_is_empty(&bench.sealed))
            (void)give_back();
        pass_ms(7);
    }
    assert_true(bench.sealed_count > 20);
    assert_true(mem_calls() == before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_go_back_after_five_seconds, setup, teardown),
        TEST(sealed_before_it_passes_max_bytes),
        TEST(one_large_item_has_a_batch_alone),
        TEST(likely_and_worst),
        TEST(sealed_by_count),
        TEST(sealed_by_age_of_the_first_item),
        TEST(blank_batches_are_not_sealed),
        TEST(spans_alone_are_sealed),
        TEST(one_open_batch_a_target),
        TEST(one_batch_for_all_targets),
        TEST(waits_when_none_is_free),
        TEST(pool_of_one),
        TEST(oldest_goes_first),
        TEST(blank_open_batch_is_taken_over),
        TEST(last_returned_is_opened_first),
        TEST(may_be_returned_inside_sealed),
        TEST(paused_target_is_not_opened),
        TEST(target_has_a_share),
        TEST(smaller_batches_for_a_while),
        TEST(freed_with_batches_outside),
        TEST(steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
