#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * The text of a failure, filled where it is first known, printed once by agent/. Functions that
 * take a `struct err *` accept NULL from callers who want only the code.
 */
#include "base/def.h"

struct err {
    int code;       /* negative errno; 0 = empty */
    char text[512]; /* lower case, no full stop; control characters escaped when printed */
};

/* Sets code and text, cutting an overlong text. Returns code, for `return err_set(...)`. */
int err_set(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set, and appends ": <strerror of code>". */
int err_set_errno(struct err *e, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "prefix: " before the text that is there; returns the code. */
int err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
