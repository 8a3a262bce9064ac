/*
 * metrics/block - documents with their ids, packed
 *
 * A block has a checksum where it lies on disk; what is checked here is that nothing in it can
 * break the request that it goes into.
 */
#include "metrics/block.h"

#include <errno.h>
#include <string.h>

#include "bulk/batch.h"
#include "metrics/handover.h"
#include "store/frame.h"

#define SEQUENCE_MAX ((UINT64_C(1) << (4 * DOCID_OFFSET_DIGITS)) - 1)

/* see header */
int block_begin(struct buf *out, const char generation[DOCID_GENERATION_CHARS])
{
    return buf_add(out, generation, DOCID_GENERATION_CHARS);
}

/* see header */
int block_add(struct buf *out, const struct block_document *d)
{
    size_t before = out->len;
    int r = frame_put_u64(out, d->sequence);
    if (r == 0)
        r = frame_put_bytes(out, d->target);
    if (r == 0)
        r = frame_put_bytes(out, d->document);
    if (r < 0)
        buf_cut(out, before);
    return r;
}

/* the alphabet of base64url */
static bool is_generation(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_')
            return false;
    }
    return true;
}

/* what may stand in a JSON text as it is; neither empty nor too long */
static bool is_target(struct slice s)
{
    if (s.len == 0 || s.len > BATCH_TARGET_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '"' || s.ptr[i] == '\\')
            return false;
    return true;
}

/* one line of a size that a batch takes */
static bool is_document(struct slice s)
{
    return s.len > 0 && s.len <= HANDOVER_DOCUMENT_MAX && slice_find(s, '\n') == s.len;
}

/* see header */
int block_open(struct slice block, struct block_reader *ret)
{
    struct slice generation = slice_sub(block, 0, DOCID_GENERATION_CHARS);
    if (generation.len < DOCID_GENERATION_CHARS || !is_generation(generation))
        return -EBADMSG;
    memcpy(ret->generation, generation.ptr, DOCID_GENERATION_CHARS);
    ret->rest = slice_sub(block, DOCID_GENERATION_CHARS, SIZE_MAX);
    return 0;
}

/* see header */
int block_next(struct block_reader *r, struct block_document *ret)
{
    if (r->rest.len == 0)
        return 0;
    bool is_good = frame_get_u64(&r->rest, &ret->sequence) &&
                   frame_get_bytes(&r->rest, &ret->target) &&
                   frame_get_bytes(&r->rest, &ret->document) && ret->sequence <= SEQUENCE_MAX &&
                   is_target(ret->target) && is_document(ret->document);
    return is_good ? 1 : -EBADMSG;
}
