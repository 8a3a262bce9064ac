/*
 * base/cpu - what the processor can do
 *
 * Registers beyond SSE count only when the kernel saves them (XCR0). In a virtual machine CPUID
 * leaves it, thousands of cycles each time, so the answer is kept.
 */
#include "base/cpu.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#include <stdatomic.h>

/* bits of leaf 1, ECX */
#define SSE42   (1U << 20)
#define OSXSAVE (1U << 27)
/* bits of leaf 7, EBX */
#define AVX2       (1U << 5)
#define BMI2       (1U << 8)
#define AVX512_EBX (1U << 16 | 1U << 30 | 1U << 31) /* F, BW, VL */
/* and ECX */
#define AVX512VBMI2 (1U << 6)
/* register state in XCR0 */
#define STATE_AVX    0x06U
#define STATE_AVX512 0xe6U
/* beside the features: they were asked for */
#define KNOWN 0x100U

struct leaf {
    unsigned eax, ebx, ecx, edx;
};

/* a leaf; zeros where there is none */
static struct leaf ask(unsigned number)
{
    struct leaf l = {0};
    if (__get_cpuid_count(number, 0, &l.eax, &l.ebx, &l.ecx, &l.edx) == 0)
        return (struct leaf){0};
    return l;
}

/* state the kernel saves: XCR0's low half */
static unsigned saved_state(void)
{
    unsigned low, high;
    if ((ask(1).ecx & OSXSAVE) == 0)
        return 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

/* all there is */
static unsigned features(void)
{
    struct leaf seven = ask(7);
    unsigned saved = saved_state();
    unsigned found = (ask(1).ecx & SSE42) != 0 ? CPU_SSE42 : 0;
    if ((seven.ebx & (AVX2 | BMI2)) != (AVX2 | BMI2) || (saved & STATE_AVX) != STATE_AVX)
        return found;
    found |= CPU_AVX2;
    if ((seven.ebx & AVX512_EBX) == AVX512_EBX && (seven.ecx & AVX512VBMI2) != 0 &&
        (saved & STATE_AVX512) == STATE_AVX512)
        found |= CPU_AVX512;
    return found;
}

/* see header */
bool cpu_has(enum cpu_feature feature)
{
    static atomic_uint kept;
    unsigned now = atomic_load_explicit(&kept, memory_order_relaxed);
    if (now == 0) {
        now = features() | KNOWN;
        atomic_store_explicit(&kept, now, memory_order_relaxed);
    }
    return (now & feature) != 0;
}

#else

/* see header */
bool cpu_has(enum cpu_feature feature)
{
    (void)feature;
    return false;
}

#endif
