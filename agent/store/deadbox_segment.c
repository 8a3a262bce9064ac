/*
 * store/deadbox_segment - reading the box of rejected documents
 *
 * A segment is read whole (its size is bounded). Behind damage the search goes on at every aligned
 * place, within the budget of frame_seek.
 *
 * What can fail: listing and reading. Contents never fail a scan, they are skipped.
 */
#include "store/deadbox_internal.h"

#include <errno.h>

const struct segment_kind deadbox_segments = {"dead-", ".wdl"};

/* hands one record on */
static int visit(const struct frame *f, uint64_t number, deadbox_frame_fn fn, void *ctx)
{
    struct dead_letter letter;
    if (fn == NULL)
        return 0;
    bool is_letter = f->type == FRAME_DEAD && dead_letter_unpack(f->payload, &letter) == 0;
    if (is_letter)
        letter.at = (struct dead_letter_id){number, f->sequence};
    return fn(ctx, f, is_letter ? &letter : NULL);
}

/* the records from *at up to the end or to damage; sets both */
static int scan_run(struct slice bytes, uint64_t number, deadbox_frame_fn fn, void *ctx, size_t *at,
                    uint64_t *sequence)
{
    struct frame f;
    size_t next = *at;
    while (frame_next(bytes, number, &next, &f) == 1 && f.sequence > *sequence) {
        *at = next;
        *sequence = f.sequence;
        int r = visit(&f, number, fn, ctx);
        if (r != 0)
            return r;
    }
    return 0;
}

/* run after run */
int deadbox_segment_scan(struct slice bytes, uint64_t number, deadbox_frame_fn fn, void *ctx,
                         struct deadbox_end *ret_end)
{
    struct frame_header h;
    int r = frame_header_read(bytes, &h);
    if (r == -EPROTONOSUPPORT)
        return r;
    struct deadbox_end end = {.at = FRAME_HEADER_BYTES};
    bool is_ours = r == 0 && h.kind == FRAME_KIND_DEAD_LETTER && h.epoch == number;
    r = scan_run(bytes, number, fn, ctx, &end.at, &end.sequence);
    enum frame_later later = frame_find_later(bytes, number, end.at, end.sequence);
    end.is_damaged = !is_ours || later == FRAME_LATER_NEXT;
    size_t at = end.at;
    uint64_t sequence = end.sequence;
    uint64_t budget = FRAME_SEEK_BUDGET(bytes.len);
    while (r == 0 && later != FRAME_LATER_NONE && frame_seek(bytes, number, sequence, &budget, &at))
        r = scan_run(bytes, number, fn, ctx, &at, &sequence);
    *ret_end = end;
    return r;
}

/* Who wants letters only. */
struct letters {
    deadbox_fn fn;
    void *ctx;
};

/* passes letters on */
static int on_frame(void *ctx, const struct frame *f, const struct dead_letter *letter)
{
    const struct letters *l = ctx;
    (void)f; /* the letter says it all */
    return letter == NULL ? 0 : l->fn(l->ctx, letter);
}

/* all segments, oldest first */
int deadbox_each(const struct fs *fs, int dir, deadbox_fn fn, void *ctx)
{
    struct letters letters = {fn, ctx};
    struct segment_list list;
    struct buf bytes;
    buf_init(&bytes, DEADBOX_SEGMENT_READ_MAX);
    int r = segment_list_read(dir, &deadbox_segments, &list);
    for (size_t i = 0; i < list.count && r == 0; i++) {
        char name[SEGMENT_NAME_BYTES];
        struct deadbox_end end;
        segment_name(name, &deadbox_segments, list.numbers[i]);
        buf_reset(&bytes);
        r = fs_read_file(fs, dir, name, &bytes);
        if (r == 0)
            r = deadbox_segment_scan(buf_slice(&bytes), list.numbers[i], on_frame, &letters, &end);
        if (r == -ENOENT || r == -EPROTONOSUPPORT)
            r = 0; /* dropped meanwhile; not for this version to read */
    }
    buf_clear(&bytes);
    segment_list_clear(&list);
    return r;
}
