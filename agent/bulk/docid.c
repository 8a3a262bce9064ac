/*
 * bulk/docid - names of generations and documents
 *
 * A generation is random, so two files, two lives of one file, or two hosts never share one.
 */
#include "bulk/docid.h"

#include <string.h>

#include "base/base64.h"
#include "base/hash.h"
#include "base/num.h"
#include "os/entropy.h"

/* see header */
void generation_mint(struct generation *ret)
{
    entropy_fill(ret->bytes, sizeof(ret->bytes));
}

/* compares all 72 bits */
bool generation_eq(const struct generation *a, const struct generation *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* hash for maps keyed by generation */
uint64_t generation_hash(const struct generation *g)
{
    return hash64(g->bytes, sizeof(g->bytes));
}

/* the printed form */
void generation_write(char *dst, const struct generation *g)
{
    base64url_write9(dst, g->bytes);
}

/* The first and the last eight digits, of which three are the same: their bits are. */
void docid_write_offset(char *dst, uint64_t offset)
{
    const unsigned before = DOCID_OFFSET_DIGITS - 8;
    num_write_hex8(dst, (uint32_t)(offset >> 4 * before));
    num_write_hex8(dst + before, (uint32_t)offset);
}

/* see header */
bool docid_offset(struct slice id, uint64_t *ret_offset)
{
    struct slice digits = slice_sub(id, DOCID_GENERATION_CHARS, DOCID_OFFSET_DIGITS);
    return digits.len == DOCID_OFFSET_DIGITS && num_hex(digits, ret_offset) == 0;
}
