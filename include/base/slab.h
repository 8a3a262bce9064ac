#ifndef BASE_SLAB_H
#define BASE_SLAB_H

/*
 * Objects of one size, many of them: packed into blocks without the allocator's header for each,
 * apart from everything else, so that a block that is empty again goes back to the system. The
 * last empty block is kept, so that what comes and goes allocates nothing.
 */
#include <stddef.h>

#include "base/def.h"
#include "base/list.h"

struct slab {
    struct list roomy; /* blocks with room; an empty one is the last */
    struct list full;
    size_t size;  /* of an object, rounded up */
    size_t count; /* objects handed out */
};

/* No allocation. size: 1 to 4096. */
void slab_init(struct slab *s, size_t size);
/* Frees all blocks; every object must be back. */
void slab_clear(struct slab *s);

/* A zeroed object, returned to caller; aligned as a pointer. */
void *slab_get(struct slab *s) MUST_CHECK;
/* NULL is allowed. */
void slab_put(struct slab *s, void *object);
/* Gives back the memory of blocks that are kept empty. */
void slab_trim(struct slab *s);

#endif
