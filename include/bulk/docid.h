#ifndef BULK_DOCID_H
#define BULK_DOCID_H

/*
 * Document ids: 12 base64url characters (a generation: 72 random bits) + 13 lower-case hex digits
 * (the offset of the record's first source byte, or a metric's sequence number). A record that was
 * ended by a timer or a limit, not by its own end, appends '-' and its length in bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define DOCID_GENERATION_BYTES 9
#define DOCID_GENERATION_CHARS 12
#define DOCID_OFFSET_DIGITS    13
#define DOCID_CHARS            (DOCID_GENERATION_CHARS + DOCID_OFFSET_DIGITS)
#define DOCID_MAX              (DOCID_CHARS + 1 + 20)

struct generation {
    uint8_t bytes[DOCID_GENERATION_BYTES];
};

/* 72 fresh random bits. */
void generation_mint(struct generation *ret);
bool generation_eq(const struct generation *a, const struct generation *b);
uint64_t generation_hash(const struct generation *g);
/* dst: 12 characters, no NUL. */
void generation_write(char *dst, const struct generation *g);

/* dst: 13 digits, no NUL. */
void docid_write_offset(char *dst, uint64_t offset);

/* The number behind the generation of an id of this form: the offset. False for any other id. */
bool docid_offset(struct slice id, uint64_t *ret_offset);

#endif
