#ifndef BULK_SPAN_H
#define BULK_SPAN_H

/*
 * A span: the source bytes [from, to) that one batch carries of one generation. It is the unit of
 * acknowledgement: batches count its open items down, its owner (the tail's acknowledgement, the
 * metrics scheduler) hears when it is resolved, and owns it from then on.
 *
 * All of it happens in the loop's thread; sender threads never touch a span.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "bulk/docid.h"
#include "bulk/ledger.h"

#define SPAN_ANCHOR_BYTES 64
#define SPAN_HEAD_BYTES   1024

enum evidence_flag {
    EVIDENCE_IN_OVERSIZE = 1 << 0, /* offset + ahead lies in the unread rest of an oversize line */
    /* Records in several lines, one for each of two streams; of the second stream: the next bit. */
    EVIDENCE_OPEN = 1 << 2,         /* it is open, and stands in this generation from offset on */
    EVIDENCE_CARRIED = 1 << 4,      /* it is open, and began in an earlier generation */
    EVIDENCE_SECOND_FIRST = 1 << 6, /* that of the second stream stands at offset */
    EVIDENCE_UNSURE = 1 << 1,       /* the host went down since: other bytes may follow by now */
};

/* Evidence of content, taken from the bytes as they were read. */
struct evidence {
    uint64_t offset;     /* what the anchor stands before */
    uint64_t anchor;     /* hash of the min(64, offset) bytes before offset */
    uint64_t head;       /* hash of the first head_bytes bytes */
    uint16_t head_bytes; /* 0..1024, of the bytes that have been read */
    uint16_t flags;      /* enum evidence_flag */
    uint32_t ahead;      /* records that ended up to offset + ahead are taken; 0 if none is open */
    uint32_t other;      /* both open: the later one stands at offset + other */
};

struct span;
struct span_owner;

struct span_owner_ops {
    /* Every item of the span is acknowledged or durable in the dead-letter box. The span is the
     * owner's again: give it back by span_put when it is no longer needed. */
    void (*resolved)(struct span_owner *owner, struct span *span);
    /* An item of this generation and offset, never sent before, was answered "exists already".
     * False: it may have been sent by an earlier life, so that this is an acknowledgement. True:
     * another document has its id; generation is replaced by one under which it is to be sent
     * again once the ticket is durable. NULL: never. */
    bool (*collided)(struct span_owner *owner, uint64_t offset,
                     char generation[DOCID_GENERATION_CHARS], uint64_t *ret_ticket);
};

struct span_owner {
    const struct span_owner_ops *ops;
    struct ledger *ledger; /* borrowed; told of what resolves */
    const char *source;    /* borrowed: path, for dead letters; "" for metrics */
};

struct span {
    struct list link;            /* the owner's: spans in order of their source */
    struct span_owner *owner;    /* borrowed */
    uint64_t from, to;           /* source bytes; to grows while the batch is open */
    struct evidence evidence;    /* at `to` */
    struct ledger_count shipped; /* of its items */
    struct ledger_count dead;    /* of those, dead-lettered */
    uint32_t open_items;
    bool resolved;
    struct span *companion; /* owned: resolved when the owner's offset has moved over this span */
};

/* Spans are recycled; a steady state allocates none. */
struct span_pool;
struct span_pool *span_pool_new(void);
/* Every span must be back. */
void span_pool_free(struct span_pool **p);
/* Zeroed but for owner and from = to = at; its link is in no list. */
struct span *span_get(struct span_pool *p, struct span_owner *owner, uint64_t at);
void span_put(struct span_pool *p, struct span *s);
/* Makes c a companion of s: a span of another owner that no batch has. It goes where s goes. */
void span_add_companion(struct span *s, struct span *c);
/* The owner's offset has moved over s: its companions are resolved. */
void span_resolve_companions(struct span *s);
/* Nothing is going on: gives back what is kept for the next ones. */
void span_pool_rest(struct span_pool *p);
/* Spans handed out now. */
unsigned span_pool_used(const struct span_pool *p);

#endif
