#ifndef OUTPUT_REPLY_GOOD_H
#define OUTPUT_REPLY_GOOD_H

/*
 * The usual reply, byte for byte: every document created, reduced by REPLY_FILTER, as all servers
 * write it:  {"errors":false,"items":[{"create":{"status":201}},...]}
 *
 * It is compared, not parsed. What has matched is known by position and count alone, so on the
 * first other byte it can be written again for the scanner: nothing needs to be kept.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"

struct reply_good {
    uint32_t items; /* whole ones */
    uint8_t part;   /* of the text; internal */
    uint8_t at;     /* bytes of that part */
};

/* Nothing has come. */
void reply_good_begin(struct reply_good *g);
/* How many bytes of the piece go on with the text: less than all is the end of it. */
size_t reply_good_match(struct reply_good *g, struct slice piece);
/* Gives all that has matched, in pieces; stops with the first error and returns it. */
int reply_good_replay(const struct reply_good *g, int (*give)(void *ctx, struct slice piece),
                      void *ctx) MUST_CHECK;
/* Whether the text is whole. */
bool reply_good_is_whole(const struct reply_good *g);

#endif
