#ifndef BASE_MEM_H
#define BASE_MEM_H

/*
 * Allocation of small objects of fixed size. When memory is exhausted these functions print one
 * line to stderr and abort: an agent whose state is on disk restarts better than it limps.
 * Whatever is sized by outside data goes through base/buf.h, which has a limit and an error.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"

/* Once, before any thread: large blocks go back to the system when they are freed. */
void mem_setup(void);

/* Returns n zeroed bytes, returned to caller; free with mem_free. n == 0 gives a valid pointer. */
void *mem_zalloc(size_t n) MUST_CHECK;

/* The same for count objects of size bytes; aborts when the product overflows. */
void *mem_zalloc_array(size_t count, size_t size) MUST_CHECK;

/* Resizes p (may be NULL); new bytes are not initialised. Never returns NULL. */
void *mem_resize(void *p, size_t n) MUST_CHECK;

/* As mem_resize, but returns NULL instead of aborting; p stays valid then. For base/buf.c. */
void *mem_try_resize(void *p, size_t n) MUST_CHECK;

/* Copies s with its NUL. */
char *mem_strdup(const char *s) MUST_CHECK;

/* Copies n bytes and adds a NUL behind them. */
char *mem_strndup(const char *s, size_t n) MUST_CHECK;

/* NULL is allowed. */
void mem_free(void *p);

/* Maps n zeroed bytes whose address is a multiple of n, a power of two of at least a page; aborts
 * as above. */
void *mem_map_aligned(size_t n) MUST_CHECK;
void mem_unmap(void *p, size_t n);
/* What the C library keeps of freed blocks of all threads goes back to the system, where the
 * library can do that. */
void mem_trim(void);
/* What is in these bytes, anywhere in memory that is ours, is no longer needed: the pages that lie
 * wholly within them go back to the system until they are written again. They then hold anything.
 */
void mem_forget(void *p, size_t n);

/* How many blocks were asked for (zalloc, resize, dup, map) since the process started, all threads.
 * A test of the hot path compares two readings. */
uint64_t mem_calls(void);

#endif
