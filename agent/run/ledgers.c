/*
 * run/ledgers - a list of ledgers, by the ids of inputs
 *
 * Nothing can fail.
 */
#include "run/ledgers.h"

#include <string.h>

#include "base/mem.h"

struct book {
    struct list link;
    char *id;
    struct ledger ledger;
};

/* see header */
void ledgers_init(struct ledgers *l)
{
    list_init(&l->list);
}

/* see header */
void ledgers_clear(struct ledgers *l)
{
    struct list *node;
    while ((node = list_pop_front(&l->list)) != NULL) {
        struct book *b = LIST_ENTRY(node, struct book, link);
        mem_free(b->id);
        mem_free(b);
    }
}

/* see header */
struct ledger *ledgers_get(struct ledgers *l, const char *id)
{
    LIST_EACH(node, &l->list) {
        struct book *b = LIST_ENTRY(node, struct book, link);
        if (strcmp(b->id, id) == 0)
            return &b->ledger;
    }
    struct book *b = mem_zalloc(sizeof(*b));
    b->id = mem_strdup(id);
    list_push_back(&l->list, &b->link);
    return &b->ledger;
}

/* see header */
void ledgers_each(const struct ledgers *l,
                  void (*visit)(void *ctx, const char *id, const struct ledger *ledger), void *ctx)
{
    for (const struct list *node = l->list.next; node != &l->list; node = node->next) {
        const struct book *b = LIST_ENTRY(node, const struct book, link);
        visit(ctx, b->id, &b->ledger);
    }
}
