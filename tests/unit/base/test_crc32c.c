/* base/crc32c: the vectors of RFC 3720, the bitwise definition, both implementations. */
#include "base/crc32c.h"

#include <string.h>

#include "base/crc32c_internal.h"
#include "base/def.h"
#include "base/prng.h"
#include "check.h"

/* the definition: one bit a step */
static uint32_t bitwise(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static void known_values(void **state)
{
    (void)state;
    uint8_t zeros[32] = {0};
    uint8_t ones[32], up[32], down[32];
    memset(ones, 0xff, sizeof(ones));
    for (uint8_t i = 0; i < 32; i++) {
        up[i] = i;
        down[i] = (uint8_t)(31 - i);
    }
    const struct {
        const char *name;
        const void *p;
        size_t n;
        uint32_t crc;
    } cases[] = {
        {"nothing", NULL, 0, 0},           {"check value", "123456789", 9, 0xe3069283},
        {"zeros", zeros, 32, 0x8a9136aa},  {"ones", ones, 32, 0x62a8ab43},
        {"ascending", up, 32, 0x46dd794e}, {"descending", down, 32, 0x113fdb5c},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK(cases[i].name, crc32c(0, cases[i].p, cases[i].n) == cases[i].crc);
        CHECK(cases[i].name, crc32c_by_table(0, cases[i].p, cases[i].n) == cases[i].crc);
    }
}

static void all_forms_agree(void **state)
{
    (void)state;
    static uint8_t bytes[4096];
    struct prng random;
    prng_init(&random, 7);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)prng_next(&random);
    for (int round = 0; round < 2000; round++) {
        size_t from = (size_t)prng_upto(&random, 64);
        size_t n = (size_t)prng_upto(&random, round % 10 == 0 ? 4000 : 40);
        size_t cut = (size_t)prng_upto(&random, (int64_t)n);
        uint32_t start = (uint32_t)prng_next(&random);
        const uint8_t *p = bytes + from;
        uint32_t expected = bitwise(start, p, n);
        assert_true(crc32c(start, p, n) == expected);
        assert_true(crc32c_by_table(start, p, n) == expected);
        /* in two parts */
        assert_true(crc32c(crc32c(start, p, cut), p + cut, n - cut) == expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_values),
        cmocka_unit_test(all_forms_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
