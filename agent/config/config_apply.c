/*
 * config/config_apply - settings to the fields of struct config
 *
 * A setting's key finds its option, the option's row says how to read the value. Whatever is wrong
 * is reported with the place of the value (or of the key, when the key is wrong), and the next
 * setting is taken: a wrong section is reported once, not for everything in it.
 */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/num.h"
#include "config/config_internal.h"
#include "config/value.h"
#include "config/yaml.h"

/* the struct that a setting goes into */
struct target {
    void *base;
    bool in_input;
    size_t input; /* its index, in_input only */
};

/* every default passes its own checks: the unit test loads them all */
void config_apply_defaults(void *base, bool in_input)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        void *field = config_field(o, base);
        struct slice text = slice_str(o->standard);
        int error = 0;
        if ((o->group == OPTION_INPUT) != in_input || o->type == OPTION_MAP)
            continue;
        if (o->type == OPTION_LIST || o->type == OPTION_SET)
            error = value_split(o, field, text, NULL);
        else
            error = value_set(o, field, text, NULL);
        assert(error == 0);
        (void)error; /* read by the assertion only */
    }
}

/* reports what is wrong with the value of a setting, and remembers that there is something */
static void refuse(struct config_loader *l, const struct option *o, const struct setting *s,
                   const char *text)
{
    if (o->group != OPTION_INPUT)
        l->notes[o - options_table].bad = true;
    config_errors_add(l->errors, &s->value_at, "%s: %s", s->key, text);
}

/* one text into a single value */
static void set_single(struct config_loader *l, const struct option *o, void *field,
                       const struct setting *s)
{
    struct err why = {0};
    if (s->kind == SETTING_NULL)
        refuse(l, o, s, "no value is given; remove the line for the default");
    else if (s->kind == SETTING_LIST || s->kind == SETTING_MAP)
        refuse(l, o, s, "a single value is needed here, not a list or map");
    else if (s->kind == SETTING_TEXT && value_set(o, field, setting_text(s), &why) != 0)
        refuse(l, o, s, why.text);
}

/* one element of a list; returns whether the count of elements is as written */
static bool add_element(struct config_loader *l, const struct option *o, void *field,
                        const struct setting *s)
{
    struct err why = {0};
    if (s->kind == SETTING_BAD)
        return false;
    if (s->kind != SETTING_TEXT) {
        refuse(l, o, s,
               s->kind == SETTING_NULL ? "the element is empty" : "the element must be a text");
        return false;
    }
    if (value_set(o, field, setting_text(s), &why) == 0)
        return true;
    refuse(l, o, s, why.text);
    return false;
}

/* a list: its elements, or one text that stands for a list of it */
static void set_elements(struct config_loader *l, const struct option *o, void *field,
                         const struct setting *s)
{
    struct err why = {0};
    bool whole = s->kind == SETTING_TEXT || s->kind == SETTING_LIST;
    if (s->kind == SETTING_NULL || s->kind == SETTING_MAP) {
        refuse(l, o, s, "a list is needed here: [a, b]");
        return;
    }
    value_clear(o, field);
    if (s->kind == SETTING_TEXT && (o->flags & OPTION_COMMAS) != 0) {
        whole = value_split(o, field, setting_text(s), &why) == 0;
        if (!whole)
            refuse(l, o, s, why.text);
    } else if (s->kind == SETTING_TEXT) {
        whole = add_element(l, o, field, s);
    }
    for (const struct setting *e = s + 1; e < s + s->span; e += e->span)
        whole &= add_element(l, o, field, e);
    if (whole && value_check_count(o, field, &why) != 0)
        refuse(l, o, s, why.text);
}

/* a map: the texts in it, under the names that follow the option's own key */
static void set_pairs(struct config_loader *l, const struct option *o, void *field,
                      const struct setting *first, struct slice name)
{
    size_t prefix = strlen(first->key) - name.len;
    if (name.len == 0)
        prefix++; /* the dot that the keys inside will have */
    for (const struct setting *s = first; s < first + first->span;) {
        struct slice key = slice_sub(slice_str(s->key), prefix, strlen(s->key));
        struct err why = {0};
        if (s->kind == SETTING_TEXT && key.len > 0) {
            if (value_put(o, field, key, setting_text(s), &why) != 0)
                refuse(l, o, s, why.text);
        } else if (s->kind != SETTING_MAP && s->kind != SETTING_BAD) {
            refuse(l, o, s,
                   key.len == 0 ? "a map is needed here: {name: text}" : "a text is needed here");
        }
        s += s->kind == SETTING_MAP ? 1 : s->span;
    }
}

/* refuses a secret that is spelled out where everyone can read it */
static void check_secret(struct config_loader *l, const struct option *o, const struct setting *s)
{
    if ((o->flags & OPTION_SECRET) == 0 || s->text_len == 0 || s->variable)
        return;
    if (l->origin == CONFIG_ORIGIN_E)
        config_errors_add(l->errors, &s->value_at,
                          "%s: everyone can read command lines; set it in a file or a variable",
                          s->key);
    else if ((l->mode & 0007) != 0)
        config_errors_add(l->errors, &s->value_at,
                          "%s: everyone can read this file (mode %04o); chmod 640 %s, or take the "
                          "secret from a variable: ${NAME}",
                          s->key, (unsigned)(l->mode & 07777), s->value_at.file);
}

/* sets an option from a setting and what is inside it; name: within a map */
static void set_option(struct config_loader *l, const struct target *t, const struct option *o,
                       const struct setting *s, struct slice name)
{
    void *field = config_field(o, t->base);
    if (!t->in_input)
        l->notes[o - options_table] = (struct config_note){
            .origin = l->origin, .at = s->key_at, .bad = s->kind == SETTING_BAD};
    else if (o->offset == offsetof(struct config_input, paths))
        l->input_notes[t->input].has_paths = true;
    if (o->type == OPTION_MAP)
        set_pairs(l, o, field, s, name);
    else if (o->type == OPTION_LIST || o->type == OPTION_SET)
        set_elements(l, o, field, s);
    else
        set_single(l, o, field, s);
    for (size_t i = 0; i < s->span; i++)
        check_secret(l, o, &s[i]);
}

/* reports a key that no option has, with the one that was probably meant */
static void report_unknown(struct config_loader *l, const struct target *t, const struct setting *s,
                           struct slice key)
{
    struct buf near;
    buf_init(&near, 256);
    if (options_nearest(t->in_input, key, &near) != 0)
        buf_reset(&near);
    if (near.len > 0)
        config_errors_add(l->errors, &s->key_at, "unknown option \"%s\", did you mean \"%s\"?",
                          s->key, buf_cstr(&near));
    else
        config_errors_add(l->errors, &s->key_at, "unknown option \"%s\"", s->key);
    buf_clear(&near);
}

/* applies a setting whose key within t is given; returns how many settings that were */
static size_t apply_key(struct config_loader *l, const struct target *t, const struct setting *s,
                        struct slice key)
{
    struct slice name;
    const struct option *o = options_find(t->in_input, key, &name);
    if (o != NULL) {
        set_option(l, t, o, s, name);
        return s->span;
    }
    if (!options_is_section(t->in_input, key)) {
        report_unknown(l, t, s, key);
        return s->span;
    }
    if (s->kind == SETTING_TEXT || s->kind == SETTING_LIST)
        config_errors_add(l->errors, &s->value_at, "%s: options are needed here, not a value",
                          s->key);
    if (!t->in_input)
        config_note_section(l, key);
    return s->kind == SETTING_MAP ? 1 : s->span;
}

/* adds an input with its defaults */
static void add_input(struct config_loader *l, const struct config_place *at)
{
    struct config *c = l->cfg;
    c->inputs = mem_resize(c->inputs, (c->input_count + 1) * sizeof(*c->inputs));
    c->inputs[c->input_count] = (struct config_input){0};
    config_apply_defaults(&c->inputs[c->input_count], true);
    l->input_notes = mem_resize(l->input_notes, (c->input_count + 1) * sizeof(*l->input_notes));
    l->input_notes[c->input_count++] = (struct config_input_note){.at = *at};
}

/* an input itself: "inputs[N]" */
static size_t apply_input(struct config_loader *l, const struct setting *s, size_t input)
{
    if (s->kind == SETTING_MAP)
        return 1;
    l->input_notes[input].has_paths = true; /* one error about it is enough */
    if (s->kind != SETTING_BAD)
        config_errors_add(l->errors, &s->value_at, "%s: an input is a map: - paths: [\"...\"]",
                          s->key);
    return s->span;
}

/* "inputs[N]..." */
static size_t apply_in_input(struct config_loader *l, const struct setting *s)
{
    struct slice key = slice_str(s->key);
    size_t open = strlen("inputs["), close = slice_find(key, ']');
    struct slice rest = slice_sub(key, close + 1, key.len);
    uint64_t number = 0;
    if (num_u64(slice_sub(key, open, close - open), &number) != 0 ||
        number > l->cfg->input_count - l->input_base) {
        config_errors_add(l->errors, &s->key_at, "%s: there are %zu inputs, counted from 0", s->key,
                          l->cfg->input_count);
        return s->span;
    }
    size_t index = l->input_base + (size_t)number;
    if (index == l->cfg->input_count)
        add_input(l, &s->key_at);
    if (rest.len < 2 || rest.ptr[0] != '.')
        return apply_input(l, s, index);
    const struct target t = {.base = &l->cfg->inputs[index], .in_input = true, .input = index};
    return apply_key(l, &t, s, slice_sub(rest, 1, rest.len));
}

/* the topmost node of a file, which has the empty key: its members follow it */
static size_t apply_top(struct config_loader *l, const struct setting *s)
{
    if (s->kind == SETTING_MAP)
        return 1;
    if (s->kind == SETTING_TEXT || s->kind == SETTING_LIST)
        config_errors_add(l->errors, &s->value_at, "a configuration is a map: key: value");
    return s->span;
}

/* one setting; returns how many are done by that */
static size_t apply_one(struct config_loader *l, const struct setting *s)
{
    struct slice key = slice_str(s->key);
    const struct target global = {.base = l->cfg};
    if (key.len == 0)
        return apply_top(l, s);
    if (slice_starts(key, SLICE_LIT("inputs[")) && slice_find(key, ']') < key.len)
        return apply_in_input(l, s);
    if (!slice_eq_str(key, "inputs") && !slice_starts(key, SLICE_LIT("inputs."))) {
        if (!l->only_inputs)
            return apply_key(l, &global, s, key);
        config_errors_add(l->errors, &s->key_at,
                          "\"%s\" belongs in the main file; here only inputs are allowed", s->key);
        return s->span;
    }
    bool is_list = slice_eq_str(key, "inputs");
    if (is_list && s->kind == SETTING_LIST)
        return 1;
    if (!is_list || s->kind == SETTING_TEXT || s->kind == SETTING_MAP)
        config_errors_add(l->errors, &s->value_at, "%s: inputs are a list; each begins with \"- \"",
                          s->key);
    return s->span;
}

/* all of a list, in order */
void config_apply_settings(struct config_loader *l, const struct settings *list)
{
    for (size_t i = 0; i < list->n;)
        i += apply_one(l, &list->v[i]);
}

/* the text that stands for a variable's value in the option's own terms, or NULL when there is
 * none: variables have more words for true and false, and ELASTICSEARCH_VERIFY_CERTS is one of them
 * where the option is full or none */
static const char *env_text(const struct option *o, const char *text)
{
    static const char *const words[][2] = {{"false", "true"}, {"0", "1"}, {"no", "yes"}};
    bool verifies = strcmp(o->env, "ELASTICSEARCH_VERIFY_CERTS") == 0;
    if (!verifies && o->type != OPTION_BOOL)
        return text;
    for (size_t i = 0; i < 2 * ARRAY_LEN(words); i++) {
        if (strcasecmp(text, words[i / 2][i % 2]) != 0)
            continue;
        return verifies ? (i % 2 ? "full" : "none") : words[0][i % 2];
    }
    return NULL;
}

/* one option from its variable; an empty variable counts as unset */
static void apply_variable(struct config_loader *l, const struct option *o)
{
    const char *value = l->src->getenv_fn(l->src->ctx, o->env);
    if (value == NULL || value[0] == '\0')
        return;
    const struct target global = {.base = l->cfg};
    const struct config_place at = {.file = o->env};
    struct settings list = {0};
    struct setting *s = settings_add(&list, SETTING_BAD, slice_str(o->key));
    const char *text = env_text(o, value);
    s->key_at = s->value_at = at;
    if (text != NULL)
        setting_set_text(s, slice_str(text));
    else
        config_errors_add(l->errors, &at, "\"%.20s\" is neither true nor false", value);
    set_option(l, &global, o, s, slice_of(NULL, 0));
    settings_clear(&list);
}

/* walks the table for variables */
void config_apply_env(struct config_loader *l)
{
    l->origin = CONFIG_ORIGIN_ENV;
    for (size_t i = 0; i < options_count; i++) {
        if (options_table[i].env != NULL && l->src->getenv_fn != NULL)
            apply_variable(l, &options_table[i]);
    }
}

/* whether the value of -E is to be read as YAML: brackets or braces, where the option is not a
 * single text, in which they would be part of it */
static bool is_structure(struct slice key, struct slice value)
{
    if (value.len == 0 || (value.ptr[0] != '[' && value.ptr[0] != '{'))
        return false;
    struct slice name;
    bool in_input = slice_starts(key, SLICE_LIT("inputs["));
    if (in_input)
        key = slice_sub(key, slice_find(key, ']') + 2, key.len);
    const struct option *o = options_find(in_input, key, &name);
    return o == NULL || o->type == OPTION_LIST || o->type == OPTION_SET ||
           (o->type == OPTION_MAP && name.len == 0);
}

/* "key=value" */
void config_apply_override(struct config_loader *l, const char *text)
{
    static const struct config_place at = {.file = "-E"};
    struct slice all = slice_str(text);
    size_t equals = slice_find(all, '=');
    struct slice key = slice_sub(all, 0, equals), value = slice_sub(all, equals + 1, all.len);
    if (equals == all.len || key.len == 0 || slice_eq_str(key, "inputs")) {
        config_errors_add(l->errors, &at,
                          "write key=value, as in metrics.period=30s or inputs[0].dataset=web");
        return;
    }
    struct settings list = {0};
    char *root = mem_strndup(key.ptr, key.len);
    l->origin = CONFIG_ORIGIN_E;
    l->mode = 0;
    l->input_base = 0;
    l->only_inputs = false;
    if (is_structure(key, value)) {
        const struct yaml_opts opts = {.file = config_keep_name(l, "-E ", root), .root = root};
        if (yaml_read(value, &opts, &list, l->errors) != 0)
            l->incomplete = true;
    } else {
        struct setting *s = settings_add(&list, SETTING_TEXT, key);
        setting_set_text(s, value);
        s->key_at = s->value_at = at;
    }
    config_apply_settings(l, &list);
    settings_clear(&list);
    mem_free(root);
}
