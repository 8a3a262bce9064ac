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
    uint64_t taken_to;     /* lines before this file offset were taken by an earlier life */
    uint16_t span;
    bool has_span;
    bool oversize; /* pos lies in the rest of an oversize line */
    bool final;    /* nothing comes behind end any more */
    bool blocked;
};

/* A record whose last bytes stand at pos. */
struct pass_record {
    struct slice text;                   /* in UTF-8 or nearly so */
    struct slice time;                   /* empty: now */
    const char *stream;                  /* or NULL */
    const char *error;                   /* or NULL */
    const struct generation *generation; /* that it begins in; NULL = the file's */
    uint64_t offset;                     /* of its first byte */
    size_t take;                         /* its source bytes at pos, */
    uint64_t before;                     /* and those in earlier lines */
    uint32_t lines;                      /* of the source */
    unsigned flags;                      /* enum encode_flag */
    bool open_end;                       /* ended by a limit or a timer */
    uint64_t bad;                        /* characters that were replaced already */
};

/* ---- pass.c ---- */
/* Pointer to a file offset in the buffer. */
const char *pass_at(const struct pass *p, uint64_t offset);
/* Length of the anchor before an offset. */
size_t pass_anchor_bytes(uint64_t offset);
/* Gives a record and passes over it. False: blocked. */
bool pass_emit(struct pass *p, const struct pass_record *r);
/* Gives what follows as far as it is plain lines in the present span, many at once, and passes over
 * it. False: there is none. */
bool pass_emit_run(struct pass *p);
/* Makes sure that there is a span that pos may be moved in. False: blocked. */
bool pass_enter(struct pass *p);
/* Passes over `take` bytes at pos. False: blocked (skipped bytes belong to a span too). */
bool pass_skip(struct pass *p, enum ledger_skip why, size_t take, uint64_t lines);
/* Ends the present span at pos: its evidence, and what must be durable before it may leave. */
void pass_leave_span(struct pass *p);

/* A pass that begins where reading has come to, with nothing to read. */
struct pass pass_without_bytes(struct file *f);

/* ---- padding.c ---- */
/* Whether padding begins before a file offset; p->padding is where. */
bool padding_is_before(struct pass *p, uint64_t end);
/* Passes over it; pos stands there. False: blocked. */
bool padding_skip(struct pass *p);

/* ---- decoded.c ---- */
/* A line of a container log: a record, a part of one, or none of the format. False: blocked. */
bool decoded_take(struct pass *p, struct pass_record *r);
/* Whether a file's lines can be taken as a run, and what finds their text then. */
bool decoded_may_run(const struct file *f, encode_cut_fn *ret_cut);
/* A line that an earlier life has taken, up to p->taken_to, at pos. False: more must be read. */
bool decoded_take_again(struct pass *p);

/* ---- lines.c ---- */
/* The record of a line that stands at pos in `length` bytes without its newline. */
struct pass_record lines_record(const struct pass *p, size_t length);
/* Gives a line's text as it is, without a CR at its end; an empty one is passed over. */
bool pass_give(struct pass *p, struct pass_record *r);
/* Takes lines until the bytes or the batches are used up; what is left is an unfinished line. */
void lines_take(struct pass *p);
/* Takes what is left as a line that has no end. */
void lines_take_rest(struct pass *p);

#endif
