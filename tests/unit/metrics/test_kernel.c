/* metrics/kernel: lines of /proc/stat in any order, the three numbers of file-nr. */
#include "metrics/kernel.h"

#include <errno.h>

#include "check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        struct counter switches, interrupts, forks;
    } cases[] = {
        {"cpu 1 2\nintr 7 1 2 3\nctxt 5\nprocesses 9\nsoftirq 3 1\n",
         0,
         {true, 5},
         {true, 7},
         {true, 9}},
        {"ctxt 5\n", 0, {true, 5}, {false, 0}, {false, 0}},
        {"intr x\nctxt 5\nctxt 6\n", 0, {true, 5}, {false, 0}, {false, 0}},
        {"intr 7\nprocesses 3\n", -EBADMSG, {false, 0}, {true, 7}, {true, 3}},
        {"ctxt 5", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kernel_sample s = {0};
        CHECK(cases[i].text, kernel_parse_stat(slice_str(cases[i].text), &s) == cases[i].error);
        check_counter(cases[i].text, &s.counters[KERNEL_SWITCHES], cases[i].switches);
        check_counter(cases[i].text, &s.counters[KERNEL_INTERRUPTS], cases[i].interrupts);
        check_counter(cases[i].text, &s.counters[KERNEL_FORKS], cases[i].forks);
    }
}

static void test_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct counter files, max;
    } cases[] = {
        {"2440\t0\t2466177\n", {true, 2440}, {true, 2466177}},
        {"2440\t0\t9223372036854775807\n", {true, 2440}, {true, INT64_MAX}},
        {"2440\n", {true, 2440}, {false, 0}},
        {"2440 0 1", {false, 0}, {false, 0}},
        {"", {false, 0}, {false, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct kernel_sample s = {0};
        kernel_parse_files(slice_str(cases[i].text), &s);
        check_counter(cases[i].text, &s.counters[KERNEL_FILES], cases[i].files);
        check_counter(cases[i].text, &s.counters[KERNEL_FILES_MAX], cases[i].max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
