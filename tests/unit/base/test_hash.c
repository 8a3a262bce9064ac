/* base/hash: XXH3's published test values, since heads and anchors on disk are these values. */
#include "base/hash.h"

#include "base/def.h"
#include "check.h"

static void published_values(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        uint64_t hash;
    } cases[] = {
        {0, UINT64_C(0x2d06800538d394c2)},    {1, UINT64_C(0xc44bdff4074eecdb)},
        {6, UINT64_C(0x27b56a84cd2d7325)},    {12, UINT64_C(0xa713daf0dfbb77e7)},
        {24, UINT64_C(0xa3fe70bf9d3510eb)},   {48, UINT64_C(0x397da259ecba1f11)},
        {80, UINT64_C(0xbcdefbbb2c47c90a)},   {195, UINT64_C(0xcd94217ee362ec3a)},
        {403, UINT64_C(0xcdeb804d65c6dea4)},  {512, UINT64_C(0x617e49599013cb6b)},
        {2048, UINT64_C(0xdd59e2c3a5f038e0)}, {2240, UINT64_C(0x6e73a90539cf2948)},
        {2367, UINT64_C(0xcb37aeb9e5d361ed)},
    };
    /* the input the values were published for */
    static uint8_t bytes[2367];
    uint64_t generator = UINT64_C(2654435761);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(generator >> 56);
        generator *= UINT64_C(11400714785074694797);
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "length %zu", cases[i].len);
        CHECK(name, hash64(bytes, cases[i].len) == cases[i].hash);
    }
    assert_true(hash64(NULL, 0) == cases[0].hash);
}

static void integers_spread(void **state)
{
    (void)state;
    /* neighbours must not crowd in the low bits, by which maps index */
    unsigned slots[256] = {0};
    for (uint64_t i = 0; i < 25600; i++)
        slots[hash64_u64(i * 4096) & 255]++;
    for (size_t i = 0; i < ARRAY_LEN(slots); i++)
        assert_in_range(slots[i], 40, 160); /* 100 each, six standard deviations of ten */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values),
        cmocka_unit_test(integers_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
