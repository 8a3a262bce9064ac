#ifndef TOOLS_SINK_DEFER_H
#define TOOLS_SINK_DEFER_H

/*
 * Bodies that are answered at once, as if every item were new and good, and looked at later: when
 * somebody asks for the stats, at the end, or when the memory for them is used up. So a sink can
 * keep up with an agent that needs less time for a line than the sink for checking it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "sink_http.h"

#define DEFER_ITEM "{\"create\":{\"status\":201}},"

struct defer_body {
    size_t at, len;
    char index[256]; /* of the URL */
    size_t index_len;
};

struct defer {
    char *memory; /* NULL: nothing is deferred */
    size_t room, used;
    struct bytes bodies;  /* struct defer_body each */
    struct bytes answers; /* the text of as many items as were ever asked for at once */
    uint64_t items;       /* answered, and not looked at yet */
};

/* Takes memory for so many bytes, all of it there; false when it cannot be had */
static inline bool defer_init(struct defer *d, size_t room)
{
    void *p = mmap(NULL, room, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return false;
    d->memory = p;
    d->room = room;
    return true;
}

/* How many newlines, 16 bytes a step */
static inline size_t defer_lines(const char *p, size_t n)
{
    typedef uint8_t vector __attribute__((vector_size(16)));
    const vector newline = (vector){0} + (uint8_t)'\n';
    const char *end = p + n;
    size_t lines = 0;

    while (end - p >= 16) {
        vector sum = {0};
        for (unsigned i = 0; i < 255 && end - p >= 16; i++, p += 16) {
            vector v;
            memcpy(&v, p, sizeof(v));
            sum -= (vector)(v == newline);
        }
        for (unsigned i = 0; i < 16; i++)
            lines += sum[i];
    }
    for (; p < end; p++)
        lines += *p == '\n';
    return lines;
}

/* Keeps a body; false when there is no room. *ret_items: the answer to all of its items */
static inline bool defer_keep(struct defer *d, struct text index, struct text body,
                              struct text *ret_items)
{
    const size_t lines = defer_lines(body.ptr, body.len);
    struct defer_body one = {.at = d->used, .len = body.len, .index_len = index.len};

    if (d->room - d->used < body.len || index.len > sizeof(one.index) || lines == 0 ||
        lines % 2 != 0)
        return false;
    memcpy(one.index, index.ptr, index.len);
    memcpy(d->memory + d->used, body.ptr, body.len);
    d->used += body.len;
    bytes_add(&d->bodies, (const char *)&one, sizeof(one));
    d->items += lines / 2;
    const size_t answer = lines / 2 * strlen(DEFER_ITEM);
    while (d->answers.len < answer)
        bytes_add(&d->answers, DEFER_ITEM, strlen(DEFER_ITEM));
    *ret_items = (struct text){d->answers.ptr, answer - 1}; /* without the last comma */
    return true;
}

#endif
