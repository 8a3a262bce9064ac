/* metrics/member: fractions keep their point, empty texts are left out. */
#include "metrics/member.h"

#include "check.h"

static void test_reals(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0, "{\"v\":0.0}"},          {1, "{\"v\":1.0}"},
        {128, "{\"v\":128.0}"},      {0.5, "{\"v\":0.5}"},
        {0.25, "{\"v\":0.25}"},      {1.0 / 3, "{\"v\":0.3333}"},
        {2.0 / 3, "{\"v\":0.6667}"}, {0.00004, "{\"v\":0.0}"},
        {0.00006, "{\"v\":0.0001}"}, {100.01, "{\"v\":100.01}"},
        {-1.5, "{\"v\":-1.5}"},      {999999999999999, "{\"v\":999999999999999.0}"},
    };
    struct buf b = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_writer w;
        open_json(&w, &b);
        member_real(&w, "v", cases[i].v);
        close_json(&w, cases[i].text);
    }
}

static void test_others(void **state)
{
    (void)state;
    struct buf b = {0};
    struct json_writer w;
    open_json(&w, &b);
    member_long(&w, "a", INT64_MAX);
    member_object(&w, "b");
    member_text(&w, "c", "x\"\n");
    member_text(&w, "d", "");
    member_text_if(&w, "e", "");
    member_text_if(&w, "f", "y");
    json_end_object(&w);
    close_json(&w, "{\"a\":9223372036854775807,\"b\":{\"c\":\"x\\\"\\n\",\"d\":\"\",\"f\":\"y\"}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reals),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
