/* config/cloud: what ids lead to. */
#include "config/cloud.h"

#include <errno.h>

#include "check.h"

static void ids(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        /* host.test$es$kibana */
        {"name:aG9zdC50ZXN0JGVzJGtpYmFuYQ==", "https://es.host.test:443"},
        {"aG9zdC50ZXN0JGVzJGtpYmFuYQ", "https://es.host.test:443"},
        {"a:b:aG9zdC50ZXN0JGVzJGtpYmFuYQ==", "https://es.host.test:443"},
        /* host.test:9243$es$ */
        {"n:aG9zdC50ZXN0OjkyNDMkZXMk", "https://es.host.test:9243"},
        /* host.test:9243$es:9244$kibana:9245 */
        {"n:aG9zdC50ZXN0OjkyNDMkZXM6OTI0NCRraWJhbmE6OTI0NQ==", "https://es.host.test:9244"},
        /* host.test$es */
        {"n:aG9zdC50ZXN0JGVz", "https://es.host.test:443"},
        {"https://es.host.test:443", "https://es.host.test:443"},
        /* host.test$$kibana */
        {"n:aG9zdC50ZXN0JCRraWJhbmE=", NULL},
        /* host.test */
        {"n:aG9zdC50ZXN0", NULL},
        /* $es$ */
        {"n:JGVzJA==", NULL},
        /* u@host$es/x?y$ */
        {"n:dUBob3N0JGVzL3g/eSQ=", NULL},
        /* host:x$es$ */
        {"n:aG9zdDp4JGVzJA==", NULL},
        {"n:", NULL},
        {"n:!!!!", NULL},
        {"n:aG9z dC50", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        struct err why = {0};
        buf_init(&out, 1000);
        int error = cloud_id_normalise(slice_str(cases[i][0]), &out, &why);
        CHECK(cases[i][0], error == (cases[i][1] == NULL ? -EINVAL : 0));
        CHECK_TEXT(cases[i][0], buf_cstr(&out), cases[i][1] == NULL ? "" : cases[i][1]);
        CHECK(cases[i][0], (why.text[0] != '\0') == (error != 0));
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ids)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
