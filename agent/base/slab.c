/*
 * base/slab - objects of one size in blocks
 *
 * A block is aligned to its size, so an object finds its block by its address. Objects that were
 * never handed out lie behind `fresh` and are not touched: a block costs the pages that it uses.
 *
 * Invariants: 1. each block is in one of the slab's lists, by whether it has room. 2. At most one
 * block is empty, and it is the last of those with room. 3. `used` objects of a block are handed
 * out; the others below `fresh` are in its free list.
 *
 * AddressSanitizer is told which objects are handed out. Nothing can fail.
 */
#include "base/slab.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

#define BLOCK_BYTES (64 * KIB)
#define ALIGN       sizeof(void *)

#if defined(__has_feature) && !defined(__SANITIZE_ADDRESS__)
#if __has_feature(address_sanitizer) /* clang */
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

/* At the start of its memory. */
struct block {
    struct list link;
    void *free; /* the first that came back; each holds the next */
    unsigned used, fresh;
};

#define HEAD_BYTES ((sizeof(struct block) + ALIGN - 1) / ALIGN * ALIGN)

/* objects that a block has room for */
static unsigned room_of(const struct slab *s)
{
    return (unsigned)((BLOCK_BYTES - HEAD_BYTES) / s->size);
}

/* see header */
void slab_init(struct slab *s, size_t size)
{
    assert(size > 0 && size <= 4 * KIB);
    *s = (struct slab){.size = (size + ALIGN - 1) / ALIGN * ALIGN};
    list_init(&s->roomy);
    list_init(&s->full);
}

/* a block with room */
static struct block *roomy(struct slab *s)
{
    if (list_is_empty(&s->roomy)) {
        struct block *fresh = mem_map_aligned(BLOCK_BYTES);
        list_push_front(&s->roomy, &fresh->link);
    }
    return LIST_ENTRY(s->roomy.next, struct block, link);
}

/* one that came back, or the next one */
static void *take(struct slab *s, struct block *b)
{
    void *object = b->free != NULL ? b->free : (char *)b + HEAD_BYTES + b->fresh++ * s->size;
    ASAN_UNPOISON_MEMORY_REGION(object, s->size);
    if (object == b->free)
        memcpy(&b->free, object, sizeof(b->free));
    if (++b->used == room_of(s)) {
        list_remove(&b->link);
        list_push_front(&s->full, &b->link);
    }
    return object;
}

/* see header */
void *slab_get(struct slab *s)
{
    s->count++;
    void *object = take(s, roomy(s));
    memset(object, 0, s->size);
    return object;
}

/* the memory of a block */
static void free_block(struct block *b)
{
    list_remove(&b->link);
    ASAN_UNPOISON_MEMORY_REGION(b, BLOCK_BYTES);
    mem_unmap(b, BLOCK_BYTES);
}

/* An empty block is as new, and the last to be used; the one that was kept so far goes. */
static void keep_empty(struct slab *s, struct block *b)
{
    list_remove(&b->link);
    struct block *last = LIST_ENTRY(s->roomy.prev, struct block, link);
    if (!list_is_empty(&s->roomy) && last->used == 0)
        free_block(last);
    list_push_back(&s->roomy, &b->link);
    b->free = NULL;
    b->fresh = 0;
}

/* see header */
void slab_put(struct slab *s, void *object)
{
    if (object == NULL)
        return;
    assert(s->count > 0);
    s->count--;
    struct block *b = (struct block *)((uintptr_t)object & ~(uintptr_t)(BLOCK_BYTES - 1));
    memcpy(object, &b->free, sizeof(b->free));
    b->free = object;
    ASAN_POISON_MEMORY_REGION(object, s->size);
    if (b->used-- == room_of(s)) {
        list_remove(&b->link);
        list_push_front(&s->roomy, &b->link);
    }
    if (b->used == 0)
        keep_empty(s, b);
}

/* see header */
void slab_trim(struct slab *s)
{
    if (list_is_empty(&s->roomy))
        return;
    struct block *last = LIST_ENTRY(s->roomy.prev, struct block, link);
    if (last->used == 0)
        mem_forget((char *)last + sizeof(*last), BLOCK_BYTES - sizeof(*last));
}

/* see header */
void slab_clear(struct slab *s)
{
    assert(s->count == 0 && list_is_empty(&s->full));
    LIST_EACH(node, &s->roomy)
        free_block(LIST_ENTRY(node, struct block, link));
}
