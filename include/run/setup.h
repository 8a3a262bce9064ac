#ifndef RUN_SETUP_H
#define RUN_SETUP_H

/*
 * `wherry setup`: makes the server ready for what a configuration sends. Idempotent; what is not
 * wherry's own, or was made by a newer one, is left alone. What a server has not is told in a line.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/def.h"
#include "base/err.h"
#include "config/config.h"

/* Borrowed for the call. */
struct setup_opts {
    bool dry_run;       /* nothing is changed; every call is told */
    bool force;         /* everything is written, whosever it is */
    char *const *names; /* of assets: no others; none given: all */
    size_t name_count;
    const char *key_file; /* an API key is made and written there; NULL: none */
    const char *command;  /* how this was called, for the advice to take something over */
    /* A line for people, without line end. May hold text of the server. */
    void (*say)(void *ctx, const char *line);
    void *ctx;
};

/* The worst of what happened to the assets. */
enum setup_outcome {
    SETUP_DONE,   /* all is there */
    SETUP_LEFT,   /* something that is not ours was left alone */
    SETUP_FAILED, /* something could not be made */
};

/* http_global_init was called. Negative with e filled: no server was reached, or the configuration
 * is not fit for it; then nothing was changed. */
int setup_run(const struct config *c, const struct setup_opts *opts,
              enum setup_outcome *ret_outcome, struct err *e) MUST_CHECK;

#endif
