#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

/* One option's value: text to field, field to text. `field` points at the field that the option's
 * row describes (option.offset applied). */
#include <stdbool.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"
#include "base/slice.h"
#include "config/options.h"

/*
 * Puts text into the field: replaces a single value, adds one element to a list or set. Not for
 * maps. -EINVAL with why filled (what is wrong, what is allowed; a secret is not quoted), the field
 * is unchanged then.
 */
int value_set(const struct option *o, void *field, struct slice text, struct err *why) MUST_CHECK;

/* Puts name = text into a map, replacing an earlier text of that name. */
int value_put(const struct option *o, void *field, struct slice name, struct slice text,
              struct err *why) MUST_CHECK;

/* Puts each piece of text between commas into the field of a list or set, without the blanks
 * around it; an empty text adds nothing. */
int value_split(const struct option *o, void *field, struct slice text, struct err *why) MUST_CHECK;

/* Checks the number of elements of a list. */
int value_check_count(const struct option *o, const void *field, struct err *why) MUST_CHECK;

/* Empties and frees; a secret is wiped. */
void value_clear(const struct option *o, void *field);

/* Appends the value as YAML. hide: a secret that is set shows as "<hidden>". */
int value_write(const struct option *o, const void *field, bool hide, struct buf *out) MUST_CHECK;

#endif
