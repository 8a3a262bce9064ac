/*
 * os/charset - text to UTF-8 through iconv
 *
 * A converter keeps no state between calls. iconv stops at what it cannot convert; that is replaced
 * and passed over here, one unit at a time, so that every text has a result. What can fail: making
 * a converter, where the C library comes without its tables.
 */
#include "os/charset.h"

#include <assert.h>
#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/mem.h"

struct charset {
    iconv_t handle;
    size_t unit;
};

/* see header */
int charset_new(enum charset_id id, struct charset **ret)
{
    static const char *const names[CHARSET_COUNT] = {
        [CHARSET_UTF16LE] = "UTF-16LE",
        [CHARSET_UTF16BE] = "UTF-16BE",
        [CHARSET_LATIN1] = "ISO-8859-1",
    };
    assert(id < CHARSET_COUNT && names[id] != NULL);
    iconv_t handle = iconv_open("UTF-8", names[id]);
    if (handle == (iconv_t)-1)
        return -errno;
    *ret = mem_zalloc(sizeof(**ret));
    (*ret)->handle = handle;
    (*ret)->unit = charset_unit(id);
    return 0;
}

/* see header */
void charset_free(struct charset **c)
{
    if (*c == NULL)
        return;
    (void)iconv_close((*c)->handle);
    mem_free(*c);
    *c = NULL;
}

/* see header */
size_t charset_unit(enum charset_id id)
{
    return id == CHARSET_UTF16LE || id == CHARSET_UTF16BE ? 2 : 1;
}

/* see header: a byte of Latin-1 becomes two at most, two of UTF-16 three; half a unit three */
size_t charset_room(size_t n)
{
    return 2 * n + 3;
}

/* see header */
size_t charset_to_utf8(struct charset *c, char *dst, struct slice text, uint64_t *bad)
{
    static const char replacement[3] = {'\xef', '\xbf', '\xbd'};
    char *out = dst;
    size_t room = charset_room(text.len);
    char *in;
    memcpy(&in, &text.ptr, sizeof(in)); /* iconv(3) takes it without const and does not write */
    size_t left = text.len;
    (void)iconv(c->handle, NULL, NULL, NULL, NULL);
    while (left > 0 && iconv(c->handle, &in, &left, &out, &room) == (size_t)-1) {
        size_t skip = left < c->unit ? left : c->unit;
        assert(errno != E2BIG && room >= sizeof(replacement));
        memcpy(out, replacement, sizeof(replacement));
        out += sizeof(replacement);
        room -= sizeof(replacement);
        in += skip;
        left -= skip;
        (*bad)++;
    }
    return (size_t)(out - dst);
}
