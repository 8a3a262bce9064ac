/*
 * config/value - one option's value
 *
 * The row of the option says which C type the field has; the casts are here and nowhere else.
 * Fails on text that the row does not allow; the message then says what it allows.
 */
#include "config/value.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"
#include "config/types.h"
#include "config/unit.h"

#define SHOWN_MAX 80

/* what a text of the wrong form is told */
static const char *form_fault(enum option_type type)
{
    switch (type) {
    case OPTION_BYTES:
        return "is not a size like 65536, 64KiB or 1MiB";
    case OPTION_DURATION:
        return "is not a duration like 500ms, 10s, 1m30s or 24h";
    case OPTION_INTEGER:
        return "is not a whole number";
    case OPTION_BOOL:
    case OPTION_CHOICE:
    case OPTION_SET:
    case OPTION_STRING:
    case OPTION_LIST:
    case OPTION_MAP:
        return "is unknown";
    }
    return "";
}

/* says what is wrong with text, and what is allowed */
static int refuse(const struct option *o, struct slice text, const char *fault, struct err *why)
{
    struct buf allowed;
    buf_init(&allowed, 1024);
    if (options_write_allowed(o, &allowed) != 0)
        buf_reset(&allowed);
    err_set(why, -EINVAL, "\"%.*s\" %s; allowed: %s",
            (int)(text.len < SHOWN_MAX ? text.len : SHOWN_MAX), text.ptr, fault,
            buf_cstr(&allowed));
    buf_clear(&allowed);
    return -EINVAL;
}

/* checks v against the bounds of the row */
static bool in_bounds(const struct option *o, uint64_t v)
{
    return (o->min == 0 && o->max == 0) || (v >= o->min && v <= o->max);
}

/* the index of a choice, or -1 */
static int choice_of(const struct option *o, struct slice text)
{
    for (int i = 0; o->choices[i] != NULL; i++) {
        if (slice_eq_str(text, o->choices[i]))
            return i;
    }
    return -1;
}

/* whether text is UTF-8 without control characters; fields' values may have line breaks */
static bool is_text(struct slice text, bool lines)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool control = c < 0x20 || c == 0x7f;
        if (control && (!lines || (c != '\n' && c != '\t' && c != '\r')))
            return false;
    }
    return utf8_is_valid(text);
}

/* wipes and frees a string */
static void drop_string(const struct option *o, char **s)
{
    if (*s != NULL && (o->flags & OPTION_SECRET) != 0)
        explicit_bzero(*s, strlen(*s));
    mem_free(*s);
    *s = NULL;
}

/* the checked, normal form of text as a new string; NULL when it is refused */
static char *normal_form(const struct option *o, struct slice text, struct err *why)
{
    if (!is_text(text, false)) {
        err_set(why, -EINVAL,
                "control characters, line breaks and bytes that are not UTF-8 are not allowed");
        return NULL;
    }
    struct buf out;
    buf_init(&out, 8192);
    char *copy = NULL;
    int error = o->check != NULL ? o->check(text, &out, why) : buf_add_slice(&out, text);
    if (error != 0 && o->check == NULL)
        err_set(why, error, "the value is too long");
    if (error == 0)
        copy = mem_strndup(buf_cstr(&out), out.len);
    if (out.ptr != NULL)
        explicit_bzero(out.ptr, out.len);
    buf_clear(&out);
    return copy;
}

/* a string; its length is checked before the normal form is made */
static int set_string(const struct option *o, char **field, struct slice text, struct err *why)
{
    if (!in_bounds(o, text.len))
        return err_set(why, -EINVAL, "%zu bytes are too %s; allowed: %llu to %llu", text.len,
                       text.len < o->min ? "few" : "many", (unsigned long long)o->min,
                       (unsigned long long)o->max);
    char *copy = normal_form(o, text, why);
    if (copy == NULL)
        return -EINVAL;
    drop_string(o, field);
    *field = copy;
    return 0;
}

/* one more element of a list */
static int add_element(const struct option *o, struct config_list *list, struct slice text,
                       struct err *why)
{
    if (text.len > OPTION_PATH_MAX)
        return err_set(why, -EINVAL, "more than %d bytes", OPTION_PATH_MAX);
    char *copy = normal_form(o, text, why);
    if (copy == NULL)
        return -EINVAL;
    list->v = mem_resize(list->v, (list->n + 1) * sizeof(*list->v));
    list->v[list->n++] = copy;
    return 0;
}

/* bytes or a duration or a number; "off" is 0 where it is allowed */
static int parse_number(const struct option *o, struct slice text, uint64_t *ret)
{
    int64_t ms = 0;
    int error = 0;
    if (o->type == OPTION_DURATION) {
        if ((o->flags & OPTION_OFF) == 0 || !slice_eq_str(text, "off"))
            error = num_duration(text, &ms);
        *ret = (uint64_t)ms;
        return error;
    }
    return o->type == OPTION_BYTES ? num_bytes(text, ret) : num_u64(text, ret);
}

/* writes a number that passed its check into the field of its type */
static int set_number(const struct option *o, void *field, struct slice text, struct err *why)
{
    uint64_t v = 0;
    int error = parse_number(o, text, &v);
    if (error == -EINVAL)
        return refuse(o, text, form_fault(o->type), why);
    if (error != 0 || !in_bounds(o, v))
        return refuse(o, text, "is out of bounds", why);
    if (o->type == OPTION_DURATION)
        *(int64_t *)field = (int64_t)v;
    else if (o->type == OPTION_BYTES)
        *(uint64_t *)field = v;
    else
        *(unsigned *)field = (unsigned)v;
    return 0;
}

/* true or false */
static int set_bool(const struct option *o, bool *field, struct slice text, struct err *why)
{
    bool v = slice_eq_str(text, "true");
    if (!v && !slice_eq_str(text, "false"))
        return refuse(o, text, form_fault(o->type), why);
    *field = v;
    return 0;
}

/* by type */
int value_set(const struct option *o, void *field, struct slice text, struct err *why)
{
    int choice = -1;
    switch (o->type) {
    case OPTION_BOOL:
        return set_bool(o, field, text, why);
    case OPTION_STRING:
        return set_string(o, field, text, why);
    case OPTION_BYTES:
    case OPTION_DURATION:
    case OPTION_INTEGER:
        return set_number(o, field, text, why);
    case OPTION_LIST:
        return add_element(o, field, text, why);
    case OPTION_CHOICE:
    case OPTION_SET:
        choice = choice_of(o, text);
        if (choice < 0)
            return refuse(o, text, form_fault(o->type), why);
        if (o->type == OPTION_CHOICE)
            *(unsigned *)field = (unsigned)choice;
        else
            *(unsigned *)field |= 1u << choice;
        return 0;
    case OPTION_MAP:
        break;
    }
    return err_set(why, -EINVAL, "a map of names and texts is needed here");
}

/* whether one name is the other, or the object that holds it */
static bool is_same_or_around(const char *outer, const char *inner)
{
    size_t len = strlen(outer);
    return strncmp(outer, inner, len) == 0 && (inner[len] == '.' || inner[len] == '\0');
}

/* wipes and frees the text of a pair */
static void drop_text(const struct option *o, struct config_pair *p)
{
    if ((o->flags & OPTION_SECRET) != 0)
        explicit_bzero(p->value, strlen(p->value));
    mem_free(p->value);
}

/* the option's own check of a pair */
static int check_pair(const struct option *o, struct slice name, struct slice text, struct err *why)
{
    if (o->check == NULL)
        return 0;
    struct buf pair, normal;
    buf_init(&pair, OPTION_NAME_MAX + OPTION_PATH_MAX);
    buf_init(&normal, pair.max);
    int error = buf_printf(&pair, "%.*s: %.*s", (int)name.len, name.ptr, (int)text.len, text.ptr);
    if (error != 0)
        err_set(why, error, "the value is too long");
    else
        error = o->check(buf_slice(&pair), &normal, why);
    if (pair.ptr != NULL)
        explicit_bzero(pair.ptr, pair.len);
    if (normal.ptr != NULL)
        explicit_bzero(normal.ptr, normal.len);
    buf_clear(&pair);
    buf_clear(&normal);
    return error == 0 ? 0 : -EINVAL;
}

/* replaces the text of a name, or adds a pair; refuses a name that is both text and object */
int value_put(const struct option *o, void *field, struct slice name, struct slice text,
              struct err *why)
{
    struct config_map *map = field;
    if (!is_text(text, true) || !is_text(name, false))
        return err_set(why, -EINVAL,
                       "control characters and bytes that are not UTF-8 are not allowed");
    if (name.len > OPTION_NAME_MAX)
        return err_set(why, -EINVAL, "a name longer than %d bytes", OPTION_NAME_MAX);
    if (check_pair(o, name, text, why) != 0)
        return -EINVAL;
    char *key = mem_strndup(name.ptr, name.len);
    for (size_t i = 0; i < map->n; i++) {
        struct config_pair *p = &map->v[i];
        if (strcmp(p->name, key) == 0) {
            mem_free(key);
            drop_text(o, p);
            p->value = mem_strndup(text.ptr, text.len);
            return 0;
        }
        if (is_same_or_around(p->name, key) || is_same_or_around(key, p->name)) {
            mem_free(key);
            return err_set(why, -EINVAL, "\"%.*s\" and \"%s\" cannot both be fields",
                           (int)(name.len < SHOWN_MAX ? name.len : SHOWN_MAX), name.ptr, p->name);
        }
    }
    map->v = mem_resize(map->v, (map->n + 1) * sizeof(*map->v));
    map->v[map->n++] = (struct config_pair){.name = key, .value = mem_strndup(text.ptr, text.len)};
    return 0;
}

/* sets piece by piece */
int value_split(const struct option *o, void *field, struct slice text, struct err *why)
{
    struct slice piece;
    while (slice_next(&text, ',', &piece)) {
        int error = value_set(o, field, slice_trim(piece), why);
        if (error != 0)
            return error;
    }
    return 0;
}

/* lists only */
int value_check_count(const struct option *o, const void *field, struct err *why)
{
    const struct config_list *list = field;
    if (o->type != OPTION_LIST || in_bounds(o, list->n))
        return 0;
    return err_set(why, -EINVAL, "%zu elements are too %s; allowed: %llu to %llu", list->n,
                   list->n < o->min ? "few" : "many", (unsigned long long)o->min,
                   (unsigned long long)o->max);
}

/* by type; numbers have nothing to free, and keep their value but for sets */
void value_clear(const struct option *o, void *field)
{
    struct config_list *list = field;
    struct config_map *map = field;
    switch (o->type) {
    case OPTION_STRING:
        drop_string(o, field);
        return;
    case OPTION_LIST:
        for (size_t i = 0; i < list->n; i++)
            mem_free(list->v[i]);
        mem_free(list->v);
        *list = (struct config_list){0};
        return;
    case OPTION_MAP:
        for (size_t i = 0; i < map->n; i++) {
            mem_free(map->v[i].name);
            drop_text(o, &map->v[i]);
        }
        mem_free(map->v);
        *map = (struct config_map){0};
        return;
    case OPTION_SET:
        *(unsigned *)field = 0;
        return;
    case OPTION_BOOL:
    case OPTION_BYTES:
    case OPTION_DURATION:
    case OPTION_INTEGER:
    case OPTION_CHOICE:
        return;
    }
}

/* a text in double quotes, as YAML and JSON read it */
static int write_quoted(const char *s, struct buf *out)
{
    int error = buf_add_byte(out, '"');
    for (; error == 0 && *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            error = buf_printf(out, "\\%c", *s);
        else if (c == '$' && s[1] == '{')
            error = buf_add_str(out, "$$");
        else if (c < 0x20 || c == 0x7f)
            error = buf_printf(out, "\\x%02x", (unsigned)c);
        else
            error = buf_add_byte(out, *s);
    }
    return error == 0 ? buf_add_byte(out, '"') : error;
}

/* [a, b] of quoted texts */
static int write_list(const struct config_list *list, struct buf *out)
{
    int error = buf_add_byte(out, '[');
    for (size_t i = 0; error == 0 && i < list->n; i++) {
        if (i > 0)
            error = buf_add_str(out, ", ");
        if (error == 0)
            error = write_quoted(list->v[i], out);
    }
    return error == 0 ? buf_add_byte(out, ']') : error;
}

/* {a: b} of quoted texts; hide: a word in place of each text */
static int write_map(const struct config_map *map, bool hide, struct buf *out)
{
    int error = buf_add_byte(out, '{');
    for (size_t i = 0; error == 0 && i < map->n; i++) {
        if (i > 0)
            error = buf_add_str(out, ", ");
        if (error == 0)
            error = write_quoted(map->v[i].name, out);
        if (error == 0)
            error = buf_add_str(out, ": ");
        if (error == 0)
            error = write_quoted(hide ? "<hidden>" : map->v[i].value, out);
    }
    return error == 0 ? buf_add_byte(out, '}') : error;
}

/* [a, b] of choices */
static int write_set(const struct option *o, unsigned bits, struct buf *out)
{
    int error = buf_add_byte(out, '[');
    const char *comma = "";
    for (unsigned i = 0; error == 0 && o->choices[i] != NULL; i++) {
        if ((bits & (1u << i)) == 0)
            continue;
        error = buf_printf(out, "%s%s", comma, o->choices[i]);
        comma = ", ";
    }
    return error == 0 ? buf_add_byte(out, ']') : error;
}

/* a string, or the word in place of a secret */
static int write_string(const struct option *o, const char *s, bool hide, struct buf *out)
{
    if (hide && s[0] != '\0' && (o->flags & OPTION_SECRET) != 0)
        s = "<hidden>";
    return write_quoted(s, out);
}

/* by type */
int value_write(const struct option *o, const void *field, bool hide, struct buf *out)
{
    switch (o->type) {
    case OPTION_BOOL:
        return buf_add_str(out, *(const bool *)field ? "true" : "false");
    case OPTION_STRING:
        return write_string(o, *(char *const *)field, hide, out);
    case OPTION_BYTES:
        return unit_write_bytes(*(const uint64_t *)field, out);
    case OPTION_DURATION:
        if ((o->flags & OPTION_OFF) != 0 && *(const int64_t *)field == 0)
            return buf_add_str(out, "off");
        return unit_write_duration(*(const int64_t *)field, out);
    case OPTION_INTEGER:
        return buf_add_u64(out, *(const unsigned *)field);
    case OPTION_CHOICE:
        return buf_add_str(out, o->choices[*(const unsigned *)field]);
    case OPTION_LIST:
        return write_list(field, out);
    case OPTION_SET:
        return write_set(o, *(const unsigned *)field, out);
    case OPTION_MAP:
        return write_map(field, hide && (o->flags & OPTION_SECRET) != 0, out);
    }
    return 0;
}
