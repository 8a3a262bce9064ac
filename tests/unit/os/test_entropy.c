/* os/entropy: all bytes are filled, none beyond, no two fills agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "base/def.h"
#include "os/entropy.h"

#define SIZE 5000

/* whether n bytes are all zero */
static bool is_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0)
            return false;
    }
    return true;
}

static void test_fills_exactly(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 9, 16, 256, 257, SIZE - 1};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        unsigned char bytes[SIZE] = {0};
        entropy_fill(bytes, sizes[i]);
        assert_true(is_zero(bytes + sizes[i], SIZE - sizes[i]));
        if (sizes[i] >= 16) { /* 2^-128 that this fails by chance */
            assert_false(is_zero(bytes, 16));
            assert_false(is_zero(bytes + sizes[i] - 16, 16));
        }
    }
}

static void test_never_the_same(void **state)
{
    (void)state;
    unsigned char a[16];
    unsigned char b[16];
    entropy_fill(a, sizeof(a));
    for (int i = 0; i < 100; i++) {
        memcpy(b, a, sizeof(b));
        entropy_fill(a, sizeof(a));
        assert_memory_not_equal(a, b, sizeof(a));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fills_exactly),
        cmocka_unit_test(test_never_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
