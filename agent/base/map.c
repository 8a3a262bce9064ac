/*
 * base/map - intrusive hash map
 *
 * Chains of nodes in a power-of-two table, indexed by the low bits of the hash. The table doubles
 * when there are as many nodes as slots and never shrinks: its peak is its owner's peak.
 *
 * Invariants: a node hangs in slot hash & (slot_count - 1); count is the number of nodes;
 * slot_count is 0 or a power of two. Nothing can fail.
 */
#include "base/map.h"

#include <assert.h>

#include "base/mem.h"

enum { SMALLEST = 16 };

/* empty, no memory */
void map_init(struct map *m, map_eq_fn eq)
{
    *m = (struct map){.eq = eq};
}

/* gives the table back */
void map_clear(struct map *m)
{
    mem_free(m->slots);
    map_init(m, m->eq);
}

/* the slot of a hash */
static struct map_node **slot_of(const struct map *m, uint64_t hash)
{
    return &m->slots[hash & (m->slot_count - 1)];
}

/* the first of a chain with the key */
static struct map_node *search(const struct map *m, struct map_node *node, uint64_t hash,
                               const void *key)
{
    while (node != NULL && (node->hash != hash || !m->eq(node, key)))
        node = node->next;
    return node;
}

/* looks a key up */
struct map_node *map_find(const struct map *m, uint64_t hash, const void *key)
{
    return m->count == 0 ? NULL : search(m, *slot_of(m, hash), hash, key);
}

/* nodes of one key hang in one chain */
struct map_node *map_find_next(const struct map *m, const struct map_node *after, const void *key)
{
    return search(m, after->next, after->hash, key);
}

/* puts a node at the head of its chain */
static void link_node(struct map *m, struct map_node *node)
{
    struct map_node **slot = slot_of(m, node->hash);
    node->next = *slot;
    *slot = node;
}

/* doubles the table and hangs every node anew */
static void grow(struct map *m)
{
    struct map old = *m;
    m->slot_count = old.slot_count == 0 ? SMALLEST : old.slot_count * 2;
    m->slots = mem_zalloc_array(m->slot_count, sizeof(m->slots[0]));
    for (size_t i = 0; i < old.slot_count; i++) {
        struct map_node *node = old.slots[i];
        while (node != NULL) {
            struct map_node *next = node->next;
            link_node(m, node);
            node = next;
        }
    }
    mem_free(old.slots);
}

/* adds a node */
void map_insert(struct map *m, struct map_node *node, uint64_t hash)
{
    if (m->count == m->slot_count)
        grow(m);
    node->hash = hash;
    link_node(m, node);
    m->count++;
}

/* takes a node out */
void map_remove(struct map *m, struct map_node *node)
{
    assert(m->count > 0);
    struct map_node **link = slot_of(m, node->hash);
    while (*link != node) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
    m->count--;
}

/* the rest of the chain, then the following slots */
struct map_node *map_next(const struct map *m, const struct map_node *after)
{
    if (m->count == 0)
        return NULL;
    if (after != NULL && after->next != NULL)
        return after->next;
    size_t i = after == NULL ? 0 : (size_t)(after->hash & (m->slot_count - 1)) + 1;
    for (; i < m->slot_count; i++) {
        if (m->slots[i] != NULL)
            return m->slots[i];
    }
    return NULL;
}
