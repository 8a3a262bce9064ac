/* config/check: the rules of single texts, their normal forms. */
#include "config/check.h"

#include <errno.h>

#include "check.h"

#define HUNDRED                                                                                    \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
    "aaaaaaaa"

typedef int (*check_fn)(struct slice text, struct buf *out, struct err *why);

struct text_case {
    const char *text;
    const char *normal; /* NULL: refused */
};

/* runs a table through a check */
static void run(check_fn fn, const struct text_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct buf out;
        struct err why = {0};
        buf_init(&out, 1000);
        int result = fn(slice_str(cases[i].text), &out, &why);
        CHECK(cases[i].text, result == (cases[i].normal == NULL ? -EINVAL : 0));
        CHECK_TEXT(cases[i].text, buf_cstr(&out), cases[i].normal == NULL ? "" : cases[i].normal);
        CHECK(cases[i].text, (why.text[0] != '\0') == (result != 0));
        buf_clear(&out);
    }
}

static void stream_parts(void **state)
{
    (void)state;
    static const struct text_case cases[] = {
        {"generic", "generic"},
        {"nginx.access", "nginx.access"},
        {"a_1", "a_1"},
        {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
        {HUNDRED, HUNDRED},
        {HUNDRED "a", NULL},
        {"", NULL},
        {"A", NULL},
        {"a-b", NULL},
        {"a b", NULL},
        {"a\\b", NULL},
        {"a/b", NULL},
        {"a*", NULL},
        {"a?", NULL},
        {"\"", NULL},
        {"<", NULL},
        {">", NULL},
        {"|", NULL},
        {",", NULL},
        {"#", NULL},
        {":", NULL},
        {"\t", NULL},
        {"\x7f", NULL},
    };
    run(check_stream_part, cases, ARRAY_LEN(cases));
    struct err why = {0};
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(check_stream_part(SLICE_LIT("My-App"), &out, &why), -EINVAL);
    assert_string_equal(why.text,
                        "\"My-App\" cannot be part of a data stream's name; allowed: 1 to 100 "
                        "bytes, lower case, no blank and none of - \\ / * ? \" < > | , # :");
}

static void others(void **state)
{
    (void)state;
    static const struct text_case filled[] = {{"x", "x"}, {"", NULL}};
    static const struct text_case absolute[] = {
        {"", ""}, {"/", ""}, {"/hostfs", "/hostfs"}, {"/hostfs//", "/hostfs"}, {"hostfs", NULL}};
    static const struct text_case user[] = {{"", ""}, {"elastic", "elastic"}, {"a:b", NULL}};
    static const struct text_case key[] = {{"", ""},
                                           {"id:key", "aWQ6a2V5"},
                                           {"aWQ6a2V5", "aWQ6a2V5"},
                                           {"aWQ_a-V5==", "aWQ_a-V5=="},
                                           {":key", NULL},
                                           {"id:", NULL},
                                           {"not base64", NULL},
                                           {"a\"b", NULL}};
    run(check_filled, filled, ARRAY_LEN(filled));
    run(check_absolute, absolute, ARRAY_LEN(absolute));
    run(check_username, user, ARRAY_LEN(user));
    run(check_api_key, key, ARRAY_LEN(key));
}

#define HEX32 "0123456789abcdef0123456789abcdef"

static void of_the_connection(void **state)
{
    (void)state;
    static const struct text_case header[] = {{"X-A: b", "X-A: b"},
                                              {"X-A: ", "X-A: "},
                                              {"x_1.y: a: b", "x_1.y: a: b"},
                                              {"X A: b", NULL},
                                              {": b", NULL},
                                              {"X-A", NULL},
                                              {"X-A: b\r\nX: y", NULL},
                                              {"Authorization: b", NULL},
                                              {"CONTENT-LENGTH: 1", NULL},
                                              {"host: a", NULL}};
    static const struct text_case token[] = {
        {"", ""}, {"a.b-c", "a.b-c"}, {"a b", NULL}, {"a\n", NULL}, {"\xc3\xa4", NULL}};
    static const struct text_case fingerprint[] = {
        {"", ""},
        {HEX32 HEX32, HEX32 HEX32},
        {"01:23:45:67:89:AB:CD:EF:01:23:45:67:89:ab:cd:ef:" HEX32, HEX32 HEX32},
        {HEX32, NULL},
        {HEX32 HEX32 "0", NULL},
        {HEX32 HEX32 ":0", NULL},
        {":" HEX32 HEX32, NULL},
        {"0:1" HEX32, NULL},
        {"g" HEX32 HEX32, NULL}};
    static const struct text_case path[] = {{"", ""},        {"/", ""},       {"es", "/es"},
                                            {"/es/", "/es"}, {"a/b", "/a/b"}, {"a b", NULL},
                                            {"a?b", NULL},   {"/a#b", NULL}};
    static const struct text_case file[] = {{"a", "a"},   {".a", ".a"},  {"", NULL}, {".", NULL},
                                            {"..", NULL}, {"a/b", NULL}, {"/", NULL}};
    run(check_header, header, ARRAY_LEN(header));
    run(check_token, token, ARRAY_LEN(token));
    run(check_fingerprint, fingerprint, ARRAY_LEN(fingerprint));
    run(check_url_path, path, ARRAY_LEN(path));
    run(check_file_name, file, ARRAY_LEN(file));
}

static void what_does_not_fit(void **state)
{
    (void)state;
    static const check_fn fns[] = {check_filled, check_username, check_api_key, check_stream_part};
    for (size_t i = 0; i < ARRAY_LEN(fns); i++) {
        struct buf out;
        struct err why = {0};
        buf_init(&out, 2);
        assert_int_equal(fns[i](SLICE_LIT("abcd"), &out, &why), -EINVAL);
        assert_string_equal(why.text, "value is too long");
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_parts),
        cmocka_unit_test(others),
        cmocka_unit_test(of_the_connection),
        cmocka_unit_test(what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
