/* bulk/docid: the printed form, equality, and that every minted bit is random. */
#include "bulk/docid.h"

#include "bulk_test.h"

static void printed_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t bytes[DOCID_GENERATION_BYTES];
    } cases[] = {
        {"AAAAAAAAAAAA", {0}},
        {"____________", {255, 255, 255, 255, 255, 255, 255, 255, 255}},
        {"AAECAwQFBgcI", {0, 1, 2, 3, 4, 5, 6, 7, 8}},
        {"--------AAAA", {0xfb, 0xef, 0xbe, 0xfb, 0xef, 0xbe, 0, 0, 0}},
        {"gAAAAAAAAAAB", {0x80, 0, 0, 0, 0, 0, 0, 0, 1}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct generation g;
        char text[DOCID_GENERATION_CHARS + 2];
        memset(text, '#', sizeof(text));
        memcpy(g.bytes, cases[i].bytes, sizeof(g.bytes));
        generation_write(text, &g);
        CHECK(cases[i].text, memcmp(text, cases[i].text, DOCID_GENERATION_CHARS) == 0);
        CHECK(cases[i].text, text[DOCID_GENERATION_CHARS] == '#');
    }
}

static void equality_sees_each_bit(void **state)
{
    (void)state;
    struct generation a, b;
    generation_mint(&a);
    b = a;
    assert_true(generation_eq(&a, &b));
    assert_true(generation_hash(&a) == generation_hash(&b));
    for (unsigned bit = 0; bit < 8 * DOCID_GENERATION_BYTES; bit++) {
        b = a;
        b.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(generation_eq(&a, &b));
        assert_false(generation_hash(&a) == generation_hash(&b));
    }
}

/* 256 mints: a bit that is always the same would have a chance of 2^-255 */
static void minted_bits_vary(void **state)
{
    (void)state;
    enum { MINTS = 256 };
    static struct generation all[MINTS];
    uint8_t ones[DOCID_GENERATION_BYTES] = {0}, zeros[DOCID_GENERATION_BYTES] = {0};
    for (size_t i = 0; i < MINTS; i++) {
        generation_mint(&all[i]);
        for (size_t byte = 0; byte < DOCID_GENERATION_BYTES; byte++) {
            ones[byte] |= all[i].bytes[byte];
            zeros[byte] |= (uint8_t)~all[i].bytes[byte];
        }
        for (size_t earlier = 0; earlier < i; earlier++)
            assert_false(generation_eq(&all[i], &all[earlier]));
    }
    for (size_t byte = 0; byte < DOCID_GENERATION_BYTES; byte++)
        assert_true(ones[byte] == 0xff && zeros[byte] == 0xff);
}

static void offsets_of_ids(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        bool is;
        uint64_t offset;
    } cases[] = {
        {"Jx0yq2Zl8A_b000000001f4a2", true, 0x1f4a2},
        {"Jx0yq2Zl8A_bfffffffffffff", true, 0xfffffffffffff},
        {"Jx0yq2Zl8A_b000000001f4a2-1048576", true, 0x1f4a2},
        {"Jx0yq2Zl8A_b000000001f4a", false, 0},
        {"Jx0yq2Zl8A_b00000000xf4a2", false, 0},
        {"Jx0yq2Zl8A_b", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t offset = 0;
        CHECK(cases[i].id, docid_offset(slice_str(cases[i].id), &offset) == cases[i].is);
        CHECK(cases[i].id, !cases[i].is || offset == cases[i].offset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_form),
        cmocka_unit_test(equality_sees_each_bit),
        cmocka_unit_test(minted_bits_vary),
        cmocka_unit_test(offsets_of_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
