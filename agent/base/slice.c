/*
 * base/slice - borrowed runs of bytes
 *
 * Comparison, searching and cutting without copies. A NULL pointer with length 0 is a good slice
 * everywhere, so the mem* functions are never called for an empty one. Nothing can fail.
 */
#include "base/slice.h"

#include <string.h>

/* makes a slice */
struct slice slice_of(const char *ptr, size_t len)
{
    return (struct slice){ptr, len};
}

/* slice of a C string */
struct slice slice_str(const char *s)
{
    return s == NULL ? (struct slice){NULL, 0} : (struct slice){s, strlen(s)};
}

/* same bytes */
bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* same bytes as a C string */
bool slice_eq_str(struct slice a, const char *s)
{
    return slice_eq(a, slice_str(s));
}

/* byte order */
int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

/* whether s begins with prefix */
bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_eq(slice_of(s.ptr, prefix.len), prefix);
}

/* whether s ends with suffix */
bool slice_ends(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len && slice_eq(slice_sub(s, s.len - suffix.len, suffix.len), suffix);
}

/* first place of c */
size_t slice_find(struct slice s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

/* last place of c */
size_t slice_rfind(struct slice s, char c)
{
    const char *at = s.len == 0 ? NULL : memrchr(s.ptr, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.ptr);
}

/* part of s, clamped */
struct slice slice_sub(struct slice s, size_t from, size_t len)
{
    if (from >= s.len)
        return slice_of(s.len == 0 ? s.ptr : s.ptr + s.len, 0);
    return slice_of(s.ptr + from, len < s.len - from ? len : s.len - from);
}

/* space, tab, CR, LF */
static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* cuts blanks off both ends */
struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && is_blank(s.ptr[0]))
        s = slice_of(s.ptr + 1, s.len - 1);
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* takes the piece before the next separator */
bool slice_next(struct slice *rest, char sep, struct slice *ret_piece)
{
    if (rest->len == 0)
        return false;
    size_t at = slice_find(*rest, sep);
    *ret_piece = slice_of(rest->ptr, at);
    *rest = slice_sub(*rest, at + 1, rest->len);
    return true;
}

/* takes the next run of non-blanks */
bool slice_next_word(struct slice *rest, struct slice *ret_word)
{
    size_t from = 0;
    while (from < rest->len && is_blank(rest->ptr[from]))
        from++;
    size_t to = from;
    while (to < rest->len && !is_blank(rest->ptr[to]))
        to++;
    if (from == to) {
        *rest = slice_sub(*rest, rest->len, 0);
        return false;
    }
    *ret_word = slice_sub(*rest, from, to - from);
    *rest = slice_sub(*rest, to, rest->len);
    return true;
}
