/*
 * store/spool_index - which blocks the spool holds, and where
 *
 * Two arrays in order of age. Blocks are found by binary search, since sequences only rise; those
 * that are done leave with their segment.
 *
 * Invariants: `left` counts the waiting entries, a segment's `live` those of it that are not done;
 * an entry that waits stands at `next` or behind it.
 *
 * What can fail: memory. Contents never fail a scan: what cannot be read is passed over.
 */
#include "store/spool_internal.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "store/frame.h"

const struct segment_kind spool_segments = {"spool-", ".wsp"};

#define ENTRIES_MAX  ((size_t)512 * 1024 * 1024)
#define SEGMENTS_MAX ((size_t)16 * 1024 * 1024)

/* empty */
void spool_index_init(struct spool_index *x)
{
    *x = (struct spool_index){.next = 0};
    buf_init(&x->entries, ENTRIES_MAX);
    buf_init(&x->segments, SEGMENTS_MAX);
}

/* frees what it holds */
void spool_index_clear(struct spool_index *x)
{
    buf_clear(&x->entries);
    buf_clear(&x->segments);
}

/* see header */
struct spool_entry *spool_index_entry(const struct spool_index *x, size_t i)
{
    struct spool_entry *all = (struct spool_entry *)(void *)x->entries.ptr;
    return i < x->entries.len / sizeof(*all) ? &all[i] : NULL;
}

/* see header */
struct spool_segment *spool_index_segment(const struct spool_index *x, size_t i)
{
    struct spool_segment *all = (struct spool_segment *)(void *)x->segments.ptr;
    return i < x->segments.len / sizeof(*all) ? &all[i] : NULL;
}

/* see header */
struct spool_entry *spool_index_find(const struct spool_index *x, uint64_t sequence)
{
    size_t low = 0;
    size_t high = x->entries.len / sizeof(struct spool_entry);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct spool_entry *e = spool_index_entry(x, middle);
        if (e != NULL && e->sequence == sequence)
            return e;
        if (e != NULL && e->sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* see header */
struct spool_segment *spool_index_find_segment(const struct spool_index *x, uint64_t number)
{
    struct spool_segment *g;
    for (size_t i = 0; (g = spool_index_segment(x, i)) != NULL; i++)
        if (g->number == number)
            return g;
    return NULL;
}

/* see header */
int spool_index_add(struct spool_index *x, const struct spool_entry *e)
{
    struct spool_segment *g = spool_index_find_segment(x, e->segment);
    int r = g == NULL ? -EINVAL : buf_add(&x->entries, e, sizeof(*e));
    if (r < 0)
        return r;
    x->left += e->state == SPOOL_WAITING;
    g->live += e->state != SPOOL_DONE;
    return 0;
}

/* see header */
int spool_index_add_segment(struct spool_index *x, const struct spool_segment *g)
{
    int r = buf_add(&x->segments, g, sizeof(*g));
    if (r == 0)
        x->bytes += g->size;
    return r;
}

/* see header */
void spool_index_set(struct spool_index *x, struct spool_entry *e, enum spool_state state)
{
    struct spool_segment *g = spool_index_find_segment(x, e->segment);
    if (e->state == (uint32_t)state || g == NULL)
        return;
    x->left -= e->state == SPOOL_WAITING;
    g->live -= state == SPOOL_DONE;
    e->state = (uint32_t)state;
}

/* see header */
struct spool_entry *spool_index_waiting(struct spool_index *x)
{
    struct spool_entry *e;
    for (; (e = spool_index_entry(x, x->next)) != NULL; x->next++)
        if (e->state == SPOOL_WAITING)
            return e;
    return NULL;
}

/* the entries of a segment stand together */
static void remove_entries(struct spool_index *x, uint64_t number)
{
    size_t from = 0;
    struct spool_entry *e;
    while ((e = spool_index_entry(x, from)) != NULL && e->segment != number)
        from++;
    size_t to = from;
    while ((e = spool_index_entry(x, to)) != NULL && e->segment == number) {
        x->left -= e->state == SPOOL_WAITING;
        to++;
    }
    size_t size = sizeof(*e);
    if (to == from)
        return;
    memmove(x->entries.ptr + from * size, x->entries.ptr + to * size, x->entries.len - to * size);
    buf_cut(&x->entries, x->entries.len - (to - from) * size);
    x->next = x->next >= to ? x->next - (to - from) : x->next > from ? from : x->next;
}

/* see header */
void spool_index_remove(struct spool_index *x, uint64_t number)
{
    struct spool_segment *g = spool_index_find_segment(x, number);
    if (g == NULL)
        return;
    remove_entries(x, number);
    x->bytes -= g->size;
    size_t from = (size_t)((char *)g - x->segments.ptr);
    size_t behind = x->segments.len - from - sizeof(*g);
    memmove(g, g + 1, behind);
    buf_cut(&x->segments, from + behind);
}

/* see header */
bool spool_read_payload(struct slice payload, struct spool_count *ret_held, uint32_t *ret_length,
                        struct slice *ret_packed)
{
    uint32_t documents;
    if (!frame_get_u32(&payload, &documents) || !frame_get_u64(&payload, &ret_held->bytes) ||
        !frame_get_u32(&payload, ret_length) || *ret_length > SPOOL_BLOCK_MAX)
        return false;
    ret_held->documents = documents;
    *ret_packed = payload;
    return true;
}

/* ---- reading a segment ---- */

/* a block that an earlier life has written */
static void note_block(struct spool_index *x, const struct frame *f, uint64_t number, size_t at)
{
    struct spool_count held;
    uint32_t length;
    struct slice packed;
    if (!spool_read_payload(f->payload, &held, &length, &packed))
        return;
    struct spool_entry e = {
        .sequence = f->sequence,
        .segment = number,
        .bytes = held.bytes,
        .documents = (uint32_t)held.documents,
        .at = (uint32_t)at,
        .size = (uint32_t)frame_size(f->payload.len),
        .state = SPOOL_WAITING,
    };
    if (spool_index_add(x, &e) < 0)
        log_debug("spool: no memory for its index, a block is lost");
}

/* one record */
static void note_frame(struct spool_index *x, const struct frame *f, uint64_t number, size_t at)
{
    uint64_t sequence;
    struct slice payload = f->payload;
    if (f->type == FRAME_SPOOL)
        note_block(x, f, number, at);
    if (f->type != FRAME_SPOOL_DONE || !frame_get_u64(&payload, &sequence))
        return;
    struct spool_entry *e = spool_index_find(x, sequence);
    if (e != NULL)
        spool_index_set(x, e, SPOOL_DONE);
}

/* the records from *at up to the end or to damage; sets both */
static void scan_run(struct spool_index *x, struct slice bytes, uint64_t number, size_t *at,
                     uint64_t *sequence)
{
    struct frame f;
    size_t next = *at;
    while (frame_next(bytes, number, &next, &f) == 1 && f.sequence > *sequence) {
        note_frame(x, &f, number, *at);
        *at = next;
        *sequence = f.sequence;
    }
}

/* see header */
void spool_index_scan(struct spool_index *x, struct slice bytes, uint64_t number,
                      uint64_t *sequence, struct spool_found *found)
{
    struct frame_header h;
    int r = frame_header_read(bytes, &h);
    struct spool_segment *g = spool_index_find_segment(x, number);
    if (r == -EPROTONOSUPPORT && g != NULL) {
        g->is_foreign = true;
        found->newer++;
        return;
    }
    bool is_ours = r == 0 && h.kind == FRAME_KIND_SPOOL && h.epoch == number;
    size_t at = bytes.len < FRAME_HEADER_BYTES ? bytes.len : FRAME_HEADER_BYTES;
    uint64_t budget = FRAME_SEEK_BUDGET(bytes.len);
    scan_run(x, bytes, number, &at, sequence);
    bool is_whole = is_ours && at == bytes.len;
    bool goes_on = false;
    while (at < bytes.len && frame_seek(bytes, number, *sequence, &budget, &at)) {
        goes_on = true;
        scan_run(x, bytes, number, &at, sequence);
    }
    found->damaged += !is_whole && (goes_on || !is_ours);
    found->torn += !is_whole && !goes_on && is_ours;
}
