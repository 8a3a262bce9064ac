/*
 * store/deadbox_remove - taking letters out
 *
 * A segment that loses letters is written anew beside the old one and renamed over it, so that a
 * crash leaves either. The others keep their sequences and with them their ids. In the newest
 * segment a GONE record stands for the last letter, so that no later letter gets its id; that
 * segment is never removed, for the same reason.
 *
 * Every record of the new file counts as an append of its own: damage in its middle is then never
 * taken for a torn end.
 *
 * What can fail: locking, reading, writing; segments done before stay done.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "store/deadbox_internal.h"

#define MODE 0600

/* One pass over the box. */
struct removal {
    const struct fs *fs;
    int dir;
    deadbox_gone_fn gone;
    void *ctx;
    uint64_t number;  /* of the present segment */
    struct buf out;   /* its new content */
    uint64_t kept;    /* records */
    uint64_t removed; /* letters */
    uint64_t last;    /* sequence of its last record */
    uint64_t last_kept;
};

/* copies a record, unless it is a letter that goes */
static int on_frame(void *ctx, const struct frame *f, const struct dead_letter *letter)
{
    struct removal *m = ctx;
    m->last = f->sequence;
    if (letter != NULL && m->gone(m->ctx, letter)) {
        m->removed++;
        return 0;
    }
    if (f->type == FRAME_GONE)
        return 0;
    struct frame copy = *f;
    copy.opens = true;
    m->kept++;
    m->last_kept = f->sequence;
    return frame_add(&m->out, m->number, &copy);
}

/* the header of the new file */
static int begin(struct removal *m, struct slice old)
{
    struct frame_header h;
    uint8_t bytes[FRAME_HEADER_BYTES];
    if (frame_header_read(old, &h) < 0) /* damaged: made anew */
        h = (struct frame_header){.version = FRAME_VERSION, .kind = FRAME_KIND_DEAD_LETTER};
    h.epoch = m->number;
    frame_header_write(bytes, &h);
    buf_reset(&m->out);
    return buf_add(&m->out, bytes, sizeof(bytes));
}

/* keeps the old file beside the new one; there already: of an earlier pass that was cut short */
static int keep_damaged(const struct removal *m, const char *name)
{
    char kept[SEGMENT_NAME_BYTES + 8];
    size_t n = strlen(name);
    memcpy(kept, name, n);
    memcpy(kept + n, ".damaged", sizeof(".damaged"));
    if (linkat(m->dir, name, m->dir, kept, 0) < 0 && errno != EEXIST)
        return -errno;
    return 0;
}

/* puts the new content in place of the old, or nothing where nothing is left */
static int put_back(struct removal *m, const char *name, bool is_newest)
{
    const struct frame gone = {.sequence = m->last, .type = FRAME_GONE, .opens = true};
    if (m->kept == 0 && !is_newest) {
        int r = m->fs->unlinkat(m->fs, m->dir, name);
        return r == 0 ? m->fs->fsync(m->fs, m->dir) : r;
    }
    int r = is_newest && m->last > m->last_kept ? frame_add(&m->out, m->number, &gone) : 0;
    return r == 0 ? fs_replace(m->fs, m->dir, name, m->out.ptr, m->out.len, MODE) : r;
}

/* one segment */
static int remove_from(struct removal *m, struct buf *old, bool is_newest)
{
    char name[SEGMENT_NAME_BYTES];
    struct deadbox_end end;
    const uint64_t before = m->removed;
    segment_name(name, &deadbox_segments, m->number);
    buf_reset(old);
    m->kept = m->last_kept = 0;
    int r = fs_read_file(m->fs, m->dir, name, old);
    if (r == 0)
        r = begin(m, buf_slice(old));
    if (r == 0)
        r = deadbox_segment_scan(buf_slice(old), m->number, on_frame, m, &end);
    bool is_changed = r == 0 && m->removed > before;
    if (is_changed && end.is_damaged)
        r = keep_damaged(m, name);
    if (is_changed && r == 0)
        r = put_back(m, name, is_newest);
    if (r < 0)
        m->removed = before;
    return r == -ENOENT || r == -EPROTONOSUPPORT ? 0 : r;
}

/* all segments, under the lock */
int deadbox_remove(const struct fs *fs, int dir, deadbox_gone_fn gone, void *ctx,
                   uint64_t *ret_removed)
{
    struct removal m = {.fs = fs, .dir = dir, .gone = gone, .ctx = ctx};
    struct segment_list list;
    struct buf old;
    *ret_removed = 0;
    int r = deadbox_lock(dir, DEADBOX_LOCK_MS);
    if (r < 0)
        return r;
    buf_init(&old, DEADBOX_SEGMENT_READ_MAX);
    buf_init(&m.out, DEADBOX_SEGMENT_READ_MAX);
    r = segment_list_read(dir, &deadbox_segments, &list);
    for (size_t i = 0; i < list.count && r == 0; i++) {
        m.number = list.numbers[i];
        r = remove_from(&m, &old, i + 1 == list.count);
    }
    *ret_removed = m.removed;
    segment_list_clear(&list);
    buf_clear(&old);
    buf_clear(&m.out);
    deadbox_unlock(dir);
    return r;
}
