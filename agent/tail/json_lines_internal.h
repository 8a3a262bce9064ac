#ifndef TAIL_JSON_LINES_INTERNAL_H
#define TAIL_JSON_LINES_INTERNAL_H

/* Records that are JSON objects: what they say becomes members of their documents. */
#include "bulk/encode.h"

struct tail;
struct file;

/* Makes what the inputs need that have such lines, anew after a reload. */
void json_lines_setup(struct tail *t);
void json_lines_teardown(struct tail *t);

/* The document of a record of an input whose json is not off, without what encode_document adds;
 * NULL: it goes as it is, and line->error says why where that is to be told. */
struct document *json_lines_take(const struct file *f, struct encode_line *line);

#endif
