#ifndef OUTPUT_BACKOFF_H
#define OUTPUT_BACKOFF_H

/* Delay before the next attempt: exponential with full jitter. Pure: randomness is an argument. */
#include <stdint.h>

struct backoff_opts {
    int64_t init_ms; /* ceiling after the first failure, >= 1 */
    int64_t max_ms;  /* last ceiling, >= init_ms */
};

/* failures: in a row, the present one included (0 gives 0). rnd: uniform. The delay is uniform in
 * [0, min(max_ms, init_ms * 2^(failures - 1))]; where the server named a time (> 0) it is added to
 * that, so that agents told the same do not come back together, the jitter then at most
 * init_ms. */
int64_t backoff_delay(const struct backoff_opts *opts, unsigned failures, int64_t retry_after_ms,
                      uint64_t rnd);

#endif
