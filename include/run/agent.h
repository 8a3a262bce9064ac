#ifndef RUN_AGENT_H
#define RUN_AGENT_H

/*
 * The life of the agent: start, run, drain, stop. Assembles inputs, metrics and output from a
 * configuration and owns everything until it returns.
 *
 *   STARTING --first scan--> RUNNING --SIGTERM, SIGINT, once: all read--> DRAINING --all
 *   acknowledged, or shutdown_timeout--> stopped (clean-stop record, ledger)
 *
 * A second SIGTERM or SIGINT ends the process at once.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"

enum agent_result {
    AGENT_OK = 0,         /* once: everything was acknowledged */
    AGENT_FAILED = 1,     /* run-time failure; once: time-out */
    AGENT_INCOMPLETE = 3, /* once: something was dead-lettered or abandoned */
};

struct agent_opts {
    const struct config *config; /* borrowed */
    bool once;                   /* read what is there, ship it, end */
    int64_t once_timeout_ms;     /* 0 = wait without limit */
    /* SIGHUP: reads and checks the configuration anew; the agent's from then on. NULL: it has
     * errors, which were told. */
    struct config *(*reload)(void *ctx);
    /* It is in force now. */
    void (*reloaded)(void *ctx, const struct config *config);
    void *ctx;
};

/* Runs until the end of the life. A start that fails returns AGENT_FAILED with e filled. */
enum agent_result agent_run(const struct agent_opts *opts, struct err *e);

#endif
