/*
 * config/check - rules of single texts
 *
 * Pure. Each check either appends the text in its normal form or says what is wrong and what would
 * be right; a secret is never quoted.
 */
#include "config/check.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"

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
