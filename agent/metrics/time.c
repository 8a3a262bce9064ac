/*
 * metrics/time - set time
 *
 * The kernel answers for the clock that this process has, whatever the roots of /proc are.
 */
#include "metrics/time.h"

#include <errno.h>

#include "metrics/counters.h"

#define NS_PER_US 1000.0

/* see header */
double time_offset_us(const struct timex *t)
{
    return (t->status & STA_NANO) != 0 ? (double)t->offset / NS_PER_US : (double)t->offset;
}

/* reads only: modes is 0 */
static int sample(void *state, const struct set_source *source)
{
    struct timex t = {0};
    (void)source;
    if (adjtimex(&t) < 0)
        return -errno;
    ((struct time_sample *)state)->timex = t;
    return 0;
}

enum row { ESTIMATED_ERROR, MAX_ERROR, OFFSET, SYNCHRONIZED };

/* the only document */
static void values(const void *state, size_t i, struct value *v)
{
    const struct timex *t = &((const struct time_sample *)state)->timex;
    (void)i;
    v[ESTIMATED_ERROR] = value_long((uint64_t)t->esterror);
    v[MAX_ERROR] = value_long((uint64_t)t->maxerror);
    v[OFFSET] = value_real(time_offset_us(t));
    v[SYNCHRONIZED] = value_boolean((t->status & STA_UNSYNC) == 0);
}

static const struct field fields[] = {
    FIELD_ROW_LONG("system.time.estimated_error.us", FIELD_MICROS, FIELD_GAUGE, false,
                   "How far the clock is off, as the time service estimates it."),
    FIELD_ROW_LONG("system.time.max_error.us", FIELD_MICROS, FIELD_GAUGE, false,
                   "How far the clock may be off at most."),
    FIELD_ROW_REAL("system.time.offset.us", 1000, FIELD_MICROS, false,
                   "Offset that the kernel is correcting."),
    FIELD_ROW_BOOLEAN("system.time.synchronized", false, "Whether a time service holds the clock."),
};

const struct metric_set time_set = {
    .name = "time",
    .which = CONFIG_SET_TIME,
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct time_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
