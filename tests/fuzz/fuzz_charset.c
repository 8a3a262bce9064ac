/* rooms: base os */
/*
 * fuzz/charset - text to UTF-8. First byte: the character set; the rest is text. The result is
 * UTF-8, fits, and is what a plain decoder makes of it; line ends are found where it sees them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"
#include "base/utf8.h"
#include "os/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* a unit of UTF-16 */
static uint32_t unit_at(const uint8_t *p, int big)
{
    return big ? (uint32_t)(p[0] << 8 | p[1]) : (uint32_t)(p[1] << 8 | p[0]);
}

/* the same, by hand */
static size_t plain(char *dst, const uint8_t *p, size_t n, enum charset_id id, uint64_t *bad)
{
    const int big = id == CHARSET_UTF16BE;
    size_t out = 0;
    for (size_t i = 0; i < n;) {
        uint32_t c = 0xfffd;
        if (id == CHARSET_LATIN1) {
            c = p[i++];
        } else if (n - i < 2) {
            i = n;
            ++*bad;
        } else {
            uint32_t unit = unit_at(p + i, big), low = n - i >= 4 ? unit_at(p + i + 2, big) : 0;
            i += 2;
            if (unit < 0xd800 || unit > 0xdfff) {
                c = unit;
            } else if (unit < 0xdc00 && low >= 0xdc00 && low <= 0xdfff) {
                c = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
                i += 2;
            } else {
                ++*bad;
            }
        }
        out += utf8_encode(dst + out, c);
    }
    return out;
}

/* the first line end, unit by unit */
static size_t first_newline(const uint8_t *p, size_t n, int big)
{
    for (size_t i = 0; i + 2 <= n; i += 2)
        if (unit_at(p + i, big) == '\n')
            return i;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct charset *converters[CHARSET_COUNT];
    if (size < 1)
        return 0;
    enum charset_id id = (enum charset_id)(1 + data[0] % (CHARSET_COUNT - 1));
    if (converters[id] == NULL && charset_new(id, &converters[id]) < 0)
        abort();
    const uint8_t *p = data + 1;
    size_t n = size - 1, room = charset_room(n);
    char *out = malloc(room), *want = malloc(2 * room);
    uint64_t bad = 0, want_bad = 0;
    const struct slice text = slice_of((const char *)p, n);
    size_t got = charset_to_utf8(converters[id], out, text, &bad);
    if (got > room || !utf8_is_valid(slice_of(out, got)))
        abort();
    size_t wanted = plain(want, p, n, id, &want_bad);
    if (got != wanted || memcmp(out, want, got) != 0 || bad != want_bad)
        abort();
    for (int big = 0; big < 2; big++)
        if (utf16_find(text, big, '\n') != first_newline(p, n, big))
            abort();
    free(out);
    free(want);
    return 0;
}
