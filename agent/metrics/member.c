/*
 * metrics/member - members of metric documents
 *
 * Failures stick in the writer.
 */
#include "metrics/member.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

/* "-", 15 digits, ".", four decimals, NUL */
#define REAL_BYTES 24

/* opens an object */
void member_object(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_object(w);
}

/* whole number */
void member_long(struct json_writer *w, const char *key, uint64_t v)
{
    json_key(w, key);
    json_u64(w, v);
}

/* fraction: zeros at the end go, but the first decimal stays */
void member_real(struct json_writer *w, const char *key, double v)
{
    assert(fabs(v) < 1e15);
    char text[REAL_BYTES];
    int printed = snprintf(text, sizeof(text), "%.4f", v);
    size_t n = (size_t)printed;
    while (text[n - 1] == '0' && text[n - 2] != '.')
        n--;
    json_key(w, key);
    json_raw(w, slice_of(text, n));
}

/* keyword */
void member_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_cstring(w, text);
}

/* keyword, if there is one */
void member_text_if(struct json_writer *w, const char *key, const char *text)
{
    if (text[0] != '\0')
        member_text(w, key, text);
}
