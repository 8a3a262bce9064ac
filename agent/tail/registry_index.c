/*
 * tail/registry_index - entries in their lists and maps
 *
 * An entry is found by its generation (one), its inode number (the newest that is not done) and its
 * path (any number of them). The keys are fields of the entry, so they change here only.
 *
 * Nothing can fail.
 */
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "registry_internal.h"

/* map equality by generation */
static bool generation_is(const struct map_node *node, const void *key)
{
    const struct entry *e = MAP_ENTRY(node, const struct entry, by_generation);
    return generation_eq(&e->gen, key);
}

/* key of the inode map */
struct inode_key {
    uint64_t dev, ino;
    bool any_dev;
};

/* map equality by inode; the hash is of the number alone, so another device is found too */
static bool inode_is(const struct map_node *node, const void *key)
{
    const struct entry *e = MAP_ENTRY(node, const struct entry, by_inode);
    const struct inode_key *k = key;
    return e->ino == k->ino && (k->any_dev || e->dev == k->dev);
}

/* the entry under exactly these numbers, or under any device */
static struct entry *lookup_inode(struct registry *r, uint64_t dev, uint64_t ino, bool any_dev)
{
    struct inode_key key = {dev, ino, any_dev};
    struct map_node *node = map_find(&r->by_inode, hash64_u64(ino), &key);
    return node == NULL ? NULL : MAP_ENTRY(node, struct entry, by_inode);
}

/* takes an entry out of the inode map */
void registry_unindex_inode(struct entry *e)
{
    if (e->indexed)
        map_remove(&e->registry->by_inode, &e->by_inode);
    e->indexed = false;
}

/* puts an entry there in place of an older one */
void registry_index_inode(struct entry *e)
{
    struct registry *r = e->registry;
    registry_unindex_inode(e);
    struct entry *older = lookup_inode(r, e->dev, e->ino, false);
    if (older != NULL)
        registry_unindex_inode(older);
    map_insert(&r->by_inode, &e->by_inode, hash64_u64(e->ino));
    e->indexed = true;
}

/* see header */
struct entry *registry_find_inode(struct registry *r, uint64_t dev, uint64_t ino)
{
    struct entry *e = lookup_inode(r, dev, ino, false);
    return e != NULL ? e : lookup_inode(r, dev, ino, true);
}

/* map equality by path */
static bool path_is(const struct map_node *node, const void *key)
{
    const struct slice *path = key;
    return slice_eq_str(*path, MAP_ENTRY(node, const struct entry, by_path)->path);
}

/* see tail/registry.h */
struct entry *registry_next_at(struct registry *r, const char *path, struct entry *after)
{
    struct slice key = slice_str(path);
    struct map_node *node = after != NULL ? map_find_next(&r->by_path, &after->by_path, &key)
                                          : map_find(&r->by_path, hash64(key.ptr, key.len), &key);
    return node == NULL ? NULL : MAP_ENTRY(node, struct entry, by_path);
}

/* the path, and the map under it */
static void take_path(struct entry *e, struct slice path)
{
    e->path = mem_strndup(path.ptr, path.len);
    e->owner.source = e->path;
    map_insert(&e->registry->by_path, &e->by_path, hash64(path.ptr, path.len));
}

/* see registry_internal.h */
void registry_set_path(struct entry *e, struct slice path)
{
    if (slice_eq_str(path, e->path))
        return;
    char *old = e->path;
    map_remove(&e->registry->by_path, &e->by_path);
    take_path(e, path);
    mem_free(old);
}

/* see registry_internal.h */
struct entry *registry_find_generation(struct registry *r, const struct generation *gen)
{
    struct map_node *node = map_find(&r->by_generation, generation_hash(gen), gen);
    return node == NULL ? NULL : MAP_ENTRY(node, struct entry, by_generation);
}

/* see registry_internal.h */
void registry_set_generation(struct entry *e, const struct generation *gen)
{
    struct registry *r = e->registry;
    map_remove(&r->by_generation, &e->by_generation);
    e->gen = *gen;
    map_insert(&r->by_generation, &e->by_generation, generation_hash(gen));
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
    struct entry *e = mem_zalloc(sizeof(*e));
    e->registry = r;
    e->gen = *gen;
    e->owner.ops = &registry_entry_ops;
    list_init(&e->spans);
    list_push_back(&r->entries, &e->link);
    map_insert(&r->by_generation, &e->by_generation, generation_hash(gen));
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
    map_remove(&r->by_generation, &e->by_generation);
    map_remove(&r->by_path, &e->by_path);
    registry_unindex_inode(e);
    r->count--;
    mem_free(e->days);
    mem_free(e->former);
    mem_free(e->path);
    mem_free(e);
}

/* see registry_internal.h */
void registry_index_init(struct registry *r)
{
    list_init(&r->entries);
    map_init(&r->by_generation, generation_is);
    map_init(&r->by_inode, inode_is);
    map_init(&r->by_path, path_is);
}

/* see registry_internal.h */
void registry_index_clear(struct registry *r)
{
    LIST_EACH(node, &r->entries)
        registry_forget(LIST_ENTRY(node, struct entry, link));
    map_clear(&r->by_generation);
    map_clear(&r->by_inode);
    map_clear(&r->by_path);
    mem_free(r->dirty);
}
