/*
 * output/elasticsearch_host - where requests go
 *
 * A host is probed before its first request and again after its connection failed; each failure
 * makes it wait longer. Of the hosts that do not wait the one with the fewest requests under way is
 * taken, in turn among equals.
 */
#include <string.h>

#include "base/mem.h"
#include "base/version.h"
#include "output/elasticsearch_internal.h"

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

/* what every client of this output has in common */
struct http_opts es_http_opts(const struct output_opts *opts)
{
    struct http_opts http = opts->http;
    http.user_agent = "wherry/" WHERRY_VERSION;
    return http;
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

/* the same with shorter pauses */
void es_host_busy(struct output *o, struct host *h, enum output_health health, const char *why,
                  int64_t retry_after_ms)
{
    int64_t now = loop_now_ms(o->loop);
    es_trouble(o, &h->trouble, health, "%s: %s", h->name, why);
    if (h->not_before_ms > now)
        return;
    h->failures++;
    h->not_before_ms = now + es_busy_delay(o, h->failures, retry_after_ms);
}

/* it answered a request as it should */
void es_host_good(struct output *o, struct host *h)
{
    h->failures = 0;
    h->not_before_ms = 0;
    es_trouble_end(o, &h->trouble, "%s: works again", h->name);
}
