/*
 * run/setup - asks what a server has, puts what is missing
 *
 * What the server is like is found out by asking for each thing, not concluded from its name:
 * policies are asked for by their API, types of fields and data streams by simulating a template.
 * Then each asset is read and, unless its stamp says that it is the same, written.
 */
#include "run/setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "output/admin.h"
#include "run/assemble.h"
#include "run/assets.h"
#include "run/setup_internal.h"

#define ANSWER_MAX MIB
#define LINE_MAX   2048

/* what became of an asset */
enum result {
    RESULT_UNCHANGED,
    RESULT_CREATED,
    RESULT_CHANGED,
    RESULT_REPLACED, /* it was somebody else's, or newer */
    RESULT_FOREIGN,
    RESULT_NEWER,
    RESULT_LACKING, /* the server knows no such thing */
    RESULT_FAILED,
};

/* ---- lines ---- */

/* see header */
void setup_say(struct setup *s, const char *fmt, ...)
{
    char line[LINE_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    s->opts->say(s->opts->ctx, line);
}

/* see header */
void setup_worst(struct setup *s, enum setup_outcome outcome)
{
    if (outcome > s->outcome)
        s->outcome = outcome;
}

/* see header */
int setup_call(struct setup *s, const char *method, const char *path, struct slice body)
{
    bool reads = strcmp(method, "GET") == 0 || strstr(path, "/_simulate") != NULL;
    if (s->opts->dry_run) {
        setup_say(s, "%s %s", method, path);
        if (body.len > 0)
            s->opts->say(s->opts->ctx, body.ptr);
        if (!reads)
            return 0;
    }
    return admin_call(s->admin, method, path, body, &s->answer, &s->e);
}

/* Whether the path was taken for that of a document, as by Elasticsearch 7 where it knows no such
 * API: its first part would be the name of an index. (OpenSearch says that its own index is missing
 * as long as it has no policy.) */
static bool is_document_path(int status, struct slice reason)
{
    return (status == 404 && slice_starts(reason, SLICE_LIT("no such index [_"))) ||
           (status == 400 && slice_starts(reason, SLICE_LIT("Invalid index name [_")));
}

/* see header */
bool setup_lacks(struct setup *s, int status)
{
    struct slice type = control_error_type(buf_slice(&s->answer));
    /* how Elasticsearch without security answers questions about it */
    bool is_off = status == 500 && (strstr(buf_cstr(&s->answer), "ecurity is not enabled") ||
                                    strstr(buf_cstr(&s->answer), "ecurity must be explicitly"));
    return status == 405 || status == 410 || status == 501 || is_off ||
           is_document_path(status, control_error_reason(buf_slice(&s->answer))) ||
           (status == 400 && slice_eq_str(type, CONTROL_NO_HANDLER));
}

/* see header */
const char *setup_why(struct setup *s, int status, char dst[SETUP_WHY_BYTES])
{
    if (status < 0)
        return s->e.text;
    struct slice type = control_error_type(buf_slice(&s->answer));
    struct slice reason = control_error_reason(buf_slice(&s->answer));
    (void)snprintf(dst, SETUP_WHY_BYTES, "%d %.*s%s%.*s", status, (int)type.len, type.ptr,
                   reason.len > 0 ? ": " : "", (int)(reason.len < 400 ? reason.len : 400),
                   reason.len > 0 ? reason.ptr : "");
    return dst;
}

/* ---- what the server is like ---- */

/* whether a path of an API is known to the server */
static bool has_api(struct setup *s, const char *path)
{
    int status = setup_call(s, "GET", path, slice_of(NULL, 0));
    return status >= 0 && !setup_lacks(s, status);
}

/* Whether a template with the given inside would be refused for what `word` names ("": for
 * anything). */
static bool refuses(struct setup *s, const char *inside, const char *word)
{
    struct buf body;
    buf_init(&body, LINE_MAX);
    int status = buf_printf(&body, "{\"index_patterns\":[\"wherry-simulated-*\"],%s}", inside);
    (void)buf_cstr(&body); /* the NUL behind it */
    if (status == 0)
        status = setup_call(s, "POST", "/_index_template/_simulate", buf_slice(&body));
    buf_clear(&body);
    return status == 400 && strstr(buf_cstr(&s->answer), word) != NULL;
}

/* policies where there are some, else the retention of data streams */
static void find_lifecycle(struct setup *s)
{
    const char *none = "old indices are kept until somebody deletes them";
    if (!s->config->setup.lifecycle)
        return;
    if (!s->server.opensearch && !s->server.serverless && has_api(s, "/_ilm/policy/wherry"))
        s->server.lifecycle = ASSET_ILM;
    else if (!s->server.serverless && has_api(s, "/_plugins/_ism/policies/wherry"))
        s->server.lifecycle = ASSET_ISM;
    else if (s->server.opensearch)
        setup_say(s, "lifecycle: this server has no index state management: %s", none);
    else if (s->server.serverless ||
             !refuses(s, "\"data_stream\":{},\"template\":{\"lifecycle\":{}}", ""))
        s->server.lifecycle = ASSET_RETENTION;
    else
        setup_say(s, "lifecycle: this server has no index lifecycle management: %s", none);
    if (s->server.lifecycle == ASSET_RETENTION)
        setup_say(s, "lifecycle: this server has no policies: data streams tell it how long to "
                     "keep documents, indices by name are kept");
    if (s->server.lifecycle == ASSET_ISM)
        s->server.opensearch = true;
}

/* whether there are data streams, if they are needed */
static void find_streams(struct setup *s)
{
    const struct asset_opts *o = assets_plan_opts(s->plan);
    bool is_needed = false;
    for (size_t i = 0; i < o->target_count; i++)
        is_needed = is_needed || o->targets[i].is_stream;
    if (is_needed && refuses(s, "\"data_stream\":{}", "[data_stream]"))
        setup_say(s, "data streams: this server has none: name indices by "
                     "output.elasticsearch.index or profile: isp");
}

/* field types */
static void find_types(struct setup *s)
{
#define ONE_FIELD(definition)                                                                      \
    "\"template\":{\"mappings\":{\"properties\":{\"a\":{\"type\":" definition "}}}}"
    if (refuses(s, ONE_FIELD("\"scaled_float\",\"scaling_factor\":100"), "[scaled_float]")) {
        s->server.lacks |= MAPPING_NO_SCALED_FLOAT;
        setup_say(s, "fields: this server has no scaled_float: float stands in");
    }
    if (!s->server.opensearch &&
        refuses(s, ONE_FIELD("\"constant_keyword\""), "[constant_keyword]")) {
        s->server.lacks |= MAPPING_NO_CONSTANT_KEYWORD;
        setup_say(s, "fields: this server has no constant_keyword: keyword stands in");
    }
}

/* all of it */
static void find_server(struct setup *s)
{
    const struct product *p = admin_product(s->admin);
    char name[64];
    product_describe(p, name, sizeof(name));
    setup_say(s, "%s: %s", admin_host(s->admin), name);
    s->server.opensearch = p->kind == PRODUCT_OPENSEARCH;
    s->server.serverless = p->serverless;
    find_lifecycle(s);
    find_streams(s);
    find_types(s);
}

/* ---- assets ---- */

/* whether it was asked for */
static bool is_wanted(const struct setup *s, const char *name)
{
    for (size_t i = 0; i < s->opts->name_count; i++)
        if (strcmp(s->opts->names[i], name) == 0)
            return true;
    return s->opts->name_count == 0;
}

/* PUT; a policy of OpenSearch is changed by the number of the version that was read */
static int put(struct setup *s, const struct asset *a, const struct control_stamp *stamp)
{
    char path[ASSET_PATH_MAX + 80];
    bool by_number = s->server.lifecycle == ASSET_ISM && a->kind == ASSET_POLICY && stamp != NULL;
    int n = by_number ? snprintf(path, sizeof(path), "%s?if_seq_no=%lld&if_primary_term=%lld",
                                 a->path, (long long)stamp->seq_no, (long long)stamp->primary_term)
                      : snprintf(path, sizeof(path), "%s", a->path);
    (void)n; /* there is room for both numbers */
    int status = setup_call(s, "PUT", path, buf_slice(&a->body));
    s->status = status;
    if (s->opts->dry_run)
        return 0;
    if (status >= 0 && setup_lacks(s, status))
        return -ENOTSUP;
    return status >= 200 && status < 300 ? 0 : -EIO;
}

/* reads it, and decides by its stamp */
static enum result apply(struct setup *s, const struct asset *a)
{
    struct control_stamp stamp;
    enum result good = RESULT_CREATED;
    int status = setup_call(s, "GET", a->path, slice_of(NULL, 0));
    s->status = status;
    bool is_there = status == 200;
    if (status < 0)
        return RESULT_FAILED;
    if (setup_lacks(s, status))
        return RESULT_LACKING;
    if (is_there && control_stamp(buf_slice(&s->answer), a->stamp, &stamp) < 0)
        return RESULT_FAILED;
    if (!is_there && status != 404)
        return RESULT_FAILED;
    if (is_there && stamp.ours && stamp.version <= ASSETS_VERSION) {
        good = RESULT_CHANGED;
        if (strcmp(stamp.hash, a->hash) == 0 && !s->opts->force)
            return RESULT_UNCHANGED;
    } else if (is_there) {
        good = RESULT_REPLACED;
        if (!s->opts->force)
            return stamp.ours ? RESULT_NEWER : RESULT_FOREIGN;
    }
    int r = put(s, a, is_there ? &stamp : NULL);
    return r == 0 ? good : r == -ENOTSUP ? RESULT_LACKING : RESULT_FAILED;
}

/* one line of what happened, and what it means for the whole */
static void tell(struct setup *s, const struct asset *a, enum result result)
{
    static const char *const words[][2] = {
        [RESULT_UNCHANGED] = {"unchanged", "unchanged"},
        [RESULT_CREATED] = {"created", "would be created"},
        [RESULT_CHANGED] = {"changed", "would be changed"},
        [RESULT_REPLACED] = {"replaced", "would be replaced"},
    };
    char why[SETUP_WHY_BYTES];
    switch (result) {
    case RESULT_UNCHANGED:
    case RESULT_CREATED:
    case RESULT_CHANGED:
    case RESULT_REPLACED:
        setup_say(s, "%s %s: %s", a->label, a->name, words[result][s->opts->dry_run]);
        break;
    case RESULT_FOREIGN:
    case RESULT_NEWER:
        setup_say(s, "%s %s: left alone, %s; to replace it: %s --force %s", a->label, a->name,
                  result == RESULT_NEWER ? "a newer wherry has made it" : "it is not wherry's",
                  s->opts->command, a->name);
        setup_worst(s, SETUP_LEFT);
        break;
    case RESULT_LACKING:
        if (a->kind == ASSET_ROLE_KIND) {
            setup_say(s, "%s %s: not needed, this server has no security", a->label, a->name);
            break;
        }
        setup_say(s, "%s %s: failed, this server has no such thing (%d)", a->label, a->name,
                  s->status);
        setup_worst(s, SETUP_FAILED);
        break;
    case RESULT_FAILED:
        setup_say(s, "%s %s: failed: %s", a->label, a->name, setup_why(s, s->status, why));
        setup_worst(s, SETUP_FAILED);
        break;
    }
    if (result == RESULT_CHANGED || result == RESULT_REPLACED)
        s->has_changed = true;
}

/* all of them, in order */
static int apply_all(struct setup *s)
{
    const struct asset_opts *opts = assets_plan_opts(s->plan);
    size_t count = assets_count(opts, &s->server);
    struct asset a;
    int r = 0;
    asset_init(&a);
    for (size_t i = 0; i < count && r == 0; i++) {
        r = assets_make(opts, &s->server, i, &a);
        if (r < 0)
            (void)err_set_errno(&s->e, r, "%s %s", a.label, a.name);
        else if (is_wanted(s, a.name))
            tell(s, &a, apply(s, &a));
    }
    asset_clear(&a);
    return r;
}

/* names that are none are mistakes */
static int check_names(struct setup *s)
{
    const struct asset_opts *opts = assets_plan_opts(s->plan);
    size_t count = assets_count(opts, &s->server);
    struct asset a;
    int r = 0;
    asset_init(&a);
    for (size_t n = 0; n < s->opts->name_count && r == 0; n++) {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++)
            found =
                assets_make(opts, &s->server, i, &a) == 0 && strcmp(a.name, s->opts->names[n]) == 0;
        if (!found)
            r = err_set(&s->e, -ENOENT, "setup makes nothing called \"%s\" here",
                        s->opts->names[n]);
    }
    asset_clear(&a);
    return r;
}

/* with a server reached */
static int run(struct setup *s)
{
    find_server(s);
    int r = check_names(s);
    if (r == 0)
        r = apply_all(s);
    if (r == 0 && s->has_changed && !s->opts->dry_run)
        setup_say(s, "what has changed holds for new indices: POST STREAM/_rollover begins one");
    if (r == 0 && s->opts->key_file != NULL)
        setup_make_key(s, s->opts->key_file);
    return r;
}

/* see header */
int setup_run(const struct config *c, const struct setup_opts *opts,
              enum setup_outcome *ret_outcome, struct err *e)
{
    struct setup s = {.config = c, .opts = opts};
    struct output_opts output;
    buf_init(&s.answer, ANSWER_MAX);
    assemble_output(&output, c);
    int r = assets_plan_new(c, &s.plan, &s.e);
    if (r == 0)
        r = admin_open(&output, &s.admin, &s.e);
    if (r == 0)
        r = run(&s);
    admin_close(&s.admin);
    assets_plan_free(&s.plan);
    assemble_output_clear(&output);
    buf_clear(&s.answer);
    if (r < 0)
        *e = s.e;
    else
        *ret_outcome = s.outcome;
    return r;
}
