#ifndef TAIL_CARRY_INTERNAL_H
#define TAIL_CARRY_INTERNAL_H

/* joins.c (one file's open records) and carry.c (over several generations) */
#include "base/buf.h"
#include "base/list.h"
#include "joins_internal.h"
#include "tail_internal.h"

/* Where an open record stands in one generation. */
struct join_start {
    bool open;
    bool here;       /* some of it stands in this generation */
    bool carried;    /* it goes on from an earlier one */
    uint64_t offset; /* of its first byte here */
    uint64_t anchor; /* hash of the bytes before offset */
};

struct join {
    struct join_start start;
    struct entry *origin; /* borrowed; the generation it begins in, NULL = this one */
    uint64_t origin_offset;
    uint64_t bytes; /* of the source */
    uint32_t lines;
    unsigned flags; /* enum encode_flag of its pieces */
    uint64_t bad;   /* characters that were replaced */
    int64_t since_ms;
    struct buf text;
    size_t time_len;
    char time[DECODE_TIME_MAX]; /* of its first line */
};

/* An earlier generation in which records stand that go on in this one; owned by the later one. */
struct carried {
    struct carried *next;
    struct joins *from;  /* of the file that still reads there, NULL = none */
    struct entry *entry; /* held */
    struct evidence end; /* where reading has come to there */
    struct join_start start[DECODE_STREAMS];
};

struct joins {
    struct list link; /* tail's, while something is open */
    struct file *file;
    struct join stream[DECODE_STREAMS];
    uint64_t taken_to;               /* lines before it were taken by an earlier life */
    uint64_t reopen[DECODE_STREAMS]; /* but for the open record that begins there */
    bool expected[DECODE_STREAMS];   /* it goes on from an earlier generation */
    bool was_oversize;               /* taken_to lies in the rest of an oversize line */
    struct carried *earlier;         /* owned */
    struct carried *away;            /* what goes on elsewhere */
};

#define JOIN_NOWHERE UINT64_MAX

/* Those of a file, made if there are none. */
struct joins *joins_of(struct file *f);
/* Evidence with the marks of records that are open. */
struct evidence join_mark(struct evidence at, const struct join_start start[DECODE_STREAMS]);
/* An empty record in its place; its memory is given up if it was large. */
void join_reset(struct tail *t, struct join *o);

/* ---- carry.c ---- */
/* The record of a stream was given, in this span: earlier generations may move with it. NULL: it
 * was sent by an earlier life, they move now. */
void carry_close(struct joins *j, enum decode_stream s, struct span *with);
/* Lets go of all earlier generations. */
void carry_free(struct joins *j);

#endif
