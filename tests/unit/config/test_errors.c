/* config/errors: what a list prints, in which order, and where it stops growing. */
#include "config/errors.h"

#include <errno.h>

#include "check.h"

/* the list as text, in a static buffer */
static const char *written(const struct config_errors *e)
{
    static char text[65536];
    struct buf out;
    buf_init(&out, sizeof(text) - 1);
    assert_int_equal(config_errors_write(e, &out), 0);
    memcpy(text, out.ptr == NULL ? "" : out.ptr, out.len);
    text[out.len] = '\0';
    buf_clear(&out);
    return text;
}

static void places(void **state)
{
    (void)state;
    struct config_errors e = {0};
    const struct config_place in_file = {"wherry.yml", 3, 7}, env = {"ELASTICSEARCH_HOSTS", 0, 0};
    assert_string_equal(written(&e), "");
    config_errors_add(&e, &in_file, "bad %d", 1);
    config_errors_add(&e, &env, "bad %d", 2);
    assert_string_equal(written(&e), "wherry.yml:3:7: bad 1\nELASTICSEARCH_HOSTS: bad 2\n");
    config_errors_clear(&e);
    assert_int_equal(e.n, 0);
    assert_null(e.v);
}

static void control_characters_are_escaped(void **state)
{
    (void)state;
    struct config_errors e = {0};
    const struct config_place at = {"a\nb", 1, 1};
    config_errors_add(&e, &at, "x%sy", "\n\x1b[2J\x7f");
    assert_string_equal(written(&e), "a\\x0ab:1:1: x\\x0a\\x1b[2J\\x7fy\n");
    config_errors_clear(&e);
}

static void order(void **state)
{
    (void)state;
    struct config_errors e = {0};
    static const struct config_place at[] = {
        {"b", 9, 1}, {"a", 5, 2}, {"b", 2, 8}, {"a", 5, 1}, {"b", 2, 3}, {"a", 0, 0}, {"b", 2, 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(at); i++)
        config_errors_add(&e, &at[i], "%zu", i);
    config_errors_sort(&e);
    assert_string_equal(written(&e),
                        "b:2:3: 4\nb:2:3: 6\nb:2:8: 2\nb:9:1: 0\na: 5\na:5:1: 3\na:5:2: 1\n");
    config_errors_clear(&e);
}

static void the_list_is_bounded(void **state)
{
    (void)state;
    struct config_errors e = {0};
    const struct config_place at = {"f", 1, 1};
    for (int i = 0; i < CONFIG_ERRORS_MAX + 3; i++)
        config_errors_add(&e, &at, "%d", i);
    assert_int_equal(e.n, CONFIG_ERRORS_MAX);
    assert_int_equal(e.more, 3);
    assert_non_null(strstr(written(&e), "f:1:1: 99\n... and 3 more errors\n"));
    config_errors_clear(&e);
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    static char text[6000];
    memset(text, 'x', sizeof(text) - 1);
    struct config_errors e = {0};
    const struct config_place at = {"f", 1, 1};
    config_errors_add(&e, &at, "%s", text);
    assert_int_equal(strlen(e.v[0].text), 4096);
    config_errors_clear(&e);
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    struct config_errors e = {0};
    const struct config_place at = {"f", 1, 1};
    struct buf out;
    buf_init(&out, 5);
    config_errors_add(&e, &at, "text");
    assert_int_equal(config_errors_write(&e, &out), -ENOBUFS);
    buf_clear(&out);
    config_errors_clear(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(control_characters_are_escaped),
        cmocka_unit_test(order),
        cmocka_unit_test(the_list_is_bounded),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(a_full_buffer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
