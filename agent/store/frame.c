/*
 * store/frame - records on disk
 *
 * Pure functions over bytes. A record verifies only together with its epoch, so that what an
 * earlier life of a reused file left behind reads as damage, never as a record.
 *
 * What can fail: nothing but the buffer that is written to, and the bytes that are read; every
 * length is checked before it is used.
 */
#include "store/frame.h"

#include <errno.h>
#include <string.h>

#include "base/crc32c.h"

enum {
    ALIGN = 8,
    HEADER_CRC_AT = 60,
};

static const uint8_t magic[8] = {'w', 'h', 'e', 'r', 'r', 'y', '\r', '\n'};

/* writes n bytes of v, lowest first */
static void store_le(uint8_t *p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* reads n bytes, lowest first */
static uint64_t load_le(const char *p, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)(uint8_t)p[i] << (8 * i);
    return v;
}

/* whether n bytes are zero */
static bool is_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != 0)
            return false;
    return true;
}

/* the first bytes of a file */
void frame_header_write(uint8_t *dst, const struct frame_header *h)
{
    memset(dst, 0, FRAME_HEADER_BYTES);
    memcpy(dst, magic, sizeof(magic));
    store_le(dst + 8, h->version, 4);
    store_le(dst + 12, h->kind, 4);
    store_le(dst + 16, h->epoch, 8);
    memcpy(dst + 24, h->machine_id, sizeof(h->machine_id));
    store_le(dst + 40, (uint64_t)h->created_ns, 8);
    store_le(dst + HEADER_CRC_AT, crc32c(0, dst, HEADER_CRC_AT), 4);
}

/* checks and decodes the first bytes of a file */
int frame_header_read(struct slice bytes, struct frame_header *ret)
{
    if (bytes.len > FRAME_HEADER_BYTES)
        bytes.len = FRAME_HEADER_BYTES;
    if (is_zero(bytes.ptr, bytes.len))
        return -ENODATA;
    if (bytes.len < FRAME_HEADER_BYTES || memcmp(bytes.ptr, magic, sizeof(magic)) != 0 ||
        load_le(bytes.ptr + HEADER_CRC_AT, 4) != crc32c(0, bytes.ptr, HEADER_CRC_AT))
        return -EBADMSG;
    struct frame_header h = {
        .version = (uint32_t)load_le(bytes.ptr + 8, 4),
        .kind = (uint32_t)load_le(bytes.ptr + 12, 4),
        .epoch = load_le(bytes.ptr + 16, 8),
        .created_ns = (int64_t)load_le(bytes.ptr + 40, 8),
    };
    memcpy(h.machine_id, bytes.ptr + 24, sizeof(h.machine_id));
    if (h.version == 0)
        return -EBADMSG;
    *ret = h;
    return h.version > FRAME_VERSION ? -EPROTONOSUPPORT : 0;
}

/* payload with its head and padding */
size_t frame_size(size_t n)
{
    return FRAME_RECORD_BYTES + (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* the checksum as it is stored; tail: bytes 8 to 23 of the record */
static uint32_t checksum(uint64_t epoch, const void *tail, struct slice payload)
{
    uint8_t life[8];
    store_le(life, epoch, sizeof(life));
    uint32_t crc = crc32c(0, life, sizeof(life));
    crc = crc32c(crc, tail, FRAME_RECORD_BYTES - 8);
    crc = crc32c(crc, payload.ptr, payload.len);
    return crc == 0 ? UINT32_MAX : crc;
}

/* appends one record */
int frame_add(struct buf *out, uint64_t epoch, const struct frame *f)
{
    if (f->type == FRAME_END)
        return -EINVAL;
    if (f->payload.len > FRAME_PAYLOAD_MAX)
        return -EMSGSIZE;
    size_t size = frame_size(f->payload.len);
    int r = buf_reserve(out, size);
    if (r < 0)
        return r;
    uint8_t *p = (uint8_t *)out->ptr + out->len;
    memset(p, 0, FRAME_RECORD_BYTES);
    memset(p + size - ALIGN, 0, ALIGN);
    store_le(p, f->payload.len, 4);
    store_le(p + 8, f->sequence, 8);
    p[16] = f->type;
    p[17] = f->opens;
    store_le(p + 4, checksum(epoch, p + 8, f->payload), 4);
    if (f->payload.len > 0)
        memcpy(p + FRAME_RECORD_BYTES, f->payload.ptr, f->payload.len);
    out->len += size;
    return 0;
}

/* appends the mark */
int frame_add_end(struct buf *out)
{
    static const char zero[ALIGN];
    return buf_add(out, zero, sizeof(zero));
}

/* the checks that need no checksum; *ret_size is the record's whole size */
static bool is_plausible(struct slice rest, size_t *ret_size)
{
    if (rest.len < FRAME_RECORD_BYTES)
        return false;
    uint64_t n = load_le(rest.ptr, 4);
    if (n > FRAME_PAYLOAD_MAX || frame_size((size_t)n) > rest.len)
        return false;
    *ret_size = frame_size((size_t)n);
    return rest.ptr[16] != FRAME_END && (uint8_t)rest.ptr[17] <= 1 && is_zero(rest.ptr + 18, 6);
}

/* the record at *at, or the end */
int frame_next(struct slice bytes, uint64_t epoch, size_t *at, struct frame *ret)
{
    struct slice rest = slice_sub(bytes, *at, SIZE_MAX);
    if (is_zero(rest.ptr, rest.len < ALIGN ? rest.len : ALIGN))
        return 0;
    size_t size;
    if (!is_plausible(rest, &size))
        return -EBADMSG;
    struct slice payload = slice_of(rest.ptr + FRAME_RECORD_BYTES, (size_t)load_le(rest.ptr, 4));
    if (load_le(rest.ptr + 4, 4) != checksum(epoch, rest.ptr + 8, payload) ||
        !is_zero(payload.ptr + payload.len, size - FRAME_RECORD_BYTES - payload.len))
        return -EBADMSG;
    *ret = (struct frame){
        .sequence = load_le(rest.ptr + 8, 8),
        .type = (uint8_t)rest.ptr[16],
        .opens = rest.ptr[17] != 0,
        .payload = payload,
    };
    *at += size;
    return 1;
}

/* whether a record that follows `after` within `most` others may stand here; sequences of one file
 * have no gaps, so a far one is of no record */
static bool follows(struct slice rest, uint64_t after, uint64_t most)
{
    uint64_t ahead = load_le(rest.ptr + 8, 8) - after;
    return ahead >= 1 && ahead <= most;
}

/* tries every aligned place */
bool frame_seek(struct slice bytes, uint64_t epoch, uint64_t after, uint64_t *budget, size_t *at)
{
    for (size_t pos = *at + ALIGN; pos < bytes.len; pos += ALIGN) {
        struct slice rest = slice_sub(bytes, pos, SIZE_MAX);
        size_t size;
        if (!is_plausible(rest, &size) || !follows(rest, after, bytes.len / FRAME_RECORD_BYTES))
            continue;
        if (size > *budget) {
            *budget = 0;
            return false;
        }
        *budget -= size;
        struct frame f;
        size_t next = pos;
        if (frame_next(bytes, epoch, &next, &f) == 1) {
            *at = pos;
            return true;
        }
    }
    return false;
}

/* from record to record */
enum frame_later frame_find_later(struct slice bytes, uint64_t epoch, size_t at, uint64_t after)
{
    enum frame_later found = FRAME_LATER_NONE;
    uint64_t budget = FRAME_SEEK_BUDGET(bytes.len) + FRAME_RECORD_BYTES;
    while (frame_seek(bytes, epoch, after, &budget, &at)) {
        found = FRAME_LATER_SAME;
        if (bytes.ptr[at + 17] != 0)
            return FRAME_LATER_NEXT;
    }
    return budget == 0 ? FRAME_LATER_NEXT : found;
}

/* appends n bytes of v */
static int put_le(struct buf *b, uint64_t v, unsigned n)
{
    uint8_t p[8];
    store_le(p, v, n);
    return buf_add(b, p, n);
}

/* one byte */
int frame_put_u8(struct buf *b, uint8_t v)
{
    return put_le(b, v, 1);
}

/* two bytes */
int frame_put_u16(struct buf *b, uint16_t v)
{
    return put_le(b, v, 2);
}

/* four bytes */
int frame_put_u32(struct buf *b, uint32_t v)
{
    return put_le(b, v, 4);
}

/* eight bytes */
int frame_put_u64(struct buf *b, uint64_t v)
{
    return put_le(b, v, 8);
}

/* length and bytes, both or nothing */
int frame_put_bytes(struct buf *b, struct slice s)
{
    if (s.len > UINT32_MAX)
        return -EMSGSIZE;
    size_t before = b->len;
    int r = put_le(b, s.len, 4);
    if (r == 0)
        r = buf_add_slice(b, s);
    if (r < 0)
        buf_cut(b, before);
    return r;
}

/* cuts n bytes off the front */
static bool get_le(struct slice *s, unsigned n, uint64_t *ret)
{
    if (s->len < n)
        return false;
    *ret = load_le(s->ptr, n);
    *s = slice_sub(*s, n, SIZE_MAX);
    return true;
}

/* one byte */
bool frame_get_u8(struct slice *s, uint8_t *ret)
{
    uint64_t v;
    if (!get_le(s, 1, &v))
        return false;
    *ret = (uint8_t)v;
    return true;
}

/* two bytes */
bool frame_get_u16(struct slice *s, uint16_t *ret)
{
    uint64_t v;
    if (!get_le(s, 2, &v))
        return false;
    *ret = (uint16_t)v;
    return true;
}

/* four bytes */
bool frame_get_u32(struct slice *s, uint32_t *ret)
{
    uint64_t v;
    if (!get_le(s, 4, &v))
        return false;
    *ret = (uint32_t)v;
    return true;
}

/* eight bytes */
bool frame_get_u64(struct slice *s, uint64_t *ret)
{
    return get_le(s, 8, ret);
}

/* length and bytes, both or nothing */
bool frame_get_bytes(struct slice *s, struct slice *ret)
{
    struct slice rest = *s;
    uint64_t n;
    if (!get_le(&rest, 4, &n) || n > rest.len)
        return false;
    *ret = slice_of(rest.ptr, (size_t)n);
    *s = slice_sub(rest, (size_t)n, SIZE_MAX);
    return true;
}
