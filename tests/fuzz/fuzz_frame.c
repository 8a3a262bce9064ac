/* rooms: base os store */
/*
 * tests/fuzz/fuzz_frame - frames, headers and dead letters from hostile bytes
 *
 * The first byte is the epoch; the rest is read as a file. What reads as a record must read the
 * same after it was written again.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "store/deadbox.h"
#include "store/deadbox_internal.h"
#include "store/frame.h"

/* writes a record again: the same bytes */
static void check_record(const struct frame *f, uint64_t epoch, const char *bytes, size_t size)
{
    struct buf b;
    buf_init(&b, size);
    assert(frame_add(&b, epoch, f) == 0);
    assert(b.len == size && memcmp(b.ptr, bytes, size) == 0);
    buf_clear(&b);
}

/* reads a letter and packs it again */
static void check_letter(struct slice payload)
{
    struct dead_letter d;
    if (dead_letter_unpack(payload, &d) < 0)
        return;
    struct buf b;
    buf_init(&b, payload.len);
    assert(dead_letter_pack(&b, &d) == 0);
    assert(b.len <= payload.len && memcmp(b.ptr, payload.ptr, b.len) == 0);
    buf_clear(&b);
}

/* counts the bytes of documents in a segment */
static int count_letter(void *ctx, const struct frame *f, const struct dead_letter *letter)
{
    (void)f; /* only letters have documents */
    if (letter != NULL)
        *(size_t *)ctx += letter->document.len;
    return 0;
}

/* libFuzzer's entry */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint64_t epoch = data[0];
    struct slice bytes = slice_of((const char *)data + 1, size - 1);
    struct frame_header h;
    if (frame_header_read(bytes, &h) == 0) {
        uint8_t again[FRAME_HEADER_BYTES];
        frame_header_write(again, &h);
        assert(h.version == FRAME_VERSION);
    }
    size_t at = 0;
    size_t before = 0;
    struct frame f = {0};
    while (frame_next(bytes, epoch, &at, &f) == 1) {
        assert(at > before && at <= bytes.len && at % 8 == 0);
        check_record(&f, epoch, bytes.ptr + before, at - before);
        check_letter(f.payload);
        before = at;
    }
    (void)frame_find_later(bytes, epoch, at, f.sequence);
    check_letter(bytes);
    struct deadbox_end end;
    size_t total = 0;
    if (deadbox_segment_scan(bytes, epoch, count_letter, &total, &end) == 0)
        assert(total <= bytes.len * 2 && end.at <= bytes.len + FRAME_HEADER_BYTES);
    return 0;
}
