#ifndef BASE_MAP_H
#define BASE_MAP_H

/*
 * Intrusive hash map: the owner embeds a map_node and supplies the hash and the equality, so one
 * map serves integer, byte-string and struct keys and costs no allocation per entry. Resizes at
 * load 1 (that allocation is the map's own).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

/* Whether node (whose hash agrees) has the key. */
typedef bool (*map_eq_fn)(const struct map_node *node, const void *key);

struct map {
    struct map_node **slots; /* owned; NULL while empty */
    size_t slot_count;       /* power of two */
    size_t count;
    map_eq_fn eq;
};

void map_init(struct map *m, map_eq_fn eq);
/* Frees the slots, not the nodes. */
void map_clear(struct map *m);

struct map_node *map_find(const struct map *m, uint64_t hash, const void *key);
/* The next node with the key behind one that map_find gave, in a map whose owner puts several with
 * one key; in no order. */
struct map_node *map_find_next(const struct map *m, const struct map_node *after, const void *key);
/* node is borrowed until removed. map_find gives any of several nodes with one key. */
void map_insert(struct map *m, struct map_node *node, uint64_t hash);
/* node must be in the map. */
void map_remove(struct map *m, struct map_node *node);

/* Visits each node: start with NULL, NULL at the end. To remove while visiting,
 * fetch the next node before removing one. Nothing may be inserted meanwhile. */
struct map_node *map_next(const struct map *m, const struct map_node *after);

#define MAP_ENTRY(node, type, field) CONTAINER_OF(node, type, field)

#endif
