/*
 * store/deadbox_segment - reading the box of rejected documents
 *
 * A segment is read whole (its size is bounded). Behind damage the search goes on at every aligned
 * place, within the budget of frame_seek.
 *
 * What can fail: listing and reading. Contents never fail a scan, they are skipped.
 */
#include "store/deadbox_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"

#define PREFIX "dead-"
#define SUFFIX ".wdl"

enum {
    DIGITS = 10,
    SEGMENTS_MAX = 1024 * 1024,
};

/* the name of a segment */
void deadbox_segment_name(char *dst, uint64_t number)
{
    (void)snprintf(dst, DEADBOX_NAME_BYTES, PREFIX "%0*llu" SUFFIX, DIGITS,
                   (unsigned long long)number); /* fits: numbers have a limit */
}

/* closes; what counts was synced before */
void deadbox_segment_close(const struct fs *fs, int *fd)
{
    if (*fd >= 0)
        (void)fs->close(fs, *fd); /* see above */
    *fd = -1;
}

/* ---- listing ---- */

/* whether a name is a segment's */
static bool parse_name(struct slice name, uint64_t *ret_number)
{
    return name.len == strlen(PREFIX) + DIGITS + strlen(SUFFIX) &&
           slice_starts(name, SLICE_LIT(PREFIX)) && slice_ends(name, SLICE_LIT(SUFFIX)) &&
           num_u64(slice_sub(name, strlen(PREFIX), DIGITS), ret_number) == 0 && *ret_number > 0;
}

/* ascending */
static int compare_numbers(const void *a, const void *b)
{
    uint64_t x;
    uint64_t y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

/* adds one directory entry if it is a segment */
static int add_entry(struct deadbox_list *list, int dir, const char *name)
{
    uint64_t number;
    struct stat st;
    if (!parse_name(slice_str(name), &number))
        return 0;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
        return 0; /* just gone, or none of ours */
    list->bytes += (uint64_t)st.st_size;
    list->count++;
    return buf_add(&list->bytes_of_numbers, &number, sizeof(number));
}

/* reads the directory through an fd of its own */
static int read_names(int dir, struct deadbox_list *list)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        int e = -errno;
        (void)close(fd); /* nothing was written through it */
        return e;
    }
    int r = 0;
    while (r == 0) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            r = -errno;
            break;
        }
        r = add_entry(list, dir, entry->d_name);
    }
    (void)closedir(stream); /* nothing was written through it */
    return r;
}

/* all segments, sorted */
int deadbox_list_segments(int dir, struct deadbox_list *ret_list)
{
    *ret_list = (struct deadbox_list){0};
    buf_init(&ret_list->bytes_of_numbers, SEGMENTS_MAX * sizeof(uint64_t));
    int r = read_names(dir, ret_list);
    if (r < 0)
        return r;
    ret_list->numbers = (uint64_t *)(void *)ret_list->bytes_of_numbers.ptr;
    if (ret_list->count > 0)
        qsort(ret_list->numbers, ret_list->count, sizeof(uint64_t), compare_numbers);
    return 0;
}

/* frees */
void deadbox_list_clear(struct deadbox_list *list)
{
    buf_clear(&list->bytes_of_numbers);
    list->numbers = NULL;
    list->count = 0;
}

/* ---- reading ---- */

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
    struct deadbox_list list;
    struct buf bytes;
    buf_init(&bytes, DEADBOX_SEGMENT_READ_MAX);
    int r = deadbox_list_segments(dir, &list);
    for (size_t i = 0; i < list.count && r == 0; i++) {
        char name[DEADBOX_NAME_BYTES];
        struct deadbox_end end;
        deadbox_segment_name(name, list.numbers[i]);
        buf_reset(&bytes);
        r = fs_read_file(fs, dir, name, &bytes);
        if (r == 0)
            r = deadbox_segment_scan(buf_slice(&bytes), list.numbers[i], on_frame, &letters, &end);
        if (r == -ENOENT || r == -EPROTONOSUPPORT)
            r = 0; /* dropped meanwhile; not for this version to read */
    }
    buf_clear(&bytes);
    deadbox_list_clear(&list);
    return r;
}
