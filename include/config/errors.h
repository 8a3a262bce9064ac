#ifndef CONFIG_ERRORS_H
#define CONFIG_ERRORS_H

/* Everything that is wrong with a configuration, collected over all its files: a run reports all
 * mistakes, not only the first. A zeroed struct is an empty list. */
#include <stddef.h>

#include "base/buf.h"
#include "base/def.h"

#define CONFIG_ERRORS_MAX 100

/* Where a setting stands. */
struct config_place {
    const char *file;      /* borrowed: a path, "-E", or the name of an environment variable */
    unsigned line, column; /* from 1; 0 = the source has no lines */
};

struct config_error {
    char *file;
    unsigned line, column;
    char *text; /* one line, control characters escaped, never the value of a secret */
};

struct config_errors {
    struct config_error *v; /* owned */
    size_t n;
    size_t more; /* found beyond CONFIG_ERRORS_MAX and not kept */
};

/* Appends; the place's file name is copied. */
void config_errors_add(struct config_errors *e, const struct config_place *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Orders by line and column within each file; files stay in the order in which they first erred. */
void config_errors_sort(struct config_errors *e);

/* One line each: "FILE:LINE:COLUMN: TEXT", without the numbers where there are none. */
int config_errors_write(const struct config_errors *e, struct buf *out) MUST_CHECK;

/* Frees all; the list can be used again. */
void config_errors_clear(struct config_errors *e);

#endif
