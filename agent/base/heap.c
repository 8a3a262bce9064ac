/*
 * base/heap - binary min-heap of intrusive nodes
 *
 * The parent of place i is (i - 1) / 2. Each node knows its place (+ 1, so that a zeroed node is
 * in no heap), which makes removing from the middle O(log n).
 *
 * Invariants: nodes[i]->index == i + 1; no node's key is below its parent's. Nothing can fail.
 */
#include "base/heap.h"

#include <assert.h>

#include "base/mem.h"

enum { SMALLEST = 16 };

/* empty, no memory */
void heap_init(struct heap *h)
{
    *h = (struct heap){0};
}

/* lets all nodes go and gives the array back */
void heap_clear(struct heap *h)
{
    for (size_t i = 0; i < h->count; i++)
        h->nodes[i]->index = 0;
    mem_free(h->nodes);
    heap_init(h);
}

/* puts node at place i */
static void put(struct heap *h, size_t i, struct heap_node *node)
{
    h->nodes[i] = node;
    node->index = i + 1;
}

/* moves node from the hole at i towards the root */
static void sift_up(struct heap *h, size_t i, struct heap_node *node)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (h->nodes[parent]->key <= node->key)
            break;
        put(h, i, h->nodes[parent]);
        i = parent;
    }
    put(h, i, node);
}

/* moves node from the hole at i towards the leaves */
static void sift_down(struct heap *h, size_t i, struct heap_node *node)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->count)
            break;
        if (child + 1 < h->count && h->nodes[child + 1]->key < h->nodes[child]->key)
            child++;
        if (node->key <= h->nodes[child]->key)
            break;
        put(h, i, h->nodes[child]);
        i = child;
    }
    put(h, i, node);
}

/* adds a node */
void heap_push(struct heap *h, struct heap_node *node, int64_t key)
{
    assert(node->index == 0);
    if (h->count == h->cap) {
        h->cap = h->cap == 0 ? SMALLEST : h->cap * 2;
        h->nodes = mem_resize(h->nodes, h->cap * sizeof(h->nodes[0]));
    }
    node->key = key;
    sift_up(h, h->count++, node);
}

/* fills the hole with the last node, which then goes up or down */
void heap_remove(struct heap *h, struct heap_node *node)
{
    if (node->index == 0)
        return;
    size_t i = node->index - 1;
    assert(i < h->count && h->nodes[i] == node);
    node->index = 0;
    struct heap_node *last = h->nodes[--h->count];
    if (last == node)
        return;
    if (i > 0 && last->key < h->nodes[(i - 1) / 2]->key)
        sift_up(h, i, last);
    else
        sift_down(h, i, last);
}

/* the smallest */
struct heap_node *heap_peek(const struct heap *h)
{
    return h->count == 0 ? NULL : h->nodes[0];
}

/* whether in a heap */
bool heap_has(const struct heap_node *node)
{
    return node->index != 0;
}
