/*
 * base/utf16 - finding a character in two-byte units
 *
 * The byte of an ASCII character also occurs as half of other units, so each place that memchr
 * finds is looked at. Nothing can fail.
 */
#include "base/utf16.h"

#include <string.h>

/* see header */
size_t utf16_find(struct slice text, bool big_endian, char c)
{
    size_t even = text.len & ~(size_t)1;
    size_t at = 0;
    while (at < even) {
        const char *found = memchr(text.ptr + at, c, even - at);
        if (found == NULL)
            break;
        size_t i = (size_t)(found - text.ptr);
        if (big_endian ? (i % 2 == 1 && text.ptr[i - 1] == 0) : (i % 2 == 0 && found[1] == 0))
            return i & ~(size_t)1;
        at = i + 1;
    }
    return text.len;
}
