/*
 * store/spool - blocks that wait on disk
 *
 * Segments grow by appending, one write and one sync for each block. Each life begins with a
 * segment of its own, so nothing of what a crash has left is ever written to. The epoch of a
 * segment's records is its number; sequences rise over all segments.
 *
 * Invariants: the current segment is the last one of the index and ends behind a record that was
 * synced, or a mark; a failed append is cut off where that is possible, and the segment given up
 * in any case.
 *
 * What can fail: every system call of an append. What cannot be read is dropped and counted.
 */
#include "store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "os/zstd.h"
#include "store/frame.h"
#include "store/spool_internal.h"

enum {
    MODE = 0600,
    SEGMENTS = 16, /* in a full spool */
};

#define SEGMENT_BYTES_MIN ((uint64_t)16 * 1024)
#define SEGMENT_BYTES_MAX ((uint64_t)8 * 1024 * 1024)
/* The largest file of ours: filled to the limit, then one block that does not compress. */
#define SEGMENT_READ_MAX ((size_t)SEGMENT_BYTES_MAX + 2 * SPOOL_BLOCK_MAX)
#define PIECE_MAX        (2 * SPOOL_BLOCK_MAX)

struct spool {
    struct spool_opts opts;
    uint64_t segment_bytes; /* at which a segment is closed */
    struct spool_index index;
    int fd;          /* of the current segment, -1 = the next append makes one */
    uint64_t number; /* of the newest segment that is known */
    uint64_t sequence;
    uint64_t gone;
    struct spool_count dropped;
    struct buf payload; /* of one record */
    struct buf piece;   /* frames for one write */
};

/* ---- opening ---- */

/* one segment of an earlier life */
static void load_segment(struct spool *s, uint64_t number, struct spool_found *found)
{
    struct buf bytes;
    struct spool_segment g = {.number = number};
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, &spool_segments, number);
    buf_init(&bytes, SEGMENT_READ_MAX);
    int r = fs_read_file(s->opts.fs, s->opts.dir, name, &bytes);
    g.size = bytes.len;
    if (spool_index_add_segment(&s->index, &g) == 0) {
        if (r == 0)
            spool_index_scan(&s->index, buf_slice(&bytes), number, &s->sequence, found);
        else
            found->damaged++;
    }
    buf_clear(&bytes);
}

/* removes a file; where that fails it is removed by a later life */
static void remove_segment(struct spool *s, uint64_t number)
{
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, &spool_segments, number);
    (void)s->opts.fs->unlinkat(s->opts.fs, s->opts.dir, name); /* see above */
    spool_index_remove(&s->index, number);
}

/* whether a segment may go: nothing in it is needed */
static bool is_spent(const struct spool *s, const struct spool_segment *g)
{
    bool is_current = s->fd >= 0 && g->number == s->number;
    bool is_only = s->index.segments.len == sizeof(*g);
    return g->live == 0 && !g->is_foreign && (!is_current || is_only);
}

/* removes the segments that are not needed; the current one stays for the marks of the others */
static void sweep(struct spool *s)
{
    struct spool_segment *g;
    size_t i = 0;
    while ((g = spool_index_segment(&s->index, i)) != NULL) {
        if (!is_spent(s, g)) {
            i++;
            continue;
        }
        if (s->fd >= 0 && g->number == s->number)
            segment_close(s->opts.fs, &s->fd);
        remove_segment(s, g->number);
        i = 0; /* the current one may be the only one now */
    }
}

/* what waits, in sum */
static void count_held(const struct spool *s, struct spool_found *found)
{
    const struct spool_entry *e;
    for (size_t i = 0; (e = spool_index_entry(&s->index, i)) != NULL; i++) {
        if (e->state != SPOOL_WAITING)
            continue;
        found->blocks++;
        found->held.bytes += e->bytes;
        found->held.documents += e->documents;
    }
}

/* see header */
struct spool *spool_open(const struct spool_opts *opts, struct spool_found *ret_found)
{
    struct spool *s = mem_zalloc(sizeof(*s));
    struct segment_list list;
    *ret_found = (struct spool_found){.blocks = 0};
    s->opts = *opts;
    s->fd = -1;
    s->segment_bytes = opts->max_bytes / SEGMENTS;
    if (s->segment_bytes < SEGMENT_BYTES_MIN)
        s->segment_bytes = SEGMENT_BYTES_MIN;
    if (s->segment_bytes > SEGMENT_BYTES_MAX)
        s->segment_bytes = SEGMENT_BYTES_MAX;
    spool_index_init(&s->index);
    buf_init(&s->payload, PIECE_MAX);
    buf_init(&s->piece, PIECE_MAX);
    /* a directory that cannot be read is told by the first append */
    if (segment_list_read(opts->dir, &spool_segments, &list) < 0)
        log_debug("spool: the directory cannot be read");
    for (size_t i = 0; i < list.count; i++) {
        s->number = list.numbers[i];
        load_segment(s, list.numbers[i], ret_found);
    }
    segment_list_clear(&list);
    sweep(s);
    count_held(s, ret_found);
    return s;
}

/* closes and frees */
void spool_free(struct spool **sp)
{
    struct spool *s = *sp;
    if (s == NULL)
        return;
    segment_close(s->opts.fs, &s->fd);
    spool_index_clear(&s->index);
    buf_clear(&s->payload);
    buf_clear(&s->piece);
    mem_free(s);
    *sp = NULL;
}

/* ---- asking ---- */

/* see header */
uint64_t spool_left(const struct spool *s)
{
    return s->index.left;
}

/* see header */
uint64_t spool_bytes(const struct spool *s)
{
    return s->index.bytes;
}

/* see header */
struct spool_count spool_take_dropped(struct spool *s)
{
    struct spool_count c = s->dropped;
    s->dropped = (struct spool_count){0};
    return c;
}

/* see header */
uint64_t spool_gone(const struct spool *s)
{
    return s->gone;
}

/* ---- dropping ---- */

/* counts a block that is lost, unless somebody has it */
static void count_dropped(struct spool *s, const struct spool_entry *e)
{
    if (e->state != SPOOL_WAITING)
        return;
    s->dropped.bytes += e->bytes;
    s->dropped.documents += e->documents;
}

/* removes the oldest segment with what it holds; false when there is none */
static bool drop_oldest(struct spool *s)
{
    const struct spool_segment *g = spool_index_segment(&s->index, 0);
    const struct spool_entry *e;
    if (g == NULL)
        return false;
    for (size_t i = 0; (e = spool_index_entry(&s->index, i)) != NULL; i++) {
        if (e->segment != g->number)
            break;
        count_dropped(s, e);
        s->gone = e->sequence;
    }
    if (g->number == s->number)
        segment_close(s->opts.fs, &s->fd);
    remove_segment(s, g->number);
    return true;
}

/* ---- appending ---- */

/* the next free number; its file, empty, in the index */
static int make_segment(struct spool *s)
{
    const struct fs *fs = s->opts.fs;
    char name[SEGMENT_NAME_BYTES];
    int fd;
    do {
        if (s->number >= SEGMENT_NUMBER_MAX)
            return -EOVERFLOW;
        segment_name(name, &spool_segments, ++s->number);
        fd = fs->openat(fs, s->opts.dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        MODE);
    } while (fd == -EEXIST);
    if (fd < 0)
        return fd;
    struct spool_segment g = {.number = s->number};
    int r = spool_index_add_segment(&s->index, &g);
    if (r < 0) {
        (void)fs->close(fs, fd);                   /* empty */
        (void)fs->unlinkat(fs, s->opts.dir, name); /* likewise */
        return r;
    }
    s->fd = fd;
    return 0;
}

/* the header of a segment that holds nothing yet */
static int add_header(struct spool *s)
{
    struct frame_header h = {
        .version = FRAME_VERSION,
        .kind = FRAME_KIND_SPOOL,
        .epoch = s->number,
        .created_ns = s->opts.now_ns,
    };
    uint8_t bytes[FRAME_HEADER_BYTES];
    frame_header_write(bytes, &h);
    return buf_add(&s->piece, bytes, sizeof(bytes));
}

/* gives the current segment up after a failure, without what the failed write may have left */
static void give_up(struct spool *s)
{
    const struct fs *fs = s->opts.fs;
    const struct spool_segment *g = spool_index_find_segment(&s->index, s->number);
    if (s->fd < 0 || g == NULL)
        return;
    (void)fs->ftruncate(fs, s->fd, (off_t)g->size); /* else a reader meets a torn end */
    segment_close(fs, &s->fd);
    sweep(s);
}

/* The record in `payload` goes to the end of the current segment. *ret_at: where it begins. */
static int write_record(struct spool *s, enum frame_type type, bool sync, uint64_t *ret_at)
{
    struct spool_segment *g = spool_index_find_segment(&s->index, s->number);
    const struct fs *fs = s->opts.fs;
    if (g == NULL)
        return -EBADF;
    bool is_first = g->size == 0;
    struct frame f = {.sequence = ++s->sequence, /* never again, also when it fails */
                      .type = (uint8_t)type,
                      .opens = true,
                      .payload = buf_slice(&s->payload)};
    buf_reset(&s->piece);
    int r = is_first ? add_header(s) : 0;
    *ret_at = g->size + s->piece.len;
    if (r == 0)
        r = frame_add(&s->piece, s->number, &f);
    if (r == 0)
        r = fs_write_at(fs, s->fd, s->piece.ptr, s->piece.len, g->size);
    if (r == 0 && sync)
        r = fs->fdatasync(fs, s->fd);
    if (r == 0 && is_first)
        r = fs->fsync(fs, s->opts.dir);
    if (r < 0)
        return r;
    g->size += s->piece.len;
    s->index.bytes += s->piece.len;
    return 0;
}

/* the payload of a block */
static int pack(struct spool *s, struct slice block, const struct spool_count *held)
{
    buf_reset(&s->payload);
    int r = frame_put_u32(&s->payload, (uint32_t)held->documents);
    if (r == 0)
        r = frame_put_u64(&s->payload, held->bytes);
    if (r == 0)
        r = frame_put_u32(&s->payload, (uint32_t)block.len);
    return r == 0 ? zstd_pack(block, &s->payload) : r;
}

/* a current segment with room for n more bytes, within the limit of all */
static int make_room(struct spool *s, uint64_t n)
{
    const struct spool_segment *g = spool_index_find_segment(&s->index, s->number);
    if (s->fd >= 0 && (g == NULL || g->size + n > s->segment_bytes))
        segment_close(s->opts.fs, &s->fd); /* full, synced */
    uint64_t need = n + FRAME_HEADER_BYTES;
    if (need > s->opts.max_bytes)
        return -EDQUOT;
    while (s->index.bytes > s->opts.max_bytes - need)
        if (!drop_oldest(s))
            return -EDQUOT;
    return s->fd < 0 ? make_segment(s) : 0;
}

/* see header */
int spool_append(struct spool *s, struct slice block, const struct spool_count *held, bool taken,
                 uint64_t *ret_sequence)
{
    uint64_t at = 0;
    if (block.len > SPOOL_BLOCK_MAX || held->documents > UINT32_MAX)
        return -EMSGSIZE;
    int r = pack(s, block, held);
    uint64_t size = frame_size(s->payload.len);
    if (r == 0)
        r = make_room(s, size);
    if (r < 0)
        return r;
    r = write_record(s, FRAME_SPOOL, true, &at);
    struct spool_entry e = {
        .sequence = s->sequence,
        .segment = s->number,
        .bytes = held->bytes,
        .documents = (uint32_t)held->documents,
        .at = (uint32_t)at,
        .size = (uint32_t)size,
        .state = taken ? SPOOL_TAKEN : SPOOL_WAITING,
    };
    if (r == 0)
        r = spool_index_add(&s->index, &e);
    if (r < 0)
        give_up(s);
    else
        *ret_sequence = e.sequence;
    return r;
}

/* see header */
void spool_done(struct spool *s, uint64_t sequence)
{
    uint64_t at;
    struct spool_entry *e = spool_index_find(&s->index, sequence);
    if (e == NULL || e->state == SPOOL_DONE)
        return;
    spool_index_set(&s->index, e, SPOOL_DONE);
    sweep(s);
    if (s->fd < 0 || spool_index_find(&s->index, sequence) == NULL)
        return;
    buf_reset(&s->payload);
    if (frame_put_u64(&s->payload, sequence) < 0 ||
        write_record(s, FRAME_SPOOL_DONE, false, &at) < 0)
        give_up(s);
}

/* ---- reading ---- */

/* the bytes of an entry's frame, and what they hold */
static int read_block(struct spool *s, const struct spool_entry *e, struct buf *block)
{
    const struct fs *fs = s->opts.fs;
    char name[SEGMENT_NAME_BYTES];
    struct frame f;
    struct spool_count held;
    struct slice packed;
    uint32_t length;
    size_t at = 0;
    segment_name(name, &spool_segments, e->segment);
    int fd = fs->openat(fs, s->opts.dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd < 0)
        return fd;
    buf_reset(&s->piece);
    ssize_t n = buf_reserve(&s->piece, e->size);
    if (n == 0)
        n = fs_read_at(fs, fd, s->piece.ptr, e->size, e->at);
    (void)fs->close(fs, fd); /* was read only */
    if (n < 0)
        return (int)n;
    if (frame_next(slice_of(s->piece.ptr, (size_t)n), e->segment, &at, &f) != 1 ||
        f.type != FRAME_SPOOL || f.sequence != e->sequence ||
        !spool_read_payload(f.payload, &held, &length, &packed))
        return -EBADMSG;
    int r = zstd_unpack(packed, length, block);
    return r == 0 && block->len != length ? -EBADMSG : r;
}

/* see header */
int spool_take(struct spool *s, struct buf *block, uint64_t *ret_sequence)
{
    struct spool_entry *e;
    int result = 0;
    while (result == 0 && (e = spool_index_waiting(&s->index)) != NULL) {
        buf_reset(block);
        int r = read_block(s, e, block);
        if (r == -ENOMEM)
            return r;
        *ret_sequence = e->sequence;
        if (r < 0)
            count_dropped(s, e);
        spool_index_set(&s->index, e, r == 0 ? SPOOL_TAKEN : SPOOL_DONE);
        result = r == 0;
    }
    sweep(s);
    return result;
}
