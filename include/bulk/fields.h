#ifndef BULK_FIELDS_H
#define BULK_FIELDS_H

/*
 * The one table of what documents hold: encoder, templates, documentation and tests come from it.
 * (The fields of Metricbeat's shape stand with their sets: metrics/fields.h.)
 *
 * A row of log_fields has two names: that of ECS, which documents of the default profile have, and
 * the platform's. The platform's name is
 *   - a key of its JSON lines (the name of ECS is one too),
 *   - the field in documents of the isp profile,
 *   - an alias of the first name in the templates of the default profile.
 * Names are dotted paths; in documents they are objects. Rows stand in the order of the document.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* Types of Elasticsearch. */
enum field_type {
    FIELD_DATE,
    FIELD_KEYWORD,
    FIELD_LONG,
    FIELD_SCALED_FLOAT,
    FIELD_BOOLEAN,
    FIELD_IP,
    FIELD_TEXT,
    FIELD_FLOAT,
    FIELD_OBJECT,           /* with dynamic members */
    FIELD_CONSTANT_KEYWORD, /* the same in all documents of a data stream */
};

/* Elasticsearch's names: "scaled_float". */
const char *field_type_name(enum field_type t);

/* Whose vocabulary documents have: option `profile`. */
enum profile {
    PROFILE_DEFAULT,
    PROFILE_ISP,
};

enum log_field_flag {
    FIELD_NO_CASE = 1 << 0,     /* a keyword searched without regard to case (the built-in
                                 * normalizer `lowercase`), stored as it came */
    FIELD_OURS = 1 << 1,        /* a JSON line cannot set it */
    FIELD_LINE_FIRST = 1 << 2,  /* what a JSON line says goes before our own */
    FIELD_BOTH_NAMES = 1 << 3,  /* the isp profile has it under both names */
    FIELD_NOT_INDEXED = 1 << 4, /* an object that is only stored ("enabled": false) */
};

/* Rows that wherry itself fills, in the order of the table. */
enum log_field_id {
    LOG_FIELD_TIME,
    LOG_FIELD_PATH,
    LOG_FIELD_OFFSET,
    LOG_FIELD_FLAGS,
    LOG_FIELD_LEVEL,
    LOG_FIELD_STREAM,
    LOG_FIELD_MESSAGE,
    LOG_FIELD_STREAM_TYPE,
    LOG_FIELD_STREAM_DATASET,
    LOG_FIELD_STREAM_NAMESPACE,
    LOG_FIELD_EVENT_DATASET,
    LOG_FIELD_HOST,
    LOG_FIELD_AGENT_TYPE,
    LOG_FIELD_AGENT_VERSION,
    LOG_FIELD_AGENT_ID,
    LOG_FIELD_AGENT_NAME,
    LOG_FIELD_ECS,
    LOG_FIELD_INPUT,
    LOG_FIELD_FIELDS,
    LOG_FIELD_TAGS,
    LOG_FIELD_OTHERS, /* only lines have those from here on */
};
#define LOG_FIELD_MAX 48 /* rows at most */

struct log_field {
    const char *name;
    enum field_type type;
    const char *platform; /* NULL: it has the same name and type there */
    enum field_type platform_type;
    unsigned flags; /* enum log_field_flag */
    const char *description;
};

extern const struct log_field log_fields[];
extern const size_t log_field_count;

/* Fields of the metric documents of the isp profile, one document for each value; `platform` is
 * NULL. */
extern const struct log_field isp_metric_fields[];
extern const size_t isp_metric_field_count;

/* The name and the type that a row has in documents of a profile. */
const char *log_field_name(const struct log_field *f, enum profile p);
enum field_type log_field_type(const struct log_field *f, enum profile p);

#endif
