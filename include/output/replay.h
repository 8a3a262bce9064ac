#ifndef OUTPUT_REPLAY_H
#define OUTPUT_REPLAY_H

/*
 * Dead letters, sent again to where they were to go, with the ids that they had: what is there
 * already is answered 409 and counts as accepted, so a replay may be repeated. One request at a
 * time, in the calling thread.
 */
#include <stdbool.h>

#include "base/def.h"
#include "base/err.h"
#include "output/output.h"
#include "store/deadbox.h"

enum replay_outcome {
    REPLAY_CREATED,
    REPLAY_DUPLICATE, /* was there */
    REPLAY_REJECTED,  /* the document is refused as before */
    REPLAY_REFUSED,   /* the server or the target takes nothing now */
};

/* Told once for each letter. why: for people, without content of the document. */
typedef void (*replay_done_fn)(void *ctx, struct dead_letter_id at, enum replay_outcome outcome,
                               const char *why);

struct replay;

/* opts: borrowed. http_global_init was called. NULL with e filled. */
struct replay *replay_new(const struct output_opts *opts, replay_done_fn done, void *ctx,
                          struct err *e);
/* What was not sent is forgotten, untold. */
void replay_free(struct replay **r);

/* Takes a copy of the letter; sends what has gathered where it does not fit. A negative errno with
 * e filled: no host can be reached, or the credentials are refused; the letters that were not told
 * are to be sent another time. */
int replay_add(struct replay *r, const struct dead_letter *letter, struct err *e) MUST_CHECK;
/* Sends what has gathered. */
int replay_flush(struct replay *r, struct err *e) MUST_CHECK;

#endif
