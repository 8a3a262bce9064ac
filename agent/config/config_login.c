/*
 * config/config_login - the ways to log in, TLS and proxy
 *
 * There are four ways to log in, and each secret may stand as a text or in a file. What a file or
 * -E says has precedence over what a variable says, way by way: an API key in the file sets aside
 * the user name of the environment. cloud.* is put in the place of what it stands for. Mistakes go
 * to the list of errors; secrets are never quoted.
 */
#include <string.h>

#include "base/mem.h"
#include "config/config_internal.h"
#include "config/value.h"

#define AT(field) offsetof(struct config, elasticsearch.field)

/* A value that may be given as a text or as the name of a file. */
struct source {
    size_t text, file; /* offsets of their fields */
};

#define SOURCES_MAX 2

static const struct {
    const char *name;
    struct source sources[SOURCES_MAX];
    size_t count;
} ways[] = {
    {"username and password",
     {{AT(username), AT(username_file)}, {AT(password), AT(password_file)}},
     2},
    {"api_key", {{AT(api_key), AT(api_key_file)}}, 1},
    {"bearer_token", {{AT(bearer_token), AT(bearer_token_file)}}, 1},
    {"service_token", {{AT(service_token), AT(service_token_file)}}, 1},
};

/* the row of a source that is given, the text's first; NULL = neither */
static const struct option *given_of(struct config_loader *l, const struct source *s)
{
    const struct option *text = config_row_at(s->text), *file = config_row_at(s->file);
    if (config_is_given(l, text))
        return text;
    return config_is_given(l, file) ? file : NULL;
}

/* where a row's value comes from; the default when it has none */
static enum config_origin origin_of(struct config_loader *l, size_t offset)
{
    const struct option *o = config_row_at(offset);
    return config_is_given(l, o) ? config_note_of(l, o)->origin : CONFIG_ORIGIN_DEFAULT;
}

/* where the strongest value of a way comes from */
static enum config_origin way_origin(struct config_loader *l, size_t way)
{
    enum config_origin most = CONFIG_ORIGIN_DEFAULT;
    for (size_t i = 0; i < ways[way].count; i++) {
        const struct source *s = &ways[way].sources[i];
        enum config_origin text = origin_of(l, s->text), file = origin_of(l, s->file);
        most = text > most ? text : most;
        most = file > most ? file : most;
    }
    return most;
}

/* takes away what a variable gave */
static void forget_variable(struct config_loader *l, size_t offset)
{
    const struct option *o = config_row_at(offset);
    if (config_note_of(l, o)->origin == CONFIG_ORIGIN_ENV)
        config_set_default(l, o);
}

/* Variables give way: to another way of a stronger source, and to the other form of a source. */
static void forget_variables(struct config_loader *l)
{
    enum config_origin most = CONFIG_ORIGIN_DEFAULT;
    for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
        enum config_origin origin = way_origin(l, w);
        most = origin > most ? origin : most;
    }
    for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
        bool weaker = way_origin(l, w) < most;
        for (size_t i = 0; i < ways[w].count; i++) {
            const struct source *s = &ways[w].sources[i];
            if (weaker || origin_of(l, s->file) > CONFIG_ORIGIN_ENV)
                forget_variable(l, s->text);
            if (weaker || origin_of(l, s->text) > CONFIG_ORIGIN_ENV)
                forget_variable(l, s->file);
        }
    }
}

/* "either this or that" */
static void report_both(struct config_loader *l, const struct option *o, const char *other)
{
    struct config_place at = config_place_of(l, o);
    config_errors_add(l->errors, &at, "%s: give either this or %s", o->key, other);
}

/* one form of each value, one way */
static void check_ways(struct config_loader *l)
{
    const char *first = NULL;
    for (size_t w = 0; w < ARRAY_LEN(ways); w++) {
        const struct option *given = NULL;
        for (size_t i = 0; i < ways[w].count; i++) {
            const struct option *text = config_row_at(ways[w].sources[i].text);
            const struct option *file = config_row_at(ways[w].sources[i].file);
            if (given == NULL)
                given = given_of(l, &ways[w].sources[i]);
            if (config_is_given(l, text) && config_is_given(l, file))
                report_both(l, file, text->key);
        }
        if (given != NULL && first != NULL)
            report_both(l, given, first);
        else if (given != NULL)
            first = ways[w].name;
    }
}

/* of two options that need each other, the one that is there; the other is missing */
static void check_pair(struct config_loader *l, const struct option *one, const char *other)
{
    struct config_place at = config_place_of(l, one);
    config_errors_add(l->errors, &at, "%s: %s is missing", one->key, other);
}

/* user and password come together, from wherever */
static void check_basic(struct config_loader *l)
{
    const struct option *user = given_of(l, &ways[0].sources[0]);
    const struct option *password = given_of(l, &ways[0].sources[1]);
    if (user != NULL && password == NULL)
        check_pair(l, user, CONFIG_ROW(elasticsearch.password)->key);
    else if (user == NULL && password != NULL)
        check_pair(l, password, CONFIG_ROW(elasticsearch.username)->key);
}

/* relative names of credential files lie in the directory that systemd made for them */
static void place_files(struct config_loader *l)
{
    const char *dir = NULL;
    if (l->src->getenv_fn != NULL)
        dir = l->src->getenv_fn(l->src->ctx, "CREDENTIALS_DIRECTORY");
    if (dir == NULL || dir[0] != '/')
        return;
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        if ((o->flags & OPTION_CREDENTIAL) == 0)
            continue;
        char **field = config_field(o, l->cfg);
        struct buf path;
        if ((*field)[0] == '\0' || (*field)[0] == '/')
            continue;
        buf_init(&path, 2 * OPTION_PATH_MAX);
        if (buf_printf(&path, "%s/%s", dir, *field) == 0) {
            mem_free(*field);
            *field = mem_strdup(buf_cstr(&path));
        }
        buf_clear(&path);
    }
}

/* all of logging in */
void config_finish_login(struct config_loader *l)
{
    forget_variables(l);
    check_ways(l);
    check_basic(l);
    place_files(l);
}

/* certificate with key, proxy with its login, at least one version of TLS */
void config_finish_tls(struct config_loader *l)
{
    const struct option *certificate = CONFIG_ROW(elasticsearch.certificate);
    const struct option *key = CONFIG_ROW(elasticsearch.key);
    const struct option *tls = CONFIG_ROW(elasticsearch.supported_protocols);
    const struct option *proxy = CONFIG_ROW(elasticsearch.proxy_url);
    const struct option *proxy_user = CONFIG_ROW(elasticsearch.proxy_username);
    const struct option *proxy_password = CONFIG_ROW(elasticsearch.proxy_password);
    if (config_is_given(l, certificate) && !config_is_given(l, key))
        check_pair(l, certificate, key->key);
    else if (config_is_given(l, key) && !config_is_given(l, certificate))
        check_pair(l, key, certificate->key);
    if (config_is_given(l, proxy_user) && !config_is_given(l, proxy))
        check_pair(l, proxy_user, proxy->key);
    else if (config_is_given(l, proxy_password) && !config_is_given(l, proxy_user))
        check_pair(l, proxy_password, proxy_user->key);
    if (l->cfg->elasticsearch.supported_protocols == 0 && !config_note_of(l, tls)->bad) {
        struct config_place at = config_place_of(l, tls);
        config_errors_add(l->errors, &at, "%s: at least one version is needed", tls->key);
    }
}

/* cloud.auth: up to the first colon it is the user's name */
static void finish_cloud_auth(struct config_loader *l)
{
    const struct option *auth = CONFIG_ROW(cloud.auth);
    const struct option *user = CONFIG_ROW(elasticsearch.username);
    const struct option *password = CONFIG_ROW(elasticsearch.password);
    struct slice text = slice_str(l->cfg->cloud.auth);
    size_t colon = slice_find(text, ':');
    struct config_place at = config_place_of(l, auth);
    if (text.len == 0)
        return;
    forget_variable(l, AT(username));
    forget_variable(l, AT(password));
    if (colon == 0 || colon + 1 >= text.len)
        config_errors_add(l->errors, &at, "%s is user:password", auth->key);
    else if (given_of(l, &ways[0].sources[0]) != NULL || given_of(l, &ways[0].sources[1]) != NULL)
        report_both(l, auth, ways[0].name);
    else {
        config_take_over(l, user, slice_sub(text, 0, colon), auth);
        config_take_over(l, password, slice_sub(text, colon + 1, text.len), auth);
    }
    config_set_default(l, auth);
}

/* cloud.id has become a host's address by its check */
void config_finish_cloud(struct config_loader *l)
{
    const struct option *id = CONFIG_ROW(cloud.id);
    const struct option *hosts = CONFIG_ROW(elasticsearch.hosts);
    if (l->cfg->cloud.id[0] != '\0') {
        if (config_note_of(l, hosts)->origin > CONFIG_ORIGIN_ENV)
            report_both(l, id, hosts->key);
        else
            config_take_over(l, hosts, slice_str(l->cfg->cloud.id), id);
        config_set_default(l, id);
    }
    finish_cloud_auth(l);
}
