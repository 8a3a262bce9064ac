/*
 * config/host - the address of a server
 *
 * Pure. Splits scheme, host, port and path by hand and accepts only characters that need no
 * escaping, so that the result is a URL whatever the text was. Nothing is looked up.
 */
#include "config/host.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"

#define DEFAULT_PORT 9200
#define HOST_MAX     253

struct host_parts {
    struct slice scheme;
    struct slice host; /* with its brackets */
    struct slice path;
    uint64_t port;
};

/* lower case of an ASCII letter */
static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* whether c stands in names and numbers of hosts */
static bool is_host_char(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* compares with a lower-case word, letters of either case */
static bool eq_nocase(struct slice s, const char *word)
{
    if (s.len != strlen(word))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (lower(s.ptr[i]) != word[i])
            return false;
    }
    return true;
}

struct scheme {
    const char *name;
    uint64_t port; /* where the text has none */
};

static const struct scheme server_schemes[] = {
    {"http", DEFAULT_PORT}, {"https", DEFAULT_PORT}, {NULL, 0}};
static const struct scheme proxy_schemes[] = {
    {"http", 80}, {"https", 443}, {"socks5", 1080}, {NULL, 0}};

/* cuts "scheme://" off *rest, one of a list; without one, the first. Sets p's scheme and port. */
static int take_scheme(struct slice *rest, const struct scheme *schemes, struct host_parts *p)
{
    p->scheme = slice_str(schemes->name);
    p->port = schemes->port;
    for (size_t i = 0; i + 2 < rest->len; i++) {
        if (rest->ptr[i] != ':' || rest->ptr[i + 1] != '/' || rest->ptr[i + 2] != '/')
            continue;
        struct slice scheme = slice_sub(*rest, 0, i);
        while (schemes->name != NULL && !eq_nocase(scheme, schemes->name))
            schemes++;
        if (schemes->name == NULL)
            return -EINVAL;
        p->scheme = slice_str(schemes->name);
        p->port = schemes->port;
        *rest = slice_sub(*rest, i + 3, rest->len);
        return 0;
    }
    return 0;
}

/* whether s is an IPv6 address in brackets, by its characters */
static bool is_bracketed(struct slice s)
{
    if (s.len < 4 || s.ptr[0] != '[' || s.ptr[s.len - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < s.len; i++) {
        char c = lower(s.ptr[i]);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.'))
            return false;
    }
    return slice_find(s, ':') < s.len;
}

/* whether s is a host name or an IPv4 address, by its characters */
static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_host_char(s.ptr[i]))
            return false;
    }
    return s.len > 0 && s.len <= HOST_MAX && s.ptr[0] != '-' && s.ptr[0] != '.';
}

/* host and port */
static int take_authority(struct slice text, uint64_t port, struct host_parts *p)
{
    size_t bracket = slice_rfind(text, ']');
    size_t colon = slice_rfind(text, ':');
    bool has_port = colon < text.len && (bracket == text.len || colon > bracket);
    p->port = port;
    p->host = has_port ? slice_sub(text, 0, colon) : text;
    if (has_port && (num_u64(slice_sub(text, colon + 1, text.len), &p->port) != 0 || p->port == 0 ||
                     p->port > 65535))
        return -EINVAL;
    return is_name(p->host) || is_bracketed(p->host) ? 0 : -EINVAL;
}

/* by an allow-list */
bool host_is_path(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!is_host_char(c) && c != '/' && c != '~' && c != '%' && c != ':' && c != '+' &&
            c != '=' && c != ',')
            return false;
    }
    return true;
}

/* appends s in lower case */
static int add_lower(struct buf *out, struct slice s)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < s.len; i++)
        error = buf_add_byte(out, lower(s.ptr[i]));
    return error;
}

/* takes the text apart */
static int split(struct slice text, struct host_parts *p, struct err *why)
{
    struct slice rest = text;
    bool scheme_ok = take_scheme(&rest, server_schemes, p) == 0;
    size_t slash = slice_find(rest, '/');
    struct slice authority = slice_sub(rest, 0, slash);
    if (slice_find(text, '@') < text.len) /* a password may hold any character, slashes too */
        return err_set(why, -EINVAL,
                       "a user name in the address is not allowed; use the options username and "
                       "password, or api_key");
    p->path = slice_sub(rest, slash, rest.len);
    while (slice_ends(p->path, SLICE_LIT("/")))
        p->path.len--;
    if (!scheme_ok || take_authority(authority, p->port, p) != 0 || !host_is_path(p->path))
        return err_set(why, -EINVAL,
                       "\"%.*s\" is not an address like es1, es1:9200, [::1]:9200 or "
                       "https://es1:9200/path",
                       (int)(text.len < 80 ? text.len : 80), text.ptr);
    return 0;
}

/* puts the parts together again */
int host_normalise(struct slice text, struct buf *out, struct err *why)
{
    struct host_parts p = {0};
    int error = split(text, &p, why);
    if (error != 0)
        return error;
    size_t len = out->len;
    if (buf_add_slice(out, p.scheme) != 0 || buf_add_str(out, "://") != 0 ||
        add_lower(out, p.host) != 0 || buf_printf(out, ":%llu", (unsigned long long)p.port) != 0 ||
        buf_add_slice(out, p.path) != 0) {
        buf_cut(out, len);
        return err_set(why, -EINVAL, "address is too long");
    }
    return 0;
}

/* scheme, host and port */
int host_normalise_proxy(struct slice text, struct buf *out, struct err *why)
{
    struct host_parts p = {0};
    struct slice rest = text;
    if (text.len == 0)
        return 0;
    if (slice_find(text, '@') < text.len)
        return err_set(why, -EINVAL,
                       "a user name in the address is not allowed; use proxy_username and "
                       "proxy_password");
    bool scheme_ok = take_scheme(&rest, proxy_schemes, &p) == 0;
    while (slice_ends(rest, SLICE_LIT("/")))
        rest.len--;
    if (!scheme_ok || take_authority(rest, p.port, &p) != 0)
        return err_set(why, -EINVAL,
                       "\"%.*s\" is not a proxy like http://proxy:3128 or socks5://proxy:1080",
                       (int)(text.len < 80 ? text.len : 80), text.ptr);
    size_t len = out->len;
    if (buf_add_slice(out, p.scheme) != 0 || buf_add_str(out, "://") != 0 ||
        add_lower(out, p.host) != 0 || buf_printf(out, ":%llu", (unsigned long long)p.port) != 0) {
        buf_cut(out, len);
        return err_set(why, -EINVAL, "address is too long");
    }
    return 0;
}

/* whether s is an IPv4 address in 127.0.0.0/8; "127.example.com" is a name */
static bool is_loopback_v4(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '.' && (s.ptr[i] < '0' || s.ptr[i] > '9'))
            return false;
    }
    return slice_starts(s, SLICE_LIT("127."));
}

/* looks at the host only */
bool host_is_loopback(struct slice url)
{
    struct host_parts p = {0};
    struct err why;
    if (split(url, &p, &why) != 0)
        return false;
    return slice_eq_str(p.host, "localhost") || slice_ends(p.host, SLICE_LIT(".localhost")) ||
           slice_eq_str(p.host, "[::1]") || is_loopback_v4(p.host);
}
