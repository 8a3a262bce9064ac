#ifndef TOOLS_SINK_HTTP_H
#define TOOLS_SINK_HTTP_H

/*
 * The sink's side of HTTP/1.1: one connection with its input, the request that is being read from
 * it, and the answer that is being written. Bodies come with Content-Length or chunked, plain or
 * gzip (all members), and are whole in memory when a request is handed out; HTTP_BODY_MAX bounds
 * them, decompressed too.
 */
#include <libdeflate.h>
#include <openssl/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/def.h"
#include "sink_scan.h"

#define HTTP_HEAD_MAX 16384u
#define HTTP_BODY_MAX (256 * MIB)
#define HTTP_READ     MIB

struct bytes {
    char *ptr;
    size_t len;
    size_t room;
};

struct conn {
    int fd;
    SSL *tls; /* NULL: plain */
    struct bytes in;
    struct bytes body; /* of a chunked request, joined */
    struct bytes out;
    size_t written;  /* of out */
    int64_t due_ms;  /* the answer waits until then; 0: it does not */
    uint32_t wanted; /* epoll events asked for */

    size_t head_len; /* 0: head not whole yet */
    size_t chunk_at; /* where the next chunk begins in `in` */
    uint64_t content_length;
    char method[8];
    size_t target_at; /* in `in`, which may move while it grows */
    size_t target_len;
    bool chunked;
    bool gzip;
    bool keep_alive;
    bool expects_continue;
    bool closing; /* close when `out` is written */
};

/* Makes room for n more bytes; ends the program without memory */
static inline void bytes_reserve(struct bytes *b, size_t n)
{
    if (b->room - b->len >= n)
        return;
    size_t room = b->room ? b->room : 4096;
    while (room - b->len < n)
        room *= 2;
    b->ptr = realloc(b->ptr, room);
    if (b->ptr == NULL) {
        (void)fprintf(stderr, "sink: out of memory\n");
        abort();
    }
    b->room = room;
}

static inline void bytes_add(struct bytes *b, const char *p, size_t n)
{
    bytes_reserve(b, n);
    memcpy(b->ptr + b->len, p, n);
    b->len += n;
}

static inline void PRINTF_LIKE(2, 3) bytes_print(struct bytes *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        abort();
    bytes_reserve(b, (size_t)n + 1);
    va_start(args, format);
    (void)vsnprintf(b->ptr + b->len, (size_t)n + 1, format, args);
    va_end(args);
    b->len += (size_t)n;
}

/* Notes what one header line says */
static inline bool http_header(struct conn *c, struct text line)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    char name[32] = "";
    char value[64] = "";

    if (colon == NULL)
        return false;
    const char *end = line.ptr + line.len;
    const char *from = scan_blank(colon + 1, end);
    (void)snprintf(name, sizeof(name), "%.*s", (int)(colon - line.ptr), line.ptr);
    (void)snprintf(value, sizeof(value), "%.*s", (int)(end - from), from);
    if (strcasecmp(name, "content-length") == 0) {
        char *rest;
        c->content_length = strtoull(value, &rest, 10);
        return rest != value && *rest == 0 && c->content_length <= HTTP_BODY_MAX;
    }
    if (strcasecmp(name, "transfer-encoding") == 0)
        c->chunked = strcasecmp(value, "chunked") == 0;
    else if (strcasecmp(name, "content-encoding") == 0)
        c->gzip = strcasecmp(value, "gzip") == 0;
    else if (strcasecmp(name, "connection") == 0)
        c->keep_alive = strcasecmp(value, "close") != 0;
    else if (strcasecmp(name, "expect") == 0)
        c->expects_continue = strcasecmp(value, "100-continue") == 0;
    return true;
}

/* Reads the head when it is whole. 1: read, 0: more is needed, -1: not HTTP or over a limit */
static inline int http_head(struct conn *c)
{
    const char *found = memmem(c->in.ptr, c->in.len, "\r\n\r\n", 4);
    const char *end;

    if (found == NULL)
        return c->in.len > HTTP_HEAD_MAX ? -1 : 0;
    end = found + 2;
    const char *p = c->in.ptr;
    const char *line_end = memmem(p, (size_t)(end - p), "\r\n", 2);
    const char *space = memchr(p, ' ', (size_t)(line_end - p));
    if (space == NULL || (size_t)(space - p) >= sizeof(c->method))
        return -1;
    memcpy(c->method, p, (size_t)(space - p));
    c->method[space - p] = 0;
    p = space + 1;
    space = memchr(p, ' ', (size_t)(line_end - p));
    if (space == NULL)
        return -1;
    c->target_at = (size_t)(p - c->in.ptr);
    c->target_len = (size_t)(space - p);
    c->keep_alive = (size_t)(line_end - space) == 9 && memcmp(space, " HTTP/1.1", 9) == 0;
    c->chunked = c->gzip = c->expects_continue = false;
    c->content_length = 0;
    for (p = line_end + 2; p < end; p = line_end + 2) {
        line_end = memmem(p, (size_t)(end - p), "\r\n", 2);
        if (!http_header(c, (struct text){p, (size_t)(line_end - p)}))
            return -1;
    }
    c->head_len = (size_t)(found + 4 - c->in.ptr);
    c->chunk_at = c->head_len;
    c->body.len = 0;
    return 1;
}

/* Joins the chunks that are whole. 1: the last one was seen, 0: more is needed, -1: broken */
static inline int http_chunks(struct conn *c)
{
    for (;;) {
        const char *from = c->in.ptr + c->chunk_at;
        const size_t left = c->in.len - c->chunk_at;
        const char *line_end = memmem(from, left, "\r\n", 2);
        if (line_end == NULL)
            return left > 1024 ? -1 : 0;
        char *rest;
        const uint64_t size = strtoull(from, &rest, 16);
        const size_t before = (size_t)(line_end + 2 - from);
        if (rest == from || size > HTTP_BODY_MAX - c->body.len)
            return -1;
        if (left < before + size + 2)
            return 0;
        bytes_add(&c->body, line_end + 2, size);
        c->chunk_at += before + size + 2;
        if (size == 0)
            return 1;
    }
}

/* Whether a whole request is there; *ret_body is its body, still compressed. As http_head */
static inline int http_request(struct conn *c, struct text *ret_body)
{
    int rc;

    if (c->head_len == 0 && (rc = http_head(c)) <= 0)
        return rc;
    if (c->chunked) {
        rc = http_chunks(c);
        *ret_body = (struct text){c->body.ptr, c->body.len};
        return rc;
    }
    if (c->in.len - c->head_len < c->content_length)
        return 0;
    *ret_body = (struct text){c->in.ptr + c->head_len, c->content_length};
    return 1;
}

/* How much may be read at once, room made for it */
static inline size_t http_read_room(struct conn *c)
{
    size_t want = HTTP_READ;

    if (c->head_len != 0 && !c->chunked && c->head_len + c->content_length > c->in.len)
        want = c->head_len + c->content_length - c->in.len;
    bytes_reserve(&c->in, want + 1);
    return c->in.room - c->in.len - 1;
}

/* Forgets the request that has been handled */
static inline void http_drop(struct conn *c)
{
    const size_t used = c->chunked ? c->chunk_at : c->head_len + c->content_length;

    memmove(c->in.ptr, c->in.ptr + used, c->in.len - used);
    c->in.len -= used;
    c->head_len = 0;
}

/* Unpacks all members of the body into *dst; false when it is not gzip or too large */
static inline bool http_gunzip(struct libdeflate_decompressor *d, struct text body,
                               struct bytes *dst)
{
    dst->len = 0;
    bytes_reserve(dst, 8 * body.len + 4096);
    while (body.len > 0) {
        size_t in = 0;
        size_t out = 0;
        switch (libdeflate_gzip_decompress_ex(d, body.ptr, body.len, dst->ptr + dst->len,
                                              dst->room - dst->len, &in, &out)) {
        case LIBDEFLATE_SUCCESS:
            body = (struct text){body.ptr + in, body.len - in};
            dst->len += out;
            break;
        case LIBDEFLATE_INSUFFICIENT_SPACE:
            if (dst->room >= HTTP_BODY_MAX)
                return false;
            bytes_reserve(dst, dst->room - dst->len + 1);
            break;
        case LIBDEFLATE_BAD_DATA:
        case LIBDEFLATE_SHORT_OUTPUT:
            return false;
        }
    }
    return true;
}

/* Appends a whole answer, JSON unless it is empty */
static inline void http_answer(struct conn *c, int status, struct text first, struct text second)
{
    const bool head_only = strcmp(c->method, "HEAD") == 0;

    bytes_print(&c->out,
                "HTTP/1.1 %d %s\r\nX-elastic-product: Elasticsearch\r\n"
                "content-type: application/json\r\ncontent-length: %zu\r\n%s\r\n",
                status, status < 300 ? "OK" : "Error", first.len + second.len,
                c->keep_alive ? "" : "connection: close\r\n");
    if (!head_only) {
        bytes_add(&c->out, first.ptr, first.len);
        bytes_add(&c->out, second.ptr, second.len);
    }
    if (!c->keep_alive)
        c->closing = true;
}

#endif
