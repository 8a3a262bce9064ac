#ifndef RUN_LEDGERS_H
#define RUN_LEDGERS_H

/* The ledgers of the inputs since the start of the process: they outlive a reload of the
 * configuration, since lines of an input that is gone may still be on their way. */
#include "base/list.h"
#include "bulk/ledger.h"

/* All of them, in the order in which they were asked for first. */
struct ledgers {
    struct list list;
};

void ledgers_init(struct ledgers *l);
void ledgers_clear(struct ledgers *l);

/* The ledger of the input with this id, made when it is new; it stays where it is. */
struct ledger *ledgers_get(struct ledgers *l, const char *id);

/* Calls visit for each. */
void ledgers_each(const struct ledgers *l,
                  void (*visit)(void *ctx, const char *id, const struct ledger *ledger), void *ctx);

#endif
