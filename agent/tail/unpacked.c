/*
 * tail/unpacked - the unpacked bytes of a compressed file, by offset
 *
 * Bytes of the file go through `in` into the stream, and from there into `kept`, which holds
 * [kept_at, kept_at + kept_bytes) and grows to the largest read. On the way to an offset whole
 * slices are unpacked and thrown away, one a call.
 *
 * A stream that ends in the midst may still be written: its end is open until it is given up.
 *
 * Invariant: with a stream, what it gives next stands at kept_at + kept_bytes.
 */
#include "unpacked.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "os/reach.h"

#define IN_BYTES ((size_t)64 * 1024)

struct unpacked {
    enum inflate_kind kind;
    enum content_end end;
    unsigned *open;
    struct inflate *stream; /* NULL at rest */
    char *in;               /* with a stream */
    size_t in_at, in_bytes; /* what of it is not taken yet */
    uint64_t source_at;     /* where the file is read next */
    uint64_t size_seen;
    uint64_t useless;
    char *kept;
    size_t kept_room, kept_bytes;
    uint64_t kept_at;
    size_t budget; /* of the present call: compressed bytes that may be taken */
};

/* see header */
struct unpacked *unpacked_new(enum inflate_kind kind, unsigned *open)
{
    struct unpacked *u = mem_zalloc(sizeof(*u));
    u->kind = kind;
    u->open = open;
    return u;
}

/* see header */
void unpacked_rest(struct unpacked *u)
{
    if (u->stream == NULL)
        return;
    inflate_free(&u->stream);
    mem_free(u->in);
    mem_free(u->kept);
    u->in = u->kept = NULL;
    u->kept_room = u->kept_bytes = 0;
    (*u->open)--;
}

/* see header */
void unpacked_free(struct unpacked **up)
{
    if (*up == NULL)
        return;
    unpacked_rest(*up);
    mem_free(*up);
    *up = NULL;
}

/* a stream before its first byte */
static int begin(struct unpacked *u)
{
    if (u->stream == NULL && *u->open >= UNPACKED_OPEN_MAX)
        return -EBUSY;
    unpacked_rest(u);
    u->stream = inflate_new(u->kind);
    if (u->stream == NULL)
        return -ENOMEM;
    (*u->open)++;
    u->in = mem_zalloc(IN_BYTES);
    u->in_at = u->in_bytes = 0;
    u->source_at = u->kept_at = u->size_seen = u->useless = 0;
    u->end = CONTENT_OPEN;
    return 0;
}

/* the next bytes of the file; 0 = it has no more now */
static ssize_t take_in(struct unpacked *u, int fd)
{
    if (u->in_at < u->in_bytes)
        return (ssize_t)(u->in_bytes - u->in_at);
    ssize_t n = reach_read_at(fd, u->in, IN_BYTES, u->source_at);
    if (n < 0)
        return n;
    u->in_at = 0;
    u->in_bytes = (size_t)n;
    u->source_at += (uint64_t)n;
    u->budget -= u->budget < (size_t)n ? u->budget : (size_t)n;
    return n;
}

/* the stream cannot be gone on with */
static void fail(struct unpacked *u, int fd, ssize_t failure)
{
    struct fs_identity id;
    uint64_t taken = u->source_at - (u->in_bytes - u->in_at);
    u->end = failure == -E2BIG ? CONTENT_WINDOW : CONTENT_CORRUPT;
    u->size_seen = reach_identify(fd, &id) == 0 ? id.size : u->source_at;
    u->useless = u->size_seen > taken ? u->size_seen - taken : 0;
}

/* Unpacks up to n bytes to dst. 0 = the end; -EAGAIN = enough was taken for one call. */
static ssize_t unpack(struct unpacked *u, int fd, char *dst, size_t n)
{
    while (u->end != CONTENT_CORRUPT && u->end != CONTENT_WINDOW) {
        ssize_t r = take_in(u, fd);
        if (r < 0)
            return r;
        struct slice in = slice_of(u->in + u->in_at, u->in_bytes - u->in_at);
        bool at_end = in.len == 0;
        ssize_t written = inflate_some(u->stream, &in, dst, n);
        u->in_at = u->in_bytes - in.len;
        u->end = inflate_is_whole(u->stream) ? CONTENT_WHOLE : CONTENT_OPEN;
        if (written > 0)
            return written;
        if (written < 0) {
            fail(u, fd, written);
        } else if (at_end) {
            u->size_seen = u->source_at;
            return 0;
        } else if (u->budget == 0) {
            return -EAGAIN;
        }
    }
    return 0;
}

/* Brings the stream to `at`, or one slice nearer. */
static int go_to(struct unpacked *u, int fd, uint64_t at)
{
    if (u->stream == NULL || at < u->kept_at) {
        int r = begin(u);
        if (r < 0)
            return r;
    }
    if (u->kept == NULL) {
        u->kept_room = UNPACKED_SLICE;
        u->kept = mem_zalloc(u->kept_room);
    }
    size_t before = at - u->kept_at < u->kept_bytes ? (size_t)(at - u->kept_at) : u->kept_bytes;
    u->kept_at += before;
    u->kept_bytes -= before;
    memmove(u->kept, u->kept + before, u->kept_bytes);
    size_t left = UNPACKED_SLICE;
    while (u->kept_at < at && left > 0) {
        uint64_t gap = at - u->kept_at;
        ssize_t r = unpack(u, fd, u->kept, gap < left ? (size_t)gap : left);
        if (r <= 0)
            return (int)r; /* -EAGAIN too; the content ends before it */
        u->kept_at += (uint64_t)r;
        left -= (size_t)r;
    }
    return u->kept_at < at ? -EAGAIN : 0;
}

/* see header */
ssize_t unpacked_read_at(struct unpacked *u, int fd, void *p, size_t n, uint64_t at)
{
    u->budget = UNPACKED_SLICE;
    int r = go_to(u, fd, at);
    if (r < 0)
        return r;
    if (u->kept_at < at)
        return 0;
    if (u->kept_room < n) {
        u->kept = mem_resize(u->kept, n);
        u->kept_room = n;
    }
    while (u->kept_bytes < n) {
        ssize_t got = unpack(u, fd, u->kept + u->kept_bytes, n - u->kept_bytes);
        if (got == 0)
            break;
        if (got < 0)
            return got;
        u->kept_bytes += (size_t)got;
    }
    n = n < u->kept_bytes ? n : u->kept_bytes;
    memcpy(p, u->kept, n);
    return (ssize_t)n;
}

/* see header */
enum content_end unpacked_end(const struct unpacked *u)
{
    return u->end;
}

/* see header */
void unpacked_give_up(struct unpacked *u)
{
    u->end = CONTENT_CORRUPT;
}

/* see header */
uint64_t unpacked_size_seen(const struct unpacked *u)
{
    return u->size_seen;
}

/* see header */
uint64_t unpacked_useless(const struct unpacked *u)
{
    return u->useless;
}
