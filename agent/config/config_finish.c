/*
 * config/config_finish - what concerns several options
 *
 * Runs last, when every source was applied. After a file that could not be read to its end nothing
 * is checked here: what seems to be missing may be in the part that was not read.
 */
#include <string.h>

#include "base/mem.h"
#include "config/config_internal.h"
#include "config/host.h"
#include "config/value.h"

/* the row of a field of struct config */
static const struct option *row_at(size_t offset)
{
    const struct option *o = options_table;
    while (o->group == OPTION_INPUT || o->offset != offset)
        o++;
    return o;
}

#define ROW(field) row_at(offsetof(struct config, field))

/* what is known of a row */
static const struct config_note *note_of(const struct config_loader *l, const struct option *o)
{
    return &l->notes[o - options_table];
}

/* where to point when a row is wrong: at its own place, or the main file's name */
static struct config_place place_of(const struct config_loader *l, const struct option *o)
{
    const struct config_place main_file = {.file = l->src->path};
    const struct config_note *note = note_of(l, o);
    return note->origin == CONFIG_ORIGIN_DEFAULT ? main_file : note->at;
}

/* whether a text was given, valid or not */
static bool is_given(const struct config_loader *l, const struct option *o)
{
    const char *const *text = (const void *)((const char *)l->cfg + o->offset);
    return note_of(l, o)->bad || (*text)[0] != '\0';
}

/* paths must be there; ids are filled in and must differ */
static void finish_inputs(struct config_loader *l)
{
    struct config *c = l->cfg;
    for (size_t i = 0; i < c->input_count; i++) {
        struct config_input *in = &c->inputs[i];
        if (!l->input_notes[i].has_paths)
            config_errors_add(l->errors, &l->input_notes[i].at,
                              "inputs[%zu] has no paths; add paths: [\"/var/log/*.log\"]", i);
        if (in->id[0] == '\0') {
            struct buf id;
            buf_init(&id, 64);
            if (buf_printf(&id, "input-%zu", i + 1) == 0) {
                mem_free(in->id);
                in->id = mem_strdup(buf_cstr(&id));
            }
            buf_clear(&id);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(c->inputs[j].id, in->id) == 0)
                config_errors_add(l->errors, &l->input_notes[i].at,
                                  "inputs[%zu] and inputs[%zu] have the same id \"%s\"", j, i,
                                  in->id);
        }
    }
}

/* takes away what a variable gave */
static void forget_variable(struct config_loader *l, const struct option *o)
{
    if (note_of(l, o)->origin != CONFIG_ORIGIN_ENV)
        return;
    struct err why = {0};
    value_clear(o, config_field(o, l->cfg));
    if (value_set(o, config_field(o, l->cfg), slice_str(o->standard), &why) == 0)
        l->notes[o - options_table] = (struct config_note){0};
}

/* one way of logging in; an API key of the file has precedence over a user name of the
 * environment */
static void finish_login(struct config_loader *l)
{
    const struct option *user = ROW(elasticsearch.username);
    const struct option *password = ROW(elasticsearch.password);
    const struct option *api_key = ROW(elasticsearch.api_key);
    if (is_given(l, api_key)) {
        forget_variable(l, user);
        forget_variable(l, password);
    }
    bool has_user = is_given(l, user), has_password = is_given(l, password);
    struct config_place at = place_of(l, has_user ? user : password);
    if (is_given(l, api_key) && (has_user || has_password)) {
        at = place_of(l, api_key);
        config_errors_add(l->errors, &at, "%s: give either this or username and password",
                          api_key->key);
    } else if (has_user != has_password) {
        config_errors_add(l->errors, &at, "%s: %s is missing", has_user ? user->key : password->key,
                          has_user ? password->key : user->key);
    }
}

/* auto becomes what fits the hosts */
static void finish_compression(struct config *c)
{
    struct config_elasticsearch *es = &c->elasticsearch;
    if (es->compression != CONFIG_COMPRESSION_AUTO)
        return;
    es->compression = CONFIG_COMPRESSION_NONE;
    for (size_t i = 0; i < es->hosts.n; i++) {
        if (!host_is_loopback(slice_str(es->hosts.v[i])))
            es->compression = CONFIG_COMPRESSION_GZIP;
    }
}

/* beside the rest of the data */
static void finish_dead_letter(struct config *c)
{
    if (c->dead_letter.path[0] != '\0')
        return;
    struct buf path;
    buf_init(&path, 8192);
    if (buf_printf(&path, "%s/deadletter", c->path_data) == 0) {
        mem_free(c->dead_letter.path);
        c->dead_letter.path = mem_strdup(buf_cstr(&path));
    }
    buf_clear(&path);
}

/* the first wait may not be longer than the last */
static void check_backoff(struct config_loader *l)
{
    const struct option *init = ROW(elasticsearch.backoff_init_ms);
    const struct option *max = ROW(elasticsearch.backoff_max_ms);
    const struct config_elasticsearch *es = &l->cfg->elasticsearch;
    if (es->backoff_init_ms <= es->backoff_max_ms)
        return;
    bool is_init = note_of(l, init)->origin != CONFIG_ORIGIN_DEFAULT;
    struct config_place at = place_of(l, is_init ? init : max);
    config_errors_add(l->errors, &at, "%s is longer than %s", init->key, max->key);
}

/* completes, then checks */
void config_finish(struct config_loader *l)
{
    const struct config_place at = {.file = l->src->path};
    struct config *c = l->cfg;
    finish_compression(c);
    finish_dead_letter(c);
    if (l->incomplete)
        return;
    finish_inputs(l);
    finish_login(l);
    check_backoff(l);
    if (c->input_count == 0 && !c->metrics.enabled && !note_of(l, ROW(metrics.enabled))->bad)
        config_errors_add(l->errors, &at, "nothing to do: no inputs, and metrics.enabled is false");
}
