/*
 * assets/mapping - dotted names to nested properties
 *
 * Sorted by name, the fields of one object stand together: each level is one walk over a range.
 * What no table names is found out by the server: strings become keywords, nothing becomes a date.
 */
#include "assets/mapping.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "assets/put.h"
#include "base/mem.h"

#define KEYWORD_MAX 1024 /* characters of a string that no table names */

struct mapping {
    struct mapping_field *fields;
    size_t count, room;
    bool sorted;
};

/* see header */
struct mapping *mapping_new(void)
{
    return mem_zalloc(sizeof(struct mapping));
}

/* see header */
void mapping_free(struct mapping **m)
{
    if (*m == NULL)
        return;
    mem_free((*m)->fields);
    mem_free(*m);
    *m = NULL;
}

/* see header */
int mapping_add(struct mapping *m, const struct mapping_field *f)
{
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->fields[i].name, f->name) == 0)
            return m->fields[i].type == f->type && m->fields[i].path == f->path ? 0 : -EINVAL;
    }
    if (m->count == m->room) {
        m->room = m->room * 2 + 64;
        m->fields = mem_resize(m->fields, m->room * sizeof(*m->fields));
    }
    m->fields[m->count++] = *f;
    m->sorted = false;
    return 0;
}

/* for qsort */
static int by_name(const void *a, const void *b)
{
    const struct mapping_field *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* see header */
const struct mapping_field *mapping_fields(struct mapping *m, size_t *ret_count)
{
    if (!m->sorted && m->count > 0)
        qsort(m->fields, m->count, sizeof(*m->fields), by_name);
    m->sorted = true;
    *ret_count = m->count;
    return m->fields;
}

/* the type that the server has for it */
static enum field_type type_here(enum field_type type, unsigned lacks)
{
    if (type == FIELD_SCALED_FLOAT && (lacks & MAPPING_NO_SCALED_FLOAT) != 0)
        return FIELD_FLOAT;
    if (type == FIELD_CONSTANT_KEYWORD && (lacks & MAPPING_NO_CONSTANT_KEYWORD) != 0)
        return FIELD_KEYWORD;
    return type;
}

/* the definition of one field */
static void write_field(struct json_writer *w, const struct mapping_field *f, unsigned lacks)
{
    enum field_type type = type_here(f->type, lacks);
    bool has_unit = f->unit != NULL && f->unit[0] != '\0';
    bool has_metric = f->metric != NULL && f->metric[0] != '\0';
    put_text(w, "type", f->path != NULL ? "alias" : field_type_name(type));
    if (f->path != NULL) {
        put_text(w, "path", f->path);
        return;
    }
    if (type == FIELD_SCALED_FLOAT)
        put_long(w, "scaling_factor", f->scale);
    if ((f->flags & FIELD_NO_CASE) != 0)
        put_text(w, "normalizer", "lowercase");
    if ((f->flags & FIELD_NOT_INDEXED) != 0)
        put_bool(w, "enabled", false);
    if (!has_unit && !has_metric)
        return;
    put_object(w, "meta");
    if (has_unit)
        put_text(w, "unit", f->unit);
    if (has_metric)
        put_text(w, "metric_type", f->metric);
    json_end_object(w);
}

/* "properties" of the fields [from, to), whose names agree in their first `at` bytes */
static void write_level(struct json_writer *w, const struct mapping_field *fields, size_t from,
                        size_t to, size_t at, unsigned lacks)
{
    put_object(w, "properties");
    while (from < to) {
        struct slice rest = slice_sub(slice_str(fields[from].name), at, SIZE_MAX);
        size_t bytes = slice_find(rest, '.');
        size_t end = from + 1;
        json_key_slice(w, slice_sub(rest, 0, bytes));
        json_object(w);
        if (bytes == rest.len) {
            write_field(w, &fields[from], lacks);
        } else {
            while (end < to && strncmp(fields[end].name, fields[from].name, at + bytes + 1) == 0)
                end++;
            write_level(w, fields, from, end, at + bytes + 1, lacks);
        }
        json_end_object(w);
        from = end;
    }
    json_end_object(w);
}

/* see header */
void mapping_write(struct mapping *m, unsigned lacks, struct json_writer *w)
{
    size_t count;
    const struct mapping_field *fields = mapping_fields(m, &count);
    json_object(w);
    put_bool(w, "date_detection", false);
    json_key(w, "dynamic_templates");
    json_array(w);
    json_object(w);
    put_object(w, "strings");
    put_text(w, "match_mapping_type", "string");
    put_object(w, "mapping");
    put_text(w, "type", field_type_name(FIELD_KEYWORD));
    put_long(w, "ignore_above", KEYWORD_MAX);
    json_end_object(w);
    json_end_object(w);
    json_end_object(w);
    json_end_array(w);
    write_level(w, fields, 0, count, 0, lacks);
    json_end_object(w);
}
