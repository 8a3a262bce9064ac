/*
 * base/base64 - RFC 4648
 *
 * Three bytes are four characters of six bits each, highest first. base64url differs in two
 * characters; only the one fixed length the project needs is there, which takes no padding.
 *
 * What can fail: the limit of the buffer; a character outside the alphabet.
 */
#include "base/base64.h"

#include <errno.h>
#include <string.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* four characters of three bytes */
static void write_group(char *dst, const uint8_t *p, const char *alphabet)
{
    uint32_t bits = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    dst[0] = alphabet[bits >> 18];
    dst[1] = alphabet[bits >> 12 & 63];
    dst[2] = alphabet[bits >> 6 & 63];
    dst[3] = alphabet[bits & 63];
}

/* with padding */
int base64_encode(struct buf *dst, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    size_t groups = n / 3 + (n % 3 > 0 ? 1 : 0);
    if (groups > SIZE_MAX / 4)
        return -ENOBUFS;
    int r = buf_reserve(dst, groups * 4);
    if (r < 0 || n == 0)
        return r;
    char *out = dst->ptr + dst->len;
    size_t i = 0;
    for (; n - i >= 3; i += 3, out += 4)
        write_group(out, bytes + i, standard);
    if (i < n) {
        uint8_t last[3] = {bytes[i], n - i == 2 ? bytes[i + 1] : 0, 0};
        write_group(out, last, standard);
        out[3] = '=';
        if (n - i == 1)
            out[2] = '=';
    }
    dst->len += groups * 4;
    return 0;
}

/* nine bytes */
void base64url_write9(char *dst, const uint8_t *p)
{
    for (size_t i = 0; i < 3; i++)
        write_group(dst + i * 4, p + i * 3, url_safe);
}

/* twelve characters; dst is written only when all are good */
int base64url_read9(uint8_t *dst, const char *p)
{
    uint8_t bytes[9];
    for (size_t i = 0; i < 3; i++) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 4; k++) {
            const char *at = memchr(url_safe, p[i * 4 + k], sizeof(url_safe) - 1);
            if (at == NULL)
                return -EINVAL;
            bits = bits << 6 | (uint32_t)(at - url_safe);
        }
        bytes[i * 3] = (uint8_t)(bits >> 16);
        bytes[i * 3 + 1] = (uint8_t)(bits >> 8);
        bytes[i * 3 + 2] = (uint8_t)bits;
    }
    memcpy(dst, bytes, sizeof(bytes));
    return 0;
}
