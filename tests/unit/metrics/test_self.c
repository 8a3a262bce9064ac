/* metrics/self: lines of status, the share of a processor, a sample of this very process. */
#include "metrics/self.h"

#include "base/mem.h"
#include "check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct counter resident, anonymous, threads;
    } cases[] = {
        {"Name:\tVmRSS: 1\nVmRSS:\t 2048 kB\nRssAnon:\t 512 kB\nThreads:\t3\n",
         {true, 2048},
         {true, 512},
         {true, 3}},
        {"VmRSS: x kB\nThreads: -1\n", {false, 0}, {false, 0}, {false, 0}},
        {"VmRSS: 1", {false, 0}, {false, 0}, {false, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct self_sample s = {0};
        self_parse(slice_str(cases[i].text), &s);
        check_counter(cases[i].text, &s.resident_kib, cases[i].resident);
        check_counter(cases[i].text, &s.anonymous_kib, cases[i].anonymous);
        check_counter(cases[i].text, &s.threads, cases[i].threads);
    }
}

static void test_shares(void **state)
{
    (void)state;
    const struct self_sample first = {.cpu_ns = 100, .mono_ns = 1000};
    const struct self_sample later = {.cpu_ns = 150, .mono_ns = 1200};
    double share = 0;
    assert_true(self_cpu(&first, &later, &share) && share == 0.25);
    assert_false(self_cpu(&first, &first, &share));
    assert_false(self_cpu(&later, &first, &share));
}

static void test_this_process(void **state)
{
    (void)state;
    void *s = mem_zalloc(self_set.state_bytes);
    struct value v[VALUES_MAX] = {0};
    assert_int_equal(self_set.sample(s, &(struct set_source){.mono_ns = 1}), 0);
    assert_int_equal(self_set.sample(s, &(struct set_source){.mono_ns = 2000000000}), 0);
    self_set.values(s, 0, v);
    for (size_t i = 0; i < self_set.field_count; i++)
        CHECK(self_set.fields[i].name, v[i].is_set);
    mem_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
