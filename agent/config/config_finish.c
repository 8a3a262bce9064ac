/*
 * config/config_finish - what concerns several options
 *
 * The choice of the output and its preset stand in config_output.c, the ways to log in in
 * config_login.c.
 * Runs last, when every source was applied. After a file that could not be read to its end nothing
 * is checked here: what seems to be missing may be in the part that was not read.
 */
#include <string.h>

#include "base/mem.h"
#include "config/config_internal.h"
#include "config/host.h"

/* Every document carries the fields and tags of its input, so they have a limit. */
static void check_constants(struct config_loader *l, size_t i)
{
    const struct config_input *in = &l->cfg->inputs[i];
    size_t bytes = 0;
    for (size_t j = 0; j < in->fields.n; j++)
        bytes += strlen(in->fields.v[j].name) + strlen(in->fields.v[j].value);
    for (size_t j = 0; j < in->tags.n; j++)
        bytes += strlen(in->tags.v[j]);
    if (bytes > CONFIG_CONSTANTS_MAX)
        config_errors_add(l->errors, &l->input_notes[i].at,
                          "fields and tags of inputs[%zu] have %zu bytes, more than %zu", i, bytes,
                          CONFIG_CONSTANTS_MAX);
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
        check_constants(l, i);
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

/* a directory that was not named lies beside the rest of the data */
static void finish_directory(const struct config *c, const char *name, char **path)
{
    if ((*path)[0] != '\0')
        return;
    struct buf full;
    buf_init(&full, 8192);
    if (buf_printf(&full, "%s/%s", c->path_data, name) == 0) {
        mem_free(*path);
        *path = mem_strdup(buf_cstr(&full));
    }
    buf_clear(&full);
}

/* the first wait may not be longer than the last */
static void check_backoff(struct config_loader *l)
{
    const struct option *init = CONFIG_ROW(elasticsearch.backoff_init_ms);
    const struct option *max = CONFIG_ROW(elasticsearch.backoff_max_ms);
    const struct config_elasticsearch *es = &l->cfg->elasticsearch;
    if (es->backoff_init_ms <= es->backoff_max_ms)
        return;
    bool is_init = config_note_of(l, init)->origin != CONFIG_ORIGIN_DEFAULT;
    struct config_place at = config_place_of(l, is_init ? init : max);
    config_errors_add(l->errors, &at, "%s is longer than %s", init->key, max->key);
}

/* no phase begins before the one that it follows */
static void check_ages(struct config_loader *l)
{
    const struct option *const rows[] = {CONFIG_ROW(setup.warm_after_ms),
                                         CONFIG_ROW(setup.cold_after_ms),
                                         CONFIG_ROW(setup.delete_after_ms)};
    const struct config_setup *s = &l->cfg->setup;
    const int64_t ages[] = {s->warm_after_ms, s->cold_after_ms, s->delete_after_ms};
    for (size_t i = 1; i < ARRAY_LEN(rows); i++) {
        for (size_t before = 0; before < i; before++) {
            if (ages[i] == 0 || ages[before] <= ages[i])
                continue;
            bool is_later = config_note_of(l, rows[i])->origin != CONFIG_ORIGIN_DEFAULT;
            struct config_place at = config_place_of(l, rows[is_later ? i : before]);
            config_errors_add(l->errors, &at, "%s is longer than %s", rows[before]->key,
                              rows[i]->key);
        }
    }
}

/* "all" and "default" stand for sets; a set without a period of its own has that of all */
static void finish_sets(struct config_loader *l)
{
    struct config_metrics *m = &l->cfg->metrics;
    if ((m->sets & (1U << CONFIG_SETS_DEFAULT)) != 0)
        m->sets |= CONFIG_DEFAULT_SETS;
    if ((m->sets & (1U << CONFIG_SETS_ALL)) != 0)
        m->sets = ~0U;
    m->sets &= (1U << CONFIG_SETS) - 1;
    for (size_t i = 0; i < CONFIG_SETS; i++) {
        const struct option *own = CONFIG_ROW(metrics.set_period_ms[i]);
        if (own->standard_note != NULL && config_note_of(l, own)->origin == CONFIG_ORIGIN_DEFAULT)
            m->set_period_ms[i] = m->period_ms;
    }
}

/* completes, then checks */
void config_finish(struct config_loader *l)
{
    const struct config_place at = {.file = l->src->path};
    struct config *c = l->cfg;
    config_finish_cloud(l);
    config_finish_hosts(l);
    config_finish_preset(l);
    config_finish_profile(l);
    finish_compression(c);
    finish_directory(c, "deadletter", &c->dead_letter.path);
    finish_directory(c, "spool", &c->spool.path);
    finish_sets(l);
    if (l->incomplete)
        return;
    finish_inputs(l);
    config_finish_output(l);
    config_finish_login(l);
    config_finish_tls(l);
    check_backoff(l);
    check_ages(l);
    if (c->input_count == 0 && !c->metrics.enabled &&
        !config_note_of(l, CONFIG_ROW(metrics.enabled))->bad)
        config_errors_add(l->errors, &at, "nothing to do: no inputs, and metrics.enabled is false");
}
