/* os/stamp: what counts as another file */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/stamp.h"
#include "tmp_dir.h"

static void test_changes(void **state)
{
    (void)state;
    struct tmp_dir t;
    struct stamp s = {0};
    tmp_dir_make(&t);
    char path[512], other[512];
    snprintf(path, sizeof(path), "%s", tmp_dir_path(&t, "a"));
    snprintf(other, sizeof(other), "%s", tmp_dir_path(&t, "b"));
    assert_false(stamp_renew(&s, path)); /* not there, as before */
    tmp_dir_write_str(&t, "a", "one");
    assert_true(stamp_renew(&s, path));
    assert_false(stamp_renew(&s, path));
    tmp_dir_write_str(&t, "a", "longer");
    assert_true(stamp_renew(&s, path));
    tmp_dir_write_str(&t, "b", "longer");
    assert_int_equal(rename(other, path), 0); /* another inode */
    assert_true(stamp_renew(&s, path));
    assert_false(stamp_renew(&s, path));
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink("b", path), 0); /* the same file by a link */
    assert_false(stamp_renew(&s, path));
    assert_int_equal(unlink(other), 0);
    assert_true(stamp_renew(&s, path));
    assert_false(stamp_renew(&s, path));
    tmp_dir_remove(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_changes)};
    return cmocka_run_group_tests_name("os/stamp", tests, NULL, NULL);
}
