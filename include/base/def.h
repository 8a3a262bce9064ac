#ifndef BASE_DEF_H
#define BASE_DEF_H

/* Attributes and the few macros that a function cannot replace. */
#include <stddef.h>
#include <stdint.h>

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED                 __attribute__((unused))
#define CLEANUP(fn)            __attribute__((cleanup(fn)))
#define LIKELY(x)              __builtin_expect(!!(x), 1)
#define UNLIKELY(x)            __builtin_expect(!!(x), 0)

/* Seldom run: compiled for size also in a file that is compiled for speed. */
#define COLD __attribute__((cold))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* By way of an integer: a const ptr then goes with a const type without a cast warning. */
#define CONTAINER_OF(ptr, type, field) ((type *)((uintptr_t)(ptr)-offsetof(type, field)))

#define KIB ((size_t)1024)
#define MIB ((size_t)1024 * 1024)

#endif
