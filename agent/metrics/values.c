/*
 * metrics/values - rows and values to nested members
 *
 * Rows are sorted, so that members of one object stand together: between two rows the objects of
 * the first that the second does not share are closed, then those of the second opened.
 */
#include "metrics/values.h"

#include <math.h>
#include <string.h>

#include "metrics/member.h"

/* beyond this a real number is no measurement */
#define REAL_MAX 1e15

/* see header */
struct value value_long(uint64_t v)
{
    return (struct value){.is_set = v <= INT64_MAX, .whole = (int64_t)v};
}

/* what cannot be written is left out */
struct value value_real(double v)
{
    return (struct value){.is_set = isfinite(v) && fabs(v) < REAL_MAX, .real = v};
}

/* see header */
struct value value_boolean(bool v)
{
    return (struct value){.is_set = true, .yes = v};
}

/* see header */
struct value value_text(struct slice v)
{
    return (struct value){.is_set = true, .text = v};
}

/* one member, by the type of its row; key is the last part of its name */
static void write_member(struct json_writer *w, const struct field *f, const char *key,
                         const struct value *v)
{
    switch (f->type) {
    case FIELD_LONG:
        json_key(w, key);
        json_i64(w, v->whole);
        break;
    case FIELD_SCALED_FLOAT:
    case FIELD_FLOAT:
        member_real(w, key, v->real);
        break;
    case FIELD_BOOLEAN:
        json_key(w, key);
        json_bool(w, v->yes);
        break;
    case FIELD_DATE:
    case FIELD_KEYWORD:
    case FIELD_IP:
    case FIELD_TEXT:
    case FIELD_CONSTANT_KEYWORD:
        json_key(w, key);
        json_string(w, v->text);
        break;
    case FIELD_OBJECT: /* no set has one */
        break;
    }
}

/* length of what two names have in common, up to and with a dot */
static size_t shared(const char *a, const char *b)
{
    size_t end = 0;
    for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++)
        if (a[i] == '.')
            end = i + 1;
    return end;
}

/* how many objects the part of a name opens that is not shared */
static unsigned dots(const char *name)
{
    unsigned n = 0;
    for (; *name != '\0'; name++)
        n += *name == '.';
    return n;
}

/* opens the objects on the way to the last part of a name; returns that part */
static const char *descend(struct json_writer *w, const char *name)
{
    const char *dot;
    while ((dot = strchr(name, '.')) != NULL) {
        json_key_slice(w, slice_of(name, (size_t)(dot - name)));
        json_object(w);
        name = dot + 1;
    }
    return name;
}

/* closes n objects */
static void ascend(struct json_writer *w, unsigned n)
{
    while (n-- > 0)
        json_end_object(w);
}

/* whether a name stands below an object; *ret_skip is the length of "object." then */
static bool is_within(const char *name, const char *object, size_t *ret_skip)
{
    size_t n = strlen(object);
    *ret_skip = n + 1;
    return strncmp(name, object, n) == 0 && name[n] == '.';
}

/* one row behind another: closes and opens what lies between; *before is the name of the last */
static void write_row(struct json_writer *w, const struct field *f, const struct value *v,
                      size_t skip, const char **before)
{
    const char *name = f->name + skip;
    size_t common = shared(*before, name);
    ascend(w, dots(*before + common));
    write_member(w, f, descend(w, name + common), v);
    *before = name;
}

/* see header */
void values_write_within(struct json_writer *w, const char *object, const struct field *rows,
                         size_t count, const struct value *v)
{
    const char *before = "";
    size_t skip;
    for (size_t i = 0; i < count; i++)
        if (v[i].is_set && is_within(rows[i].name, object, &skip))
            write_row(w, &rows[i], &v[i], skip, &before);
    ascend(w, dots(before));
}

/* see header */
void values_write(struct json_writer *w, const struct field *rows, size_t count,
                  const struct value *v)
{
    const char *before = "";
    size_t skip;
    for (size_t i = 0; i < count; i++)
        if (v[i].is_set && !is_within(rows[i].name, "agent", &skip) &&
            !is_within(rows[i].name, "host", &skip))
            write_row(w, &rows[i], &v[i], 0, &before);
    ascend(w, dots(before));
}
