/* metrics/pressure: lines of any order and number, percentages to fractions; a whole document. */
#include "metrics/pressure.h"

#include <errno.h>

#include "check.h"

static struct buf text;

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        bool full;
        double some10, some300;
        uint64_t some_us;
    } cases[] = {
        {"some avg10=1.00 avg60=2.50 avg300=100.00 total=123\nfull avg10=0.00 avg60=0.00 "
         "avg300=0.00 total=5\n",
         0, true, 0.01, 1, 123},
        {"some avg10=0.50 avg60=0.00 avg300=0.25 total=7\n", 0, false, 0.005, 0.0025, 7},
        {"full avg10=0.00 total=1\nsome total=2 avg300=1.00 new=9 word\nother x=1\n", 0, true, 0,
         0.01, 2},
        {"full avg10=0.00 avg60=0.00 avg300=0.00 total=5\n", -EBADMSG, false, 0, 0, 0},
        {"some avg10=100.01 total=1\n", -EBADMSG, false, 0, 0, 0},
        {"some avg10=-1 total=1\n", -EBADMSG, false, 0, 0, 0},
        {"some avg10=1.00 total=-1\n", -EBADMSG, false, 0, 0, 0},
        {"some avg10=1.00 total=9223372036854775808\n", -EBADMSG, false, 0, 0, 0},
        {"some avg10=1.00 total=1", -EBADMSG, false, 0, 0, 0},
        {"", -EBADMSG, false, 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pressure_line l[PRESSURE_SHARES] = {0};
        CHECK(cases[i].text, pressure_parse(slice_str(cases[i].text), l) == cases[i].error);
        CHECK(cases[i].text, l[PRESSURE_SOME].is_set == (cases[i].error == 0));
        CHECK(cases[i].text, l[PRESSURE_FULL].is_set == cases[i].full);
        CHECK(cases[i].text, l[PRESSURE_SOME].average[PRESSURE_10] == cases[i].some10);
        CHECK(cases[i].text, l[PRESSURE_SOME].average[PRESSURE_300] == cases[i].some300);
        CHECK(cases[i].text, l[PRESSURE_SOME].total_us == cases[i].some_us);
    }
}

static void test_document(void **state)
{
    (void)state;
    struct pressure_sample s = {0};
    struct json_writer w;
    struct slice cpu = host_file(&text, "router-1", "pressure/cpu");
    assert_int_equal(pressure_parse(cpu, s.lines[PRESSURE_CPU]), 0);
    buf_clear(&text);
    buf_init(&text, MIB);
    json_begin(&w, &text);
    write_members(&pressure_set, &s, 0, &w);
    assert_int_equal(json_done(&w), 0);
    assert_string_equal(buf_cstr(&text),
                        "{\"host\":{},\"linux\":{\"pressure\":{\"cpu\":{\"some\":{"
                        "\"10\":{\"pct\":0.005},\"300\":{\"pct\":0.0},\"60\":{\"pct\":0.0},"
                        "\"total\":{\"time\":{\"us\":5}}}}}}}");
    buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
