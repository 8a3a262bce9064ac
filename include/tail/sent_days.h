#ifndef TAIL_SENT_DAYS_H
#define TAIL_SENT_DAYS_H

/*
 * On which day (UTC) the bytes of a generation were read, as far as they may be sent again: a date
 * in the name of an index must be the same then. Pure.
 */
#include <stdbool.h>
#include <stdint.h>

/* More days than bytes can be on their way for: every open batch may be of another one. */
#define SENT_DAYS_MAX 16

struct sent_day {
    uint64_t from; /* bytes from here on, up to the next one */
    int32_t day;   /* since 1970 */
};

struct sent_days {
    unsigned count;
    struct sent_day v[SENT_DAYS_MAX]; /* ascending */
};

/* The day of the byte at offset, `otherwise` before the first; it holds up to *ret_until. */
int32_t sent_days_at(const struct sent_days *d, uint64_t offset, int32_t otherwise,
                     uint64_t *ret_until);
/* From `from` on it is another day. False: nothing new. Where there is no room the oldest goes. */
bool sent_days_add(struct sent_days *d, uint64_t from, int32_t day);
/* Forgets what lies wholly before the acknowledged offset. */
void sent_days_prune(struct sent_days *d, uint64_t acked);

#endif
