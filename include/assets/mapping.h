#ifndef ASSETS_MAPPING_H
#define ASSETS_MAPPING_H

/*
 * The fields of a kind of document, gathered from the tables of fields and written as the mapping
 * of a component template. Strings are borrowed from the tables.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/def.h"
#include "base/json_write.h"
#include "bulk/fields.h"

struct mapping;

struct mapping_field {
    const char *name; /* dotted path */
    enum field_type type;
    unsigned scale;     /* of a scaled_float */
    unsigned flags;     /* enum log_field_flag */
    const char *unit;   /* NULL or "": none */
    const char *metric; /* gauge or counter; NULL or "": none */
    const char *path;   /* another name for this field, whatever its type; NULL: a field itself */
};

/* What the server does not know; plainer types stand in. */
enum mapping_lack {
    MAPPING_NO_SCALED_FLOAT = 1 << 0,     /* float */
    MAPPING_NO_CONSTANT_KEYWORD = 1 << 1, /* keyword */
};

struct mapping *mapping_new(void);
/* NULL is allowed. */
void mapping_free(struct mapping **m);

/* The same field again is no second one; another type for it is -EINVAL. */
int mapping_add(struct mapping *m, const struct mapping_field *f) MUST_CHECK;

/* In the order of their names. */
const struct mapping_field *mapping_fields(struct mapping *m, size_t *ret_count);

/* Writes the value of "mappings". lacks: enum mapping_lack. */
void mapping_write(struct mapping *m, unsigned lacks, struct json_writer *w);

#endif
