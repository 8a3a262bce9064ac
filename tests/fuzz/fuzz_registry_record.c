/* rooms: base os config store bulk tail
 *
 * Fuzzes the registry's record payloads. The first byte is the type, the rest the payload. Oracles:
 * record_read and registry_replay survive; what was accepted keeps its promises (path without NUL
 * and shorter than PATH_MAX, head and boot id within their limits), and, written again from an
 * entry, reads back the same.
 */
#include "tail/registry_record.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* aborts, so that the fuzzer keeps the input */
static void require(bool condition)
{
    if (!condition)
        abort();
}

/* the only record in `records`, with its type */
static struct slice unpack(const struct buf *records, uint8_t *ret_type)
{
    struct slice s = buf_slice(records);
    uint32_t n = 0;
    require(frame_get_u8(&s, ret_type) && frame_get_u32(&s, &n) && n == s.len);
    return s;
}

/* the same evidence */
static bool same_evidence(const struct evidence *a, const struct evidence *b)
{
    return a->offset == b->offset && a->anchor == b->anchor && a->head == b->head &&
           a->head_bytes == b->head_bytes && a->flags == b->flags && a->ahead == b->ahead &&
           a->other == b->other;
}

/* everything that a record says */
static bool same(const struct record *a, const struct record *b)
{
    return generation_eq(&a->gen, &b->gen) && a->dev == b->dev && a->ino == b->ino &&
           a->birth_ns == b->birth_ns && a->sent_to == b->sent_to && a->sent_day == b->sent_day &&
           same_evidence(&a->evidence, &b->evidence) && a->older.offset == b->older.offset &&
           a->older.hash == b->older.hash && a->seen_ns == b->seen_ns &&
           a->absent_ns == b->absent_ns && a->framing == b->framing && slice_eq(a->path, b->path) &&
           slice_eq(a->boot_id, b->boot_id) && a->stopped == b->stopped;
}

/* what was read, packed again */
static int put_again(struct buf *records, uint8_t type, const struct record *rec)
{
    struct slice from = type == FRAME_CLEAN ? rec->boot_id : rec->path;
    char *text = strndup(from.len == 0 ? "" : from.ptr, from.len);
    require(text != NULL);
    struct entry e = {
        .gen = rec->gen,
        .dev = rec->dev,
        .ino = rec->ino,
        .birth_ns = rec->birth_ns,
        .acked = rec->evidence,
        .older = rec->older,
        .seen_ns = rec->seen_ns,
        .absent_ns = rec->absent_ns,
        .framing = rec->framing,
        .sent_to = rec->sent_to,
        .sent_day = rec->sent_day,
        .path = text,
    };
    int r = type == FRAME_GEN       ? record_put_gen(records, &e)
            : type == FRAME_OFFSET  ? record_put_offset(records, &e)
            : type == FRAME_SENT_TO ? record_put_sent_to(records, &e)
            : type == FRAME_DONE    ? record_put_done(records, &e)
                                    : record_put_clean(records, text, 0, rec->stopped);
    free(text);
    return r;
}

/* one payload that must be refused or mean something */
static void check_record(const struct frame *f)
{
    struct record rec, again;
    struct buf records;
    if (record_read(f, &rec) < 0)
        return;
    require(rec.evidence.head_bytes <= SPAN_HEAD_BYTES && rec.path.len < PATH_MAX);
    require(rec.boot_id.len <= REGISTRY_BOOT_CHARS);
    require(slice_find(rec.path, '\0') == rec.path.len);
    /* the time of CLEAN is not kept, and a boot id with a NUL is cut there */
    if (f->type < FRAME_GEN || f->type > FRAME_CLEAN ||
        slice_find(rec.boot_id, '\0') != rec.boot_id.len)
        return;
    buf_init(&records, SIZE_MAX);
    require(put_again(&records, f->type, &rec) == 0);
    struct frame packed = {0};
    packed.payload = unpack(&records, &packed.type);
    require(packed.type == f->type && record_read(&packed, &again) == 0);
    if (f->type == FRAME_CLEAN)
        again.seen_ns = rec.seen_ns;
    require(same(&rec, &again));
    buf_clear(&records);
}

/* records one after the other, each a byte of type, a byte of length, and the payload */
static void check_replay(struct slice s)
{
    int error = 0;
    struct loop *loop = loop_new(clock_system(), &error);
    require(loop != NULL);
    struct registry_hooks hooks = {0};
    struct registry *r = registry_new(loop, &hooks);
    while (s.len >= 2) {
        struct frame f = {.type = (uint8_t)s.ptr[0]};
        f.payload = slice_sub(s, 2, (unsigned char)s.ptr[1]);
        s = slice_sub(s, 2 + f.payload.len, SIZE_MAX);
        registry_replay(r, &f);
    }
    size_t n = 0;
    for (struct entry *e = registry_next(r, NULL); e != NULL; e = registry_next(r, e)) {
        struct entry *found = registry_find_inode(r, e->dev, e->ino);
        require(e->path != NULL && (found == NULL || found->ino == e->ino));
        require(!e->indexed || found == e);
        n++;
    }
    require(n == registry_count(r));
    registry_free(&r);
    require(loop_free(&loop) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 8192)
        return 0;
    char *exact = malloc(size);
    require(exact != NULL);
    memcpy(exact, data, size);
    struct frame f = {.type = data[0], .payload = slice_of(exact + 1, size - 1)};
    check_record(&f);
    check_replay(slice_of(exact, size));
    free(exact);
    return 0;
}
