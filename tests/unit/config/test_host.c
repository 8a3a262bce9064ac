/* config/host: normal forms, refusals, what is on this machine. */
#include "config/host.h"

#include <errno.h>

#include "check.h"

static void normal_forms(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"es1", "http://es1:9200"},
        {"es1:80", "http://es1:80"},
        {"ES1.Example.COM", "http://es1.example.com:9200"},
        {"10.0.0.1", "http://10.0.0.1:9200"},
        {"[::1]", "http://[::1]:9200"},
        {"[FE80::1]:65535", "http://[fe80::1]:65535"},
        {"http://es1", "http://es1:9200"},
        {"HTTPS://es1/", "https://es1:9200"},
        {"https://es1:443", "https://es1:443"},
        {"https://es1:9243/a/B/", "https://es1:9243/a/B"},
        {"es1/path//", "http://es1:9200/path"},
        {"my_es-1:1", "http://my_es-1:1"},
        {"http://[::ffff:10.0.0.1]:9200/p%20x", "http://[::ffff:10.0.0.1]:9200/p%20x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        struct err why = {0};
        buf_init(&out, 1000);
        CHECK(cases[i][0], host_normalise(slice_str(cases[i][0]), &out, &why) == 0);
        CHECK_TEXT(cases[i][0], buf_cstr(&out), cases[i][1]);
        buf_clear(&out);
    }
}

static void refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",      "http://",   "ftp://es1", "es1:",    "es1:0",        "es1:65536",
        "es1:x", "::1",       "fe80::1",   "[es1]",   "[::1",         "[]:9200",
        "es 1",  "es1?a=b",   "es1/a?b",   "es1/#x",  "es1\n",        "-es1",
        ".es1",  "es1:92 00", "http:///p", "es1/a b", "es1/\xc3\xa4", "https://es1:-1",
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        struct err why = {0};
        buf_init(&out, 1000);
        CHECK(cases[i], host_normalise(slice_str(cases[i]), &out, &why) == -EINVAL);
        CHECK(cases[i], out.len == 0);
        CHECK(cases[i], strstr(why.text, "is not an address like es1, es1:9200") != NULL);
        buf_clear(&out);
    }
}

static void a_password_is_not_quoted(void **state)
{
    (void)state;
    static const char *const cases[] = {"http://u:secret@es1", "u:secret@es1:9200", "a@b",
                                        "ftp://u:secret@es1", "http://u:a/secret@es1"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        struct err why = {0};
        buf_init(&out, 1000);
        CHECK(cases[i], host_normalise(slice_str(cases[i]), &out, &why) == -EINVAL);
        CHECK(cases[i], strstr(why.text, "secret") == NULL);
        CHECK(cases[i], strstr(why.text, "options username and password") != NULL);
        buf_clear(&out);
    }
}

static void loopback(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool is;
    } cases[] = {
        {"http://localhost:9200", true},
        {"https://es.localhost:9200/p", true},
        {"http://127.0.0.1:9200", true},
        {"http://127.1.2.3:80", true},
        {"http://[::1]:9200", true},
        {"http://127.example.com:9200", false},
        {"http://128.0.0.1:9200", false},
        {"http://notlocalhost:9200", false},
        {"http://localhost.example:9200", false},
        {"http://[::2]:9200", false},
        {"nonsense://", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(cases[i].url, host_is_loopback(slice_str(cases[i].url)) == cases[i].is);
}

static void a_full_buffer_is_refused(void **state)
{
    (void)state;
    struct buf out;
    struct err why = {0};
    buf_init(&out, 8);
    assert_int_equal(host_normalise(SLICE_LIT("es1"), &out, &why), -EINVAL);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

static void proxies(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"Proxy", "http://proxy:80"},
        {"proxy:3128", "http://proxy:3128"},
        {"http://proxy:3128/", "http://proxy:3128"},
        {"socks5://proxy", "socks5://proxy:1080"},
        {"SOCKS5://[::1]:9", "socks5://[::1]:9"},
        {"https://Proxy", "https://proxy:443"},
        {"https://proxy:3129/", "https://proxy:3129"},
        {"socks://proxy", NULL},
        {"http://proxy/path", NULL},
        {"http://u:secret@proxy", NULL},
        {"http://", NULL},
        {"proxy:x", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        struct err why = {0};
        buf_init(&out, 1000);
        int error = host_normalise_proxy(slice_str(cases[i][0]), &out, &why);
        CHECK(cases[i][0], error == (cases[i][1] == NULL ? -EINVAL : 0));
        CHECK_TEXT(cases[i][0], buf_cstr(&out), cases[i][1] == NULL ? "" : cases[i][1]);
        CHECK(cases[i][0], strstr(why.text, "secret") == NULL);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_forms),
        cmocka_unit_test(refused),
        cmocka_unit_test(a_password_is_not_quoted),
        cmocka_unit_test(loopback),
        cmocka_unit_test(a_full_buffer_is_refused),
        cmocka_unit_test(proxies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
