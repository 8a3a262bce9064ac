/*
 * output/settle - a batch accepted as a whole
 */
#include "settle.h"

/* see header */
void settle_all(struct batch *b, struct output_counters *counters)
{
    counters->n[OUTPUT_REQUESTS]++;
    counters->n[OUTPUT_REQUEST_BYTES] += b->body_bytes;
    counters->n[OUTPUT_ITEMS_CREATED] += b->item_count;
    for (uint32_t i = 0; i < b->item_count; i++)
        b->items[i].state = ITEM_CREATED;
    (void)batch_resolve(b); /* nothing is left */
}
