#ifndef METRICS_BACKLOG_H
#define METRICS_BACKLOG_H

/*
 * Documents that wait while no batch is free: first in, first out, in one ring of bytes. The ring
 * is there only while something waits.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct backlog_entry {
    uint64_t sequence;
    const char *target; /* borrowed: data stream, lives as long as the backlog */
    uint32_t bytes;     /* of the document */
};

struct backlog;

/* max: bytes of the ring. */
struct backlog *backlog_new(size_t max);
/* NULL is allowed. */
void backlog_free(struct backlog **b);

bool backlog_is_empty(const struct backlog *b);
/* Whether a document of that size fits. One that is larger than the empty ring never does. */
bool backlog_has_room(const struct backlog *b, size_t bytes);
/* There is room; document.len is entry->bytes. */
void backlog_push(struct backlog *b, const struct backlog_entry *entry, struct slice document);
/* The oldest entry; false when there is none. */
bool backlog_front(const struct backlog *b, struct backlog_entry *ret_entry);
/* Replaces the content of *out by the document of the oldest entry. 0, -ENOBUFS, -ENOMEM. */
int backlog_document(const struct backlog *b, struct buf *out) MUST_CHECK;
/* Removes the oldest entry. */
void backlog_pop(struct backlog *b);

#endif
