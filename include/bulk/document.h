#ifndef BULK_DOCUMENT_H
#define BULK_DOCUMENT_H

/*
 * A document that is put together from members of two sources: the constants of an input and what a
 * JSON line says. The table of fields (bulk/fields.h) says where a member stands in a profile, and
 * what fits it. No object of the result has a name twice. There goes
 *
 *   a name of the table, ECS or the platform's, to the field it means; unless that is there
 *     already, or is ours alone, or the value is not of its type;
 *   a name in an object of the table (log, service, ...) to that object, beside its fields;
 *   what clashes, and a name at the top that begins with _, to the object `json`, under its whole
 *     name;
 *   everything else as it stands.
 *
 * What is null in a field of the table is left out.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/json_scan.h"
#include "base/slice.h"
#include "bulk/fields.h"

/* Writes a time in its normal form; 0: it is none. */
typedef size_t (*document_time_fn)(struct slice text, char *dst);
#define DOCUMENT_TIME_MAX 40

struct document;

/* time: NULL = no line has one. */
struct document *document_new(enum profile profile, document_time_fn time);
void document_free(struct document **d);

/* A member that all documents have from now on; json is copied. */
void document_constant(struct document *d, enum log_field_id id, struct slice json);

/* Forgets all but the constants. */
void document_reset(struct document *d);

/* Sets a field of our own; json is borrowed until the next reset. */
void document_set(struct document *d, enum log_field_id id, struct slice json);

/* The members of a JSON line: the sink of decode/decode.h, ctx is the document. place: 0, or an
 * object of the table; member: 0, or -1 for a name that is there already. */
int document_place(void *ctx, int object, struct slice name);
int document_member(void *ctx, int object, struct slice name, enum json_event kind,
                    struct slice json, struct slice text);

/* Whether the line had a time; or one that is none. */
bool document_is_dated(const struct document *d);
bool document_is_undated(const struct document *d);

/* Bytes that document_write takes at most; writes one object without a newline, returns its end. */
size_t document_bytes(const struct document *d);
char *document_write(const struct document *d, char *p);

#endif
