/*
 * config/cloud - Elastic Cloud's id of a deployment
 *
 * Pure. What the id holds is outside data: the address it leads to goes through the same check as
 * one that a user writes.
 */
#include "config/cloud.h"

#include <errno.h>

#include "config/host.h"

#define ID_BYTES_MAX 4096
#define PORT         "443"

/* the six bits of a character of base64, or -1 */
static int bits_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* appends what the base64 text s stands for; the padding may be missing */
static int decode(struct slice s, struct buf *out)
{
    unsigned have = 0;
    uint32_t bits = 0;
    while (slice_ends(s, SLICE_LIT("=")))
        s.len--;
    for (size_t i = 0; i < s.len; i++) {
        int six = bits_of(s.ptr[i]);
        if (six < 0)
            return -EINVAL;
        bits = (bits << 6 | (uint32_t)six) & 0xffff;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        int error = buf_add_byte(out, (char)(bits >> have & 0xff));
        if (error != 0)
            return error;
    }
    return 0;
}

/* "https://part.host:port" of the decoded id */
static int join(struct slice decoded, struct buf *url)
{
    struct slice rest = decoded, host, part;
    if (!slice_next(&rest, '$', &host) || !slice_next(&rest, '$', &part) || host.len == 0 ||
        part.len == 0)
        return -EINVAL;
    size_t host_colon = slice_find(host, ':'), part_colon = slice_find(part, ':');
    struct slice port = SLICE_LIT(PORT);
    if (host_colon < host.len)
        port = slice_sub(host, host_colon + 1, host.len);
    if (part_colon < part.len)
        port = slice_sub(part, part_colon + 1, part.len);
    return buf_printf(url, "https://%.*s.%.*s:%.*s", (int)part_colon, part.ptr, (int)host_colon,
                      host.ptr, (int)port.len, port.ptr);
}

/* decodes, joins, checks */
int cloud_id_normalise(struct slice text, struct buf *out, struct err *why)
{
    struct buf decoded, url;
    struct err detail = {0};
    if (text.len == 0)
        return 0;
    if (slice_starts(text, SLICE_LIT("https://")))
        return host_normalise(text, out, why);
    size_t colon = slice_rfind(text, ':');
    if (colon < text.len)
        text = slice_sub(text, colon + 1, text.len);
    buf_init(&decoded, ID_BYTES_MAX);
    buf_init(&url, ID_BYTES_MAX);
    int error = decode(text, &decoded);
    if (error == 0)
        error = join(buf_slice(&decoded), &url);
    if (error == 0)
        error = host_normalise(buf_slice(&url), out, &detail);
    buf_clear(&decoded);
    buf_clear(&url);
    return error == 0 ? 0 : err_set(why, -EINVAL, "not the id of a deployment: name:base64 text");
}
