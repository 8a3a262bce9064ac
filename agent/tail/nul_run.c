/*
 * tail/nul_run - runs of NUL bytes
 *
 * One memchr for text without any; a short run costs as much as it is long.
 */
#include "nul_run.h"

#include <string.h>

/* see header */
size_t nul_run_find(const char *s, size_t from, size_t n, size_t min, size_t *ret_end)
{
    size_t at = from;
    while (at < n) {
        const char *p = memchr(s + at, '\0', n - at);
        if (p == NULL)
            break;
        size_t begin = (size_t)(p - s), end = begin, before = 0;
        while (end < n && s[end] == '\0')
            end++;
        while (begin == from && before < from && s[from - before - 1] == '\0')
            before++;
        if (end - begin + before >= min) {
            *ret_end = end;
            return begin;
        }
        at = end;
    }
    *ret_end = n;
    return n;
}
