#ifndef METRICS_HANDOVER_H
#define METRICS_HANDOVER_H

/* A document with its id into the feed's open batch. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "bulk/docid.h"
#include "bulk/feed.h"

/* The largest document. */
#define HANDOVER_DOCUMENT_MAX ((size_t)48 * 1024)

struct handover {
    struct feed *feed; /* borrowed; takes items of HANDOVER_DOCUMENT_MAX + KIB bytes */
    struct buf action; /* of the current document, reused */
};

void handover_init(struct handover *h, struct feed *feed);
void handover_clear(struct handover *h);

/* The document goes into a span of owner, which has no document of the same sequence there; target
 * needs no escape. False when there is no batch, or no memory: then it waits. */
bool handover_give(struct handover *h, struct span_owner *owner,
                   const char generation[DOCID_GENERATION_CHARS], uint64_t sequence,
                   struct slice target, struct slice document);

#endif
