/* rooms: base os store bulk config metrics
 *
 * Fuzzes what the spool reads from disk: a segment's bytes, the head of a payload, and the block in
 * it. Oracles: what was read can be sent (no newline, no character that needs an escape), and
 * packed again it is the same bytes; the index counts what it holds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bulk/batch.h"
#include "metrics/block.h"
#include "metrics/outlet.h"
#include "os/zstd.h"
#include "store/frame.h"
#include "store/spool_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* aborts, so that the fuzzer keeps the input */
static void require(bool condition)
{
    if (!condition)
        abort();
}

/* reads a block, packs it again */
static void check_block(struct slice block)
{
    struct block_reader r;
    struct block_document d;
    struct buf again;
    if (block_open(block, &r) < 0)
        return;
    buf_init(&again, block.len);
    require(block_begin(&again, r.generation) == 0);
    while (block_next(&r, &d) == 1) {
        require(d.target.len > 0 && d.target.len <= BATCH_TARGET_MAX);
        require(d.document.len > 0 && d.document.len <= OUTLET_DOCUMENT_MAX);
        require(memchr(d.document.ptr, '\n', d.document.len) == NULL);
        require(memchr(d.target.ptr, '"', d.target.len) == NULL);
        require(block_add(&again, &d) == 0);
    }
    require(memcmp(again.ptr, block.ptr, again.len) == 0);
    buf_clear(&again);
}

/* a payload with a compressed block */
static void check_payload(struct slice payload)
{
    struct spool_count held;
    uint32_t length;
    struct slice packed;
    struct buf block;
    if (!spool_read_payload(payload, &held, &length, &packed))
        return;
    buf_init(&block, length);
    if (zstd_unpack(packed, length, &block) == 0) {
        require(block.len <= length);
        check_block(buf_slice(&block));
    }
    buf_clear(&block);
}

/* the bytes as a segment; the records behind its header are given their checksums */
static void check_segment(struct slice bytes)
{
    struct spool_index x;
    struct spool_found found = {.blocks = 0};
    struct spool_segment g = {.number = 1, .size = bytes.len};
    uint64_t sequence = 0;
    uint64_t left = 0;
    const struct spool_entry *e;
    spool_index_init(&x);
    require(spool_index_add_segment(&x, &g) == 0);
    spool_index_scan(&x, bytes, 1, &sequence, &found);
    for (size_t i = 0; (e = spool_index_entry(&x, i)) != NULL; i++) {
        require((size_t)e->at + e->size <= bytes.len && e->sequence <= sequence);
        require(spool_index_find(&x, e->sequence) == e);
        left += e->state == SPOOL_WAITING;
    }
    require(left == x.left);
    spool_index_remove(&x, 1);
    require(x.left == 0 && x.entries.len == 0 && x.segments.len == 0 && x.bytes == 0);
    spool_index_clear(&x);
}

/* pieces of the input as payloads of a segment that verifies: type, length, bytes */
static void check_frames(struct slice s)
{
    struct buf file;
    uint8_t header[FRAME_HEADER_BYTES];
    struct frame_header h = {.version = FRAME_VERSION, .kind = FRAME_KIND_SPOOL, .epoch = 1};
    uint64_t sequence = 0;
    frame_header_write(header, &h);
    buf_init(&file, MIB);
    require(buf_add(&file, header, sizeof(header)) == 0);
    while (s.len >= 2) {
        struct frame f = {.sequence = ++sequence, .type = (uint8_t)((s.ptr[0] & 3) + 9)};
        f.payload = slice_sub(s, 2, (unsigned char)s.ptr[1]);
        s = slice_sub(s, 2 + f.payload.len, SIZE_MAX);
        require(frame_add(&file, 1, &f) == 0);
    }
    check_segment(buf_slice(&file));
    buf_clear(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 8192)
        return 0;
    char *exact = malloc(size + 1);
    require(exact != NULL);
    memcpy(exact, data, size);
    struct slice all = slice_of(exact, size);
    check_block(all);
    check_payload(all);
    check_segment(all);
    check_frames(all);
    free(exact);
    return 0;
}
