/*
 * output/elasticsearch_host - where requests go
 *
 * A host is probed before its first request and again after its connection failed; each failure
 * makes it wait longer. Of the hosts that do not wait the one with the fewest requests under way is
 * taken, in turn among equals.
 */
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/version.h"
#include "output/elasticsearch_internal.h"

#define AUTHORIZATION_MAX (16 * KIB)

/* whether the host part of a URL names this machine */
static bool is_loopback(const char *url)
{
    const char *p = strstr(url, "://");
    struct slice rest = slice_str(p != NULL ? p + 3 : url);
    rest = slice_sub(rest, 0, slice_find(rest, '/'));
    size_t at = slice_rfind(rest, '@');
    if (at < rest.len)
        rest = slice_sub(rest, at + 1, SIZE_MAX);
    if (slice_starts(rest, SLICE_LIT("[::1]")) || slice_starts(rest, SLICE_LIT("127.")))
        return true;
    return slice_eq_str(slice_sub(rest, 0, slice_find(rest, ':')), "localhost");
}

/* a copy of a URL without user information */
static char *name_of(struct slice url)
{
    struct slice scheme = slice_of(url.ptr, 0);
    for (size_t i = 0; i + 3 <= url.len && scheme.len == 0; i++) {
        if (memcmp(url.ptr + i, "://", 3) == 0)
            scheme = slice_sub(url, 0, i + 3);
    }
    struct slice rest = slice_sub(url, scheme.len, SIZE_MAX);
    struct slice authority = slice_sub(rest, 0, slice_find(rest, '/'));
    size_t at = slice_rfind(authority, '@');
    if (at < authority.len)
        rest = slice_sub(rest, at + 1, SIZE_MAX);
    char *name = mem_zalloc(scheme.len + rest.len + 1);
    memcpy(name, scheme.ptr, scheme.len);
    memcpy(name + scheme.len, rest.ptr, rest.len);
    return name;
}

/* one host of the list */
void es_host_init(struct host *h, const char *url)
{
    struct slice s = slice_str(url);
    while (slice_ends(s, SLICE_LIT("/")))
        s.len--;
    h->url = mem_strndup(s.ptr, s.len);
    h->name = name_of(s);
    h->loopback = is_loopback(h->url);
}

/* "ApiKey <base64 of id:key>"; a key without a colon is encoded already */
char *es_api_key_header(const char *api_key)
{
    struct buf b;
    buf_init(&b, AUTHORIZATION_MAX);
    int err = buf_add_str(&b, "ApiKey ");
    if (err == 0 && strchr(api_key, ':') != NULL)
        err = base64_encode(&b, api_key, strlen(api_key));
    else if (err == 0)
        err = buf_add_str(&b, api_key);
    char *header = err == 0 ? mem_strndup(b.ptr, b.len) : NULL;
    if (b.ptr != NULL)
        explicit_bzero(b.ptr, b.cap);
    buf_clear(&b);
    return header;
}

/* what every client of this output has in common */
void es_http_opts(const struct output_opts *opts, const char *authorization,
                  struct http_opts *ret_http)
{
    *ret_http = (struct http_opts){
        .username = opts->username,
        .password = opts->password,
        .authorization = opts->authorization != NULL ? opts->authorization : authorization,
        .ca_file = opts->ca_file,
        .verify_certs = opts->verify_certs,
        .connect_timeout_ms = opts->connect_timeout_ms,
        .user_agent = "wherry/" WHERRY_VERSION,
    };
}

/* frees the names */
void es_host_clear(struct host *h)
{
    mem_free(h->url);
    mem_free(h->name);
}

/* the next in turn with the fewest requests under way */
struct host *es_host_pick(struct output *o, int64_t now_ms)
{
    struct host *best = NULL;
    for (size_t i = 0; i < o->opts.host_count; i++) {
        struct host *h = &o->hosts[(o->next_host + i) % o->opts.host_count];
        if (h->state != HOST_READY || h->not_before_ms > now_ms)
            continue;
        if (best == NULL || h->outstanding < best->outstanding)
            best = h;
    }
    if (best != NULL)
        o->next_host = (size_t)(best - o->hosts) + 1;
    return best;
}

/* Requests that fail together count once: while it waits a failure is no news. */
void es_host_fail(struct output *o, struct host *h, enum output_health health, const char *why,
                  int64_t retry_after_ms)
{
    int64_t now = loop_now_ms(o->loop);
    es_trouble(o, &h->trouble, health, "%s: %s", h->name, why);
    if (h->not_before_ms > now)
        return;
    h->failures++;
    h->not_before_ms = now + es_delay(o, h->failures, retry_after_ms);
}

/* it answered a request as it should */
void es_host_good(struct output *o, struct host *h)
{
    h->failures = 0;
    h->not_before_ms = 0;
    es_trouble_end(o, &h->trouble, "%s: works again", h->name);
}
