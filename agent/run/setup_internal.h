#ifndef RUN_SETUP_INTERNAL_H
#define RUN_SETUP_INTERNAL_H

/* What the files of `wherry setup` share. */
#include "assets/assets.h"
#include "base/buf.h"
#include "base/err.h"
#include "output/admin.h"
#include "run/assets.h"
#include "run/setup.h"

#define SETUP_WHY_BYTES 640

struct setup {
    const struct config *config;
    const struct setup_opts *opts;
    struct assets_plan *plan;
    struct admin *admin;
    struct asset_server server;
    struct buf answer; /* body of the last call's answer */
    struct err e;      /* of the last call that was not answered */
    int status;        /* of the call that decided about the last asset */
    bool has_changed;  /* something that was there is another now */
    enum setup_outcome outcome;
};

void setup_say(struct setup *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The worse one stays. */
void setup_worst(struct setup *s, enum setup_outcome outcome);
/* One call; told first, and done only where it changes nothing, when dry_run. body: with a NUL
 * behind it. The status, or a negative errno with s->e filled; 0: not done. */
int setup_call(struct setup *s, const char *method, const char *path, struct slice body);
/* Whether the status of the last call says that the server knows no such API. */
bool setup_lacks(struct setup *s, int status);
/* The last call's failure, for people. */
const char *setup_why(struct setup *s, int status, char dst[SETUP_WHY_BYTES]);

/* setup_key.c: makes an API key and writes it to a file that only its owner may read; where the
 * file is there already, nothing. Tells in a line what happened; never the key. */
void setup_make_key(struct setup *s, const char *path);

#endif
