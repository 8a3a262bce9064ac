#ifndef BASE_HASH_H
#define BASE_HASH_H

/* The 64-bit hash of the project: XXH3 with seed 0, from the system's xxhash header. It is part
 * of the registry's format: heads and anchors are stored as this value. */
#include <stddef.h>
#include <stdint.h>

uint64_t hash64(const void *p, size_t n);
/* Mixes an integer key, for maps. */
uint64_t hash64_u64(uint64_t v);

#endif
