#ifndef TAIL_PASS_H
#define TAIL_PASS_H

/*
 * One pass over a part of a file that stands in the shared buffer: what read.c loads, lines.c cuts
 * into lines, and pass.c gives to batches, span by span.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tail_internal.h"

struct pass {
    struct file *f;
    const struct tail_input *input;
    const char *bytes;    /* the buffer */
    uint64_t base;        /* file offset of bytes[0] */
    uint64_t pos;         /* file offset of what comes next */
    uint64_t end;         /* file offset behind the last byte */
    uint64_t padding;     /* file offset of the next padding; end = none is known, */
    uint64_t padding_end; /* and where it ends; 0 = not looked for yet */
    struct batch *batch;
    uint64_t target_until; /* file offset up to which the present batch's target holds */
    size_t unit;           /* bytes of a code unit */
    uint16_t span;
    bool has_span;
    bool oversize; /* pos lies in the rest of an oversize line */
    bool final;    /* nothing comes behind end any more */
    bool blocked;
};

/* A record that begins at pos. */
struct pass_record {
    struct slice text; /* in UTF-8 or nearly so */
    size_t take;       /* its source bytes */
    unsigned flags;    /* enum encode_flag */
    bool open_end;     /* ended by a limit or a timer */
    uint64_t bad;      /* characters that were replaced already */
};

/* ---- pass.c ---- */
/* Pointer to a file offset in the buffer. */
const char *pass_at(const struct pass *p, uint64_t offset);
/* Length of the anchor before an offset. */
size_t pass_anchor_bytes(uint64_t offset);
/* Gives a record and passes over it. False: blocked. */
bool pass_emit(struct pass *p, const struct pass_record *r);
/* Passes over `take` bytes at pos. False: blocked (skipped bytes belong to a span too). */
bool pass_skip(struct pass *p, enum ledger_skip why, size_t take, uint64_t lines);
/* Ends the present span at pos: its evidence, and what must be durable before it may leave. */
void pass_leave_span(struct pass *p);

/* ---- padding.c ---- */
/* Whether padding begins before a file offset; p->padding is where. */
bool padding_is_before(struct pass *p, uint64_t end);
/* Passes over it; pos stands there. False: blocked. */
bool padding_skip(struct pass *p);

/* ---- lines.c ---- */
/* Takes lines until the bytes or the batches are used up; what is left is an unfinished line. */
void lines_take(struct pass *p);
/* Takes what is left as a line that has no end. */
void lines_take_rest(struct pass *p);

#endif
