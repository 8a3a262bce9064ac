/* os/http_tls: which files are read, when OpenSSL's own interface is needed, fingerprints */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "os/http_internal.h"

static char one[] = "one.pem", two[] = "two.pem";
static char *const files[] = {one, two};

#define HEX "00ff10a9b8c7d6e5f40123456789abcdef"

static void test_files(void **state)
{
    (void)state;
    static const struct {
        struct http_tls tls;
        const char *want[5];
    } cases[] = {
        {{.ca_count = 0}, {NULL}},
        {{.ca_files = files, .ca_count = 1}, {"one.pem"}},
        {{.ca_files = files, .ca_count = 2}, {"one.pem", "two.pem"}},
        {{.certificate = "c", .key = "k"}, {"c", "k"}},
        {{.ca_files = files, .ca_count = 2, .certificate = "c", .key = "k"},
         {"one.pem", "two.pem", "c", "k"}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (size_t n = 0; n < ARRAY_LEN(cases[i].want); n++) {
            const char *got = http_tls_file(&cases[i].tls, n);
            if (cases[i].want[n] == NULL)
                assert_null(got);
            else
                assert_string_equal(got, cases[i].want[n]);
        }
    }
}

static void test_context(void **state)
{
    (void)state;
    static const struct {
        struct http_tls tls;
        bool want;
    } cases[] = {
        {{.ca_count = 0}, false},
        {{.ca_files = files, .ca_count = 1}, false},
        {{.ca_files = files, .ca_count = 2}, true},
        {{.ca_fingerprint = HEX}, true},
        {{.ca_fingerprint = HEX, .verify = HTTP_VERIFY_CHAIN}, true},
        {{.ca_fingerprint = HEX, .verify = HTTP_VERIFY_NONE}, false},
        {{.certificate = "c", .key = "k"}, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(http_tls_needs_context(&cases[i].tls), cases[i].want);
}

static void test_digest(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {NULL, 0},
        {"00ff10a9b8c7d6e5f40123456789abcdef000102030405060708090a0b0c0d0e", 0},
        {"00ff10a9b8c7d6e5f40123456789abcdef000102030405060708090a0b0c0d0", -EINVAL},
        {"00ff10a9b8c7d6e5f40123456789abcdef000102030405060708090a0b0c0d0e0", -EINVAL},
        {"00FF10a9b8c7d6e5f40123456789abcdef000102030405060708090a0b0c0d0e", -EINVAL},
        {"", -EINVAL},
    };
    static const uint8_t want[] = {0x00, 0xff, 0x10, 0xa9};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct http_tls tls = {.ca_fingerprint = cases[i].text};
        struct http_trust trust = {.tls = &tls};
        assert_int_equal(http_tls_digest(&trust), cases[i].error);
        if (cases[i].text != NULL && cases[i].error == 0) {
            assert_memory_equal(trust.digest, want, sizeof(want));
            assert_int_equal(trust.digest[31], 0x0e);
        }
    }
}

/* a client that could not keep its promise is not made */
static void test_no_client(void **state)
{
    (void)state;
    const struct http_opts bad = {.user_agent = "w", .tls.ca_fingerprint = "abc"};
    assert_null(http_new(&bad));
}

int main(void)
{
    if (http_global_init() != 0)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_files), cmocka_unit_test(test_context),
                                       cmocka_unit_test(test_digest),
                                       cmocka_unit_test(test_no_client)};
    return cmocka_run_group_tests_name("os/http_tls", tests, NULL, NULL);
}
