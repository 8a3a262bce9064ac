#ifndef TAIL_JOINS_INTERNAL_H
#define TAIL_JOINS_INTERNAL_H

/*
 * Records that stand in several lines of a container log, one open record for each stream.
 *
 * While a record is open no offset passes its first byte: the evidence of a span stands there, with
 * how much further reading had come (`ahead`). After a restart the lines in between are read again;
 * those of open records are put together, the others were sent and are passed over.
 *
 * What is open when a file ends goes on in the file that is read after it. The generation that it
 * began in is held until the record's end is acknowledged there.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bulk/span.h"
#include "decode/decode.h"

struct entry;
struct file;
struct joins;
struct pass;
struct pass_record;
struct tail;

/* Takes the marks of open records out of f->at: where reading begins again. size: of the file. */
void joins_resume(struct file *f, uint64_t size);
/* Before a read: what was open at the end of the file that f waited for goes on in f. */
void joins_before_read(struct file *f);
/* Closed buffers go when a file cools. */
void joins_cool(struct file *f);
/* Forgets what is open; nothing of it is acknowledged. */
void joins_free(struct joins **j);

/* The content of a file was replaced: takes what is open out of it; NULL = nothing. */
struct joins *joins_detach(struct file *f);
/* It goes on in the new content; end: where reading of entry had come to. Frees j. */
void joins_inherit(struct file *f, struct joins **j, struct entry *entry,
                   const struct evidence *end);

/* Lines before this file offset were taken by an earlier life: 0 = none. */
uint64_t joins_taken_to(const struct file *f);
/* Whether that offset lies in the rest of an oversize line. */
bool joins_was_oversize(const struct file *f);
/* One of these lines, at pos. False: no memory for it now. */
bool joins_take_again(struct pass *p, const struct pass_record *r, const struct decode_line *line);

bool joins_is_open(const struct file *f, enum decode_stream s);
/* A line that is partial, or the end of an open record. False: blocked. */
bool joins_add(struct pass *p, struct pass_record *r, const struct decode_line *line);
/* Evidence for a span that ends at `at`. */
struct evidence joins_evidence(const struct file *f, struct evidence at);
/* Source bytes of open records. */
uint64_t joins_bytes(const struct file *f);
/* Gives open records as they are. False: blocked. */
bool joins_flush(struct file *f);
/* The same for all files whose open records have waited long enough. */
void joins_check(struct tail *t);

#endif
