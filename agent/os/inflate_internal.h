#ifndef OS_INFLATE_INTERNAL_H
#define OS_INFLATE_INTERNAL_H

/* What a library must do for os/inflate.h. */
#include "os/inflate.h"

struct inflate_ops {
    /* NULL: no memory. */
    void *(*open)(void);
    void (*close)(void *state);
    /* As inflate_some, but what was written before a failure is told beside it. *whole as
     * inflate_is_whole: kept by the caller. Not called again after a failure. */
    int (*some)(void *state, struct slice *in, char *dst, size_t n, size_t *ret_written,
                bool *whole);
};

extern const struct inflate_ops inflate_ops_gzip;
extern const struct inflate_ops inflate_ops_zstd;

#endif
