/* metrics/thermal: which files are sensors, what is a reading. */
#include "metrics/thermal.h"

#include <errno.h>

#include "check.h"

static void test_files(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        bool is_sensor;
        enum thermal_kind kind;
        const char *stem;
    } cases[] = {
        {"temp1_input", true, THERMAL_TEMPERATURE, "temp1"},
        {"fan12_input", true, THERMAL_FAN, "fan12"},
        {"in0_input", true, THERMAL_VOLTAGE, "in0"},
        {"power1_input", true, THERMAL_POWER, "power1"},
        {"temp1_max", false, 0, ""},
        {"temp_input", false, 0, ""},
        {"intrusion0_alarm", false, 0, ""},
        {"intrusion0_input", false, 0, ""},
        {"_input", false, 0, ""},
        {"", false, 0, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum thermal_kind kind = 0;
        struct slice stem = {0};
        CHECK(cases[i].file, thermal_kind_of(cases[i].file, &kind, &stem) == cases[i].is_sensor);
        CHECK(cases[i].file, kind == cases[i].kind);
        CHECK(cases[i].file, slice_eq_str(stem, cases[i].stem));
    }
}

static void test_readings(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        int64_t reading;
    } cases[] = {
        {"47000\n", 0, 47000},     {"-5250\n", 0, -5250},
        {" 7 \n", 0, 7},           {"1000000000001\n", -EBADMSG, 0},
        {"broken\n", -EBADMSG, 0}, {"47000", -EBADMSG, 0},
        {"\n", -EBADMSG, 0},       {"", -EBADMSG, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t v = 0;
        CHECK(cases[i].text, thermal_parse(slice_str(cases[i].text), &v) == cases[i].error);
        CHECK(cases[i].text, v == cases[i].reading);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_readings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
