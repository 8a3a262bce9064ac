/*
 * config/config_output - which output is active, and what presets and the profile stand for
 *
 * An output is asked for when one of its options was given by a file or by -E, or when its section
 * stood there with nothing in it. Presets are rows of option values: what was given itself is left
 * alone, everything else takes the preset's value. Mistakes go to the list of errors.
 */
#include <string.h>

#include "base/mem.h"
#include "config/config_internal.h"
#include "config/value.h"

static const struct {
    const char *section;
    size_t enabled; /* offset of its switch */
} outputs[] = {
    [CONFIG_OUTPUT_ELASTICSEARCH] = {"output.elasticsearch",
                                     offsetof(struct config, elasticsearch.enabled)},
    [CONFIG_OUTPUT_FILE] = {"output.file", offsetof(struct config, file.enabled)},
    [CONFIG_OUTPUT_CONSOLE] = {"output.console", offsetof(struct config, console.enabled)},
    [CONFIG_OUTPUT_DISCARD] = {"output.discard", offsetof(struct config, discard.enabled)},
};

#define AT(field) offsetof(struct config, elasticsearch.field)

static const struct {
    enum config_preset preset;
    size_t offset;
    const char *value;
} preset_values[] = {
    {CONFIG_PRESET_THROUGHPUT, AT(linger_ms), "1s"},
    {CONFIG_PRESET_THROUGHPUT, AT(bulk_max_bytes), "5MiB"},
    {CONFIG_PRESET_THROUGHPUT, AT(workers), "8"},
    {CONFIG_PRESET_SCALE, AT(linger_ms), "5s"},
    {CONFIG_PRESET_SCALE, AT(workers), "1"},
    {CONFIG_PRESET_SCALE, AT(backoff_init_ms), "5s"},
    {CONFIG_PRESET_SCALE, AT(backoff_max_ms), "300s"},
    {CONFIG_PRESET_LATENCY, AT(linger_ms), "5ms"},
    {CONFIG_PRESET_LATENCY, AT(bulk_max_bytes), "256KiB"},
};

/* an output's bit */
void config_note_section(struct config_loader *l, struct slice key)
{
    for (unsigned i = 0; i < ARRAY_LEN(outputs); i++) {
        if (slice_eq_str(key, outputs[i].section))
            l->sections |= 1u << i;
    }
}

/* the first option of an output that a file or -E gave, or NULL */
static const struct option *first_given(struct config_loader *l, const char *section)
{
    size_t len = strlen(section);
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        if (o->group != OPTION_INPUT && strncmp(o->key, section, len) == 0 && o->key[len] == '.' &&
            config_note_of(l, o)->origin > CONFIG_ORIGIN_ENV)
            return o;
    }
    return NULL;
}

/* sets the switch of an output: what it was given as, else whether the output was asked for */
static bool finish_switch(struct config_loader *l, size_t i, bool asked)
{
    const struct option *o = config_row_at(outputs[i].enabled);
    bool *enabled = config_field(o, l->cfg);
    enum config_origin origin = config_note_of(l, o)->origin;
    if (origin == CONFIG_ORIGIN_DEFAULT || (origin == CONFIG_ORIGIN_ENV && *enabled))
        *enabled = asked;
    return *enabled;
}

/* reports a second active output */
static void report_two(struct config_loader *l, size_t one, size_t other)
{
    const struct option *o = first_given(l, outputs[other].section);
    const struct config_place main_file = {.file = l->src->path};
    struct config_place at = o != NULL ? config_place_of(l, o) : main_file;
    config_errors_add(l->errors, &at,
                      "%s and %s are both there, but only one output can be active; remove one, or "
                      "set its `enabled` to false",
                      outputs[one].section, outputs[other].section);
}

/* sets every switch to what it comes to */
void config_finish_output(struct config_loader *l)
{
    const struct config_place main_file = {.file = l->src->path};
    size_t active = ARRAY_LEN(outputs);
    unsigned asked = l->sections;
    for (unsigned i = 0; i < ARRAY_LEN(outputs); i++) {
        if (first_given(l, outputs[i].section) != NULL)
            asked |= 1u << i;
    }
    if (asked == 0)
        asked = 1u << CONFIG_OUTPUT_ELASTICSEARCH;
    for (unsigned i = 0; i < ARRAY_LEN(outputs); i++) {
        if (!finish_switch(l, i, (asked & (1u << i)) != 0))
            continue;
        if (active < ARRAY_LEN(outputs))
            report_two(l, active, i);
        else
            active = i;
    }
    if (active == ARRAY_LEN(outputs) &&
        config_note_of(l, CONFIG_ROW(elasticsearch.enabled))->origin == CONFIG_ORIGIN_ENV)
        l->cfg->output = CONFIG_OUTPUT_NONE;
    else if (active == ARRAY_LEN(outputs))
        config_errors_add(l->errors, &main_file,
                          "no output is active: every one that is there has "
                          "`enabled: false`");
    else
        l->cfg->output = (enum config_output)active;
    if (l->cfg->file.enabled && !config_is_given(l, CONFIG_ROW(file.path)))
        config_errors_add(l->errors, &main_file, "output.file.path is missing");
}

/* fills in what was not given */
void config_finish_preset(struct config_loader *l)
{
    for (size_t i = 0; i < ARRAY_LEN(preset_values); i++) {
        const struct option *o = config_row_at(preset_values[i].offset);
        struct err why = {0};
        if (preset_values[i].preset != l->cfg->elasticsearch.preset ||
            config_note_of(l, o)->origin != CONFIG_ORIGIN_DEFAULT)
            continue;
        if (value_set(o, config_field(o, l->cfg), slice_str(preset_values[i].value), &why) != 0)
            config_errors_add(l->errors, &(struct config_place){.file = l->src->path}, "%s: %s",
                              o->key, why.text);
    }
}

/* a prefix of the profile isp asks for it; the profile says whether lines are JSON */
void config_finish_profile(struct config_loader *l)
{
    struct config *c = l->cfg;
    if (config_note_of(l, CONFIG_ROW(profile))->origin == CONFIG_ORIGIN_DEFAULT &&
        (config_note_of(l, CONFIG_ROW(isp.log_prefix))->origin != CONFIG_ORIGIN_DEFAULT ||
         config_note_of(l, CONFIG_ROW(isp.metric_prefix))->origin != CONFIG_ORIGIN_DEFAULT))
        c->profile = CONFIG_PROFILE_ISP;
    for (size_t i = 0; i < c->input_count; i++) {
        if (c->inputs[i].json == CONFIG_JSON_PROFILE)
            c->inputs[i].json =
                c->profile == CONFIG_PROFILE_ISP ? CONFIG_JSON_AUTO : CONFIG_JSON_OFF;
    }
}

/* puts the path behind each host that has none; hosts are normalised: scheme://host:port[/path] */
void config_finish_hosts(struct config_loader *l)
{
    const struct config_elasticsearch *es = &l->cfg->elasticsearch;
    if (es->path[0] == '\0')
        return;
    for (size_t i = 0; i < es->hosts.n; i++) {
        struct slice url = slice_str(es->hosts.v[i]);
        struct slice rest = slice_sub(url, slice_find(url, ':') + 3, url.len);
        struct buf with_path;
        if (slice_find(rest, '/') < rest.len)
            continue;
        buf_init(&with_path, 2 * OPTION_PATH_MAX);
        if (buf_printf(&with_path, "%s%s", es->hosts.v[i], es->path) == 0) {
            mem_free(es->hosts.v[i]);
            es->hosts.v[i] = mem_strdup(buf_cstr(&with_path));
        }
        buf_clear(&with_path);
    }
}
