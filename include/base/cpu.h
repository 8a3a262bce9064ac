#ifndef BASE_CPU_H
#define BASE_CPU_H

/*
 * What the processor and the kernel let a program use, for code that has a form for it: asked by
 * CPUID and XGETBV (Intel SDM, volumes 1 and 2), which costs a twentieth of what the compiler's
 * own list of all processors weighs. Asked once and remembered; any thread.
 */
#include <stdbool.h>

enum cpu_feature {
    CPU_SSE42 = 1,
    CPU_AVX2 = 2,   /* with BMI2 */
    CPU_AVX512 = 4, /* F, BW, VL and VBMI2, with BMI2 */
};

/* Whether it can be used; false where that cannot be known. */
bool cpu_has(enum cpu_feature feature);

#endif
