/* base/cpu: says what the compiler's own run-time list says. */
#include "base/cpu.h"

#include "check.h"

static void as_the_compiler_says(void **state)
{
    (void)state;
    /* asked twice: found out, then remembered */
    for (int i = 0; i < 2; i++) {
#if defined(__x86_64__) || defined(__i386__)
        bool bmi2 = __builtin_cpu_supports("bmi2");
        bool avx2 = __builtin_cpu_supports("avx2") && bmi2;
        bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2");
        assert_true(cpu_has(CPU_SSE42) == (__builtin_cpu_supports("sse4.2") != 0));
        assert_true(cpu_has(CPU_AVX2) == avx2);
        assert_true(cpu_has(CPU_AVX512) == (avx2 && avx512));
#else
        assert_false(cpu_has(CPU_SSE42) || cpu_has(CPU_AVX2) || cpu_has(CPU_AVX512));
#endif
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_compiler_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
