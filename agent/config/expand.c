/*
 * config/expand - variables inside a value
 *
 * One pass from left to right; what a variable holds is not expanded again. Fails on text that
 * begins a variable and does not end it, on a name that is not one, and on a variable that is unset
 * and has no default. Values that are not UTF-8 are refused, since everything later is text.
 */
#include "config/expand.h"

#include <errno.h>

#include "base/mem.h"
#include "base/utf8.h"

/* whether s is a name for a variable: letters, digits, underscores, no digit first */
static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.len > 0;
}

/* appends the value of one variable; body is what stands between the braces */
static int add_variable(struct slice body, expand_getenv_fn getenv_fn, void *ctx, struct buf *out,
                        struct err *why)
{
    size_t colon = slice_find(body, ':');
    struct slice name = slice_sub(body, 0, colon);
    if (!is_name(name))
        return err_set(why, -EINVAL, "a variable is written ${NAME} or ${NAME:default}");
    char *cname = mem_strndup(name.ptr, name.len);
    struct slice value = slice_str(getenv_fn(ctx, cname));
    mem_free(cname);
    if (value.ptr == NULL && colon == body.len)
        return err_set(why, -EINVAL,
                       "variable %.*s is not set; set it, or give a default: ${%.*s:...}",
                       (int)name.len, name.ptr, (int)name.len, name.ptr);
    if (value.len == 0)
        value = slice_sub(body, colon + 1, body.len);
    if (!utf8_is_valid(value))
        return err_set(why, -EINVAL, "variable %.*s is not valid UTF-8", (int)name.len, name.ptr);
    return buf_add_slice(out, value);
}

/* index of the next "${" in s, or s.len */
static size_t find_variable(struct slice s)
{
    for (size_t i = 0; i + 1 < s.len; i++) {
        if (s.ptr[i] == '$' && s.ptr[i + 1] == '{')
            return i;
    }
    return s.len;
}

/* copies text up to the next "${"; handles one; and so on */
static int expand(struct slice text, expand_getenv_fn getenv_fn, void *ctx, struct buf *out,
                  bool *used, struct err *why)
{
    for (;;) {
        size_t at = find_variable(text);
        bool literal = at < text.len && at > 0 && text.ptr[at - 1] == '$';
        int error = buf_add_slice(out, slice_sub(text, 0, literal ? at - 1 : at));
        if (error != 0 || at == text.len)
            return error;
        text = slice_sub(text, at + 2, text.len);
        if (literal) {
            error = buf_add_str(out, "${");
        } else {
            size_t brace = slice_find(text, '}');
            if (brace == text.len)
                return err_set(why, -EINVAL, "\"${\" without \"}\"; a literal \"${\" is \"$${\"");
            error = add_variable(slice_sub(text, 0, brace), getenv_fn, ctx, out, why);
            text = slice_sub(text, brace + 1, text.len);
            *used = true;
        }
        if (error != 0)
            return error;
    }
}

/* expands, and names the one failure that has no text yet */
int expand_text(struct slice text, expand_getenv_fn getenv_fn, void *ctx, struct buf *out,
                bool *ret_used, struct err *why)
{
    bool used = false;
    int error = expand(text, getenv_fn, ctx, out, &used, why);
    if (error == -ENOBUFS || error == -ENOMEM)
        return err_set(why, error, "value is longer than %zu bytes", out->max);
    if (error == 0)
        *ret_used = used;
    return error;
}
