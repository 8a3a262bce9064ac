/*
 * config/check - rules of single texts
 *
 * Pure. Each check either appends the text in its normal form or says what is wrong and what would
 * be right; a secret is never quoted.
 */
#include "config/check.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "config/host.h"

#define STREAM_PART_MAX 100

/* appends; a text that does not fit is the text's fault */
static int accept(struct slice text, struct buf *out, struct err *why)
{
    return buf_add_slice(out, text) == 0 ? 0 : err_set(why, -EINVAL, "value is too long");
}

/* the naming rules of data streams */
int check_stream_part(struct slice text, struct buf *out, struct err *why)
{
    bool good = text.len >= 1 && text.len <= STREAM_PART_MAX;
    for (size_t i = 0; good && i < text.len; i++) {
        char c = text.ptr[i];
        good = (unsigned char)c > ' ' && c != 0x7f && (c < 'A' || c > 'Z') &&
               strchr("-\\/*?\"<>|,#:", c) == NULL;
    }
    if (!good)
        return err_set(why, -EINVAL,
                       "\"%.*s\" cannot be part of a data stream's name; allowed: 1 to %d bytes, "
                       "lower case, no blank and none of - \\ / * ? \" < > | , # :",
                       (int)(text.len < 110 ? text.len : 110), text.ptr, STREAM_PART_MAX);
    return accept(text, out, why);
}

/* anything but nothing */
int check_filled(struct slice text, struct buf *out, struct err *why)
{
    if (text.len == 0)
        return err_set(why, -EINVAL, "the value is empty");
    return accept(text, out, why);
}

/* "/hostfs/" becomes "/hostfs", "/" becomes "" */
int check_absolute(struct slice text, struct buf *out, struct err *why)
{
    if (text.len > 0 && text.ptr[0] != '/')
        return err_set(why, -EINVAL, "\"%.*s\" is not an absolute path",
                       (int)(text.len < 80 ? text.len : 80), text.ptr);
    while (slice_ends(text, SLICE_LIT("/")))
        text.len--;
    return accept(text, out, why);
}

/* basic authentication joins name and password by the first colon */
int check_username(struct slice text, struct buf *out, struct err *why)
{
    if (slice_find(text, ':') < text.len)
        return err_set(why, -EINVAL, "a user name may not hold a colon");
    return accept(text, out, why);
}

/* whether all characters are of base64, either alphabet */
static bool is_base64(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/' || c == '-' || c == '_' || c == '='))
            return false;
    }
    return true;
}

/* "id:key" is encoded, anything else must be encoded already */
int check_api_key(struct slice text, struct buf *out, struct err *why)
{
    size_t colon = slice_find(text, ':');
    if (colon == text.len)
        return is_base64(text)
                   ? accept(text, out, why)
                   : err_set(why, -EINVAL, "an API key is \"id:key\" or the base64 text of it");
    if (colon == 0 || colon + 1 == text.len)
        return err_set(why, -EINVAL, "an API key is \"id:key\" with both parts");
    return base64_encode(out, text.ptr, text.len) == 0 ? 0
                                                       : err_set(why, -EINVAL, "value is too long");
}

/* whether c may stand in the name of a header (RFC 9110 5.6.2) */
static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* whether the client sets the header itself */
static bool is_own_header(struct slice name)
{
    static const char *const own[] = {"Accept",
                                      "Accept-Encoding",
                                      "Authorization",
                                      "Connection",
                                      "Content-Encoding",
                                      "Content-Length",
                                      "Content-Type",
                                      "Expect",
                                      "Host",
                                      "TE",
                                      "Transfer-Encoding",
                                      "Upgrade",
                                      "Proxy-Authorization"};
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        if (strlen(own[i]) == name.len && strncasecmp(own[i], name.ptr, name.len) == 0)
            return true;
    }
    return false;
}

/* a token, a colon, and no control character */
int check_header(struct slice text, struct buf *out, struct err *why)
{
    struct slice name = slice_sub(text, 0, slice_find(text, ':'));
    bool good = name.len > 0 && name.len < text.len;
    for (size_t i = 0; good && i < name.len; i++)
        good = is_name_char(name.ptr[i]);
    for (size_t i = name.len; good && i < text.len; i++)
        good = (unsigned char)text.ptr[i] >= ' ' && text.ptr[i] != 0x7f;
    if (!good)
        return err_set(why, -EINVAL, "not the name and text of a header");
    if (is_own_header(name))
        return err_set(why, -EINVAL, "the header %.*s cannot be set here", (int)name.len, name.ptr);
    return accept(text, out, why);
}

/* nothing that would end or split the header */
int check_token(struct slice text, struct buf *out, struct err *why)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return err_set(why, -EINVAL, "a token has no blanks and only ASCII characters");
    }
    return accept(text, out, why);
}

#define SHA256_DIGITS 64

/* "AB:CD..." or "abcd..." */
int check_fingerprint(struct slice text, struct buf *out, struct err *why)
{
    char hex[SHA256_DIGITS];
    size_t n = 0;
    bool good = true;
    for (size_t i = 0; good && i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ':' && n > 0 && n % 2 == 0)
            continue;
        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        good = n < sizeof(hex) && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
        if (good)
            hex[n++] = c;
    }
    if (!good || (text.len > 0 && n != sizeof(hex)))
        return err_set(why, -EINVAL, "a fingerprint is a SHA-256 in hex: %d digits", SHA256_DIGITS);
    return accept(slice_of(hex, n), out, why);
}

/* with a slash before it and none behind it */
int check_url_path(struct slice text, struct buf *out, struct err *why)
{
    while (slice_ends(text, SLICE_LIT("/")))
        text.len--;
    if (!host_is_path(text))
        return err_set(why, -EINVAL, "\"%.*s\" is not a path of a URL",
                       (int)(text.len < 80 ? text.len : 80), text.ptr);
    if (text.len > 0 && text.ptr[0] != '/' && buf_add_byte(out, '/') != 0)
        return err_set(why, -EINVAL, "value is too long");
    return accept(text, out, why);
}

/* something that can be created in a directory */
int check_file_name(struct slice text, struct buf *out, struct err *why)
{
    if (text.len == 0 || slice_find(text, '/') < text.len || slice_eq_str(text, ".") ||
        slice_eq_str(text, ".."))
        return err_set(why, -EINVAL, "a file name without directories is needed here");
    return accept(text, out, why);
}
