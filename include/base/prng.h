#ifndef BASE_PRNG_H
#define BASE_PRNG_H

/* Cheap random numbers for jitter (not for ids or secrets). State is the caller's. */
#include <stdint.h>

struct prng {
    uint64_t s[2]; /* xoroshiro128+ */
};

void prng_init(struct prng *r, uint64_t seed);
uint64_t prng_next(struct prng *r);
/* Uniform in [0, limit]; limit >= 0. */
int64_t prng_upto(struct prng *r, int64_t limit);

#endif
