/* base/err: texts, prefixes, cutting, and NULL for callers who do not care. */
#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "check.h"

static void setting(void **state)
{
    (void)state;
    struct err e = {0};
    assert_int_equal(err_set(&e, -EINVAL, "bad value %d", 7), -EINVAL);
    assert_int_equal(e.code, -EINVAL);
    assert_string_equal(e.text, "bad value 7");
    assert_int_equal(err_set_errno(&e, -ENOENT, "open \"%s\"", "/x"), -ENOENT);
    assert_string_equal(e.text, "open \"/x\": No such file or directory");
    /* a positive errno means the same */
    assert_int_equal(err_set_errno(&e, EACCES, "read"), EACCES);
    assert_string_equal(e.text, "read: Permission denied");
}

static void prefixing(void **state)
{
    (void)state;
    struct err e = {0};
    (void)err_set(&e, -EIO, "short read");
    assert_int_equal(err_prefix(&e, "file %d", 3), -EIO);
    assert_string_equal(e.text, "file 3: short read");
    assert_int_equal(err_prefix(&e, "input \"%s\"", "a"), -EIO);
    assert_string_equal(e.text, "input \"a\": file 3: short read");
}

static void own_text_as_argument(void **state)
{
    (void)state;
    struct err e = {0};
    (void)err_set(&e, -EIO, "inner");
    (void)err_set(&e, -EPROTO, "outer (%s)", e.text);
    assert_string_equal(e.text, "outer (inner)");
    (void)err_set_errno(&e, -EPERM, "again %s", e.text);
    assert_string_equal(e.text, "again outer (inner): Operation not permitted");
}

static void overlong_is_cut(void **state)
{
    (void)state;
    char longest[2000];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    struct err e = {0};
    assert_int_equal(err_set(&e, -E2BIG, "%s", longest), -E2BIG);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    assert_int_equal(err_set_errno(&e, -E2BIG, "%s", longest), -E2BIG);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    /* each length around the edge */
    for (int n = 490; n < 530; n++) {
        (void)err_set(&e, -EIO, "tail");
        assert_int_equal(err_prefix(&e, "%.*s", n, longest), -EIO);
        size_t expected = (size_t)n + strlen(": tail");
        assert_int_equal(strlen(e.text), expected < sizeof(e.text) ? expected : sizeof(e.text) - 1);
    }
}

static void nobody_asked(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, -EINVAL, "x"), -EINVAL);
    assert_int_equal(err_set_errno(NULL, -EIO, "x"), -EIO);
    assert_int_equal(err_prefix(NULL, "x"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting),
        cmocka_unit_test(prefixing),
        cmocka_unit_test(own_text_as_argument),
        cmocka_unit_test(overlong_is_cut),
        cmocka_unit_test(nobody_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
