/* base/date: known instants, both clamps, and gmtime_r as oracle over every day. */
#include "base/date.h"

#include <string.h>
#include <time.h>

#include "base/def.h"
#include "base/prng.h"
#include "check.h"

#define S  INT64_C(1000000000)
#define MS INT64_C(1000000)

static void known_instants(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000000Z"},
        {1, "1970-01-01T00:00:00.000000001Z"},
        {-1, "1970-01-01T00:00:00.000000000Z"},
        {INT64_MIN, "1970-01-01T00:00:00.000000000Z"},
        {S - 1, "1970-01-01T00:00:00.999999999Z"},
        {86399 * S, "1970-01-01T23:59:59.000000000Z"},
        {86400 * S, "1970-01-02T00:00:00.000000000Z"},
        {951782400 * S, "2000-02-29T00:00:00.000000000Z"},
        {951868800 * S, "2000-03-01T00:00:00.000000000Z"},
        {1709164800 * S, "2024-02-29T00:00:00.000000000Z"},
        {4107542399 * S, "2100-02-28T23:59:59.000000000Z"},
        {4107542400 * S, "2100-03-01T00:00:00.000000000Z"},
        {1795395723 * S + 456 * MS, "2026-11-23T01:02:03.456000000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[DATE_RFC3339_NS_LEN + 1] = {0};
        date_write_ns(text, cases[i].ns);
        CHECK(cases[i].text, strcmp(text, cases[i].text) == 0);
    }
}

static void milliseconds(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1970-01-01T00:00:00.000Z"},
        {INT64_MIN, "1970-01-01T00:00:00.000Z"},
        {999, "1970-01-01T00:00:00.999Z"},
        {INT64_C(1795395723456), "2026-11-23T01:02:03.456Z"},
        {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z"},
        {INT64_C(253402300800000), "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[DATE_RFC3339_MS_LEN + 1] = {0};
        date_write_ms(text, cases[i].ms);
        CHECK(cases[i].text, strcmp(text, cases[i].text) == 0);
    }
}

/* the same date from the C library */
static void library_text(char *dst, size_t size, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char head[64];
    assert_non_null(gmtime_r(&seconds, &tm));
    assert_true(strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &tm) > 0);
    (void)snprintf(dst, size, "%s.%03dZ", head, (int)(ms % 1000));
}

static void agrees_with_the_library(void **state)
{
    (void)state;
    struct prng random;
    prng_init(&random, 2026);
    for (int64_t day = 0; day <= 253402300799 / 86400; day++) {
        char text[DATE_RFC3339_MS_LEN + 1] = {0};
        char expected[128];
        int64_t ms = day * 86400000 + prng_upto(&random, 86399999);
        date_write_ms(text, ms);
        library_text(expected, sizeof(expected), ms);
        assert_string_equal(text, expected);
    }
}

static void fields(void **state)
{
    (void)state;
    struct date d;
    date_from_ns(1795395723 * S + 456789012, &d);
    assert_int_equal(d.year, 2026);
    assert_int_equal(d.month, 11);
    assert_int_equal(d.day, 23);
    assert_int_equal(d.hour, 1);
    assert_int_equal(d.minute, 2);
    assert_int_equal(d.second, 3);
    assert_int_equal(d.nanosecond, 456789012);
}

static void days(void **state)
{
    (void)state;
    assert_int_equal(date_day_of(0), 0);
    assert_int_equal(date_day_of(86400 * S - 1), 0);
    assert_int_equal(date_day_of(86400 * S), 1);
    assert_int_equal(date_day_of(-1), -1);
    assert_int_equal(date_day_of(-86400 * S), -1);
    assert_int_equal(date_day_of(-86400 * S - 1), -2);
    assert_int_equal(date_day_of(INT64_MAX), 106751);
    assert_int_equal(date_day_of(INT64_MIN), -106752);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_instants),
        cmocka_unit_test(milliseconds),
        cmocka_unit_test(agrees_with_the_library),
        cmocka_unit_test(fields),
        cmocka_unit_test(days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
