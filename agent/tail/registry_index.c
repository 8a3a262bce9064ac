/*
 * tail/registry_index - entries in their lists and tables
 *
 * An entry is found by its generation (one; while records are replayed), its inode number (the
 * newest that is not done) and its path (any number of them). The keys are fields of the entry, so
 * they change here only.
 *
 * Nothing can fail.
 */
#include <assert.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "registry_internal.h"

/* hash and equality by generation */
static uint64_t generation_of(const void *entry)
{
    return generation_hash(&((const struct entry *)entry)->gen);
}

static bool generation_is(const void *entry, const void *key)
{
    return generation_eq(&((const struct entry *)entry)->gen, key);
}

/* key of the inode table */
struct inode_key {
    uint64_t dev, ino;
    bool any_dev;
};

/* hash and equality by inode; the hash is of the number alone, so another device is found too */
static uint64_t inode_of(const void *entry)
{
    return hash64_u64(((const struct entry *)entry)->ino);
}

static bool inode_is(const void *entry, const void *key)
{
    const struct entry *e = entry;
    const struct inode_key *k = key;
    return e->ino == k->ino && (k->any_dev || e->dev == k->dev);
}

/* the entry under exactly these numbers, or under any device */
static struct entry *lookup_inode(struct registry *r, uint64_t dev, uint64_t ino, bool any_dev)
{
    struct inode_key key = {dev, ino, any_dev};
    return table_find(&r->by_inode, hash64_u64(ino), &key);
}

/* takes an entry out of the inode table */
void registry_unindex_inode(struct entry *e)
{
    if (e->indexed)
        table_remove(&e->registry->by_inode, e);
    e->indexed = false;
}

/* puts an entry there in place of an older one */
void registry_index_inode(struct entry *e)
{
    struct registry *r = e->registry;
    assert(!e->indexed);
    struct entry *older = lookup_inode(r, e->dev, e->ino, false);
    if (older != NULL)
        registry_unindex_inode(older);
    table_insert(&r->by_inode, e);
    e->indexed = true;
}

/* see header */
struct entry *registry_find_inode(struct registry *r, uint64_t dev, uint64_t ino)
{
    struct entry *e = lookup_inode(r, dev, ino, false);
    return e != NULL ? e : lookup_inode(r, dev, ino, true);
}

/* hash and equality by path */
static uint64_t path_of(const void *entry)
{
    const struct slice path = slice_str(((const struct entry *)entry)->path);
    return hash64(path.ptr, path.len);
}

static bool path_is(const void *entry, const void *key)
{
    const struct slice *path = key;
    return slice_eq_str(*path, ((const struct entry *)entry)->path);
}

/* see tail/registry.h */
struct entry *registry_next_at(struct registry *r, const char *path, struct entry *after)
{
    struct slice key = slice_str(path);
    return after != NULL ? table_find_next(&r->by_path, after, &key)
                         : table_find(&r->by_path, hash64(key.ptr, key.len), &key);
}

/* the path, and the table under it */
static void take_path(struct entry *e, struct slice path)
{
    e->path = mem_strndup(path.ptr, path.len);
    e->owner.source = e->path;
    table_insert(&e->registry->by_path, e);
}

/* see registry_internal.h */
void registry_set_path(struct entry *e, struct slice path)
{
    if (slice_eq_str(path, e->path))
        return;
    char *old = e->path;
    table_remove(&e->registry->by_path, e);
    take_path(e, path);
    mem_free(old);
}

/* see registry_internal.h */
struct entry *registry_find_generation(struct registry *r, const struct generation *gen)
{
    return table_find(&r->by_generation, generation_hash(gen), gen);
}

/* see registry_internal.h */
void registry_index_end_replay(struct registry *r)
{
    r->replayed = true;
    table_clear(&r->by_generation);
}

/* see registry_internal.h */
void registry_set_generation(struct entry *e, const struct generation *gen)
{
    struct registry *r = e->registry;
    if (!r->replayed)
        table_remove(&r->by_generation, e);
    e->gen = *gen;
    if (!r->replayed)
        table_insert(&r->by_generation, e);
}

/* see registry_internal.h */
void registry_list_dirty(struct entry *e)
{
    struct registry *r = e->registry;
    if (e->dirty != 0)
        return;
    if (r->dirty_count == r->dirty_room) {
        r->dirty_room = r->dirty_room == 0 ? 64 : r->dirty_room * 2;
        r->dirty = mem_resize(r->dirty, r->dirty_room * sizeof(r->dirty[0]));
    }
    r->dirty[r->dirty_count++] = e;
    e->dirty = r->dirty_count;
}

/* the last one takes its place */
void registry_unlist_dirty(struct entry *e)
{
    struct registry *r = e->registry;
    if (e->dirty == 0)
        return;
    struct entry *last = r->dirty[--r->dirty_count];
    r->dirty[e->dirty - 1] = last;
    last->dirty = e->dirty;
    e->dirty = 0;
}

/* see registry_internal.h */
struct entry *registry_add(struct registry *r, const struct generation *gen, struct slice path)
{
    struct entry *e = slab_get(&r->slab);
    e->registry = r;
    e->gen = *gen;
    e->owner.ops = &registry_entry_ops;
    e->extra = &entry_extra_none;
    list_push_back(&r->entries, &e->link);
    if (!r->replayed)
        table_insert(&r->by_generation, e);
    take_path(e, path);
    r->count++;
    return e;
}

/* see tail/registry.h */
void registry_forget(struct entry *e)
{
    struct registry *r = e->registry;
    list_remove(&e->link);
    registry_unlist_dirty(e);
    if (!r->replayed)
        table_remove(&r->by_generation, e);
    table_remove(&r->by_path, e);
    registry_unindex_inode(e);
    r->count--;
    registry_drop_extra(e);
    mem_free(e->path);
    slab_put(&r->slab, e);
}

/* see registry_internal.h */
void registry_index_init(struct registry *r)
{
    list_init(&r->entries);
    slab_init(&r->slab, sizeof(struct entry));
    slab_init(&r->extra_slab, sizeof(struct entry_extra));
    list_init(&r->extras);
    table_init(&r->by_generation, generation_of, generation_is);
    table_init(&r->by_inode, inode_of, inode_is);
    table_init(&r->by_path, path_of, path_is);
}

/* see registry_internal.h */
void registry_index_clear(struct registry *r)
{
    LIST_EACH(node, &r->entries)
        registry_forget(LIST_ENTRY(node, struct entry, link));
    table_clear(&r->by_generation);
    table_clear(&r->by_inode);
    table_clear(&r->by_path);
    slab_clear(&r->slab);
    slab_clear(&r->extra_slab);
    mem_free(r->dirty);
}
