#ifndef OUTPUT_SETTLE_H
#define OUTPUT_SETTLE_H

/* What outputs without answers have in common. */
#include "bulk/batch.h"
#include "output/status.h"

/* Every item is accepted; the batch is empty afterwards. */
void settle_all(struct batch *b, struct output_counters *counters);

#endif
