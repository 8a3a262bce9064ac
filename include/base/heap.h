#ifndef BASE_HEAP_H
#define BASE_HEAP_H

/* Binary min-heap of intrusive nodes keyed by a signed time: the timers of the event loop. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;
    size_t index; /* place in the heap + 1; 0 = in no heap */
};

struct heap {
    struct heap_node **nodes; /* owned array, borrowed nodes */
    size_t count, cap;
};

void heap_init(struct heap *h);
void heap_clear(struct heap *h);
/* node must be in no heap. */
void heap_push(struct heap *h, struct heap_node *node, int64_t key);
/* Harmless for a node in no heap. */
void heap_remove(struct heap *h, struct heap_node *node);
/* NULL when empty. Equal keys come in any order. */
struct heap_node *heap_peek(const struct heap *h);
bool heap_has(const struct heap_node *node);

#endif
