/*
 * base/mem - allocation that does not fail
 *
 * A thin layer over the C library's allocator. Every block counts once in an atomic counter, so
 * that a test can prove a path allocates nothing. Zero bytes are rounded up to one: a NULL never
 * means success.
 *
 * What can fail: only mem_try_resize; all others write one line with write(2) (stdio might want
 * memory) and abort.
 */
#include "base/mem.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE_BYTES (128 * 1024)

static uint64_t calls;

/* says so and dies */
COLD __attribute__((noreturn)) static void die(void)
{
    static const char text[] = "wherry: out of memory, aborting\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)ignored; /* nothing is left to be done about it */
    abort();
}

/* counts one block */
static void count_block(void)
{
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
}

/* The C library would raise its threshold with the first large block that is freed, and keep later
 * ones: a checkpoint of many files must not stay with us. */
void mem_setup(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES); /* as it was, if it cannot be set */
    (void)mallopt(M_TRIM_THRESHOLD, LARGE_BYTES); /* the same */
#endif
}

/* zeroed bytes */
void *mem_zalloc(size_t n)
{
    return mem_zalloc_array(1, n);
}

/* zeroed objects */
void *mem_zalloc_array(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX)
        die();
    void *p = calloc(1, bytes > 0 ? bytes : 1);
    if (p == NULL)
        die();
    count_block();
    return p;
}

/* realloc or abort */
void *mem_resize(void *p, size_t n)
{
    p = mem_try_resize(p, n);
    if (p == NULL)
        die();
    return p;
}

/* realloc or NULL */
void *mem_try_resize(void *p, size_t n)
{
    /* beyond PTRDIFF_MAX no object can be: compilers warn about it, allocators refuse it */
    if (n > PTRDIFF_MAX)
        return NULL;
    p = realloc(p, n > 0 ? n : 1);
    if (p != NULL)
        count_block();
    return p;
}

/* copy up to the NUL */
char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

/* copy of n bytes and a NUL */
char *mem_strndup(const char *s, size_t n)
{
    if (n == SIZE_MAX)
        die();
    char *copy = mem_resize(NULL, n + 1);
    if (n > 0)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

/* frees */
void mem_free(void *p)
{
    free(p);
}

/* twice the size holds an aligned block; what lies before and behind it is given back */
void *mem_map_aligned(size_t n)
{
    char *p = mmap(NULL, 2 * n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die();
    size_t before = (n - (uintptr_t)p % n) % n;
    if (before > 0)
        mem_unmap(p, before);
    mem_unmap(p + before + n, n - before);
    count_block();
    return p + before;
}

/* unmaps */
void mem_unmap(void *p, size_t n)
{
    (void)munmap(p, n); /* fails only where it is not ours */
}

/* The C library's allocator was set up by mem_setup; sanitizers put their own in its place. */
void mem_trim(void)
{
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    (void)malloc_trim(0); /* whether there was any is of no use */
#endif
}

/* see header */
void mem_forget(void *p, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)p + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)p + n) / page * page;
    if (from < to)
        (void)madvise((void *)from, to - from, MADV_DONTNEED); /* only saves memory */
}

/* reads the counter */
uint64_t mem_calls(void)
{
    return __atomic_load_n(&calls, __ATOMIC_RELAXED);
}
