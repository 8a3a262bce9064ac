/*
 * tail/cutting - the options that decide where a record begins and ends
 *
 * Ids are made of offsets, so under other options the same id would stand for another text. The
 * hash of these options is kept with each generation; a file whose input has others goes on under a
 * new generation. An option that cuts bytes into records has its line here.
 */
#include "base/hash.h"
#include "tail_internal.h"

/* one option more */
static uint64_t mix(uint64_t hash, uint64_t value)
{
    return hash64_u64(hash ^ hash64_u64(value));
}

/* see tail_internal.h */
uint32_t cutting_of(const struct tail_input *input)
{
    uint64_t hash = 1;
    hash = mix(hash, input->max_bytes);
    hash = mix(hash, (uint64_t)input->line_flush_ms);
    hash = mix(hash, (uint64_t)input->format);
    hash = mix(hash, (uint64_t)input->charset * 2 + input->charset_by_mark);
    if (input->json != TAIL_JSON_OFF) /* cuts nothing, but the id stands for another document */
        hash = mix(hash, (uint64_t)input->json);
    uint32_t half = (uint32_t)(hash ^ hash >> 32);
    return half != 0 ? half : 1; /* 0 = not known */
}
