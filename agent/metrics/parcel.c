/*
 * metrics/parcel - documents that stay together until they are acknowledged
 *
 * Documents are given in order, so that one offset says where giving goes on. What in a block from
 * disk is no document ends it.
 */
#include "metrics/parcel.h"

#include "base/mem.h"

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

/* ---- in the store thread ---- */

/* what every job tells */
static void report(struct parcel *p)
{
    struct spool_count c = spool_take_dropped(p->spool);
    p->dropped = (struct ledger_count){c.bytes, c.documents};
    p->left = spool_left(p->spool);
    p->gone = spool_gone(p->spool);
}

/* onto the disk; what a reader has begun with is left to it */
static int run_write(struct writer_job *job)
{
    struct parcel *p = job->ctx;
    struct spool_count held = {p->held.bytes, p->held.lines};
    int r = spool_append(p->spool, buf_slice(&p->block), &held, p->given.lines > 0, &p->sequence);
    report(p);
    return r;
}

/* from the disk */
static int run_load(struct writer_job *job)
{
    struct parcel *p = job->ctx;
    int r = spool_take(p->spool, &p->block, &p->sequence);
    report(p);
    return r;
}

/* marked on the disk */
static int run_done(struct writer_job *job)
{
    struct parcel *p = job->ctx;
    spool_done(p->spool, p->sequence);
    report(p);
    return 0;
}

/* ---- in the loop ---- */

/* hands it to the store thread */
static void submit(struct parcel *p, int (*run)(struct writer_job *job),
                   void (*done)(struct writer_job *job))
{
    p->is_writing = true;
    p->job.run = run;
    p->job.done = done;
    writer_submit(p->writer, &p->job);
}

/* see header */
void parcel_write(struct parcel *p, void (*done)(struct writer_job *job))
{
    submit(p, run_write, done);
}

/* see header */
void parcel_load(struct parcel *p, void (*done)(struct writer_job *job))
{
    submit(p, run_load, done);
}

/* see header */
void parcel_mark_done(struct parcel *p, void (*done)(struct writer_job *job))
{
    submit(p, run_done, done);
}
