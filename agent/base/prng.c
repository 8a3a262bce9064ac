/*
 * base/prng - xoroshiro128+ (Blackman and Vigna, 2018)
 *
 * Seeded through splitmix64, which never gives the all-zero state from which the generator could
 * not leave. Its lowest bits are the weakest, so ranges are cut from the top. Nothing can fail.
 */
#include "base/prng.h"

#include <assert.h>

/* next output of splitmix64 */
static uint64_t split_mix(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* rotates to the left */
static uint64_t rotate(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

/* seeds */
void prng_init(struct prng *r, uint64_t seed)
{
    r->s[0] = split_mix(&seed);
    r->s[1] = split_mix(&seed);
}

/* 64 random bits */
uint64_t prng_next(struct prng *r)
{
    uint64_t a = r->s[0];
    uint64_t b = r->s[1];
    uint64_t sum = a + b;
    b ^= a;
    r->s[0] = rotate(a, 24) ^ b ^ b << 16;
    r->s[1] = rotate(b, 37);
    return sum;
}

/* draws as many top bits as limit has until they are in range: under two draws on average */
int64_t prng_upto(struct prng *r, int64_t limit)
{
    assert(limit >= 0);
    if (limit == 0)
        return 0;
    int unused_bits = __builtin_clzll((unsigned long long)limit);
    uint64_t v;
    do {
        v = prng_next(r) >> unused_bits;
    } while (v > (uint64_t)limit);
    return (int64_t)v;
}
