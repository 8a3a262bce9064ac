/* metrics/process_summary: the state behind the last bracket; threads of /proc/stat. */
#include "metrics/process_summary.h"

#include "check.h"

static void test_states(void **state)
{
    (void)state;
    static const struct {
        const char *stat;
        enum process_state state;
    } cases[] = {
        {"1 (init) S 0 1 1", PROCESS_SLEEPING},
        {"7 (tmux: server) R 1", PROCESS_RUNNING},
        {"8 (a) b) Z) D 1", PROCESS_DISK_SLEEP},
        {"9 ((sd-pam)) S 1", PROCESS_SLEEPING},
        {"9 () Z 1", PROCESS_ZOMBIE},
        {"9 (x) I", PROCESS_IDLE},
        {"9 (x) t 1", PROCESS_STOPPED},
        {"9 (x) T 1", PROCESS_STOPPED},
        {"9 (x) X 1", PROCESS_DEAD},
        {"9 (x) Q 1", PROCESS_UNKNOWN},
        {"9 (x) SS 1", PROCESS_UNKNOWN},
        {"9 (x)", PROCESS_UNKNOWN},
        {"9 x S 1", PROCESS_UNKNOWN},
        {"", PROCESS_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(cases[i].stat, process_summary_state(slice_str(cases[i].stat)) == cases[i].state);
}

static void test_threads(void **state)
{
    (void)state;
    struct process_summary_sample s = {0};
    process_summary_threads(slice_str("cpu 1\nprocs_running 3\nprocs_blocked 0\nprocs_running 9\n"),
                            &s);
    check_counter("running", &s.threads_running, (struct counter){true, 3});
    check_counter("blocked", &s.threads_blocked, (struct counter){true, 0});
    s = (struct process_summary_sample){0};
    process_summary_threads(slice_str("procs_running x\nprocs_blocked 1"), &s);
    check_counter("no number", &s.threads_running, (struct counter){false, 0});
    check_counter("cut", &s.threads_blocked, (struct counter){false, 0});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
