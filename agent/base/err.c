/*
 * base/err - the text of a failure
 *
 * Every text is first made in a local array: the arguments may point into the err that is being
 * written. What does not fit is cut off; nothing can fail.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE sizeof(((struct err *)NULL)->text)

/* appends s to the NUL-terminated text as far as it fits */
static void append(char *text, const char *s)
{
    size_t used = strlen(text);
    size_t n = strnlen(s, TEXT_SIZE - 1 - used);
    memcpy(text + used, s, n);
    text[used + n] = '\0';
}

/* formats into a text; one that cannot be formatted is empty */
static PRINTF_LIKE(2, 0) void format(char *text, const char *fmt, va_list ap)
{
    if (vsnprintf(text, TEXT_SIZE, fmt, ap) < 0)
        text[0] = '\0';
}

/* sets code and formatted text */
int err_set(struct err *e, int code, const char *fmt, ...)
{
    if (e == NULL)
        return code;
    char text[TEXT_SIZE];
    va_list ap;
    va_start(ap, fmt);
    format(text, fmt, ap);
    va_end(ap);
    e->code = code;
    memcpy(e->text, text, sizeof(text));
    return code;
}

/* sets code and formatted text with the meaning of code behind it */
int err_set_errno(struct err *e, int code, const char *fmt, ...)
{
    if (e == NULL)
        return code;
    char text[TEXT_SIZE];
    va_list ap;
    va_start(ap, fmt);
    format(text, fmt, ap);
    va_end(ap);
    append(text, ": ");
    append(text, strerror(code < 0 ? -code : code)); /* per-thread in glibc >= 2.32 and musl */
    e->code = code;
    memcpy(e->text, text, sizeof(text));
    return code;
}

/* puts context before the text */
int err_prefix(struct err *e, const char *fmt, ...)
{
    if (e == NULL)
        return 0;
    char text[TEXT_SIZE];
    va_list ap;
    va_start(ap, fmt);
    format(text, fmt, ap);
    va_end(ap);
    append(text, ": ");
    append(text, e->text);
    memcpy(e->text, text, sizeof(text));
    return e->code;
}
