/*
 * assets/assets - the list, and the stamp that every body ends with
 *
 * A body is written once, the stamp last: its hash is that of the bytes before it.
 */
#include "assets/assets.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "assets/assets_internal.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/slice.h"

/* How a kind is reached; by product, Elasticsearch first. */
static const struct kind {
    const char *label;
    const char *path[2];
    const char *stamp[2];
} kinds[ASSET_KINDS] = {
    [ASSET_POLICY] = {"policy",
                      {"/_ilm/policy/", "/_plugins/_ism/policies/"},
                      {"*.policy._meta", "policy.description"}},
    [ASSET_COMPONENT] = {"component template",
                         {"/_component_template/", "/_component_template/"},
                         {"component_templates.*.component_template._meta",
                          "component_templates.*.component_template._meta"}},
    [ASSET_TEMPLATE] = {"index template",
                        {"/_index_template/", "/_index_template/"},
                        {"index_templates.*.index_template._meta",
                         "index_templates.*.index_template._meta"}},
    [ASSET_ROLE_KIND] = {"role",
                         {"/_security/role/", "/_plugins/_security/api/roles/"},
                         {"*.metadata", "*.description"}},
};

/* see header */
void asset_init(struct asset *a)
{
    memset(a, 0, sizeof(*a));
    buf_init(&a->body, ASSET_BODY_MAX);
}

/* see header */
void asset_clear(struct asset *a)
{
    buf_clear(&a->body);
}

/* see header */
bool assets_has(const struct asset_opts *o, bool is_stream)
{
    for (size_t i = 0; i < o->target_count; i++)
        if (o->targets[i].is_stream == is_stream)
            return true;
    return false;
}

/* see header */
const char *assets_policy_name(bool is_stream)
{
    return is_stream ? "wherry" : "wherry-daily";
}

/* the separator before the star goes, too */
void assets_target_name(const struct asset_target *t, char dst[ASSET_NAME_MAX + 1])
{
    struct slice s = slice_str(t->pattern);
    s = slice_sub(s, 0, slice_find(s, '*'));
    while (s.len > 0 && strchr("-._", s.ptr[s.len - 1]) != NULL)
        s.len--;
    (void)snprintf(dst, ASSET_NAME_MAX + 1, "wherry-%.*s", (int)s.len, s.ptr);
}

/* ---- the stamp ---- */

/* the hash of what was written so far */
static void write_hash(const struct json_writer *w, char dst[17])
{
    num_write_hex(dst, hash64(w->out->ptr, w->out->len), 16);
    dst[16] = '\0';
}

/* see header */
void assets_put_stamp(struct json_writer *w)
{
    char hash[17];
    write_hash(w, hash);
    put_text(w, "managed_by", "wherry");
    put_long(w, "version", ASSETS_VERSION);
    put_text(w, "hash", hash);
}

/* see header */
void assets_put_stamp_text(struct json_writer *w, const char *key)
{
    char hash[17], text[80];
    write_hash(w, hash);
    (void)snprintf(text, sizeof(text), "managed_by wherry, version %d, hash %s", ASSETS_VERSION,
                   hash);
    put_text(w, key, text);
}

/* what the stamp at the end of a body says: the last 16 hex digits in it */
static void read_hash(const struct buf *body, char dst[17])
{
    size_t end = body->len;
    while (end > 16 && (body->ptr[end - 1] == '}' || body->ptr[end - 1] == '"'))
        end--;
    if (end >= 16)
        memcpy(dst, body->ptr + end - 16, 16);
    dst[16] = '\0';
}

/* ---- the list ---- */

/* Which of its kind it is. */
struct place {
    enum asset_kind kind;
    size_t i;
};

/* kinds of targets that have something of their own */
static size_t target_kinds(const struct asset_opts *o)
{
    return (size_t)assets_has(o, true) + (size_t)assets_has(o, false);
}

/* how many there are of a kind */
static size_t count_of(const struct asset_opts *o, const struct asset_server *s,
                       enum asset_kind kind)
{
    switch (kind) {
    case ASSET_POLICY:
        if (s->lifecycle == ASSET_ISM)
            return o->target_count;
        return s->lifecycle == ASSET_ILM ? target_kinds(o) : 0;
    case ASSET_COMPONENT:
        return o->mapping_count + (s->serverless ? 0 : target_kinds(o));
    case ASSET_TEMPLATE:
        return o->target_count;
    case ASSET_ROLE_KIND:
        return 1;
    }
    return 0;
}

/* see header */
size_t assets_count(const struct asset_opts *o, const struct asset_server *s)
{
    size_t n = 0;
    for (unsigned kind = 0; kind < ASSET_KINDS; kind++)
        n += count_of(o, s, (enum asset_kind)kind);
    return n;
}

/* where the i-th stands */
static struct place place_of(const struct asset_opts *o, const struct asset_server *s, size_t i)
{
    struct place p = {ASSET_POLICY, i};
    while (p.i >= count_of(o, s, p.kind)) {
        p.i -= count_of(o, s, p.kind);
        p.kind++;
    }
    return p;
}

/* whether the n-th of what streams and daily indices have apart is that of the streams */
static bool is_of_streams(const struct asset_opts *o, size_t n)
{
    return n == 0 && assets_has(o, true);
}

/* name and body of a component: mappings first, then settings */
static void make_component(const struct asset_opts *o, const struct asset_server *s, size_t i,
                           struct json_writer *w, char name[ASSET_NAME_MAX + 1])
{
    if (i < o->mapping_count) {
        (void)snprintf(name, ASSET_NAME_MAX + 1, "wherry-mappings-%s", o->mappings[i].name);
        assets_put_mappings(&o->mappings[i], s, w);
        return;
    }
    bool is_stream = is_of_streams(o, i - o->mapping_count);
    (void)snprintf(name, ASSET_NAME_MAX + 1, "%s-settings", assets_policy_name(is_stream));
    assets_put_settings(o, s, is_stream, w);
}

/* name and body of a policy */
static void make_policy(const struct asset_opts *o, const struct asset_server *s, size_t i,
                        struct json_writer *w, char name[ASSET_NAME_MAX + 1])
{
    if (s->lifecycle == ASSET_ISM) {
        assets_target_name(&o->targets[i], name);
        assets_put_ism(o, &o->targets[i], w);
        return;
    }
    bool is_stream = is_of_streams(o, i);
    (void)snprintf(name, ASSET_NAME_MAX + 1, "%s", assets_policy_name(is_stream));
    assets_put_ilm(o, is_stream, w);
}

/* see header */
int assets_make(const struct asset_opts *o, const struct asset_server *s, size_t i,
                struct asset *ret)
{
    struct place p = place_of(o, s, i);
    const struct kind *kind = &kinds[p.kind];
    struct json_writer w;
    ret->kind = p.kind;
    ret->label = kind->label;
    ret->stamp = kind->stamp[s->opensearch];
    buf_reset(&ret->body);
    json_begin(&w, &ret->body);
    switch (p.kind) {
    case ASSET_POLICY:
        make_policy(o, s, p.i, &w, ret->name);
        break;
    case ASSET_COMPONENT:
        make_component(o, s, p.i, &w, ret->name);
        break;
    case ASSET_TEMPLATE:
        assets_target_name(&o->targets[p.i], ret->name);
        assets_put_template(o, s, &o->targets[p.i], &w);
        break;
    case ASSET_ROLE_KIND:
        (void)snprintf(ret->name, sizeof(ret->name), "%s", ASSET_ROLE);
        assets_put_role(o, s, &w);
        break;
    }
    int n = snprintf(ret->path, sizeof(ret->path), "%s%s", kind->path[s->opensearch], ret->name);
    if (n < 0 || (size_t)n >= sizeof(ret->path))
        return -ENAMETOOLONG;
    read_hash(&ret->body, ret->hash);
    (void)buf_cstr(&ret->body); /* what it returns is not needed, the NUL is */
    return json_done(&w);
}
