#ifndef CONFIG_EXPAND_H
#define CONFIG_EXPAND_H

/*
 * Variables inside one value: `${NAME}` and `${NAME:default}`; `$${` stands for a literal `${`.
 * The default counts when NAME is unset or empty; it reaches to the first `}`. It works on values,
 * after parsing, so that what a variable holds is never read as YAML.
 */
#include <stdbool.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"
#include "base/slice.h"

/* The value of a variable, borrowed until the next call; NULL = unset. */
typedef const char *(*expand_getenv_fn)(void *ctx, const char *name);

/* Appends text with its variables replaced to *out. *ret_used tells whether there was one.
 * -EINVAL: malformed, or NAME is unset and has no default; -ENOBUFS: longer than out's limit; why
 * is filled. */
int expand_text(struct slice text, expand_getenv_fn getenv_fn, void *ctx, struct buf *out,
                bool *ret_used, struct err *why) MUST_CHECK;

#endif
