/*
 * base/hash - XXH3, 64 bits, seed 0
 *
 * The algorithm comes inline from the system's header (XXH3's output is frozen since 0.8.0), so
 * there is no library to link. Nothing can fail.
 */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* hash of bytes */
uint64_t hash64(const void *p, size_t n)
{
    return XXH3_64bits(p, n);
}

/* hash of a number's bytes; never stored, so their order does not matter */
uint64_t hash64_u64(uint64_t v)
{
    return XXH3_64bits(&v, sizeof(v));
}
