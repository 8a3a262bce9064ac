/*
 * bulk/batch: items and spans go in, answers come, what is left stays whole and in order. A random
 * test against a list of expected items follows the tables.
 */
#include "bulk/batch.h"

#include <errno.h>

#include "base/prng.h"
#include "bulk_test.h"

#define BODY  (64 * 1024)
#define ITEMS 64
#define SPANS 16

/* a batch, a pool, two owners */
struct bench {
    struct span_pool *pool;
    struct batch *batch;
    struct recorder owner[2];
};

static struct bench bench;

static int setup(void **state)
{
    (void)state;
    bench.pool = span_pool_new();
    bench.batch = batch_new(BATCH_LOGS, BODY, ITEMS, SPANS);
    for (int i = 0; i < 2; i++)
        recorder_init(&bench.owner[i], bench.pool);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < bench.batch->span_count; i++)
        span_put(bench.pool, bench.batch->spans[i]);
    batch_free(&bench.batch);
    assert_null(bench.batch);
    batch_free(&bench.batch);
    span_pool_free(&bench.pool); /* asserts that every span is back */
    return 0;
}

/* a span that begins where the owner's last one ended, or a new one */
static uint16_t span_at(struct recorder *owner, uint64_t from)
{
    uint16_t index;
    assert_int_equal(batch_span_for(bench.batch, bench.pool, &owner->owner, from, &index), 0);
    return index;
}

/* an item of 10 source bytes and one line, whose id is `name` */
static void add(uint16_t span, const char *name)
{
    char action[64], document[64];
    (void)snprintf(action, sizeof(action), "{\"create\":{\"_id\":\"%s\"}}", name);
    (void)snprintf(document, sizeof(document), "{\"message\":\"of %s\"}", name);
    int r = batch_add(bench.batch, slice_str(action), slice_str(document), span, 10, 1);
    assert_int_equal(r, 0);
    bench.batch->spans[span]->to += 10;
}

/* ids that are left, in order */
static const char *left(void)
{
    static char text[1024];
    size_t at = 0;
    for (uint32_t i = 0; i < bench.batch->item_count; i++) {
        struct slice id = batch_action_value(bench.batch, &bench.batch->items[i], "_id");
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%.*s ", (int)id.len, id.ptr);
    }
    text[at] = '\0';
    return text;
}

static void committed_item_is_counted(void **state)
{
    (void)state;
    struct batch *b = bench.batch;
    uint16_t span = span_at(&bench.owner[0], 100);
    add(span, "a");
    add(span, "bb");
    assert_int_equal(b->item_count, 2);
    assert_true(is_sound_body(b));
    assert_memory_equal(b->body,
                        "{\"create\":{\"_id\":\"a\"}}\n{\"message\":\"of a\"}\n"
                        "{\"create\":{\"_id\":\"bb\"}}\n{\"message\":\"of bb\"}\n",
                        b->body_bytes);
    const struct batch_item *item = &b->items[1];
    assert_true(slice_eq_str(batch_action(b, item), "{\"create\":{\"_id\":\"bb\"}}"));
    assert_true(slice_eq_str(batch_document(b, item), "{\"message\":\"of bb\"}"));
    assert_int_equal(item->state, ITEM_PENDING);
    assert_int_equal(item->tries + item->status, 0);
    assert_int_equal(b->spans[span]->open_items, 2);
    assert_true(count_is(b->spans[span]->shipped, 20, 2));
    const struct ledger *l = &bench.owner[0].ledger;
    assert_true(count_is(l->read, 20, 2) && count_is(l->in_flight, 20, 2));
    assert_int_equal(l->documents[DOCUMENT_ENCODED], 2);
    assert_true(ledger_adds_up(l));
}

static void action_values(void **state)
{
    (void)state;
    static const struct {
        const char *name, *action, *value;
    } cases[] = {
        {"_id", "{\"create\":{\"_id\":\"x1\"}}", "x1"},
        {"_index", "{\"create\":{\"_id\":\"x1\"}}", ""},
        {"_index", "{\"create\":{\"_index\":\"logs-a-b\",\"_id\":\"x1\"}}", "logs-a-b"},
        {"_id", "{\"create\":{\"_index\":\"logs-a-b\",\"_id\":\"x1\"}}", "x1"},
        {"id", "{\"create\":{\"_id\":\"x1\"}}", ""},
        {"_id", "{\"create\":{\"_ids\":\"x1\"}}", ""},
        {"_id", "{\"create\":{\"_id\":\"\"}}", ""},
        {"_id", "{}", ""},
        {"a name that is longer than the line", "{\"create\":{}}", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint16_t span = span_at(&bench.owner[0], i);
        assert_int_equal(
            batch_add(bench.batch, slice_str(cases[i].action), SLICE_LIT("{}"), span, 1, 1), 0);
        const struct batch_item *item = &bench.batch->items[i];
        CHECK(cases[i].action,
              slice_eq_str(batch_action_value(bench.batch, item, cases[i].name), cases[i].value));
    }
}

static void ids_are_dropped_by_target(void **state)
{
    (void)state;
    struct batch *b = bench.batch;
    static const char *const actions[] = {
        "{\"create\":{\"_id\":\"a\"}}",
        "{\"create\":{\"_index\":\"t\",\"_id\":\"b\"}}",
        "{\"create\":{\"_id\":\"c\",\"_index\":\"t\"}}",
        "{\"create\":{\"_index\":\"u\",\"_id\":\"d\"}}",
        "{\"create\":{\"_index\":\"t\"}}",
    };
    uint16_t span = span_at(&bench.owner[0], 0);
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        assert_int_equal(batch_add(b, slice_str(actions[i]), SLICE_LIT("{}"), span, 1, 1), 0);
    assert_int_equal(batch_drop_ids(b, SLICE_LIT("t")), 2);
    assert_int_equal(batch_drop_ids(b, SLICE_LIT("t")), 0);
    assert_true(slice_eq_str(slice_of(b->body, b->body_bytes),
                             "{\"create\":{\"_id\":\"a\"}}\n{}\n"
                             "{\"create\":{\"_index\":\"t\"}}\n{}\n"
                             "{\"create\":{\"_index\":\"t\"}}\n{}\n"
                             "{\"create\":{\"_index\":\"u\",\"_id\":\"d\"}}\n{}\n"
                             "{\"create\":{\"_index\":\"t\"}}\n{}\n"));
    snprintf(b->target, sizeof(b->target), "u");
    assert_int_equal(batch_drop_ids(b, SLICE_LIT("u")), 2);
    assert_true(slice_eq_str(batch_action(b, &b->items[0]), "{\"create\":{}}"));
    assert_true(slice_eq_str(batch_action(b, &b->items[3]), "{\"create\":{\"_index\":\"u\"}}"));
    assert_true(slice_eq_str(batch_document(b, &b->items[4]), "{}"));
    assert_true(is_sound_body(b));
}

static void spans_are_shared_where_they_touch(void **state)
{
    (void)state;
    struct batch *b = bench.batch;
    static const struct {
        const char *name;
        int owner;
        uint64_t from, to;
        uint16_t index;
    } cases[] = {
        {"first", 0, 0, 10, 0},        {"goes on", 0, 10, 20, 0},
        {"a gap", 0, 21, 30, 1},       {"goes on behind it", 0, 30, 31, 1},
        {"other owner", 1, 31, 40, 2}, {"only the last is looked at", 0, 31, 32, 3},
        {"back again", 1, 40, 41, 4},  {"before the last", 1, 40, 41, 5},
        {"and goes on", 1, 41, 42, 5},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint16_t index = span_at(&bench.owner[cases[i].owner], cases[i].from);
        CHECK(cases[i].name, index == cases[i].index);
        b->spans[index]->to = cases[i].to;
    }
    assert_int_equal(b->span_count, 6);
    while (b->span_count < SPANS)
        (void)span_at(&bench.owner[0], 1000 * b->span_count);
    uint16_t index = 99;
    assert_false(batch_has_room(b, 0));
    assert_int_equal(batch_span_for(b, bench.pool, &bench.owner[1].owner, 5, &index), -ENOBUFS);
    assert_int_equal(index, 99);
    assert_int_equal(span_pool_used(bench.pool), SPANS);
}

static void room_ends(void **state)
{
    (void)state;
    struct batch *b = bench.batch;
    static char big[BODY];
    memset(big, 'x', sizeof(big));
    uint16_t span = span_at(&bench.owner[0], 0);
    assert_true(batch_has_room(b, BODY));
    assert_false(batch_has_room(b, BODY + 1));
    /* to the last byte, and not one more */
    struct slice action = SLICE_LIT("{}");
    assert_int_equal(batch_add(b, action, slice_of(big, BODY - 3), span, 1, 1), -ENOBUFS);
    assert_int_equal(b->item_count, 0);
    assert_int_equal(batch_add(b, action, slice_of(big, BODY - 4), span, 1, 1), 0);
    assert_true(batch_has_room(b, 0));
    assert_false(batch_has_room(b, 1));
    b->items[0].state = ITEM_CREATED;
    assert_int_equal(batch_resolve(b), 0);
    batch_reset(b, BODY);
    /* to the last item */
    span = span_at(&bench.owner[0], 0);
    for (unsigned i = 0; i < ITEMS; i++)
        assert_int_equal(batch_add(b, action, action, span, 1, 1), 0);
    assert_false(batch_has_room(b, 0));
    assert_int_equal(batch_add(b, action, action, span, 1, 1), -ENOBUFS);
    assert_int_equal(b->item_count, ITEMS);
    assert_true(is_sound_body(b));
}

static void moves_behind_another(void **state)
{
    (void)state;
    struct recorder *owner = &bench.owner[0];
    struct batch *to = batch_new(BATCH_LOGS, BODY, ITEMS, SPANS);
    struct batch *from = bench.batch;
    for (int round = 0; round < 2; round++) {
        snprintf(from->target, sizeof(from->target), "t");
        from->barrier = (uint64_t)(7 - round);
        for (unsigned k = 0; k < 4; k++) {
            char id[2] = {(char)('a' + 4 * round + (int)k), '\0'};
            add(span_at(owner, (uint64_t)round * 1000 + k / 2 * 100 + k % 2 * 10), id);
        }
        from->items[1].state = ITEM_CREATED;
        from->items[2].tries = 5;
        assert_int_equal(batch_resolve(from), 3);
        assert_int_equal(batch_move(to, from), 0);
        assert_int_equal(from->item_count + from->span_count + from->body_bytes, 0);
        assert_int_equal(batch_resolve(from), 0); /* nothing is left to resolve */
    }
    assert_string_equal(to->target, "t");
    assert_int_equal(to->barrier, 7);
    assert_int_equal(to->item_count, 6);
    assert_int_equal(to->span_count, 4);
    bench.batch = to;
    assert_string_equal(left(), "a c d e g h ");
    assert_true(is_sound_body(to));
    assert_int_equal(to->items[4].tries, 5);
    assert_int_equal(to->spans[to->items[3].span]->from, 1000);
    for (uint32_t k = 0; k < 3; k++)
        to->items[k].state = ITEM_CREATED;
    assert_int_equal(batch_resolve(to), 3);
    assert_int_equal(owner->count, 2);
    assert_true(ledger_adds_up(&owner->ledger));
    batch_free(&from);
}

static void moves_all_or_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t body;
        uint32_t items, spans;
        int result;
    } cases[] = {
        {"just fits", 84, 2, 2, 0},
        {"body", 83, 2, 2, -ENOBUFS},
        {"items", 84, 1, 2, -ENOBUFS},
        {"spans", 84, 2, 1, -ENOBUFS},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct batch *to = batch_new(BATCH_LOGS, cases[i].body, cases[i].items, cases[i].spans);
        add(span_at(&bench.owner[0], 0), "a");
        add(span_at(&bench.owner[0], 100), "b");
        CHECK(cases[i].name, bench.batch->body_bytes == 84);
        CHECK(cases[i].name, batch_move(to, bench.batch) == cases[i].result);
        CHECK(cases[i].name, bench.batch->item_count == (cases[i].result == 0 ? 0 : 2));
        batch_abandon(to);
        batch_abandon(bench.batch);
        CHECK(cases[i].name, span_pool_used(bench.pool) == 0);
        batch_free(&to);
    }
}

static void is_read_again_whole_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t state; /* of the second item */
        bool settle, keeps;
        bool result;
    } cases[] = {
        {"pending", ITEM_PENDING, false, false, true},
        {"to be sent again", ITEM_RETRY, false, false, true},
        {"sent again", ITEM_RETRY, true, false, true},
        {"an owner that cannot", ITEM_PENDING, false, true, false},
        {"rejected", ITEM_REJECTED, false, false, false},
        {"taken, not settled", ITEM_CREATED, false, false, false},
        {"taken", ITEM_CREATED, true, false, false},
    };
    struct recorder *first = &bench.owner[0], *second = &bench.owner[1];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        first->unread = second->unread = 0;
        second->keeps = cases[i].keeps;
        add(span_at(first, 0), "a");
        add(span_at(first, 10), "b");
        add(span_at(second, 100), "c");
        bench.batch->items[1].state = cases[i].state;
        if (cases[i].settle)
            (void)batch_resolve(bench.batch);
        struct ledger_count read = first->ledger.read;
        uint64_t encoded = first->ledger.documents[DOCUMENT_ENCODED];
        CHECK(cases[i].name, batch_unread(bench.batch) == cases[i].result);
        CHECK(cases[i].name, first->unread == cases[i].result);
        CHECK(cases[i].name, second->unread == cases[i].result);
        CHECK(cases[i].name, ledger_adds_up(&first->ledger));
        CHECK(cases[i].name, (first->ledger.read.lines < read.lines) == cases[i].result);
        CHECK(cases[i].name,
              encoded - first->ledger.documents[DOCUMENT_ENCODED] == (cases[i].result ? 2 : 0));
        if (cases[i].result)
            CHECK(cases[i].name, bench.batch->item_count + bench.batch->span_count == 0);
        batch_abandon(bench.batch);
        CHECK(cases[i].name, span_pool_used(bench.pool) == 0);
    }
}

/* the state that a letter stands for */
static uint8_t state_of(char letter)
{
    switch (letter) {
    case 'C':
        return ITEM_CREATED;
    case '4':
        return ITEM_DUPLICATE;
    case 'R':
        return ITEM_RETRY;
    case 'J':
        return ITEM_REJECTED;
    case 'D':
        return ITEM_DEAD;
    default:
        return ITEM_PENDING;
    }
}

/* one letter per item: P pending, C created, 4 duplicate, R retry, J rejected, D dead. Items a, b,
 * c ... of one source; two to a span: a b | c d | e f. */
static void resolve_table(void **state)
{
    (void)state;
    static const struct {
        const char *states, *left, *left_states;
        const char *spans; /* which of the three spans resolve */
        uint64_t acked, dead;
    } cases[] = {
        {"PPPPPP", "a b c d e f ", "PPPPPP", "", 0, 0},
        {"CCCCCC", "", "", "012", 60, 0},
        {"444444", "", "", "012", 60, 0},
        {"DDDDDD", "", "", "012", 0, 60},
        {"RRRRRR", "a b c d e f ", "PPPPPP", "", 0, 0},
        {"JJJJJJ", "a b c d e f ", "JJJJJJ", "", 0, 0},
        {"CRCRCR", "b d f ", "PPP", "", 30, 0},
        {"RCRCRC", "a c e ", "PPP", "", 30, 0},
        {"RCCCCC", "a ", "P", "12", 50, 0},
        {"CCCCCR", "f ", "P", "01", 50, 0},
        {"CCRC44", "c ", "P", "02", 50, 0},
        {"C4DJDC", "d ", "J", "02", 30, 20},
        {"JPRCCD", "a b c ", "JPP", "2", 20, 10},
        {"DDRRCC", "c d ", "PP", "02", 20, 20},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct recorder *owner = &bench.owner[0];
        struct batch *b = bench.batch;
        const char *name = cases[i].states;
        recorder_init(owner, bench.pool);
        for (unsigned k = 0; k < 6; k++) {
            char id[2] = {(char)('a' + k), '\0'};
            add(span_at(owner, k / 2 * 100 + k % 2 * 10), id);
        }
        CHECK(name, b->span_count == 3);
        for (uint32_t k = 0; k < 6; k++) {
            b->items[k].state = state_of(name[k]);
            b->items[k].tries = (uint16_t)(k + 1);
        }
        for (int again = 0; again < 2; again++) {
            CHECK(name, batch_resolve(b) == strlen(cases[i].left_states));
            CHECK(name, strcmp(left(), cases[i].left) == 0);
            CHECK(name, is_sound_body(b));
            CHECK(name, owner->count == strlen(cases[i].spans));
            for (unsigned k = 0; k < owner->count; k++)
                CHECK(name, owner->from[k] == (uint64_t)(cases[i].spans[k] - '0') * 100);
            CHECK(name, b->span_count == 3 - owner->count);
            CHECK(name, count_is(owner->ledger.acknowledged, cases[i].acked, cases[i].acked / 10));
            CHECK(name, count_is(owner->ledger.dead_lettered, cases[i].dead, cases[i].dead / 10));
            CHECK(name, ledger_adds_up(&owner->ledger));
        }
        for (uint32_t k = 0; k < b->item_count; k++) {
            const struct batch_item *item = &b->items[k];
            CHECK(name, item->state == state_of(cases[i].left_states[k]));
            CHECK(name, item->tries == cases[i].left[2 * k] - 'a' + 1);
            /* it still points at its own span */
            uint64_t from = (uint64_t)(cases[i].left[2 * k] - 'a') / 2 * 100;
            CHECK(name, b->spans[item->span]->from == from);
        }
        for (uint32_t k = 0; k < b->item_count; k++)
            b->items[k].state = ITEM_CREATED;
        CHECK(name, batch_resolve(b) == 0 && b->span_count == 0 && b->body_bytes == 0);
        CHECK(name, owner->count == 3 && count_is(owner->ledger.in_flight, 0, 0));
        batch_reset(b, BODY);
    }
}

static void documents_are_counted_by_answer(void **state)
{
    (void)state;
    struct recorder *owner = &bench.owner[0];
    uint16_t span = span_at(owner, 0);
    for (int i = 0; i < 6; i++)
        add(span, "x");
    static const uint8_t states[] = {ITEM_CREATED,   ITEM_CREATED, ITEM_CREATED,
                                     ITEM_DUPLICATE, ITEM_DEAD,    ITEM_DEAD};
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        bench.batch->items[i].state = states[i];
    owner->pool = NULL;
    assert_int_equal(batch_resolve(bench.batch), 0);
    assert_int_equal(owner->ledger.documents[DOCUMENT_CREATED], 3);
    assert_int_equal(owner->ledger.documents[DOCUMENT_DUPLICATE], 1);
    assert_int_equal(owner->ledger.documents[DOCUMENT_DEAD], 2);
    assert_true(count_is(owner->resolved[0]->shipped, 60, 6));
    assert_true(count_is(owner->resolved[0]->dead, 20, 2));
    span_put(bench.pool, owner->resolved[0]);
}

/* the usual end: the same as resolving items that were created, in runs of two ledgers */
static void accepted_as_a_whole(void **state)
{
    (void)state;
    struct batch *b = bench.batch;
    for (int i = 0; i < 3; i++) {
        uint16_t span = span_at(&bench.owner[i % 2], 100);
        add(span, "x");
        add(span, "y");
    }
    (void)span_at(&bench.owner[1], 500); /* without an item */
    batch_accept(b);
    assert_int_equal(b->item_count + b->span_count + b->body_bytes, 0);
    for (int i = 0; i < 2; i++) {
        const struct ledger *l = &bench.owner[i].ledger;
        const unsigned items = i == 0 ? 4 : 2;
        assert_true(count_is(l->acknowledged, 10 * items, items) && count_is(l->in_flight, 0, 0));
        assert_int_equal(l->documents[DOCUMENT_CREATED], items);
        assert_int_equal(bench.owner[i].count, 2);
        assert_true(ledger_adds_up(l));
    }
    assert_int_equal(bench.owner[1].from[1], 500);
    batch_accept(b); /* nothing is left */
    assert_int_equal(bench.owner[0].count + bench.owner[1].count, 4);
}

/* a span that was only skipped over has nothing to wait for */
static void spans_without_items_resolve(void **state)
{
    (void)state;
    struct recorder *owner = &bench.owner[0];
    (void)span_at(owner, 0);
    uint16_t busy = span_at(owner, 100);
    (void)span_at(owner, 200);
    assert_int_equal(busy, 1);
    char action[] = "{}";
    assert_int_equal(batch_add(bench.batch, slice_str(action), slice_str(action), busy, 1, 1), 0);
    assert_int_equal(batch_resolve(bench.batch), 1);
    assert_int_equal(owner->count, 2);
    assert_true(owner->from[0] == 0 && owner->from[1] == 200);
    assert_int_equal(bench.batch->items[0].span, 0);
    assert_true(bench.batch->spans[0]->from == 100);
}

/* an item of two spans: a record joined across a rotation */
static void commit_joined(uint16_t span)
{
    struct batch *b = bench.batch;
    static const char text[] = "{\"create\":{\"_id\":\"joined\"}}\n{\"m\":1}\n";
    memcpy(b->body + b->body_bytes, text, sizeof(text) - 1);
    struct batch_item item = {
        .at = (uint32_t)b->body_bytes,
        .action_bytes = 28,
        .bytes = sizeof(text) - 1,
        .source_bytes = 10,
        .source_lines = 1,
        .span = span,
        .spans = 2,
    };
    batch_commit_item(b, &item);
}

static void item_of_two_spans_holds_both(void **state)
{
    (void)state;
    struct batch *b = bench.batch;
    uint16_t first = span_at(&bench.owner[0], 0);
    add(first, "before");
    uint16_t second = span_at(&bench.owner[1], 0);
    commit_joined(first);
    add(second, "behind");
    assert_true(is_sound_body(b));
    assert_int_equal(b->spans[0]->open_items, 2);
    assert_int_equal(b->spans[1]->open_items, 2);
    assert_true(count_is(bench.owner[0].ledger.read, 20, 2)); /* counted once, in the first */
    assert_true(count_is(bench.owner[1].ledger.read, 10, 1));
    b->items[0].state = b->items[2].state = ITEM_CREATED;
    assert_int_equal(batch_resolve(b), 1);
    assert_int_equal(bench.owner[0].count + bench.owner[1].count, 0);
    assert_string_equal(left(), "joined ");
    b->items[0].state = ITEM_DUPLICATE;
    assert_int_equal(batch_resolve(b), 0);
    assert_int_equal(bench.owner[0].count, 1);
    assert_int_equal(bench.owner[1].count, 1);
    assert_true(ledger_adds_up(&bench.owner[0].ledger) && ledger_adds_up(&bench.owner[1].ledger));
    assert_true(count_is(bench.owner[0].ledger.acknowledged, 20, 2));
}

/* the joined item moves to the front of the table together with its spans */
static void joined_spans_are_renumbered(void **state)
{
    (void)state;
    struct batch *b = bench.batch;
    add(span_at(&bench.owner[0], 0), "x");
    uint16_t first = span_at(&bench.owner[0], 100);
    (void)span_at(&bench.owner[1], 0);
    commit_joined(first);
    add(2, "y");
    b->items[0].state = ITEM_CREATED;
    assert_int_equal(batch_resolve(b), 2);
    assert_int_equal(b->items[0].span, 0);
    assert_int_equal(b->items[0].spans, 2);
    assert_int_equal(b->items[1].span, 1);
    assert_true(b->spans[0]->from == 100 && b->spans[1]->owner == &bench.owner[1].owner);
    b->items[0].state = b->items[1].state = ITEM_CREATED;
    assert_int_equal(batch_resolve(b), 0);
}

static void reset_forgets(void **state)
{
    (void)state;
    struct batch *b = bench.batch;
    for (size_t keep = 0; keep <= BODY + 4096; keep += 4096) {
        add(span_at(&bench.owner[0], 0), "x");
        memcpy(b->target, "logs-a-b", 9);
        b->barrier = 7;
        b->sends = 2;
        b->opened_ms = 5;
        b->owner_data = b;
        b->items[0].state = ITEM_CREATED;
        memset(b->body + BODY - 8, 'x', 8);
        assert_int_equal(batch_resolve(b), 0);
        bench.owner[0].count = 0;
        batch_reset(b, keep);
        assert_true(b->target[0] == '\0' && b->barrier == 0 && b->sends == 0 && b->opened_ms == 0 &&
                    b->owner_data == NULL && b->body_bytes == 0);
        /* pages beyond keep were given back: they read as zero */
        assert_int_equal(b->body[BODY - 1], keep < BODY ? '\0' : 'x');
    }
}

/* a random item of the model */
struct expected {
    char id[8];
    uint64_t span_from;
    bool joined;
};

/* checks the items that are left against the model */
static void check_model(const struct expected *e, uint32_t n)
{
    const struct batch *b = bench.batch;
    assert_int_equal(b->item_count, n);
    assert_true(is_sound_body(b));
    uint32_t open = 0, held = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct batch_item *item = &b->items[i];
        assert_true(slice_eq_str(batch_action_value(b, item, "_id"), e[i].id));
        assert_true(b->spans[item->span]->from == e[i].span_from);
        assert_true(item->span + item->spans <= b->span_count);
        if (item->spans == 2)
            assert_true(b->spans[item->span + 1]->from == e[i].span_from + 1000);
        held += item->spans;
    }
    for (uint32_t i = 0; i < b->span_count; i++) {
        assert_true(b->spans[i]->open_items > 0);
        open += b->spans[i]->open_items;
    }
    assert_int_equal(open, held);
}

/* fills the batch with up to ITEMS random items in SPANS spans; their number */
static uint32_t fill_randomly(struct prng *random, struct expected *e)
{
    struct recorder *owner = &bench.owner[0];
    uint32_t n = 0;
    for (uint64_t s = 0; s < SPANS - 1; s++) {
        (void)span_at(owner, s * 1000);
        int64_t items = prng_upto(random, 3);
        for (int64_t k = 0; k < items; k++) {
            (void)snprintf(e[n].id, sizeof(e[n].id), "i%u", n);
            e[n].span_from = s * 1000;
            e[n].joined = false;
            add((uint16_t)s, e[n++].id);
        }
        if (s + 2 < SPANS && prng_upto(random, 2) == 0) {
            /* the item's second span is the next one, which is made now */
            (void)span_at(owner, (s + 1) * 1000);
            commit_joined((uint16_t)s);
            (void)snprintf(e[n].id, sizeof(e[n].id), "joined");
            e[n].joined = true;
            e[n++].span_from = s * 1000;
        }
    }
    return n;
}

static void random_answers(void **state)
{
    (void)state;
    struct prng random;
    prng_init(&random, 5);
    for (int round = 0; round < 300; round++) {
        struct expected e[2 * ITEMS];
        struct recorder *owner = &bench.owner[0];
        struct batch *b = bench.batch;
        recorder_init(owner, bench.pool);
        uint32_t n = fill_randomly(&random, e);
        uint32_t spans = b->span_count;
        do {
            static const char letters[] = "PC4RJD";
            uint32_t kept = 0;
            for (uint32_t i = 0; i < n; i++) {
                char c = letters[prng_upto(&random, 5)];
                b->items[i].state = state_of(c);
                if (strchr("PRJ", c) != NULL)
                    e[kept++] = e[i];
            }
            n = kept;
            assert_int_equal(batch_resolve(b), n);
            check_model(e, n);
            assert_true(ledger_adds_up(&owner->ledger));
        } while (n > 0);
        /* each once */
        assert_int_equal(owner->count, spans);
        uint64_t seen = 0;
        for (unsigned i = 0; i < owner->count; i++)
            seen |= (uint64_t)1 << owner->from[i] / 1000;
        assert_true(seen == ((uint64_t)1 << spans) - 1);
        assert_true(count_is(owner->ledger.in_flight, 0, 0));
        batch_reset(b, 0);
    }
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    uint64_t before = 0;
    for (int round = 0; round < 10; round++) {
        if (round == 1)
            before = mem_calls();
        bench.owner[0].count = 0;
        for (uint16_t i = 0; i < 8; i++)
            add(span_at(&bench.owner[0], 1000u * i), "x");
        for (uint32_t i = 0; i < 8; i++)
            bench.batch->items[i].state = ITEM_CREATED;
        assert_int_equal(batch_resolve(bench.batch), 0);
        batch_reset(bench.batch, 0);
    }
    assert_true(mem_calls() == before);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(committed_item_is_counted),
        TEST(action_values),
        TEST(ids_are_dropped_by_target),
        TEST(moves_behind_another),
        TEST(moves_all_or_nothing),
        TEST(is_read_again_whole_or_not),
        TEST(spans_are_shared_where_they_touch),
        TEST(room_ends),
        TEST(resolve_table),
        TEST(documents_are_counted_by_answer),
        TEST(accepted_as_a_whole),
        TEST(spans_without_items_resolve),
        TEST(item_of_two_spans_holds_both),
        TEST(joined_spans_are_renumbered),
        TEST(reset_forgets),
        TEST(random_answers),
        TEST(steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
