/* base/clock: the kernel's clocks against clock_gettime, the fake against its own hands. */
#include "base/clock.h"

#include <time.h>

#include "check.h"

static int64_t kernel_ns(clockid_t id)
{
    struct timespec t;
    assert_int_equal(clock_gettime(id, &t), 0);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void system_clocks(void **state)
{
    (void)state;
    const struct clock *c = clock_system();
    int64_t before = kernel_ns(CLOCK_MONOTONIC);
    int64_t now = c->mono_ns(c);
    assert_true(before <= now && now <= kernel_ns(CLOCK_MONOTONIC));
    before = kernel_ns(CLOCK_BOOTTIME);
    now = c->boot_ns(c);
    assert_true(before <= now && now <= kernel_ns(CLOCK_BOOTTIME));
    assert_true(c->wall_ns(c) > INT64_C(1500000000) * 1000000000);
    before = kernel_ns(CLOCK_MONOTONIC) / 1000000;
    now = clock_mono_ms(c);
    assert_true(before <= now && now <= kernel_ns(CLOCK_MONOTONIC) / 1000000);
    assert_true(clock_wall_ms(c) > INT64_C(1500000000) * 1000);
}

static void fake_hands(void **state)
{
    (void)state;
    struct clock_fake f;
    clock_fake_init(&f, 5000000, INT64_C(1700000000000000000));
    const struct clock *c = &f.clock;
    assert_true(c->mono_ns(c) == 5000000);
    assert_true(c->boot_ns(c) == 5000000);
    assert_true(c->wall_ns(c) == INT64_C(1700000000000000000));
    assert_true(clock_mono_ms(c) == 5);
    assert_true(clock_wall_ms(c) == INT64_C(1700000000000));
    clock_fake_advance_ms(&f, 1500);
    assert_true(clock_mono_ms(c) == 1505);
    assert_true(clock_wall_ms(c) == INT64_C(1700000001500));
    assert_true(c->boot_ns(c) == 1505000000);
    /* each hand can be set alone: a wall clock that jumps back, a suspend */
    f.wall = 7;
    f.boot = 9;
    assert_true(c->wall_ns(c) == 7 && c->boot_ns(c) == 9 && clock_mono_ms(c) == 1505);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_clocks),
        cmocka_unit_test(fake_hands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
