#ifndef METRICS_MEMBER_H
#define METRICS_MEMBER_H

/* Members of the object that is open, as metric documents write them. */
#include <stdint.h>

#include "base/json_write.h"

/* "key":{ -- closed by json_end_object. */
void member_object(struct json_writer *w, const char *key);
/* Elasticsearch's long; v at most INT64_MAX. */
void member_long(struct json_writer *w, const char *key, uint64_t v);
/* Rounded to four decimals, always with a decimal point: an index without our mapping would take
 * the first 0 for a long and cut every later fraction. v is finite, its amount below 1e15. */
void member_real(struct json_writer *w, const char *key, double v);
void member_text(struct json_writer *w, const char *key, const char *text);
/* The same, left out when the text is "". */
void member_text_if(struct json_writer *w, const char *key, const char *text);

#endif
