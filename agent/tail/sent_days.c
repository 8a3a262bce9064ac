/*
 * tail/sent_days - marks in ascending order
 *
 * A mark at or behind a new one is replaced by it: what was read anew has its new day. Invariant:
 * neighbours differ in their day.
 */
#include "tail/sent_days.h"

#include <string.h>

/* the last mark at or before the offset */
int32_t sent_days_at(const struct sent_days *d, uint64_t offset, int32_t otherwise,
                     uint64_t *ret_until)
{
    int32_t day = otherwise;
    *ret_until = UINT64_MAX;
    for (unsigned i = 0; i < d->count; i++) {
        if (d->v[i].from > offset) {
            *ret_until = d->v[i].from;
            break;
        }
        day = d->v[i].day;
    }
    return day;
}

/* makes room in front */
static void forget_first(struct sent_days *d, unsigned n)
{
    d->count -= n;
    memmove(d->v, d->v + n, d->count * sizeof(d->v[0]));
}

/* behind the last that lies before it */
bool sent_days_add(struct sent_days *d, uint64_t from, int32_t day)
{
    unsigned n = d->count;
    while (n > 0 && d->v[n - 1].from >= from)
        n--;
    if (n < d->count && d->v[n].from == from && d->v[n].day == day)
        return false;
    if (n > 0 && d->v[n - 1].day == day && n == d->count)
        return false;
    d->count = n;
    if (n > 0 && d->v[n - 1].day == day)
        return true;
    if (n == SENT_DAYS_MAX)
        forget_first(d, 1);
    d->v[d->count++] = (struct sent_day){from, day};
    return true;
}

/* all but the last that begins at or before it, and those behind */
void sent_days_prune(struct sent_days *d, uint64_t acked)
{
    unsigned n = 0;
    while (n + 1 < d->count && d->v[n + 1].from <= acked)
        n++;
    forget_first(d, n);
}
