/*
 * metrics/handover - documents into batches
 *
 * A batch goes to the target of its first document; the action line of a document names its own
 * where that is another one.
 */
#include "metrics/handover.h"

#include <assert.h>
#include <stdio.h>

#include "base/num.h"

#define SEQUENCE_DIGITS DOCID_OFFSET_DIGITS

/* {"create":{"_index":"...","_id":"..."}} */
#define ACTION_MAX (40 + BATCH_TARGET_MAX + DOCID_CHARS)

/* nothing is allocated yet */
void handover_init(struct handover *h, struct feed *feed)
{
    h->feed = feed;
    buf_init(&h->action, ACTION_MAX);
}

/* frees the buffer */
void handover_clear(struct handover *h)
{
    buf_clear(&h->action);
}

/* The action line. The index is named only when the request's URL names another one. */
static int write_action(struct handover *h, const struct batch *b, const char *generation,
                        uint64_t sequence, struct slice target)
{
    char digits[SEQUENCE_DIGITS];
    num_write_hex(digits, sequence, SEQUENCE_DIGITS);
    bool is_other = !slice_eq(slice_str(b->target), target);
    buf_reset(&h->action);
    return buf_printf(&h->action, "{\"create\":{%s%.*s%s\"_id\":\"%.*s%.*s\"}}",
                      is_other ? "\"_index\":\"" : "", is_other ? (int)target.len : 0, target.ptr,
                      is_other ? "\"," : "", DOCID_GENERATION_CHARS, generation, SEQUENCE_DIGITS,
                      digits);
}

/* an empty batch goes to the target of its first document */
static void set_target(struct batch *b, struct slice target)
{
    if (b->target[0] == '\0')
        (void)snprintf(b->target, sizeof(b->target), "%.*s", (int)target.len,
                       target.ptr); /* made to fit */
}

/* see header */
bool handover_give(struct handover *h, struct span_owner *owner,
                   const char generation[DOCID_GENERATION_CHARS], uint64_t sequence,
                   struct slice target, struct slice document)
{
    uint16_t span;
    size_t worst = ACTION_MAX + document.len + 2;
    struct batch *b = feed_open(h->feed, NULL, worst, worst);
    if (b == NULL)
        return false;
    set_target(b, target);
    if (write_action(h, b, generation, sequence, target) < 0 ||
        batch_span_for(b, feed_spans(h->feed), owner, sequence, &span) < 0)
        return false;
    int r = batch_add(b, buf_slice(&h->action), document, span, (uint32_t)document.len, 1);
    assert(r == 0); /* feed_open saw to the room */
    (void)r;
    b->spans[span]->to = sequence + 1;
    return true;
}
