/*
 * base/clock - the three clocks, and a fake of them
 *
 * The kernel's clocks cannot fail on Linux >= 2.6.39 (CLOCK_BOOTTIME); the fake one gives back
 * what its owner set.
 */
#include "base/clock.h"

#include <time.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

/* reads one kernel clock */
static int64_t read_ns(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t); /* fails only for an unknown id */
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* CLOCK_MONOTONIC */
static int64_t system_mono_ns(const struct clock *c)
{
    (void)c; /* the kernel's clock has no state here */
    return read_ns(CLOCK_MONOTONIC);
}

/* CLOCK_REALTIME */
static int64_t system_wall_ns(const struct clock *c)
{
    (void)c; /* the kernel's clock has no state here */
    return read_ns(CLOCK_REALTIME);
}

/* CLOCK_BOOTTIME */
static int64_t system_boot_ns(const struct clock *c)
{
    (void)c; /* the kernel's clock has no state here */
    return read_ns(CLOCK_BOOTTIME);
}

/* the kernel's clocks */
const struct clock *clock_system(void)
{
    static const struct clock system_clock = {
        .mono_ns = system_mono_ns,
        .wall_ns = system_wall_ns,
        .boot_ns = system_boot_ns,
    };
    return &system_clock;
}

/* monotonic milliseconds */
int64_t clock_mono_ms(const struct clock *c)
{
    return c->mono_ns(c) / NS_PER_MS;
}

/* wall milliseconds */
int64_t clock_wall_ms(const struct clock *c)
{
    return c->wall_ns(c) / NS_PER_MS;
}

/* the fake around a clock */
static const struct clock_fake *fake_of(const struct clock *c)
{
    return (const struct clock_fake *)(const void *)c;
}

/* monotonic hand */
static int64_t fake_mono_ns(const struct clock *c)
{
    return fake_of(c)->mono;
}

/* wall hand */
static int64_t fake_wall_ns(const struct clock *c)
{
    return fake_of(c)->wall;
}

/* boot hand */
static int64_t fake_boot_ns(const struct clock *c)
{
    return fake_of(c)->boot;
}

/* sets the hands; boot starts with mono */
void clock_fake_init(struct clock_fake *f, int64_t mono_ns, int64_t wall_ns)
{
    *f = (struct clock_fake){
        .clock = {.mono_ns = fake_mono_ns, .wall_ns = fake_wall_ns, .boot_ns = fake_boot_ns},
        .mono = mono_ns,
        .wall = wall_ns,
        .boot = mono_ns,
    };
}

/* moves the hands */
void clock_fake_advance_ms(struct clock_fake *f, int64_t ms)
{
    f->mono += ms * NS_PER_MS;
    f->wall += ms * NS_PER_MS;
    f->boot += ms * NS_PER_MS;
}
