#ifndef STORE_JOURNAL_CHECK_H
#define STORE_JOURNAL_CHECK_H

/*
 * One file of a journal, looked at by itself: what stands in it, where it ends, what is wrong.
 * Reads only; works on copies and on files of a running agent.
 */
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"
#include "store/frame.h"

enum journal_verdict {
    JOURNAL_GOOD,       /* whole: a log up to its END, a checkpoint with its COUNT */
    JOURNAL_UNUSED,     /* zeros only: preallocated, never written */
    JOURNAL_TORN,       /* the last append, or the whole checkpoint, was not finished */
    JOURNAL_DAMAGED,    /* what had been durable does not verify */
    JOURNAL_NO_HEADER,  /* the header is damaged, or this is no file of ours */
    JOURNAL_NEWER,      /* of a newer version: not read */
    JOURNAL_OTHER_KIND, /* a file of wherry, but neither log nor checkpoint */
};

struct journal_check {
    enum journal_verdict verdict;
    struct frame_header header; /* where it could be read */
    uint64_t records;           /* that verify, up to the end or the first bad place */
    uint64_t end;               /* offset of the end, or of the first bad byte */
    uint64_t base_sequence;     /* checkpoints: sequence of the log record before it */
};

/* at: offset of the record in the file. */
typedef void (*journal_check_fn)(void *ctx, uint64_t at, const struct frame *f);

/* bytes: the whole file. fn is called for each record that verifies, in order. */
void journal_check(struct slice bytes, journal_check_fn fn, void *ctx, struct journal_check *ret);

/* Whether bytes are a complete checkpoint of that epoch; *ret_sequence: of the record before its
 * log. */
bool journal_check_checkpoint(struct slice bytes, uint64_t epoch, uint64_t *ret_sequence);

#endif
