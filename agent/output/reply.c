/*
 * output/reply - scanner of `_bulk` replies
 *
 *     {"errors":true,"items":[{"create":{"status":400,"error":{"type":"..","reason":".."}}}, ..]}
 *     0              1        2         3             4                  5   <- depth of the keys
 *
 * Follows the events of base/json_scan by their depth alone. Results go to a side array of the size
 * that was sent, so nothing of a reply counts before it was seen whole. An item without a status,
 * with two operations, or too many items is a broken reply.
 *
 * The usual reply is not scanned at all but compared (reply_good.h); at the first difference the
 * scanner gets all of it.
 *
 * Memory: the array, one token, and REPLY_TEXTS_MAX of error texts; a text that no longer fits is
 * left out, which only makes a dead letter less talkative.
 */
#include "output/reply.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/num.h"
#include "output/decisions.h"
#include "output/reply_good.h"

#define TYPE_MAX   128
#define STATUS_MAX 999
/* of the usual reply */
#define STATUS_CREATED 201

enum field {
    FIELD_OTHER,
    FIELD_STATUS,
    FIELD_ERROR,
    FIELD_FAILURE_STORE,
    FIELD_TYPE,
    FIELD_REASON
};

struct reply {
    struct json_scan *scan;
    struct reply_good good;
    bool is_good; /* so far: the scanner has seen nothing yet */
    struct reply_item *results;
    uint32_t cap, expected, seen;
    bool in_items;   /* the value at depth 1 is that of "items" */
    bool items_done; /* the array was closed */
    enum field field, error_field;
    unsigned operations; /* of the present item */
    unsigned status;     /* 0 = none yet */
    bool failure_store;
    char type[TYPE_MAX];
    size_t type_bytes;
    char reason[REPLY_TOKEN_MAX];
    size_t reason_bytes;
    struct buf texts; /* struct text_head, type, reason; one after the other */
};

struct text_head {
    uint32_t item;
    uint16_t type_bytes, reason_bytes;
};

/* copies a text, cut to what dst holds */
static size_t keep(char *dst, size_t cap, struct slice text)
{
    size_t n = text.len < cap ? text.len : cap;
    if (n > 0)
        memcpy(dst, text.ptr, n);
    return n;
}

/* forgets the item before */
static int begin_item(struct reply *r)
{
    if (r->seen == r->expected)
        return -EBADMSG;
    r->operations = 0;
    r->status = 0;
    r->failure_store = false;
    r->type_bytes = 0;
    r->reason_bytes = 0;
    return 0;
}

/* keeps the error of an item that may be dead-lettered */
static void keep_text(struct reply *r)
{
    struct text_head head = {r->seen, (uint16_t)r->type_bytes, (uint16_t)r->reason_bytes};
    if (buf_reserve(&r->texts, sizeof(head) + r->type_bytes + r->reason_bytes) != 0)
        return;
    /* cannot fail: the room is there */
    (void)!buf_add(&r->texts, &head, sizeof(head));
    (void)!buf_add(&r->texts, r->type, r->type_bytes);
    (void)!buf_add(&r->texts, r->reason, r->reason_bytes);
}

/* decides the item */
static int end_item(struct reply *r)
{
    if (r->operations != 1 || r->status == 0)
        return -EBADMSG;
    const struct item_decision *d = decide_item(r->status, slice_of(r->type, r->type_bytes),
                                                slice_of(r->reason, r->reason_bytes));
    if (d->action == DECIDE_REJECT || d->action == DECIDE_RETRY_BOUNDED ||
        d->action == DECIDE_DROP_IDS)
        keep_text(r);
    r->results[r->seen++] =
        (struct reply_item){(uint16_t)r->status, decide_item_index(d), r->failure_store};
    return 0;
}

/* the members of the reply */
static int at_top(struct reply *r, enum json_event event, struct slice text)
{
    if (event == JSON_KEY) {
        r->in_items = slice_eq_str(text, "items");
        return r->in_items && r->items_done ? -EBADMSG : 0;
    }
    if (!r->in_items)
        return 0;
    if (event == JSON_ARRAY_END)
        r->items_done = true;
    return event == JSON_ARRAY || event == JSON_ARRAY_END ? 0 : -EBADMSG;
}

/* the elements of items */
static int at_element(struct reply *r, enum json_event event)
{
    if (event == JSON_OBJECT)
        return begin_item(r);
    return event == JSON_OBJECT_END ? end_item(r) : -EBADMSG;
}

/* the operation of an item: one member, an object */
static int at_operation(struct reply *r, enum json_event event)
{
    if (event == JSON_KEY)
        return ++r->operations == 1 ? 0 : -EBADMSG;
    return event == JSON_OBJECT || event == JSON_OBJECT_END ? 0 : -EBADMSG;
}

/* a number from 1 to STATUS_MAX */
static int take_status(struct reply *r, enum json_event event, struct slice text)
{
    uint64_t status;
    if (event != JSON_NUMBER || num_u64(text, &status) != 0 || status == 0 || status > STATUS_MAX)
        return -EBADMSG;
    r->status = (unsigned)status;
    return 0;
}

/* the fields of an item */
static int at_field(struct reply *r, enum json_event event, struct slice text)
{
    if (event == JSON_KEY) {
        r->field = slice_eq_str(text, "status")          ? FIELD_STATUS
                   : slice_eq_str(text, "error")         ? FIELD_ERROR
                   : slice_eq_str(text, "failure_store") ? FIELD_FAILURE_STORE
                                                         : FIELD_OTHER;
        r->error_field = FIELD_OTHER;
        return 0;
    }
    if (r->field == FIELD_STATUS)
        return take_status(r, event, text);
    if (r->field == FIELD_ERROR && event == JSON_STRING)
        r->reason_bytes = keep(r->reason, sizeof(r->reason), text);
    if (r->field == FIELD_FAILURE_STORE)
        r->failure_store = event == JSON_STRING && slice_eq_str(text, "used");
    return 0;
}

/* the fields of an item's error */
static void at_error(struct reply *r, enum json_event event, struct slice text)
{
    if (event == JSON_KEY)
        r->error_field = slice_eq_str(text, "type")     ? FIELD_TYPE
                         : slice_eq_str(text, "reason") ? FIELD_REASON
                                                        : FIELD_OTHER;
    else if (event == JSON_STRING && r->error_field == FIELD_TYPE)
        r->type_bytes = keep(r->type, sizeof(r->type), text);
    else if (event == JSON_STRING && r->error_field == FIELD_REASON)
        r->reason_bytes = keep(r->reason, sizeof(r->reason), text);
}

/* routes an event by its depth */
static int on_event(void *ctx, enum json_event event, unsigned depth, struct slice text, bool cut)
{
    struct reply *r = ctx;
    (void)cut; /* a cut key or text is unknown or shorter, a cut number is no status */
    if (depth == 0)
        return event == JSON_OBJECT || event == JSON_OBJECT_END ? 0 : -EBADMSG;
    if (depth == 1)
        return at_top(r, event, text);
    if (!r->in_items)
        return 0;
    if (depth == 2)
        return at_element(r, event);
    if (depth == 3)
        return at_operation(r, event);
    if (depth == 4)
        return at_field(r, event, text);
    if (depth == 5 && r->field == FIELD_ERROR)
        at_error(r, event, text);
    return 0;
}

/* an idle scanner */
struct reply *reply_new(void)
{
    struct reply *r = mem_zalloc(sizeof(*r));
    r->scan = json_scan_new(REPLY_TOKEN_MAX, on_event, r);
    buf_init(&r->texts, REPLY_TEXTS_MAX);
    return r;
}

/* frees the array too */
void reply_free(struct reply **r)
{
    if (*r == NULL)
        return;
    json_scan_free(&(*r)->scan);
    buf_clear(&(*r)->texts);
    mem_free((*r)->results);
    mem_free(*r);
    *r = NULL;
}

/* The array keeps the largest size seen: batches are alike. */
void reply_begin(struct reply *r, uint32_t expected)
{
    if (expected > r->cap) {
        mem_free(r->results);
        r->results = mem_zalloc_array(expected, sizeof(*r->results));
        r->cap = expected;
    }
    json_scan_reset(r->scan);
    reply_good_begin(&r->good);
    r->is_good = true;
    buf_clear(&r->texts);
    r->expected = expected;
    r->seen = 0;
    r->in_items = false;
    r->items_done = false;
}

/* what has matched the usual reply, for the scanner */
static int give(void *ctx, struct slice piece)
{
    struct reply *r = ctx;
    return json_scan_feed(r->scan, piece);
}

/* compares while it is the usual reply, else scans */
int reply_feed(struct reply *r, struct slice piece)
{
    if (r->is_good) {
        size_t n = reply_good_match(&r->good, piece);
        if (n == piece.len)
            return 0;
        r->is_good = false;
        int err = reply_good_replay(&r->good, give, r);
        if (err != 0)
            return err;
        piece = slice_sub(piece, n, SIZE_MAX);
    }
    return json_scan_feed(r->scan, piece);
}

/* whole and complete? */
int reply_finish(struct reply *r)
{
    if (r->is_good)
        return reply_good_is_whole(&r->good) && r->good.items == r->expected ? 0 : -EBADMSG;
    int err = json_scan_finish(r->scan);
    if (err != 0)
        return err;
    return r->items_done && r->seen == r->expected ? 0 : -EBADMSG;
}

/* see header */
bool reply_all_created(const struct reply *r)
{
    return r->is_good;
}

/* the side array; of the usual reply every item has the same result */
const struct reply_item *reply_items(const struct reply *r)
{
    const struct slice none = {0};
    if (!r->is_good)
        return r->results;
    const struct reply_item created = {
        .status = STATUS_CREATED,
        .row = decide_item_index(decide_item(STATUS_CREATED, none, none))};
    for (uint32_t i = 0; i < r->expected; i++)
        r->results[i] = created;
    return r->results;
}

/* walks the kept texts */
bool reply_next_text(const struct reply *r, size_t *cursor, struct reply_text *ret_text)
{
    struct slice rest = slice_sub(buf_slice(&r->texts), *cursor, SIZE_MAX);
    struct text_head head;
    if (rest.len < sizeof(head))
        return false;
    memcpy(&head, rest.ptr, sizeof(head));
    ret_text->item = head.item;
    ret_text->type = slice_sub(rest, sizeof(head), head.type_bytes);
    ret_text->reason = slice_sub(rest, sizeof(head) + head.type_bytes, head.reason_bytes);
    *cursor += sizeof(head) + head.type_bytes + head.reason_bytes;
    return true;
}
