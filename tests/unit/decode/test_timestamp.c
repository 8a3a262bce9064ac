/* decode/timestamp: what applications write, in the form of RFC 3339; what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/def.h"
#include "decode/decode.h"

static void forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want; /* NULL: none */
    } cases[] = {
        {"2025-03-24T10:00:00Z", "2025-03-24T10:00:00Z"},
        {"2025-03-24T10:00:00", "2025-03-24T10:00:00Z"},
        {"2025-03-24T10:00:00.123456", "2025-03-24T10:00:00.123456Z"},
        {"2025-03-24 10:00:00,123", "2025-03-24T10:00:00.123Z"},
        {"2025-03-24t10:00:00z", "2025-03-24T10:00:00Z"},
        {"2025-03-24T10:00:00+01:00", "2025-03-24T10:00:00+01:00"},
        {"2025-03-24T10:00:00+0100", "2025-03-24T10:00:00+01:00"},
        {"2025-03-24T10:00:00.5-0330", "2025-03-24T10:00:00.5-03:30"},
        {"2025-03-24T10:00:00+01", "2025-03-24T10:00:00+01:00"},
        {"2025-03-24T10:00:00.123456789012Z", "2025-03-24T10:00:00.123456789Z"},
        {"2025-03-24T10:00:00.123456789012+0100", "2025-03-24T10:00:00.123456789+01:00"},
        {"", NULL},
        {"2025-03-24", NULL},
        {"2025-03-24T10:00", NULL},
        {"2025-02-30T10:00:00", NULL},
        {"2025-03-24T24:00:00", NULL},
        {"2025-03-24T10:00:60Z", NULL},
        {"2025-03-24T10:00:00.", NULL},
        {"2025-03-24T10:00:00.Z", NULL},
        {"2025-03-24T10:00:00+1", NULL},
        {"2025-03-24T10:00:00+010", NULL},
        {"2025-03-24T10:00:00+01:0", NULL},
        {"2025-03-24T10:00:00 UTC", NULL},
        {"2025-03-24T10:00:00Z ", NULL},
        {"1742810400", NULL},
        {"Mar 24 10:00:00 2025", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char dst[DECODE_TIME_MAX];
        size_t n = decode_timestamp(slice_str(cases[i].text), dst);
        const char *want = cases[i].want == NULL ? "" : cases[i].want;
        if (n != strlen(want) || memcmp(dst, want, n) != 0)
            fail_msg("%s: %.*s", cases[i].text, (int)n, dst);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
