/*
 * config/config_note - what a load knows of single rows
 *
 * Small helpers of the steps that look at several options. None can fail: texts that are put in
 * place are ones that the row allows.
 */
#include "config/config_internal.h"
#include "config/value.h"

/* a linear search: the table is short */
const struct option *config_row_at(size_t offset)
{
    const struct option *o = options_table;
    while (o->group == OPTION_INPUT || o->offset != offset)
        o++;
    return o;
}

/* one note for each row */
struct config_note *config_note_of(struct config_loader *l, const struct option *o)
{
    return &l->notes[o - options_table];
}

/* a default stands nowhere */
struct config_place config_place_of(struct config_loader *l, const struct option *o)
{
    const struct config_place main_file = {.file = l->src->path};
    const struct config_note *note = config_note_of(l, o);
    return note->origin == CONFIG_ORIGIN_DEFAULT ? main_file : note->at;
}

/* a refused text was given too */
bool config_is_given(struct config_loader *l, const struct option *o)
{
    const char *const *text = (const void *)((const char *)l->cfg + o->offset);
    return config_note_of(l, o)->bad || (*text)[0] != '\0';
}

/* as if it had stood where the other row stood */
void config_take_over(struct config_loader *l, const struct option *o, struct slice text,
                      const struct option *from)
{
    struct err why = {0};
    struct config_place at = config_place_of(l, from);
    value_clear(o, config_field(o, l->cfg));
    if (value_set(o, config_field(o, l->cfg), text, &why) != 0)
        config_errors_add(l->errors, &at, "%s: %s", from->key, why.text);
    *config_note_of(l, o) = *config_note_of(l, from);
}

/* as if it had not been given */
void config_set_default(struct config_loader *l, const struct option *o)
{
    struct err why = {0};
    value_clear(o, config_field(o, l->cfg));
    if (value_set(o, config_field(o, l->cfg), slice_str(o->standard), &why) == 0)
        *config_note_of(l, o) = (struct config_note){0};
}
