/*
 * output/control - what the answers to control requests say
 *
 * The only file that includes cJSON. Every node is checked for its type before use; an answer of
 * another shape than expected leaves the product unknown, or is -EBADMSG. cJSON bounds its own
 * recursion.
 */
#include "output/control.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

/* text of a string member, "" if there is none */
static struct slice text_of(const cJSON *object, const char *name)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(object, name);
    return slice_str(cJSON_IsString(node) ? node->valuestring : NULL);
}

/* keeps a version if it looks like one: digits and dots, maybe a suffix */
static void set_version(struct product *p, struct slice version)
{
    struct slice rest = version, major, minor;
    uint64_t a, b;
    if (version.len == 0 || version.len >= sizeof(p->version) || !slice_next(&rest, '.', &major) ||
        !slice_next(&rest, '.', &minor) || num_u64(major, &a) != 0 || num_u64(minor, &b) != 0 ||
        a > 999 || b > 999)
        return;
    for (size_t i = 0; i < version.len; i++) {
        if (version.ptr[i] <= ' ' || version.ptr[i] > '~')
            return;
    }
    memcpy(p->version, version.ptr, version.len);
    p->version[version.len] = '\0';
    p->major = (unsigned)a;
    p->minor = (unsigned)b;
}

/* version.number, version.distribution, version.build_flavor */
void product_from_root(struct product *p, struct slice json)
{
    cJSON *root = cJSON_ParseWithLength(json.ptr, json.len);
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "version");
    if (cJSON_IsObject(version)) {
        set_version(p, text_of(version, "number"));
        if (slice_eq_str(text_of(version, "distribution"), "opensearch"))
            p->kind = PRODUCT_OPENSEARCH;
        else if (slice_eq_str(text_of(version, "build_flavor"), "serverless"))
            p->serverless = true;
    }
    cJSON_Delete(root);
}

/* the first node's version */
void product_from_nodes(struct product *p, struct slice json)
{
    cJSON *root = cJSON_ParseWithLength(json.ptr, json.len);
    const cJSON *nodes = cJSON_GetObjectItemCaseSensitive(root, "nodes");
    if (cJSON_IsObject(nodes) && cJSON_IsObject(nodes->child))
        set_version(p, text_of(nodes->child, "version"));
    cJSON_Delete(root);
}

/* what the two vendors say of themselves on every answer */
void product_from_headers(struct product *p, bool elastic, const char *opensearch_version)
{
    if (opensearch_version[0] != '\0') {
        p->kind = PRODUCT_OPENSEARCH;
        set_version(p, slice_str(opensearch_version));
    } else if (elastic && p->kind == PRODUCT_UNKNOWN) {
        p->kind = PRODUCT_ELASTICSEARCH;
    }
}

/* Elasticsearch 8.13; a serverless project tells a fixed old version */
bool product_knows_require_data_stream(const struct product *p)
{
    if (p->kind != PRODUCT_ELASTICSEARCH)
        return false;
    return p->serverless || p->major > 8 || (p->major == 8 && p->minor >= 13);
}

/* for people */
void product_describe(const struct product *p, char *dst, size_t dst_bytes)
{
    static const char *const names[] = {
        [PRODUCT_UNKNOWN] = "unknown product",
        [PRODUCT_ELASTICSEARCH] = "elasticsearch",
        [PRODUCT_OPENSEARCH] = "opensearch",
    };
    bool known = p->version[0] != '\0';
    (void)snprintf(dst, dst_bytes, "%s%s%s%s", names[p->kind], known ? " " : "", p->version,
                   p->serverless ? " serverless" : "");
}

/* Walks pattern and name together; on a mismatch the last star takes one character more. */
bool control_pattern_matches(struct slice pattern, struct slice name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, star_n = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            star_n = n;
        } else if (p < pattern.len && pattern.ptr[p] == name.ptr[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++star_n;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

/* whether one of a template's patterns matches; a single pattern may stand without its array */
static bool template_matches(const cJSON *template, struct slice target)
{
    const cJSON *patterns = cJSON_GetObjectItemCaseSensitive(template, "index_patterns");
    if (cJSON_IsString(patterns))
        return control_pattern_matches(slice_str(patterns->valuestring), target);
    const cJSON *pattern;
    cJSON_ArrayForEach(pattern, patterns)
    {
        if (cJSON_IsString(pattern) &&
            control_pattern_matches(slice_str(pattern->valuestring), target))
            return true;
    }
    return false;
}

/* the matching template with the highest priority decides; none given is priority 0 */
int control_has_stream_template(struct slice json, struct slice target)
{
    cJSON *root = cJSON_ParseWithLength(json.ptr, json.len);
    if (!cJSON_IsObject(root)) {
        cJSON_Delete(root);
        return -EBADMSG;
    }
    double best = -1;
    int found = 0;
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(root, "index_templates"))
    {
        const cJSON *template = cJSON_GetObjectItemCaseSensitive(entry, "index_template");
        if (!cJSON_IsObject(template) || !template_matches(template, target))
            continue;
        const cJSON *priority = cJSON_GetObjectItemCaseSensitive(template, "priority");
        double value = cJSON_IsNumber(priority) ? priority->valuedouble : 0;
        if (value <= best)
            continue;
        best = value;
        found = cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(template, "data_stream")) ? 1 : 0;
    }
    cJSON_Delete(root);
    return found;
}

/* written by hand: the ids are ours and need no escape */
int control_search(struct buf *out, struct slice ids, size_t count)
{
    struct slice rest = ids, id;
    int err =
        buf_printf(out, "{\"size\":%zu,\"_source\":false,\"query\":{\"ids\":{\"values\":[", count);
    for (bool first = true; err == 0 && slice_next(&rest, '\n', &id); first = false) {
        if (id.len > 0)
            err = buf_printf(out, "%s\"%.*s\"", first ? "" : ",", (int)id.len, id.ptr);
    }
    return err == 0 ? buf_add_str(out, "]}}}") : err;
}

/* `{}` is the whole answer when filter_path has left nothing over */
int control_hits(struct slice json, struct buf *out)
{
    cJSON *root = cJSON_ParseWithLength(json.ptr, json.len);
    const cJSON *shards = cJSON_GetObjectItemCaseSensitive(root, "_shards");
    const cJSON *failed = cJSON_GetObjectItemCaseSensitive(shards, "failed");
    const cJSON *hits = cJSON_GetObjectItemCaseSensitive(root, "hits");
    bool whole = cJSON_IsObject(root) && (failed == NULL || failed->valuedouble == 0) &&
                 !cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "timed_out"));
    int err = whole ? 0 : -EBADMSG;
    const cJSON *hit;
    cJSON_ArrayForEach(hit, cJSON_GetObjectItemCaseSensitive(hits, "hits"))
    {
        if (err == 0)
            err = buf_add_slice(out, text_of(hit, "_id"));
        if (err == 0)
            err = buf_add_byte(out, '\n');
    }
    cJSON_Delete(root);
    return err;
}

/* the names of an object's members that are false, with what they would be a right to */
static int list_missing(const cJSON *object, const char *index, struct buf *missing)
{
    const cJSON *right;
    int err = 0;
    cJSON_ArrayForEach(right, object)
    {
        if (err == 0 && cJSON_IsFalse(right))
            err = buf_printf(missing, "%s%s on %s", missing->len > 0 ? ", " : "", right->string,
                             index);
    }
    return err;
}

/* has_all_requested, and the rights by index */
int control_privileges(struct slice json, struct buf *missing)
{
    cJSON *root = cJSON_ParseWithLength(json.ptr, json.len);
    const cJSON *all = cJSON_GetObjectItemCaseSensitive(root, "has_all_requested");
    int result = cJSON_IsBool(all) ? cJSON_IsTrue(all) : -EBADMSG;
    const cJSON *index;
    cJSON_ArrayForEach(index, cJSON_GetObjectItemCaseSensitive(root, "index"))
    {
        if (result == 0 && list_missing(index, index->string, missing) < 0)
            break; /* what has no room is left out */
    }
    cJSON_Delete(root);
    return result;
}

/* the node at a path, NULL if there is none */
static const cJSON *walk(const cJSON *node, struct slice path)
{
    struct slice name;
    char text[64];
    while (node != NULL && slice_next(&path, '.', &name)) {
        if (name.len >= sizeof(text))
            return NULL;
        memcpy(text, name.ptr, name.len);
        text[name.len] = '\0';
        node = slice_eq_str(name, "*") ? node->child : cJSON_GetObjectItemCaseSensitive(node, text);
    }
    return node;
}

/* a whole number of 53 bits; anything else is 0 */
static int64_t number_of(const cJSON *object, const char *name)
{
    const cJSON *node = cJSON_GetObjectItemCaseSensitive(object, name);
    bool fits = cJSON_IsNumber(node) && node->valuedouble >= 0 && node->valuedouble < 9e15;
    return fits ? (int64_t)node->valuedouble : 0;
}

/* keeps a hash of the length that ours have */
static void set_hash(struct control_stamp *s, struct slice hash)
{
    if (hash.len != sizeof(s->hash) - 1)
        return;
    memcpy(s->hash, hash.ptr, hash.len);
    s->hash[hash.len] = '\0';
}

/* "managed_by wherry, version N, hash H" */
static void read_stamp_text(struct control_stamp *s, struct slice text)
{
    const struct slice begin = SLICE_LIT("managed_by wherry, version ");
    const struct slice middle = SLICE_LIT(" hash ");
    struct slice number;
    uint64_t version;
    if (!slice_starts(text, begin))
        return;
    text = slice_sub(text, begin.len, SIZE_MAX);
    s->ours = true;
    if (slice_next(&text, ',', &number) && num_u64(number, &version) == 0 && version <= UINT32_MAX)
        s->version = (unsigned)version;
    if (slice_starts(text, middle))
        set_hash(s, slice_sub(text, middle.len, SIZE_MAX));
}

/* see header */
int control_stamp(struct slice json, const char *path, struct control_stamp *ret)
{
    cJSON *root = cJSON_ParseWithLength(json.ptr, json.len);
    const cJSON *node = walk(root, slice_str(path));
    int result = cJSON_IsObject(root) ? 0 : -EBADMSG;
    *ret = (struct control_stamp){0};
    ret->seq_no = number_of(root, "_seq_no");
    ret->primary_term = number_of(root, "_primary_term");
    if (cJSON_IsString(node)) {
        read_stamp_text(ret, slice_str(node->valuestring));
    } else if (cJSON_IsObject(node) && slice_eq_str(text_of(node, "managed_by"), "wherry")) {
        int64_t version = number_of(node, "version");
        ret->ours = true;
        ret->version = version <= UINT32_MAX ? (unsigned)version : 0;
        set_hash(ret, text_of(node, "hash"));
    }
    cJSON_Delete(root);
    return result;
}

/* both parts are words without blanks */
int control_api_key(struct slice json, struct buf *out)
{
    cJSON *root = cJSON_ParseWithLength(json.ptr, json.len);
    struct slice id = text_of(root, "id"), key = text_of(root, "api_key");
    bool good = id.len > 0 && key.len > 0;
    for (size_t i = 0; i < id.len && good; i++)
        good = id.ptr[i] > ' ' && id.ptr[i] <= '~' && id.ptr[i] != ':';
    for (size_t i = 0; i < key.len && good; i++)
        good = key.ptr[i] > ' ' && key.ptr[i] <= '~';
    int result =
        !good ? -EBADMSG : buf_printf(out, "%.*s:%.*s", (int)id.len, id.ptr, (int)key.len, key.ptr);
    cJSON_Delete(root);
    return result;
}

/* What stands behind the first `mark`. Looks for the text itself, since the body may be cut short;
 * the first is the root cause's. */
static struct slice behind(struct slice body, struct slice mark, size_t max)
{
    for (size_t i = 0; i + mark.len <= body.len; i++) {
        if (memcmp(body.ptr + i, mark.ptr, mark.len) == 0)
            return slice_sub(body, i + mark.len, max);
    }
    return slice_of(NULL, 0);
}

/* letters, digits and _ only */
struct slice control_error_type(struct slice body)
{
    if (slice_starts(body, SLICE_LIT("{\"error\":\"no handler found for uri")))
        return SLICE_LIT(CONTROL_NO_HANDLER);
    struct slice type = behind(body, SLICE_LIT("\"type\":\""), 64);
    size_t n = 0;
    while (n < type.len && ((type.ptr[n] >= 'a' && type.ptr[n] <= 'z') ||
                            (type.ptr[n] >= '0' && type.ptr[n] <= '9') || type.ptr[n] == '_'))
        n++;
    return slice_sub(type, 0, n);
}

/* up to the first escape */
struct slice control_error_reason(struct slice body)
{
    struct slice reason = behind(body, SLICE_LIT("\"reason\":\""), SIZE_MAX);
    size_t quote = slice_find(reason, '"'), escape = slice_find(reason, '\\');
    return slice_sub(reason, 0, quote < escape ? quote : escape);
}
