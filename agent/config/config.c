/*
 * config/config - loads a configuration
 *
 * The sources are applied in ascending precedence to one struct, so that what comes later simply
 * replaces what was there: defaults, variables (config_apply.c), files (config_files.c), -E; then
 * what is computed is filled in and what concerns several options is checked (config_finish.c).
 * Every step reports to the list of errors and goes on; the struct is handed out only when the list
 * stayed empty.
 */
#include "config/config.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "config/config_internal.h"
#include "config/value.h"

/* frees all options of one scope */
static void clear_scope(void *base, bool in_input)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        if ((o->group == OPTION_INPUT) == in_input)
            value_clear(o, config_field(o, base));
    }
}

/* frees all */
void config_free(struct config **c)
{
    struct config *cfg = *c;
    if (cfg == NULL)
        return;
    for (size_t i = 0; i < cfg->input_count; i++)
        clear_scope(&cfg->inputs[i], true);
    mem_free(cfg->inputs);
    clear_scope(cfg, false);
    mem_free(cfg);
    *c = NULL;
}

/* joins and keeps */
const char *config_keep_name(struct config_loader *l, const char *prefix, const char *name)
{
    size_t prefix_len = strlen(prefix), len = strlen(name);
    char *joined = mem_zalloc(prefix_len + len + 1);
    memcpy(joined, prefix, prefix_len);
    memcpy(joined + prefix_len, name, len);
    l->names = mem_resize(l->names, (l->name_count + 1) * sizeof(*l->names));
    l->names[l->name_count++] = joined;
    return joined;
}

/* frees the loader's own memory */
static void loader_clear(struct config_loader *l)
{
    for (size_t i = 0; i < l->name_count; i++)
        mem_free(l->names[i]);
    mem_free(l->names);
    mem_free(l->notes);
    mem_free(l->input_notes);
}

/* applies the sources one after the other */
int config_load(const struct config_source *src, struct config **ret, struct config_errors *errors)
{
    size_t errors_before = errors->n + errors->more;
    struct config_loader l = {
        .src = src,
        .cfg = mem_zalloc(sizeof(struct config)),
        .errors = errors,
        .notes = mem_zalloc_array(options_count, sizeof(struct config_note)),
    };
    config_apply_defaults(l.cfg, false);
    config_apply_env(&l);
    config_read_files(&l);
    for (size_t i = 0; i < src->override_count; i++)
        config_apply_override(&l, src->overrides[i]);
    config_finish(&l);
    loader_clear(&l);
    config_errors_sort(errors);
    if (errors->n + errors->more > errors_before) {
        config_free(&l.cfg);
        return -EINVAL;
    }
    *ret = l.cfg;
    return 0;
}

/* whether an option has the same value in both */
static bool is_same(const struct option *o, const struct config *a, const struct config *b)
{
    struct buf text_a, text_b;
    buf_init(&text_a, 2 * CONFIG_FILE_MAX);
    buf_init(&text_b, 2 * CONFIG_FILE_MAX);
    bool same = value_write(o, (const char *)a + o->offset, false, &text_a) == 0 &&
                value_write(o, (const char *)b + o->offset, false, &text_b) == 0 &&
                slice_eq(buf_slice(&text_a), buf_slice(&text_b));
    if ((o->flags & OPTION_SECRET) != 0) {
        explicit_bzero(text_a.ptr, text_a.len);
        explicit_bzero(text_b.ptr, text_b.len);
    }
    buf_clear(&text_a);
    buf_clear(&text_b);
    return same;
}

/* looks at the secrets and at the names of files with secrets */
bool config_has_secret(const struct config *c)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        const void *field = (const char *)c + o->offset;
        if (o->group == OPTION_INPUT || (o->flags & (OPTION_SECRET | OPTION_CREDENTIAL)) == 0)
            continue;
        if (o->type == OPTION_MAP ? ((const struct config_map *)field)->n > 0
                                  : (*(char *const *)field)[0] != '\0')
            return true;
    }
    return false;
}

/* compares the options that stay as they are for the life of the process */
const char *config_fixed_change(const struct config *before, const struct config *after)
{
    for (size_t i = 0; i < options_count; i++) {
        const struct option *o = &options_table[i];
        if (o->group != OPTION_INPUT && (o->flags & OPTION_RELOADABLE) == 0 &&
            !is_same(o, before, after))
            return o->key;
    }
    return NULL;
}
