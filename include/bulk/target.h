#ifndef BULK_TARGET_H
#define BULK_TARGET_H

/*
 * Names of indices made from a pattern, from fields that are the same for all documents of an
 * input, and from a day (UTC):
 *
 *     isp-logs-%{+yyyy.MM.dd}       Java letters: y u Y (year; with w that of the week), x (year of
 *                                   the week), M, d, D (day of the year), w (ISO week), 'text'
 *     isp-logs-%Y.%m.%d             strftime: %Y %y %m %d %j %F, %G %V (ISO week), %%
 *     isp-%{[fields.site]:none}     a field's value in lower case, or what stands behind the colon
 *
 * A pattern that names a field begins with literal text, so that no value can choose the index
 * alone. Every name that a target gives obeys Elasticsearch's rules: checked once, when it is made.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/err.h"
#include "base/slice.h"
#include "bulk/batch.h"

struct target;

/* The value of a field by its dotted name; false where there is none. */
typedef bool (*target_field_fn)(void *ctx, struct slice name, struct slice *ret_value);

/* 0, or -EINVAL with e filled. */
int target_new(struct slice pattern, target_field_fn field, void *ctx, struct target **ret_target,
               struct err *e) MUST_CHECK;
/* NULL is allowed. */
void target_free(struct target **t);

/* Whether the name depends on the day. */
bool target_is_dated(const struct target *t);
/* The name of a day (days since 1970), with NUL. */
void target_name(const struct target *t, int32_t day, char dst[BATCH_TARGET_MAX + 1]);

/* A pattern of all names that it gives: one star in place of everything from the first digit of the
 * day to the last. "*" when the name has no text before or behind the day. */
void target_pattern(const struct target *t, char dst[BATCH_TARGET_MAX + 1]);

/* The rules for names of indices. -EINVAL with e filled. */
int target_check_name(struct slice name, struct err *e) MUST_CHECK;

#endif
