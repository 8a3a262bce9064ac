#ifndef METRICS_BLOCK_H
#define METRICS_BLOCK_H

/*
 * Documents with their ids as one piece of bytes, for the spool: 12 characters of the generation,
 * then for each document u64 sequence, the target and the document, each with its u32 length
 * (store/frame.h). What is read is believed only where it can be sent.
 */
#include "base/buf.h"
#include "base/def.h"
#include "base/slice.h"
#include "bulk/docid.h"

struct block_document {
    uint64_t sequence;
    struct slice target;   /* of a form that needs no escape */
    struct slice document; /* one line, without newline */
};

/* Begins a block in an empty buffer. */
int block_begin(struct buf *out, const char generation[DOCID_GENERATION_CHARS]) MUST_CHECK;
/* After a failure out is as it was. */
int block_add(struct buf *out, const struct block_document *d) MUST_CHECK;

/* Borrows from the block. */
struct block_reader {
    char generation[DOCID_GENERATION_CHARS];
    struct slice rest;
};

/* 0, -EBADMSG. */
int block_open(struct slice block, struct block_reader *ret) MUST_CHECK;
/* 1 = *ret is set; 0 = that was all; -EBADMSG: what follows is no document. */
int block_next(struct block_reader *r, struct block_document *ret) MUST_CHECK;

#endif
