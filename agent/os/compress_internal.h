#ifndef OS_COMPRESS_INTERNAL_H
#define OS_COMPRESS_INTERNAL_H

/* What a backend of os/compress offers; each lives in a file of its own with its library. */
#include "base/def.h"
#include "base/slice.h"

struct compress_ops {
    const char *name;
    /* The backend's working memory, or NULL when it cannot be had or not for that level. */
    void *(*open)(unsigned level);
    void (*close)(void *state);
    /* Room that is enough for the gzip form of any n bytes. */
    size_t (*bound)(void *state, size_t n);
    /* Writes one gzip member to dst; its length, or 0 when it does not fit in cap bytes. */
    size_t (*gzip)(void *state, struct slice in, char *dst, size_t cap);
};

extern const struct compress_ops compress_ops_libdeflate;
/* Exists only where WHERRY_ISAL is 1. */
extern const struct compress_ops compress_ops_isal;

#endif
