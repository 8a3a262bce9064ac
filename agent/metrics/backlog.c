/*
 * metrics/backlog - a ring of bytes with entries and their documents
 *
 * Entry and document follow each other; both may be cut in two by the end of the ring and are
 * copied in and out.
 *
 * Invariants: 1. used <= max. 2. used is the sum of sizeof(entry) + bytes over all entries.
 * 3. Without entries there is no ring.
 */
#include "metrics/backlog.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

struct backlog {
    char *ring; /* NULL while empty */
    size_t max;
    size_t start; /* of the oldest entry */
    size_t used;
};

/* an empty one */
struct backlog *backlog_new(size_t max)
{
    struct backlog *b = mem_zalloc(sizeof(*b));
    b->max = max;
    return b;
}

/* with what waits in it */
void backlog_free(struct backlog **b)
{
    if (*b == NULL)
        return;
    mem_free((*b)->ring);
    mem_free(*b);
    *b = NULL;
}

/* see header */
bool backlog_is_empty(const struct backlog *b)
{
    return b->used == 0;
}

/* see header */
bool backlog_has_room(const struct backlog *b, size_t bytes)
{
    size_t rest = b->max - b->used;
    return rest >= sizeof(struct backlog_entry) && rest - sizeof(struct backlog_entry) >= bytes;
}

/* copies n bytes behind what is used */
static void put(struct backlog *b, const void *p, size_t n)
{
    size_t at = (b->start + b->used) % b->max;
    size_t first = n < b->max - at ? n : b->max - at;
    memcpy(b->ring + at, p, first);
    memcpy(b->ring, (const char *)p + first, n - first);
    b->used += n;
}

/* the n bytes that begin `from` bytes behind the start, as the one or two pieces that they are */
static void pieces(const struct backlog *b, size_t from, size_t n, struct slice ret_pieces[2])
{
    size_t at = (b->start + from) % b->max;
    size_t first = n < b->max - at ? n : b->max - at;
    ret_pieces[0] = slice_of(b->ring + at, first);
    ret_pieces[1] = slice_of(b->ring, n - first);
}

/* see header */
void backlog_push(struct backlog *b, const struct backlog_entry *entry, struct slice document)
{
    assert(document.len == entry->bytes && backlog_has_room(b, document.len));
    if (b->ring == NULL)
        b->ring = mem_zalloc(b->max);
    put(b, entry, sizeof(*entry));
    put(b, document.ptr, document.len);
}

/* see header */
bool backlog_front(const struct backlog *b, struct backlog_entry *ret_entry)
{
    struct slice p[2];
    if (b->used == 0)
        return false;
    pieces(b, 0, sizeof(*ret_entry), p);
    memcpy(ret_entry, p[0].ptr, p[0].len);
    memcpy((char *)ret_entry + p[0].len, p[1].ptr, p[1].len);
    return true;
}

/* see header */
int backlog_document(const struct backlog *b, struct buf *out)
{
    struct backlog_entry entry;
    struct slice p[2];
    buf_reset(out);
    if (!backlog_front(b, &entry))
        return 0;
    pieces(b, sizeof(entry), entry.bytes, p);
    int r = buf_add_slice(out, p[0]);
    return r < 0 ? r : buf_add_slice(out, p[1]);
}

/* the memory goes back with the last entry */
void backlog_pop(struct backlog *b)
{
    struct backlog_entry entry;
    if (!backlog_front(b, &entry))
        return;
    size_t n = sizeof(entry) + entry.bytes;
    b->start = (b->start + n) % b->max;
    b->used -= n;
    if (b->used > 0)
        return;
    mem_free(b->ring);
    b->ring = NULL;
    b->start = 0;
}
