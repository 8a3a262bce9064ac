/*
 * output/elasticsearch_verify - asks for documents before they are sent again
 *
 * An id is unique in its backing index only: what was taken before a rollover, without an answer
 * that says so, would be taken once more after it. So a flight whose answer was lost has its ids
 * looked up, some at a time; those that are there are settled, the rest is sent.
 *
 * Failures: where the server does not let us ask, the flight goes on without.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/elasticsearch_internal.h"

/* asked for at once; well below what a search returns at most */
#define IDS_MAX   2000
#define QUERY_MAX (1 * MIB)

/* see header; documents of several targets would need several searches */
bool es_verify_wants(const struct output *o, const struct flight *f)
{
    return o->opts.verify_resend && f->unsure && f->batch->kind == BATCH_LOGS &&
           !f->target->no_ids && !f->target->no_verify && f->verify_at < f->batch->item_count;
}

/* the ids of a range, a line each */
static int add_ids(struct buf *out, const struct flight *f)
{
    int err = 0;
    for (uint32_t i = f->first; i < f->first + f->count && err == 0; i++) {
        err = buf_add_slice(out, batch_action_value(f->batch, &f->batch->items[i], "_id"));
        if (err == 0)
            err = buf_add_byte(out, '\n');
    }
    return err;
}

/* see header */
int es_verify_prepare(struct output *o, struct flight *f)
{
    struct buf ids;
    (void)o;
    buf_init(&ids, QUERY_MAX);
    f->first = f->verify_at;
    f->count = f->batch->item_count - f->first;
    if (f->count > IDS_MAX)
        f->count = IDS_MAX;
    f->query.max = QUERY_MAX;
    buf_reset(&f->query);
    int err = add_ids(&ids, f);
    if (err == 0)
        err = control_search(&f->query, buf_slice(&ids), f->count);
    buf_clear(&ids);
    return err;
}

/* order of ids, for sorting and searching */
static int compare(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    int order = n > 0 ? memcmp(x->ptr, y->ptr, n) : 0;
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* settles the items whose ids are among those found; returns how many */
static uint32_t settle_found(struct flight *f, struct slice found)
{
    struct slice *ids = mem_zalloc_array(f->count, sizeof(*ids));
    struct slice id;
    size_t n = 0;
    uint32_t settled = 0;
    while (n < f->count && slice_next(&found, '\n', &id)) {
        if (id.len > 0)
            ids[n++] = id;
    }
    qsort(ids, n, sizeof(*ids), compare);
    for (uint32_t i = f->first; i < f->first + f->count; i++) {
        struct batch_item *item = &f->batch->items[i];
        id = batch_action_value(f->batch, item, "_id");
        if (bsearch(&id, ids, n, sizeof(*ids), compare) == NULL)
            continue;
        item->state = ITEM_DUPLICATE;
        settled++;
    }
    mem_free(ids);
    return settled;
}

/* see header */
void es_verify_apply(struct output *o, struct flight *f, const struct sender_job *job)
{
    uint32_t settled = settle_found(f, buf_slice(&job->found));
    es_count(o, OUTPUT_ITEMS_FOUND, settled);
    if (settled > 0)
        es_target_pass(o, f->target);
    f->verify_at += f->count - settled;
    es_settle(o, f, 0);
}

/* see header */
void es_verify_give_up(struct output *o, struct flight *f, const char *why)
{
    f->target->no_verify = true;
    es_tell(o, LOG_WARN,
            "\"%s\": documents cannot be asked for (%s), they are sent again all the same",
            f->target->name, why);
}
