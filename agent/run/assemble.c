/*
 * run/assemble - configuration to options
 */
#include "run/assemble.h"

#include <string.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/mem.h"
#include "run/index.h"
#include "run/own_files.h"

/* see header */
char *assemble_target(const char *type, const char *dataset, const char *namespace)
{
    struct buf b;
    buf_init(&b, BATCH_TARGET_MAX);
    int r = buf_printf(&b, "%s-%s-%s", type, dataset, namespace);
    char *name = mem_strndup(r == 0 ? b.ptr : "", r == 0 ? b.len : 0);
    buf_clear(&b);
    return name;
}

/* bits of option metadata to parts of a document */
static unsigned parts_of(unsigned metadata)
{
    static const struct {
        unsigned option, part;
    } map[] = {
        {CONFIG_METADATA_DATASET, PART_DATASET}, {CONFIG_METADATA_HOST, PART_HOST},
        {CONFIG_METADATA_AGENT, PART_AGENT},     {CONFIG_METADATA_ECS, PART_ECS},
        {CONFIG_METADATA_OFFSET, PART_OFFSET},   {CONFIG_METADATA_INPUT, PART_INPUT},
    };
    unsigned parts = 0;
    for (size_t i = 0; i < ARRAY_LEN(map); i++)
        if (metadata & map[i].option)
            parts |= map[i].part;
    return parts;
}

/* the set of characters that an option names */
static enum charset_id charset_of(enum config_encoding encoding)
{
    static const enum charset_id ids[] = {
        [CONFIG_ENCODING_UTF8] = CHARSET_UTF8,       [CONFIG_ENCODING_UTF16] = CHARSET_UTF16LE,
        [CONFIG_ENCODING_UTF16LE] = CHARSET_UTF16LE, [CONFIG_ENCODING_UTF16BE] = CHARSET_UTF16BE,
        [CONFIG_ENCODING_LATIN1] = CHARSET_LATIN1,   [CONFIG_ENCODING_ISO_8859_1] = CHARSET_LATIN1,
    };
    return ids[encoding];
}

/* what the lines are */
static enum tail_format format_of(enum config_format format)
{
    static const enum tail_format formats[] = {
        [CONFIG_FORMAT_AUTO] = TAIL_FORMAT_AUTO,
        [CONFIG_FORMAT_RAW] = TAIL_FORMAT_RAW,
        [CONFIG_FORMAT_CRI] = TAIL_FORMAT_CRI,
        [CONFIG_FORMAT_DOCKER] = TAIL_FORMAT_DOCKER,
    };
    return formats[format];
}

/* which records are JSON objects */
static enum tail_json json_of(enum config_json json)
{
    return json == CONFIG_JSON_ON     ? TAIL_JSON_ON
           : json == CONFIG_JSON_AUTO ? TAIL_JSON_AUTO
                                      : TAIL_JSON_OFF;
}

/* one input, without where its documents go */
static struct tail_input input_of(const struct config *c, const struct config_input *in,
                                  struct ledger *ledger)
{
    return (struct tail_input){
        .id = in->id,
        .paths = in->paths.v,
        .path_count = in->paths.n,
        .excludes = in->exclude_files.v,
        .exclude_count = in->exclude_files.n,
        .olddir = in->olddir,
        .encode =
            {
                .profile = c->profile == CONFIG_PROFILE_ISP ? PROFILE_ISP : PROFILE_DEFAULT,
                .parts = parts_of(c->metadata),
                .dataset = in->dataset,
                .namespace = c->namespace,
                .auto_ids = c->elasticsearch.ids == CONFIG_IDS_AUTO,
                .input_type = "filestream",
                .fields = in->fields.v,
                .field_count = in->fields.n,
                .tags = in->tags.v,
                .tag_count = in->tags.n,
            },
        .format = format_of(in->format),
        .json = json_of(in->json),
        .partial_max_bytes = (size_t)in->partial_max_bytes,
        .partial_timeout_ms = in->partial_timeout_ms,
        .charset = charset_of(in->encoding),
        .charset_by_mark = in->encoding == CONFIG_ENCODING_UTF16,
        .max_bytes = (size_t)in->max_bytes,
        .line_flush_ms = in->line_flush_timeout_ms,
        .symlinks = in->symlinks,
        .symlink_roots = in->symlink_roots.v,
        .symlink_root_count = in->symlink_roots.n,
        .start_at_end = in->start_at == CONFIG_START_END,
        .unpack = in->compression == CONFIG_INPUT_COMPRESSION_AUTO,
        .ignore_older_ms = in->ignore_older_ms,
        .deleted_max_bytes = in->close_deleted_max_bytes,
        .deleted_max_age_ms = in->close_deleted_max_age_ms,
        .ledger = ledger,
    };
}

/* whether a target occurs among the first n */
static bool occurs(const struct assembled *a, size_t n, const char *target)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(a->targets[i], target) == 0)
            return true;
    return false;
}

/* an input's exclusions, and files that the agent writes itself */
static void exclude_own(struct assembled *a, size_t i)
{
    struct tail_input *in = &a->inputs[i];
    if (a->own_files == NULL)
        return;
    a->excludes[i] = mem_zalloc_array(in->exclude_count + 1, sizeof(char *));
    for (size_t n = 0; n < in->exclude_count; n++)
        a->excludes[i][n] = in->excludes[n];
    a->excludes[i][in->exclude_count++] = a->own_files;
    in->excludes = a->excludes[i];
}

/* where the documents of an input go */
static int set_target(struct assembled *a, size_t i, const struct config *c, const char *host_name,
                      int64_t wall_ns, struct err *e)
{
    char name[BATCH_TARGET_MAX + 1];
    struct target *t = NULL;
    if (!index_is_used(c)) {
        a->targets[i] = assemble_target("logs", c->inputs[i].dataset, c->namespace);
        return 0;
    }
    int r = index_of_input(c, &c->inputs[i], host_name, &t, e);
    if (r < 0)
        return r;
    target_name(t, date_day_of(wall_ns), name);
    a->targets[i] = mem_strdup(name);
    a->inputs[i].encode.plain_index = true;
    if (target_is_dated(t))
        a->inputs[i].index = a->indices[i] = t;
    else
        target_free(&t);
    return 0;
}

/* see header */
int assemble_inputs(struct assembled *a, const struct config *c, struct ledgers *ledgers,
                    const char *host_name, int64_t wall_ns, struct err *e)
{
    int r = 0;
    *a = (struct assembled){.count = c->input_count};
    a->inputs = mem_zalloc_array(c->input_count, sizeof(*a->inputs));
    a->targets = mem_zalloc_array(c->input_count, sizeof(*a->targets));
    a->indices = mem_zalloc_array(c->input_count, sizeof(struct target *));
    a->excludes = mem_zalloc_array(c->input_count, sizeof(char **));
    a->own_files = own_files_pattern(c);
    for (size_t i = 0; i < c->input_count && r == 0; i++) {
        a->inputs[i] = input_of(c, &c->inputs[i], ledgers_get(ledgers, c->inputs[i].id));
        exclude_own(a, i);
        r = set_target(a, i, c, host_name, wall_ns, e);
        if (r == 0 && !occurs(a, i, a->targets[i]))
            a->target_count++;
        a->inputs[i].encode.target = a->targets[i];
    }
    return r;
}

/* see header */
void assemble_clear(struct assembled *a)
{
    for (size_t i = 0; i < a->count; i++) {
        mem_free(a->targets[i]);
        target_free(&a->indices[i]);
        mem_free(a->excludes[i]);
    }
    mem_free(a->targets);
    mem_free(a->indices);
    mem_free(a->excludes);
    mem_free(a->own_files);
    mem_free(a->inputs);
    *a = (struct assembled){0};
}

/* "" means not given */
static const char *given(const char *s)
{
    return s[0] == '\0' ? NULL : s;
}

/* the one way to log in that is given */
static struct credential_opts credential_of(const struct config_elasticsearch *e)
{
    const struct credential_opts ways[] = {
        {CREDENTIAL_BASIC, given(e->username), given(e->username_file), given(e->password),
         given(e->password_file)},
        {CREDENTIAL_API_KEY, NULL, NULL, given(e->api_key), given(e->api_key_file)},
        {CREDENTIAL_BEARER, NULL, NULL, given(e->bearer_token), given(e->bearer_token_file)},
        {CREDENTIAL_BEARER, NULL, NULL, given(e->service_token), given(e->service_token_file)},
    };
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (ways[i].secret != NULL || ways[i].secret_file != NULL)
            return ways[i];
    }
    return (struct credential_opts){.kind = CREDENTIAL_NONE};
}

/* certificates */
static struct http_tls tls_of(const struct config_elasticsearch *e)
{
    static const enum http_verify verify[] = {
        [CONFIG_VERIFICATION_FULL] = HTTP_VERIFY_FULL,
        [CONFIG_VERIFICATION_CERTIFICATE] = HTTP_VERIFY_CHAIN,
        [CONFIG_VERIFICATION_NONE] = HTTP_VERIFY_NONE,
    };
    return (struct http_tls){
        .ca_files = e->certificate_authorities.v,
        .ca_count = e->certificate_authorities.n,
        .ca_fingerprint = given(e->ca_trusted_fingerprint),
        .certificate = given(e->certificate),
        .key = given(e->key),
        .key_passphrase = given(e->key_passphrase),
        .verify = verify[e->verification_mode],
        .no_tls_1_2 = (e->supported_protocols & CONFIG_TLS_1_2) == 0,
        .no_tls_1_3 = (e->supported_protocols & CONFIG_TLS_1_3) == 0,
    };
}

/* see header */
void assemble_output(struct output_opts *o, const struct config *c)
{
    const struct config_elasticsearch *e = &c->elasticsearch;
    struct http_header *headers = mem_zalloc_array(e->headers.n + 1, sizeof(*headers));
    for (size_t i = 0; i < e->headers.n; i++)
        headers[i] = (struct http_header){e->headers.v[i].name, e->headers.v[i].value};
    *o = (struct output_opts){
        .hosts = e->hosts.v,
        .host_count = e->hosts.n,
        .http =
            {
                .credential = credential_of(e),
                .tls = tls_of(e),
                .headers = headers,
                .header_count = e->headers.n,
                .proxy_url = given(e->proxy_url),
                .proxy_username = given(e->proxy_username),
                .proxy_password = given(e->proxy_password),
                .connect_timeout_ms = e->connect_timeout_ms,
                .timeout_ms = e->timeout_ms,
                .max_age_ms = e->connection_max_age_ms,
            },
        .compression = e->compression == CONFIG_COMPRESSION_GZIP ? OUTPUT_COMPRESSION_GZIP
                                                                 : OUTPUT_COMPRESSION_NONE,
        .compression_level = e->compression_level,
        .plain_index = index_is_used(c),
        .plain_metrics = index_is_used_for_metrics(c),
        .pipeline = given(e->pipeline),
        .workers = e->workers,
        .max_bytes = (size_t)e->bulk_max_bytes,
        .auto_ids = e->ids == CONFIG_IDS_AUTO,
        .verify_resend = e->verify_before_resend,
        .backoff_init_ms = e->backoff_init_ms,
        .backoff_max_ms = e->backoff_max_ms,
    };
}

/* see header */
void assemble_output_clear(struct output_opts *o)
{
    mem_free(o->http.headers);
    o->http.headers = NULL;
}
