/*
 * base/utf8 - recognising and writing UTF-8
 *
 * The first byte decides the length and the range of the second byte (Unicode 15, table 3-7);
 * all later bytes are 80..BF. A prefix that follows the table but is cut short or broken is one
 * maximal subpart. Nothing can fail.
 */
#include "base/utf8.h"

#include <string.h>

/* what a first byte promises; length 0: never begins a sequence */
struct lead {
    size_t length;
    uint8_t low, high; /* range of the second byte */
};

/* table 3-7 for a first byte of 80 or more */
static struct lead lead_of(uint8_t byte)
{
    if (byte < 0xc2 || byte > 0xf4)
        return (struct lead){0, 0, 0};
    if (byte < 0xe0)
        return (struct lead){2, 0x80, 0xbf};
    if (byte < 0xf0)
        return (struct lead){3, byte == 0xe0 ? 0xa0 : 0x80, byte == 0xed ? 0x9f : 0xbf};
    return (struct lead){4, byte == 0xf0 ? 0x90 : 0x80, byte == 0xf4 ? 0x8f : 0xbf};
}

/* number of bytes at p that agree with the table, at most lead->length */
static size_t agreeing(const uint8_t *p, size_t n, const struct lead *lead)
{
    if (n < 2 || p[1] < lead->low || p[1] > lead->high)
        return 1;
    size_t i = 2;
    while (i < lead->length && i < n && (p[i] & 0xc0) == 0x80)
        i++;
    return i;
}

/* length of a whole sequence */
size_t utf8_sequence(const char *p, size_t n)
{
    const uint8_t *bytes = (const uint8_t *)p;
    if (bytes[0] < 0x80)
        return 1;
    struct lead lead = lead_of(bytes[0]);
    return lead.length > 0 && agreeing(bytes, n, &lead) == lead.length ? lead.length : 0;
}

/* length of a maximal subpart */
size_t utf8_bad_length(const char *p, size_t n)
{
    const uint8_t *bytes = (const uint8_t *)p;
    struct lead lead = lead_of(bytes[0]);
    return lead.length == 0 ? 1 : agreeing(bytes, n, &lead);
}

/* whether all of s is UTF-8; eight ASCII bytes at a stride */
bool utf8_is_valid(struct slice s)
{
    size_t i = 0;
    while (i < s.len) {
        uint64_t word;
        if (s.len - i >= sizeof(word)) {
            memcpy(&word, s.ptr + i, sizeof(word));
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        size_t n = utf8_sequence(s.ptr + i, s.len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

/* bytes of a code point */
size_t utf8_encode(char *dst, uint32_t cp)
{
    if (cp < 0x80) {
        dst[0] = (char)cp;
        return 1;
    }
    size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        dst[i] = (char)(0x80 | (cp & 0x3f));
        cp >>= 6;
    }
    dst[0] = (char)((0xf00U >> n & 0xf0U) | cp);
    return n;
}
