#ifndef TOOLS_SINK_SCAN_H
#define TOOLS_SINK_SCAN_H

/*
 * A fast reader of one `_bulk` body: action line, document line, and so on. It walks the members
 * of the objects without building anything, and checks as much as it needs to: strings end,
 * brackets close, no raw control character in a string that is looked at. Text that breaks these
 * rules makes the call fail; the caller answers 400 then.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    const char *ptr;
    size_t len;
};

/* The end of the string whose first character is at p (behind the quote), or NULL */
static inline const char *scan_string_end(const char *p, const char *end)
{
    for (;;) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        if (quote == NULL)
            return NULL;
        size_t slashes = 0;
        while (quote - slashes > p && *(quote - slashes - 1) == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return quote;
        p = quote + 1;
    }
}

/* Behind the object or array that begins at p, or NULL */
static inline const char *scan_skip_nested(const char *p, const char *end)
{
    unsigned depth = 0;

    for (; p < end; p++) {
        if (*p == '"') {
            p = scan_string_end(p + 1, end);
            if (p == NULL)
                return NULL;
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if (*p == '}' || *p == ']') {
            if (--depth == 0)
                return p + 1;
        }
    }
    return NULL;
}

static inline const char *scan_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    return p;
}

/* Behind the value at p; *ret is its text, of a string without its quotes. NULL: no value */
static inline const char *scan_value(const char *p, const char *end, struct text *ret)
{
    const char *to;

    if (p == end)
        return NULL;
    if (*p == '"') {
        to = scan_string_end(p + 1, end);
        if (to == NULL)
            return NULL;
        *ret = (struct text){p + 1, (size_t)(to - p - 1)};
        return to + 1;
    }
    if (*p == '{' || *p == '[') {
        to = scan_skip_nested(p, end);
    } else {
        for (to = p; to < end && *to != ',' && *to != '}' && *to != ']' && *to != ' '; to++)
            ;
        if (to == p)
            to = NULL;
    }
    if (to != NULL)
        *ret = (struct text){p, (size_t)(to - p)};
    return to;
}

/* Cuts the next member off the object at *p (at '{' or behind the last member). 1: a member, 0: the
 * object has ended and *p is behind it, -1: not an object */
static inline int scan_member(const char **p, const char *end, struct text *ret_name,
                              struct text *ret_value)
{
    const char *at = scan_blank(*p, end);

    if (at == end || (*at != '{' && *at != ',' && *at != '}'))
        return -1;
    if (*at == '}') {
        *p = at + 1;
        return 0;
    }
    const bool first = *at == '{';
    at = scan_blank(at + 1, end);
    if (first && at < end && *at == '}') {
        *p = at + 1;
        return 0;
    }
    if (at == end || *at != '"' || (at = scan_value(at, end, ret_name)) == NULL)
        return -1;
    at = scan_blank(at, end);
    if (at == end || *at != ':')
        return -1;
    at = scan_value(scan_blank(at + 1, end), end, ret_value);
    if (at == NULL)
        return -1;
    *p = at;
    return 1;
}

static inline bool scan_is(struct text t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.ptr, s, t.len) == 0;
}

/* Cuts the next line off the body; false at its end or when its last line has no end */
static inline bool scan_line(const char **p, const char *end, struct text *ret)
{
    const char *newline = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;

    if (newline == NULL)
        return false;
    *ret = (struct text){*p, (size_t)(newline - *p)};
    *p = newline + 1;
    return true;
}

struct scan_action {
    struct text op;    /* create, index, delete, update */
    struct text index; /* empty: the one in the URL */
    struct text id;    /* empty: none */
};

/* Reads {"create":{"_index":..,"_id":..}}; false when it is not of that form */
static inline bool scan_action(struct text line, struct scan_action *ret)
{
    const char *end = line.ptr + line.len;
    const char *p = line.ptr;
    struct text rest;
    struct text name;
    struct text value;
    int more;

    *ret = (struct scan_action){.op = {"", 0}, .index = {"", 0}, .id = {"", 0}};
    if (scan_member(&p, end, &ret->op, &rest) != 1 || rest.ptr[0] != '{' || p == end || *p != '}')
        return false;
    p = rest.ptr;
    end = rest.ptr + rest.len;
    while ((more = scan_member(&p, end, &name, &value)) == 1) {
        if (scan_is(name, "_index"))
            ret->index = value;
        else if (scan_is(name, "_id"))
            ret->id = value;
    }
    return more == 0;
}

/* Finds the top-level member; 1: there, 0: not there, -1: the line is not one JSON object */
static inline int scan_find(struct text line, const char *wanted, struct text *ret)
{
    const char *end = line.ptr + line.len;
    const char *p = line.ptr;
    struct text name;
    struct text value;
    int found = 0;
    int more;

    while ((more = scan_member(&p, end, &name, &value)) == 1) {
        if (found == 0 && scan_is(name, wanted)) {
            *ret = value;
            found = 1;
        }
    }
    return more == 0 && scan_blank(p, end) == end ? found : -1;
}

static inline int scan_hex4(const char *p)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        const char c = p[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

/* Resolves the escapes of a string; dst has room for its length. Escapes above U+007F are kept as
 * they are: loggen's lines have none. Returns the length, or SIZE_MAX for a broken string */
static inline size_t scan_unescape(char *dst, struct text s)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *end = s.ptr + s.len;
    const char *p = s.ptr;
    char *out = dst;

    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        const size_t plain = (size_t)((slash ? slash : end) - p);
        memcpy(out, p, plain);
        out += plain;
        if (slash == NULL)
            break;
        p = slash + 2;
        if (p > end)
            return SIZE_MAX;
        const char *known = memchr(from, p[-1], sizeof(from) - 1);
        if (known != NULL) {
            *out++ = to[known - from];
        } else if (p[-1] == 'u' && end - p >= 4) {
            const int v = scan_hex4(p);
            if (v < 0)
                return SIZE_MAX;
            if (v < 0x80) {
                *out++ = (char)v;
            } else {
                memcpy(out, p - 2, 6);
                out += 6;
            }
            p += 4;
        } else {
            return SIZE_MAX;
        }
    }
    return (size_t)(out - dst);
}

#endif
