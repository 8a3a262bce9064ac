#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * The three clocks. Every time-out uses the monotonic one; wall time is only shown or stored.
 * Code takes a `const struct clock *`, so a test can turn the hands of a fake one.
 */
#include <stdint.h>

struct clock {
    int64_t (*mono_ns)(const struct clock *c); /* CLOCK_MONOTONIC: stands still in suspend */
    int64_t (*wall_ns)(const struct clock *c); /* CLOCK_REALTIME: ns since 1970, may jump */
    int64_t (*boot_ns)(const struct clock *c); /* CLOCK_BOOTTIME: counts suspend */
};

/* The kernel's clocks; static, never freed. */
const struct clock *clock_system(void);

int64_t clock_mono_ms(const struct clock *c);
int64_t clock_wall_ms(const struct clock *c);

/* A clock whose hands the owner sets: all three fields are read as they are. */
struct clock_fake {
    struct clock clock; /* first: a clock_fake is used as its clock */
    int64_t mono;
    int64_t wall;
    int64_t boot;
};
/* The boot hand starts where the monotonic one does. */
void clock_fake_init(struct clock_fake *f, int64_t mono_ns, int64_t wall_ns);
/* Moves all three hands. */
void clock_fake_advance_ms(struct clock_fake *f, int64_t ms);

#endif
