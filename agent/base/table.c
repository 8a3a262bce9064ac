/*
 * base/table - open addressing with linear probing
 *
 * An object stands in the first free slot from that of its hash on; removing one moves those behind
 * it up, so that no marks are left. The table doubles at three quarters and never shrinks.
 *
 * Invariants: no free slot lies between the slot of an object's hash and the object; a quarter of
 * the slots is free. Nothing can fail.
 */
#include "base/table.h"

#include <assert.h>

#include "base/mem.h"

enum { SMALLEST = 16 };

/* see header */
void table_init(struct table *t, table_hash_fn hash, table_eq_fn eq)
{
    *t = (struct table){.hash = hash, .eq = eq};
}

/* see header */
void table_clear(struct table *t)
{
    mem_free(t->slots);
    table_init(t, t->hash, t->eq);
}

/* a slot's number within the table, of a hash or of a slot that is counted on */
static size_t wrap(const struct table *t, uint64_t i)
{
    return (size_t)i & (t->slot_count - 1);
}

/* the first with the key from a slot on */
static void *search(const struct table *t, size_t i, const void *key)
{
    for (; t->slots[i] != NULL; i = wrap(t, i + 1)) {
        if (t->eq(t->slots[i], key))
            return t->slots[i];
    }
    return NULL;
}

/* see header */
void *table_find(const struct table *t, uint64_t hash, const void *key)
{
    return t->count == 0 ? NULL : search(t, wrap(t, hash), key);
}

/* the slot of an object that is there */
static size_t slot_of(const struct table *t, const void *object)
{
    size_t i = wrap(t, t->hash(object));
    while (t->slots[i] != object) {
        assert(t->slots[i] != NULL);
        i = wrap(t, i + 1);
    }
    return i;
}

/* see header */
void *table_find_next(const struct table *t, const void *after, const void *key)
{
    return search(t, wrap(t, slot_of(t, after) + 1), key);
}

/* into the first free slot */
static void place(struct table *t, void *object)
{
    size_t i = wrap(t, t->hash(object));
    while (t->slots[i] != NULL)
        i = wrap(t, i + 1);
    t->slots[i] = object;
}

/* doubles the table and places every object anew */
static void grow(struct table *t)
{
    struct table old = *t;
    t->slot_count = old.slot_count == 0 ? SMALLEST : old.slot_count * 2;
    t->slots = mem_zalloc_array(t->slot_count, sizeof(t->slots[0]));
    for (size_t i = 0; i < old.slot_count; i++) {
        if (old.slots[i] != NULL)
            place(t, old.slots[i]);
    }
    mem_free(old.slots);
}

/* see header */
void table_insert(struct table *t, void *object)
{
    if (t->count >= t->slot_count / 4 * 3)
        grow(t);
    place(t, object);
    t->count++;
}

/* An object behind the gap moves into it unless its own slot lies between. */
void table_remove(struct table *t, const void *object)
{
    assert(t->count > 0);
    size_t gap = slot_of(t, object);
    t->slots[gap] = NULL;
    t->count--;
    for (size_t i = wrap(t, gap + 1); t->slots[i] != NULL; i = wrap(t, i + 1)) {
        size_t own = wrap(t, t->hash(t->slots[i]));
        if (wrap(t, i - own) < wrap(t, i - gap))
            continue;
        t->slots[gap] = t->slots[i];
        t->slots[i] = NULL;
        gap = i;
    }
}
