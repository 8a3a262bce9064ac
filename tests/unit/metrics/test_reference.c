/* metrics/reference: docs/metrics.md is what the tables say. */
#include "metrics/reference.h"

#include <errno.h>

#include "check.h"

static void test_the_page_is_up_to_date(void **state)
{
    (void)state;
    struct buf got, want;
    char piece[4096];
    size_t n;
    buf_init(&got, MIB);
    buf_init(&want, MIB);
    assert_int_equal(reference_write(&got), 0);
    FILE *f = fopen("docs/metrics.md", "re");
    assert_non_null(f);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        assert_int_equal(buf_add(&want, piece, n), 0);
    (void)fclose(f);
    if (strcmp(buf_cstr(&got), buf_cstr(&want)) != 0)
        fail_msg("docs/metrics.md is not what the tables say: run make docs");
    buf_clear(&got);
    buf_clear(&want);
}

static void test_no_room(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 500);
    assert_int_equal(reference_write(&out), -ENOBUFS);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page_is_up_to_date),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
