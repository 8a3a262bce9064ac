/*
 * output/elasticsearch_dead - rejected documents on their way to the dead-letter box
 *
 * A flight with rejected items packs some of them into one job of the store thread and waits for
 * it in no list. Durable: they leave the batch, the rest of it goes on. Not durable (box full,
 * disk error): they stay, the flight comes back after a delay and the health says why; nothing is
 * dropped.
 *
 * The errors stand in flight.texts in the order of the rejected items, which compacting the batch
 * does not change, and are cut off its front as their items go.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "bulk/docid.h"
#include "output/elasticsearch_internal.h"
#include "store/deadbox.h"
#include "store/frame.h"
#include "store/journal.h"

/* a job takes items until it has this many bytes */
#define CHUNK_BYTES (256 * KIB)
/* beside texts themselves, room for the heads of items whose text was not kept */
#define TEXTS_BYTES (4 * MIB)

struct text_head {
    uint16_t type_bytes, reason_bytes;
};

/* a text too many is replaced by none */
void es_keep_text(struct flight *f, struct slice type, struct slice reason)
{
    type = slice_sub(type, 0, REPLY_TOKEN_MAX);
    reason = slice_sub(reason, 0, REPLY_TOKEN_MAX);
    if (f->texts.len + type.len + reason.len > REPLY_TEXTS_MAX)
        type.len = reason.len = 0;
    struct text_head head = {(uint16_t)type.len, (uint16_t)reason.len};
    f->texts.max = TEXTS_BYTES;
    if (buf_reserve(&f->texts, sizeof(head) + type.len + reason.len) != 0)
        return;
    /* cannot fail: the room is there */
    (void)!buf_add(&f->texts, &head, sizeof(head));
    (void)!buf_add_slice(&f->texts, type);
    (void)!buf_add_slice(&f->texts, reason);
}

/* cuts the next text off the front; empty ones when there are no more */
static void next_text(struct slice *rest, struct slice *ret_type, struct slice *ret_reason)
{
    struct text_head head = {0};
    if (rest->len >= sizeof(head)) {
        memcpy(&head, rest->ptr, sizeof(head));
        *rest = slice_sub(*rest, sizeof(head), SIZE_MAX);
    }
    *ret_type = slice_sub(*rest, 0, head.type_bytes);
    *ret_reason = slice_sub(*rest, head.type_bytes, head.reason_bytes);
    *rest = slice_sub(*rest, (size_t)head.type_bytes + head.reason_bytes, SIZE_MAX);
}

/* the offset that is part of an id, 0 if it is another kind of id */
static uint64_t offset_of(struct slice id)
{
    uint64_t offset;
    return docid_offset(id, &offset) ? offset : 0;
}

/* appends one item to the job's records */
static int pack_item(struct output *o, struct flight *f, const struct batch_item *item,
                     struct slice type, struct slice reason)
{
    const struct batch *b = f->batch;
    struct slice target = batch_action_value(b, item, "_index");
    const struct dead_letter letter = {
        .status = item->status,
        .wall_ms = loop_wall_ns(o->loop) / 1000000,
        .offset = offset_of(batch_action_value(b, item, "_id")),
        .type = type,
        .reason = reason,
        .target = target.len > 0 ? target : slice_str(b->target),
        .id = batch_action_value(b, item, "_id"),
        .source = slice_str(b->spans[item->span]->owner->source),
        .document = batch_document(b, item),
        .plain_index = f->target->plain_index,
        .pipeline = slice_str(es_pipeline(o, b)),
    };
    struct buf payload;
    buf_init(&payload, FRAME_PAYLOAD_MAX);
    int err = dead_letter_pack(&payload, &letter);
    if (err == 0)
        err = journal_pack(&f->dead_job.records, FRAME_DEAD, buf_slice(&payload));
    buf_clear(&payload);
    return err;
}

/* could not be written: later again */
static void postpone(struct output *o, struct flight *f, int err)
{
    es_count(o, OUTPUT_DEAD_WRITE_FAILS, 1);
    if (err == -EDQUOT)
        es_trouble(o, &o->dead_trouble, OUTPUT_DEGRADED,
                   "the dead-letter box is full, \"%s\" waits", f->target->name);
    else
        es_trouble(o, &o->dead_trouble, OUTPUT_DEGRADED, "write dead letters: %s", strerror(-err));
    f->failures++;
    f->not_before_ms = loop_now_ms(o->loop) + 1 + es_delay(o, f->failures, 0);
    es_requeue(o, f, false);
}

/* at most one line in half a minute; the type of an error holds nothing of the document */
static void tell_dead(struct output *o, const struct flight *f, uint16_t status)
{
    struct slice rest = buf_slice(&f->texts), type, reason;
    next_text(&rest, &type, &reason);
    es_tell_throttled(o, &o->dead_notice,
                      "\"%s\": %u documents rejected (%u %.*s), kept as dead letters",
                      f->target->name, f->burying_count, status,
                      (int)(type.len < 64 ? type.len : 64), type.ptr != NULL ? type.ptr : "");
}

/* marks what is durable; returns whether rejected items are left */
static bool mark_dead(struct output *o, struct flight *f)
{
    struct slice rest = buf_slice(&f->texts), type, reason;
    uint32_t left = f->burying_count;
    uint16_t status = 0;
    bool more = false;
    for (uint32_t i = 0; i < f->batch->item_count; i++) {
        struct batch_item *item = &f->batch->items[i];
        if (item->state != ITEM_REJECTED)
            continue;
        if (left == 0) {
            more = true;
            break;
        }
        status = item->status;
        item->state = ITEM_DEAD;
        next_text(&rest, &type, &reason);
        left--;
    }
    es_count(o, OUTPUT_DEAD_LETTERED, f->burying_count);
    tell_dead(o, f, status);
    buf_shift(&f->texts, f->texts.len - rest.len);
    return more;
}

/* the box was full and makes room by its oldest */
static void tell_dropped(struct output *o, uint64_t n)
{
    es_count(o, OUTPUT_DEAD_DROPPED, n);
    es_tell_throttled(o, &o->drop_notice,
                      "the dead-letter box is full: removed its %" PRIu64 " oldest documents", n);
}

/* the store thread is done */
static void on_written(struct writer_job *job)
{
    struct flight *f = job->ctx;
    struct output *o = f->output;
    buf_clear(&job->records);
    if (job->dropped > 0)
        tell_dropped(o, job->dropped);
    if (job->result != 0) {
        postpone(o, f, job->result);
    } else {
        f->burying = mark_dead(o, f);
        if (!f->burying) {
            buf_clear(&f->texts);
            f->failures = 0;
        }
        es_trouble_end(o, &o->dead_trouble, "dead letters can be written again");
        es_settle(o, f, 0);
    }
    es_health_update(o);
}

/* packs as many as make a job */
void es_bury(struct output *o, struct flight *f)
{
    const struct batch *b = f->batch;
    struct slice rest = buf_slice(&f->texts), type, reason;
    int err = 0;
    list_remove(&f->link);
    f->burying_count = 0;
    f->dead_job = (struct writer_job){.kind = WRITER_DEAD, .ctx = f, .done = on_written};
    list_init(&f->dead_job.link);
    buf_init(&f->dead_job.records, CHUNK_BYTES + FRAME_PAYLOAD_MAX);
    for (uint32_t i = 0; i < b->item_count && err == 0; i++) {
        if (b->items[i].state != ITEM_REJECTED)
            continue;
        if (f->dead_job.records.len >= CHUNK_BYTES)
            break;
        next_text(&rest, &type, &reason);
        err = pack_item(o, f, &b->items[i], type, reason);
        f->burying_count += err == 0;
    }
    if (f->burying_count > 0) {
        writer_submit(o->writer, &f->dead_job);
        return;
    }
    buf_clear(&f->dead_job.records);
    postpone(o, f, err);
}
