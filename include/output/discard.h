#ifndef OUTPUT_DISCARD_H
#define OUTPUT_DISCARD_H

/* The output that takes everything and does nothing, for measurements. Ops: discard_ops. */
#include "os/loop.h"
#include "output/output.h"

struct discard;
struct discard *discard_new(struct loop *loop, const struct output_hooks *hooks);

#endif
