/* config/unit: what is written reads back as the same number. */
#include "config/unit.h"

#include <errno.h>

#include "base/num.h"
#include "check.h"

static void sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "1"},
        {1000, "1000"},
        {1023, "1023"},
        {1024, "1KiB"},
        {1025, "1025"},
        {1536, "1536"},
        {65536, "64KiB"},
        {1 << 20, "1MiB"},
        {3 << 20, "3MiB"},
        {(uint64_t)1 << 30, "1GiB"},
        {(uint64_t)1 << 40, "1TiB"},
        {(uint64_t)1 << 50, "1024TiB"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        uint64_t back = 1;
        buf_init(&out, 100);
        CHECK(cases[i].text, unit_write_bytes(cases[i].bytes, &out) == 0);
        CHECK_TEXT(cases[i].text, buf_cstr(&out), cases[i].text);
        CHECK(cases[i].text, num_bytes(buf_slice(&out), &back) == 0 && back == cases[i].bytes);
        buf_clear(&out);
    }
}

static void durations(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "0"},          {1, "1ms"},         {999, "999ms"},    {1000, "1s"},
        {1500, "1s500ms"}, {60000, "1m"},      {90000, "1m30s"},  {3600000, "1h"},
        {86400000, "1d"},  {129600000, "36h"}, {604800000, "7d"}, {90061001, "25h1m1s1ms"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        int64_t back = 1;
        buf_init(&out, 100);
        CHECK(cases[i].text, unit_write_duration(cases[i].ms, &out) == 0);
        CHECK_TEXT(cases[i].text, buf_cstr(&out), cases[i].text);
        CHECK(cases[i].text, num_duration(buf_slice(&out), &back) == 0 && back == cases[i].ms);
        buf_clear(&out);
    }
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 2);
    assert_int_equal(unit_write_bytes(65536, &out), -ENOBUFS);
    buf_reset(&out);
    assert_int_equal(unit_write_duration(90000, &out), -ENOBUFS);
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(durations),
        cmocka_unit_test(a_full_buffer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
