/*
 * metrics/parcel - documents that stay together until they are acknowledged
 *
 * Documents are given in order, so that one offset says where giving goes on. What in a block from
 * disk is no document ends it.
 */
#include "metrics/parcel.h"

#include "base/mem.h"
#include "store/spool.h"

/* empty */
struct parcel *parcel_new(const struct span_owner_ops *ops, struct ledger *ledger, void *ctx)
{
    struct parcel *p = mem_zalloc(sizeof(*p));
    list_init(&p->link);
    p->owner = (struct span_owner){.ops = ops, .ledger = ledger, .source = ""};
    p->ctx = ctx;
    buf_init(&p->block, SPOOL_BLOCK_MAX);
    p->job.kind = WRITER_RUN;
    p->job.ctx = p;
    buf_init(&p->job.records, 0); /* the block is handed over by reference */
    return p;
}

/* frees it */
void parcel_free(struct parcel **p)
{
    if (*p == NULL)
        return;
    buf_clear(&(*p)->block);
    mem_free(*p);
    *p = NULL;
}

/* counts one document */
static void count(struct ledger_count *c, const struct block_document *d)
{
    c->bytes += d->document.len;
    c->lines++;
}

/* see header */
int parcel_add(struct parcel *p, const char generation[DOCID_GENERATION_CHARS],
               const struct block_document *d, bool is_given)
{
    int r = p->block.len == 0 ? block_begin(&p->block, generation) : 0;
    if (r == 0)
        r = block_add(&p->block, d);
    if (r < 0)
        return r;
    count(&p->held, d);
    if (is_given) {
        count(&p->given, d);
        p->open++;
        p->read_to = p->block.len;
    }
    return 0;
}

/* see header */
int parcel_count(struct parcel *p)
{
    struct block_reader reader;
    struct block_document d;
    int r = block_open(buf_slice(&p->block), &reader);
    if (r < 0)
        return r;
    while ((r = block_next(&reader, &d)) == 1)
        count(&p->held, &d);
    return r;
}

/* see header */
bool parcel_give(struct parcel *p, struct handover *h)
{
    struct block_reader reader;
    struct block_document d;
    if (block_open(buf_slice(&p->block), &reader) < 0)
        return true;
    if (p->read_to > 0)
        reader.rest = slice_sub(buf_slice(&p->block), p->read_to, SIZE_MAX);
    while (block_next(&reader, &d) == 1) {
        if (!handover_give(h, &p->owner, reader.generation, d.sequence, d.target, d.document))
            return false;
        count(&p->given, &d);
        p->open++;
        p->read_to = p->block.len - reader.rest.len;
    }
    return true;
}

/* see header */
bool parcel_is_done(const struct parcel *p)
{
    return p->open == 0 && p->given.lines == p->held.lines;
}

/* see header */
struct ledger_count parcel_rest(const struct parcel *p)
{
    return (struct ledger_count){p->held.bytes - p->given.bytes, p->held.lines - p->given.lines};
}
