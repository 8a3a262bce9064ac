/* config/setting: the list keeps order and copies. */
#include "config/setting.h"

#include "check.h"

static void copies_in_order(void **state)
{
    (void)state;
    struct settings s = {0};
    char key[] = "k00";
    for (size_t i = 0; i < 100; i++) {
        key[1] = (char)('0' + i / 10);
        key[2] = (char)('0' + i % 10);
        struct setting *one = settings_add(&s, SETTING_NULL, slice_str(key));
        setting_set_text(one, slice_of("a\0b", 3));
    }
    assert_int_equal(s.n, 100);
    assert_string_equal(s.v[42].key, "k42");
    assert_int_equal(s.v[42].kind, SETTING_TEXT);
    assert_int_equal(s.v[42].span, 1);
    assert_true(slice_eq(setting_text(&s.v[42]), slice_of("a\0b", 3)));
    settings_clear(&s);
    assert_null(s.v);
    assert_int_equal(s.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(copies_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
