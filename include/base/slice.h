#ifndef BASE_SLICE_H
#define BASE_SLICE_H

/*
 * A borrowed run of bytes. Outside data travels as slices: it may hold NUL and is never passed
 * to str* functions. A slice does not own; the bytes must outlive it.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/def.h"

struct slice {
    const char *ptr; /* may be NULL when len == 0 */
    size_t len;
};

#define SLICE_LIT(s) ((struct slice){(s), sizeof(s) - 1})

struct slice slice_of(const char *ptr, size_t len);
/* Up to the NUL; NULL gives the empty slice. */
struct slice slice_str(const char *s);

bool slice_eq(struct slice a, struct slice b);
bool slice_eq_str(struct slice a, const char *s);
/* Byte order as memcmp, then the shorter first. */
int slice_cmp(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_ends(struct slice s, struct slice suffix);

/* Index of the first byte c, or s.len. */
size_t slice_find(struct slice s, char c);
/* Index of the last byte c, or s.len. */
size_t slice_rfind(struct slice s, char c);
/* Bytes from index `from` (clamped) on, at most len of them. */
struct slice slice_sub(struct slice s, size_t from, size_t len);
/* Without blanks (space, tab, CR, LF) at either end. */
struct slice slice_trim(struct slice s);

/* Cuts the next piece up to `sep` off *rest into *ret_piece (without sep). Returns false when
 * *rest was exhausted before the call. "a,,b" gives "a", "", "b"; "a," gives "a"; "" gives
 * nothing. */
bool slice_next(struct slice *rest, char sep, struct slice *ret_piece);
/* The same between runs of blanks; empty pieces do not occur. For /proc tables. */
bool slice_next_word(struct slice *rest, struct slice *ret_word);

#endif
