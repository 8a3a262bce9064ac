/*
 * bulk/batch - one request's body, its items and its spans
 *
 * Body, items and spans are anonymous mappings made once at their largest size: the kernel gives a
 * page when it is first touched, so an idle pool costs address space only, and nothing is moved
 * while a body grows.
 *
 * Invariants: 1. items stand in the body in order, without gaps, up to body_bytes. 2. An item's
 * spans are a run of this batch's span table. 3. The open items of this batch's spans are exactly
 * its items.
 */
#include "bulk/batch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/log.h"
#include "base/mem.h"

/* an anonymous mapping of n bytes; address space exhausted at start is a start-up failure */
static void *reserve(size_t n)
{
    void *p =
        mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        log_error("out of address space for a batch of %zu bytes", n);
        abort();
    }
    return p;
}

/* reserves memory for one batch */
COLD struct batch *batch_new(enum batch_kind kind, size_t body_cap, uint32_t item_cap,
                             uint32_t span_cap)
{
    assert(span_cap <= UINT16_MAX && body_cap <= UINT32_MAX);
    struct batch *b = mem_zalloc(sizeof(*b));
    list_init(&b->link);
    b->kind = kind;
    b->body_cap = body_cap;
    b->item_cap = item_cap;
    b->span_cap = span_cap;
    b->body = reserve(body_cap);
    b->items = reserve(item_cap * sizeof(struct batch_item));
    b->spans = reserve(span_cap * sizeof(struct span *));
    return b;
}

/* unmaps it */
COLD void batch_free(struct batch **b)
{
    if (*b == NULL)
        return;
    list_remove(&(*b)->link);
    (void)munmap((*b)->body, (*b)->body_cap);
    (void)munmap((*b)->items, (*b)->item_cap * sizeof(struct batch_item));
    (void)munmap((*b)->spans, (*b)->span_cap * sizeof(struct span *));
    mem_free(*b);
    *b = NULL;
}

/* ready for the next items */
void batch_reset(struct batch *b, size_t keep_bytes)
{
    assert(b->item_count == 0 && b->span_count == 0);
    if (keep_bytes < b->body_cap)
        mem_forget(b->body + keep_bytes, b->body_cap - keep_bytes);
    b->body_bytes = 0;
    b->target[0] = '\0';
    b->barrier = 0;
    b->opened_ms = 0;
    b->sends = 0;
    b->owner_data = NULL;
}

/* see header */
void batch_rest(struct batch *b)
{
    assert(b->item_count == 0 && b->span_count == 0);
    mem_forget(b->body, b->body_cap);
    mem_forget(b->items, b->item_cap * sizeof(struct batch_item));
    mem_forget(b->spans, b->span_cap * sizeof(struct span *));
    b->returned_ms = 0;
}

/* room for one more item with a span of its own */
bool batch_has_room(const struct batch *b, size_t bytes)
{
    return b->body_cap - b->body_bytes >= bytes && b->item_count < b->item_cap &&
           b->span_count < b->span_cap;
}

/* The batch's newest span of an owner is near the end of the table: files are drained one after the
 * other, so only the last is looked at. A second span of the same owner is no harm. */
int batch_span_for(struct batch *b, struct span_pool *pool, struct span_owner *owner, uint64_t from,
                   uint16_t *ret_index)
{
    b->pool = pool;
    if (b->span_count > 0) {
        struct span *last = b->spans[b->span_count - 1];
        if (last->owner == owner && last->to == from) {
            *ret_index = (uint16_t)(b->span_count - 1);
            return 0;
        }
    }
    if (b->span_count == b->span_cap)
        return -ENOBUFS;
    b->spans[b->span_count] = span_get(pool, owner, from);
    *ret_index = (uint16_t)b->span_count++;
    return 0;
}

/* items of a span are shipped from now on */
static void count_read(struct span *s, uint32_t items, struct ledger_count c)
{
    s->shipped.bytes += c.bytes;
    s->shipped.lines += c.lines;
    ledger_read(s->owner->ledger, c);
    s->owner->ledger->documents[DOCUMENT_ENCODED] += items;
}

/* takes written bytes as an item */
void batch_commit_item(struct batch *b, const struct batch_item *item)
{
    assert(item->at == b->body_bytes && item->spans >= 1);
    b->items[b->item_count++] = *item;
    b->body_bytes += item->bytes;
    for (uint32_t i = 0; i < item->spans; i++)
        b->spans[item->span + i]->open_items++;
    count_read(b->spans[item->span], 1,
               (struct ledger_count){item->source_bytes, item->source_lines});
}

/* see header */
void batch_commit_run(struct batch *b, uint16_t span, uint32_t count, size_t body_bytes,
                      struct ledger_count c)
{
    b->item_count += count;
    b->body_bytes = body_bytes;
    b->spans[span]->open_items += count;
    count_read(b->spans[span], count, c);
}

/* adds finished text */
int batch_add(struct batch *b, struct slice action, struct slice document, uint16_t span,
              uint32_t source_bytes, uint32_t source_lines)
{
    size_t bytes = action.len + document.len + 2;
    if (!batch_has_room(b, bytes))
        return -ENOBUFS;
    char *p = b->body + b->body_bytes;
    memcpy(p, action.ptr, action.len);
    p[action.len] = '\n';
    memcpy(p + action.len + 1, document.ptr, document.len);
    p[bytes - 1] = '\n';
    struct batch_item item = {
        .at = (uint32_t)b->body_bytes,
        .action_bytes = (uint32_t)action.len + 1,
        .bytes = (uint32_t)bytes,
        .source_bytes = source_bytes,
        .source_lines = source_lines,
        .span = span,
        .spans = 1,
    };
    batch_commit_item(b, &item);
    return 0;
}

/* without its newline */
struct slice batch_action(const struct batch *b, const struct batch_item *item)
{
    return slice_of(b->body + item->at, item->action_bytes - 1);
}

/* without its newline */
struct slice batch_document(const struct batch *b, const struct batch_item *item)
{
    return slice_of(b->body + item->at + item->action_bytes, item->bytes - item->action_bytes - 1);
}

/* Our own action lines hold only names and ids that need no escape, so the text between the quotes
 * is the value. */
struct slice batch_action_value(const struct batch *b, const struct batch_item *item,
                                const char *name)
{
    struct slice action = batch_action(b, item);
    size_t name_bytes = strlen(name);
    for (size_t i = 0; i + name_bytes + 4 <= action.len; i++) {
        const char *p = action.ptr + i;
        if (p[0] != '"' || memcmp(p + 1, name, name_bytes) != 0 ||
            memcmp(p + 1 + name_bytes, "\":\"", 3) != 0)
            continue;
        struct slice value = slice_sub(action, i + name_bytes + 4, SIZE_MAX);
        return slice_sub(value, 0, slice_find(value, '"'));
    }
    return slice_of(NULL, 0);
}

/* The member "_id" of an action line with the comma that stands before or behind it; empty if there
 * is none. */
static struct slice id_member(struct slice action, struct slice id)
{
    const size_t name_bytes = sizeof("\"_id\":\"") - 1;
    if (id.len == 0)
        return id;
    size_t from = (size_t)(id.ptr - action.ptr) - name_bytes;
    size_t to = (size_t)(id.ptr - action.ptr) + id.len + 1;
    if (action.ptr[from - 1] == ',')
        from--;
    else if (to < action.len && action.ptr[to] == ',')
        to++;
    return slice_sub(action, from, to - from);
}

/* moves an item to `at` without a part of its action line */
static void move_without(struct batch *b, struct batch_item *item, size_t at, struct slice part)
{
    char *from = b->body + item->at;
    if (part.len == 0 && item->at == at)
        return;
    size_t before = part.len > 0 ? (size_t)(part.ptr - from) : item->bytes;
    memmove(b->body + at, from, before);
    memmove(b->body + at + before, from + before + part.len, item->bytes - before - part.len);
    item->at = (uint32_t)at;
    item->bytes -= (uint32_t)part.len;
    item->action_bytes -= (uint32_t)part.len;
}

/* see header */
uint32_t batch_drop_ids(struct batch *b, struct slice target)
{
    uint32_t dropped = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < b->item_count; i++) {
        struct batch_item *item = &b->items[i];
        struct slice name = batch_action_value(b, item, "_index");
        struct slice part = slice_of(NULL, 0);
        if (slice_eq(name.len > 0 ? name : slice_str(b->target), target))
            part = id_member(batch_action(b, item), batch_action_value(b, item, "_id"));
        dropped += part.len > 0;
        move_without(b, item, at, part);
        at += item->bytes;
    }
    b->body_bytes = at;
    return dropped;
}

/* see header */
void batch_set_generation(struct batch *b, const struct batch_item *item,
                          const char generation[DOCID_GENERATION_CHARS])
{
    struct slice id = batch_action_value(b, item, "_id");
    assert(id.len >= DOCID_CHARS);
    memcpy(b->body + (id.ptr - b->body), generation, DOCID_GENERATION_CHARS);
}

/* whether another batch fits behind */
static bool fits_behind(const struct batch *to, const struct batch *from)
{
    return to->body_cap - to->body_bytes >= from->body_bytes &&
           to->item_cap - to->item_count >= from->item_count &&
           to->span_cap - to->span_count >= from->span_count;
}

/* see header */
int batch_move(struct batch *to, struct batch *from)
{
    if (!fits_behind(to, from))
        return -ENOBUFS;
    if (to->item_count == 0)
        memcpy(to->target, from->target, sizeof(to->target));
    memcpy(to->body + to->body_bytes, from->body, from->body_bytes);
    for (uint32_t i = 0; i < from->item_count; i++) {
        struct batch_item item = from->items[i];
        item.at += (uint32_t)to->body_bytes;
        item.span = (uint16_t)(item.span + to->span_count);
        to->items[to->item_count + i] = item;
    }
    for (uint32_t i = 0; i < from->span_count; i++)
        to->spans[to->span_count + i] = from->spans[i];
    to->body_bytes += from->body_bytes;
    to->item_count += from->item_count;
    to->span_count += from->span_count;
    to->pool = from->pool;
    if (to->barrier < from->barrier)
        to->barrier = from->barrier;
    from->body_bytes = 0;
    from->item_count = from->span_count = 0;
    return 0;
}

/* whether the items from *at on that begin in a span are all that it ever had */
static bool is_untouched(const struct batch *b, uint32_t span, uint32_t *at)
{
    uint64_t bytes = 0;
    for (; *at < b->item_count && b->items[*at].span == span; ++*at) {
        const struct batch_item *item = &b->items[*at];
        if (item->spans != 1 || (item->state != ITEM_PENDING && item->state != ITEM_RETRY))
            return false;
        bytes += item->source_bytes;
    }
    return bytes == b->spans[span]->shipped.bytes;
}

/* whether all of it can be read again */
static bool can_unread(const struct batch *b)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < b->span_count; i++) {
        struct span *s = b->spans[i];
        if (s->companion != NULL || s->owner->ops->unread == NULL || !is_untouched(b, i, &at) ||
            !s->owner->ops->unread(s->owner, s, false))
            return false;
    }
    return at == b->item_count;
}

/* see header */
bool batch_unread(struct batch *b)
{
    if (!can_unread(b))
        return false;
    for (uint32_t i = 0; i < b->item_count; i++) {
        const struct batch_item *item = &b->items[i];
        struct ledger *l = b->spans[item->span]->owner->ledger;
        ledger_unread(l, (struct ledger_count){item->source_bytes, item->source_lines});
        l->documents[DOCUMENT_ENCODED]--;
    }
    for (uint32_t i = 0; i < b->span_count; i++)
        (void)b->spans[i]->owner->ops->unread(b->spans[i]->owner, b->spans[i], true);
    batch_abandon(b);
    return true;
}

/* see header */
void batch_abandon(struct batch *b)
{
    for (uint32_t i = 0; i < b->span_count; i++)
        span_put(b->pool, b->spans[i]);
    b->span_count = b->item_count = 0;
    b->body_bytes = 0;
}

/* an item has reached its end: off its spans, into their counts */
static void settle(struct batch *b, const struct batch_item *item)
{
    struct span *first = b->spans[item->span];
    struct ledger *ledger = first->owner->ledger;
    struct ledger_count c = {item->source_bytes, item->source_lines};
    const struct ledger_count none = {0};
    if (item->state == ITEM_DEAD) {
        first->dead.bytes += c.bytes;
        first->dead.lines += c.lines;
        ledger_resolve(ledger, none, c);
        ledger->documents[DOCUMENT_DEAD]++;
    } else {
        ledger_resolve(ledger, c, none);
        ledger->documents[item->state == ITEM_DUPLICATE ? DOCUMENT_DUPLICATE : DOCUMENT_CREATED]++;
    }
    for (uint32_t i = 0; i < item->spans; i++)
        b->spans[item->span + i]->open_items--;
}

/* whether an item has reached its end */
static bool is_settled(const struct batch_item *item)
{
    return item->state == ITEM_CREATED || item->state == ITEM_DUPLICATE || item->state == ITEM_DEAD;
}

/* moves what is left together, in order */
static void compact(struct batch *b)
{
    uint32_t kept = 0;
    size_t at = 0;
    for (uint32_t i = 0; i < b->item_count; i++) {
        struct batch_item item = b->items[i];
        if (is_settled(&item)) {
            settle(b, &item);
            continue;
        }
        if (item.state == ITEM_RETRY)
            item.state = ITEM_PENDING;
        if (item.at != at)
            memmove(b->body + at, b->body + item.at, item.bytes);
        item.at = (uint32_t)at;
        at += item.bytes;
        b->items[kept++] = item;
    }
    b->item_count = kept;
    b->body_bytes = at;
}

/* Hands resolved spans to their owners and renumbers the rest. Owners may put the span back at
 * once, so it leaves the table first. */
static void release_spans(struct batch *b)
{
    uint32_t kept = 0;
    uint32_t item = 0;
    for (uint32_t i = 0; i < b->span_count; i++) {
        struct span *s = b->spans[i];
        if (s->open_items == 0) {
            s->resolved = true;
            s->owner->ops->resolved(s->owner, s);
            continue;
        }
        /* items are in span order, so one pass renumbers them */
        for (; item < b->item_count && b->items[item].span == i; item++)
            b->items[item].span = (uint16_t)kept;
        b->spans[kept++] = s;
    }
    b->span_count = kept;
}

/* see header */
uint32_t batch_resolve(struct batch *b)
{
    compact(b);
    release_spans(b);
    return b->item_count;
}

/* what a run of items of one ledger comes to */
static void settle_run(struct ledger *ledger, uint32_t items, struct ledger_count c)
{
    const struct ledger_count none = {0};
    if (items == 0)
        return;
    ledger_resolve(ledger, c, none);
    ledger->documents[DOCUMENT_CREATED] += items;
}

/* see header */
void batch_accept(struct batch *b)
{
    struct ledger_count c = {0};
    struct ledger *ledger = NULL;
    uint32_t from = 0;
    for (uint32_t i = 0; i < b->item_count; i++) {
        const struct batch_item *item = &b->items[i];
        struct span **spans = &b->spans[item->span];
        if (spans[0]->owner->ledger != ledger) {
            settle_run(ledger, i - from, c);
            ledger = spans[0]->owner->ledger;
            c = (struct ledger_count){0};
            from = i;
        }
        c.bytes += item->source_bytes;
        c.lines += item->source_lines;
        for (uint32_t n = 0; n < item->spans; n++)
            spans[n]->open_items--;
    }
    settle_run(ledger, b->item_count - from, c);
    b->item_count = 0;
    b->body_bytes = 0;
    release_spans(b);
}
