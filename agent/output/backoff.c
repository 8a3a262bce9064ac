/*
 * output/backoff - delay before the next attempt
 *
 * Full jitter spreads agents that failed together over the whole interval. Nothing can fail.
 */
#include "output/backoff.h"

/* uniform in [0, limit] as far as 64 random bits allow */
static int64_t jitter(uint64_t rnd, int64_t limit)
{
    return (int64_t)(rnd % ((uint64_t)limit + 1));
}

/* doubles without overflow */
int64_t backoff_delay(const struct backoff_opts *opts, unsigned failures, int64_t retry_after_ms,
                      uint64_t rnd)
{
    if (retry_after_ms > 0)
        return retry_after_ms + jitter(rnd, opts->init_ms);
    if (failures == 0)
        return 0;
    int64_t ceiling = opts->init_ms;
    for (unsigned i = 1; i < failures && ceiling < opts->max_ms; i++)
        ceiling = ceiling > opts->max_ms / 2 ? opts->max_ms : ceiling * 2;
    return jitter(rnd, ceiling);
}
