#ifndef BASE_TABLE_H
#define BASE_TABLE_H

/*
 * Hash table of borrowed objects, for many of them: it costs one to three pointers for each and
 * nothing in the object, whose hash is computed from its key whenever it is needed. Several objects
 * may have one key. An object's key may change only while it is in no table.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"

/* Hash of an object's key, its low bits well mixed. */
typedef uint64_t (*table_hash_fn)(const void *object);
/* Whether the object has the key. */
typedef bool (*table_eq_fn)(const void *object, const void *key);

struct table {
    void **slots;      /* owned; NULL while empty */
    size_t slot_count; /* power of two */
    size_t count;
    table_hash_fn hash;
    table_eq_fn eq;
};

void table_init(struct table *t, table_hash_fn hash, table_eq_fn eq);
/* Frees the slots, not the objects. */
void table_clear(struct table *t);

/* Any object with the key, whose hash is given; NULL. */
void *table_find(const struct table *t, uint64_t hash, const void *key);
/* The next object with the key behind one that was found, in no order; NULL. Nothing may be
 * inserted or removed meanwhile. */
void *table_find_next(const struct table *t, const void *after, const void *key);
void table_insert(struct table *t, void *object);
/* The object must be in the table. */
void table_remove(struct table *t, const void *object);

#endif
