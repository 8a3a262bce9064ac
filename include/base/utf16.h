#ifndef BASE_UTF16_H
#define BASE_UTF16_H

/* Text of two-byte units, in either byte order. */
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* Index of the first unit at an even place that is the ASCII character c, or text.len. */
size_t utf16_find(struct slice text, bool big_endian, char c);

#endif
