/*
 * store/deadbox - the box of rejected documents
 *
 * Segments grow by appending: one write and one sync for what fits into the current one, then the
 * next. Their numbers only rise; a segment is made with O_EXCL, so a name is never taken over.
 * The epoch of a segment's records is its number, their sequences start at 1.
 *
 * Everything that changes the directory happens under its lock. Between two appends another process
 * may have taken letters out or added some: a current segment that is not as we left it is given
 * up, and the sizes are counted anew; they are also before an append is refused for lack of room.
 *
 * Invariants: the current segment ends behind a record that was acknowledged (a failed append is
 * cut off where that is possible, and the segment given up in any case); `bytes` counts the sizes
 * of all segments, also of damaged ones.
 *
 * What can fail: every system call of an append; nothing of what stands on disk.
 */
#include "store/deadbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "store/deadbox_internal.h"

enum {
    MODE = 0600,
    PIECE_MAX = (int)(DEADBOX_SEGMENT_BYTES + FRAME_PAYLOAD_MAX + 4096),
    SEGMENTS_MIN = 8, /* in a full box that drops its oldest */
    SEGMENT_BYTES_MIN = 256,
};

struct deadbox {
    const struct fs *fs;
    int dir;
    uint64_t max_bytes;
    uint64_t segment_bytes; /* at which a segment is closed */
    bool drops_oldest;
    uint64_t dropped; /* letters, since asked */
    int64_t created_ns;
    uint64_t bytes;    /* of all segments */
    uint64_t number;   /* of the newest segment that is known; 0 = none */
    int fd;            /* of the current segment, -1 = the next append makes one */
    uint64_t size;     /* of the current segment */
    uint64_t sequence; /* of its last record */
    struct buf piece;  /* frames for one write */
};

/* ---- letters ---- */

/* what was not in the first version stands behind the rest, and only where it says something */
static int pack_tail(struct buf *payload, const struct dead_letter *d)
{
    if (!d->plain_index && d->pipeline.len == 0)
        return 0;
    int r = frame_put_u8(payload, d->plain_index);
    return r == 0 ? frame_put_bytes(payload, d->pipeline) : r;
}

/* the reverse */
static bool unpack_tail(struct slice *payload, struct dead_letter *d)
{
    uint8_t plain = 0;
    if (payload->len == 0)
        return true;
    bool ok = frame_get_u8(payload, &plain) && frame_get_bytes(payload, &d->pipeline);
    d->plain_index = plain != 0;
    return ok;
}

/* fixed fields, then the slices */
int dead_letter_pack(struct buf *payload, const struct dead_letter *d)
{
    const struct slice *slices[] = {&d->type, &d->reason, &d->target,
                                    &d->id,   &d->source, &d->document};
    size_t before = payload->len;
    int r = frame_put_u16(payload, d->status);
    if (r == 0)
        r = frame_put_u64(payload, (uint64_t)d->wall_ms);
    if (r == 0)
        r = frame_put_u64(payload, d->offset);
    for (size_t i = 0; i < ARRAY_LEN(slices) && r == 0; i++)
        r = frame_put_bytes(payload, *slices[i]);
    if (r == 0)
        r = pack_tail(payload, d);
    if (r < 0)
        buf_cut(payload, before);
    return r;
}

/* the reverse; what a newer version may have put behind is skipped */
int dead_letter_unpack(struct slice payload, struct dead_letter *ret)
{
    struct dead_letter d = {0};
    struct slice *slices[] = {&d.type, &d.reason, &d.target, &d.id, &d.source, &d.document};
    uint64_t wall_ms;
    if (!frame_get_u16(&payload, &d.status) || !frame_get_u64(&payload, &wall_ms) ||
        !frame_get_u64(&payload, &d.offset))
        return -EBADMSG;
    d.wall_ms = (int64_t)wall_ms;
    for (size_t i = 0; i < ARRAY_LEN(slices); i++)
        if (!frame_get_bytes(&payload, slices[i]))
            return -EBADMSG;
    if (!unpack_tail(&payload, &d))
        return -EBADMSG;
    *ret = d;
    return 0;
}

/* ---- opening ---- */

/* cuts what a crash has left behind the last record */
static int cut_tail(struct deadbox *d, uint64_t to)
{
    int r = d->fs->ftruncate(d->fs, d->fd, (off_t)to);
    return r == 0 ? d->fs->fdatasync(d->fs, d->fd) : r;
}

/* takes the newest segment up again if nothing speaks against it */
static void reopen_newest(struct deadbox *d)
{
    struct buf bytes;
    struct deadbox_end end;
    buf_init(&bytes, DEADBOX_SEGMENT_READ_MAX);
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, &deadbox_segments, d->number);
    int r = fs_read_file(d->fs, d->dir, name, &bytes);
    if (r == 0)
        r = deadbox_segment_scan(buf_slice(&bytes), d->number, NULL, NULL, &end);
    if (r == 0 && !end.is_damaged)
        d->fd = d->fs->openat(d->fs, d->dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0);
    if (d->fd >= 0 && end.at < bytes.len && cut_tail(d, end.at) < 0)
        segment_close(d->fs, &d->fd);
    if (d->fd >= 0) {
        d->size = end.at;
        d->sequence = end.sequence;
        d->bytes -= bytes.len - end.at;
    }
    buf_clear(&bytes);
}

/* counts the segments and their sizes */
static void count(struct deadbox *d)
{
    struct segment_list list;
    /* A directory that cannot be read now leaves the counts as they are: appending will tell what
     * is wrong with it. */
    if (segment_list_read(d->dir, &deadbox_segments, &list) == 0) {
        d->bytes = list.bytes;
        if (list.count > 0 && list.numbers[list.count - 1] > d->number)
            d->number = list.numbers[list.count - 1];
    }
    segment_list_clear(&list);
}

/* counts what is there */
int deadbox_open(const struct fs *fs, int dir, uint64_t max_bytes, int64_t now_ns,
                 struct deadbox **ret_box)
{
    struct deadbox *d = mem_zalloc(sizeof(*d));
    *d = (struct deadbox){
        .fs = fs,
        .dir = dir,
        .max_bytes = max_bytes,
        .segment_bytes = DEADBOX_SEGMENT_BYTES,
        .created_ns = now_ns,
        .fd = -1,
    };
    buf_init(&d->piece, PIECE_MAX);
    int locked = deadbox_lock(dir, DEADBOX_LOCK_MS);
    count(d);
    if (d->number > 0 && locked != -EBUSY) /* else the next append begins a segment */
        reopen_newest(d);
    if (locked == 0)
        deadbox_unlock(dir);
    *ret_box = d;
    return 0;
}

/* closes and frees */
void deadbox_free(struct deadbox **d)
{
    if (*d == NULL)
        return;
    segment_close((*d)->fs, &(*d)->fd);
    buf_clear(&(*d)->piece);
    mem_free(*d);
    *d = NULL;
}

/* all segments */
uint64_t deadbox_bytes(const struct deadbox *d)
{
    return d->bytes;
}

/* several segments, so that room is made by a part of the box */
void deadbox_drop_oldest(struct deadbox *d)
{
    d->drops_oldest = true;
    if (d->max_bytes / SEGMENTS_MIN < d->segment_bytes)
        d->segment_bytes = d->max_bytes / SEGMENTS_MIN;
    if (d->segment_bytes < SEGMENT_BYTES_MIN)
        d->segment_bytes = SEGMENT_BYTES_MIN;
}

/* resets the count */
uint64_t deadbox_take_dropped(struct deadbox *d)
{
    uint64_t n = d->dropped;
    d->dropped = 0;
    return n;
}

/* ---- appending ---- */

/* the next free number; its file, empty */
static int make_segment(struct deadbox *d)
{
    int fd;
    do {
        char name[SEGMENT_NAME_BYTES];
        if (d->number >= SEGMENT_NUMBER_MAX)
            return -EOVERFLOW;
        segment_name(name, &deadbox_segments, ++d->number);
        fd = d->fs->openat(d->fs, d->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           MODE);
    } while (fd == -EEXIST);
    if (fd < 0)
        return fd;
    d->fd = fd;
    d->size = 0;
    d->sequence = 0;
    return 0;
}

/* gives the current segment up after a failure, without what the failed write may have left */
static void give_up(struct deadbox *d, uint64_t tried)
{
    int r;
    if (d->size == 0) {
        char name[SEGMENT_NAME_BYTES];
        segment_name(name, &deadbox_segments, d->number);
        r = d->fs->unlinkat(d->fs, d->dir, name);
    } else {
        r = d->fs->ftruncate(d->fs, d->fd, (off_t)d->size);
    }
    if (r < 0)
        d->bytes += tried;
    segment_close(d->fs, &d->fd);
}

/* writes the frames that have gathered, and syncs */
static int flush_piece(struct deadbox *d, uint64_t count)
{
    size_t n = d->piece.len;
    int r = fs_write_at(d->fs, d->fd, d->piece.ptr, n, d->size);
    if (r == 0)
        r = d->fs->fdatasync(d->fs, d->fd);
    if (r == 0 && d->size == 0)
        r = d->fs->fsync(d->fs, d->dir);
    if (r < 0) {
        give_up(d, n);
        return r;
    }
    d->size += n;
    d->bytes += n;
    d->sequence += count;
    buf_reset(&d->piece);
    return 0;
}

/* the header of a segment that holds nothing yet */
static int begin_piece(struct deadbox *d)
{
    if (d->fd < 0) {
        int r = make_segment(d);
        if (r < 0)
            return r;
    }
    if (d->size > 0)
        return 0;
    struct frame_header h = {
        .version = FRAME_VERSION,
        .kind = FRAME_KIND_DEAD_LETTER,
        .epoch = d->number,
        .created_ns = d->created_ns,
    };
    uint8_t bytes[FRAME_HEADER_BYTES];
    frame_header_write(bytes, &h);
    return buf_add(&d->piece, bytes, sizeof(bytes));
}

/* bytes that packed records take as frames; false: not packed records */
static bool measure(struct slice records, uint64_t *ret_bytes)
{
    uint64_t bytes = 0;
    uint8_t type;
    struct slice payload;
    while (records.len > 0) {
        if (!frame_get_u8(&records, &type) || !frame_get_bytes(&records, &payload) ||
            type == FRAME_END || payload.len > FRAME_PAYLOAD_MAX)
            return false;
        bytes += frame_size(payload.len);
    }
    *ret_bytes = bytes;
    return true;
}

/* whether a record of n bytes must go to the next segment */
static bool is_full(const struct deadbox *d, uint64_t n)
{
    uint64_t used = d->size + d->piece.len;
    return d->fd >= 0 && used > FRAME_HEADER_BYTES && used + n > d->segment_bytes;
}

/* frames for as many records as the current segment takes, cut off the front of *records */
static int gather(struct deadbox *d, struct slice *records, uint64_t *ret_count)
{
    uint64_t count = 0;
    int r = begin_piece(d);
    while (r == 0 && records->len > 0) {
        struct slice rest = *records;
        struct frame f = {.sequence = d->sequence + count + 1, .opens = count == 0};
        if (!frame_get_u8(&rest, &f.type) || !frame_get_bytes(&rest, &f.payload))
            return -EINVAL;
        if (is_full(d, frame_size(f.payload.len)))
            break;
        r = frame_add(&d->piece, d->number, &f);
        count++;
        *records = rest;
    }
    *ret_count = count;
    return r;
}

/* piece by piece, each durable before the next */
static int write_pieces(struct deadbox *d, struct slice records)
{
    int r = 0;
    while (r == 0 && records.len > 0) {
        uint64_t count;
        r = gather(d, &records, &count);
        if (r == 0 && count > 0)
            r = flush_piece(d, count);
        else if (r < 0 && d->fd >= 0)
            give_up(d, 0);
        if (r == 0 && records.len > 0)
            segment_close(d->fs, &d->fd); /* full, synced */
    }
    return r;
}

/* The current segment is given up when another process has changed it. */
static void look_again(struct deadbox *d)
{
    struct stat st;
    if (d->fd < 0 || (fstat(d->fd, &st) == 0 && st.st_nlink > 0 && (uint64_t)st.st_size == d->size))
        return;
    segment_close(d->fs, &d->fd);
    count(d);
}

/* bytes that an append may need, headers of new segments included */
static uint64_t need_of(const struct deadbox *d, uint64_t frames)
{
    uint64_t need = frames;
    need += FRAME_HEADER_BYTES * (need / (d->segment_bytes / 2) + (d->fd < 0 ? 1 : 0));
    if (is_full(d, need))
        need += FRAME_HEADER_BYTES;
    return need;
}

/* whether n more bytes are allowed */
static bool has_room(const struct deadbox *d, uint64_t n)
{
    return n <= d->max_bytes && d->bytes <= d->max_bytes - n;
}

/* counts a letter */
static int count_letter(void *ctx, const struct frame *f, const struct dead_letter *letter)
{
    uint64_t *letters = ctx;
    (void)f; /* only letters are told */
    *letters += letter != NULL;
    return 0;
}

/* removes one segment with what it holds */
static int drop_segment(struct deadbox *d, uint64_t number)
{
    struct buf bytes;
    struct deadbox_end end;
    uint64_t letters = 0;
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, &deadbox_segments, number);
    buf_init(&bytes, DEADBOX_SEGMENT_READ_MAX);
    int r = fs_read_file(d->fs, d->dir, name, &bytes);
    if (r == 0)
        r = deadbox_segment_scan(buf_slice(&bytes), number, count_letter, &letters, &end);
    buf_clear(&bytes);
    if (number == d->number)
        segment_close(d->fs, &d->fd);
    r = d->fs->unlinkat(d->fs, d->dir, name); /* also when it could not be read */
    if (r == 0)
        d->dropped += letters;
    return r == -ENOENT ? 0 : r;
}

/* removes the oldest segments until n bytes fit */
static int make_room(struct deadbox *d, uint64_t n)
{
    struct segment_list list;
    int r = segment_list_read(d->dir, &deadbox_segments, &list);
    for (size_t i = 0; i < list.count && r == 0 && !has_room(d, n); i++) {
        r = drop_segment(d, list.numbers[i]);
        count(d);
    }
    segment_list_clear(&list);
    return r;
}

/* 0, or -EDQUOT where the records do not fit even after what may be done for it */
static int check_room(struct deadbox *d, uint64_t frames)
{
    int r = 0;
    if (has_room(d, need_of(d, frames)))
        return 0;
    count(d); /* letters may have been taken out */
    if (d->drops_oldest && need_of(d, frames) + FRAME_HEADER_BYTES <= d->max_bytes)
        r = make_room(d, need_of(d, frames) + FRAME_HEADER_BYTES);
    if (r < 0)
        return r;
    return has_room(d, need_of(d, frames)) ? 0 : -EDQUOT;
}

/* durable, within the limit */
int deadbox_append(struct deadbox *d, struct slice records)
{
    uint64_t frames;
    if (!measure(records, &frames))
        return -EINVAL;
    if (frames == 0)
        return 0;
    int locked = deadbox_lock(d->dir, DEADBOX_LOCK_MS);
    if (locked == -EBUSY)
        return locked;
    look_again(d);
    int r = check_room(d, frames);
    if (r == 0)
        r = write_pieces(d, records);
    buf_clear(&d->piece);
    if (locked == 0)
        deadbox_unlock(d->dir);
    return r;
}
