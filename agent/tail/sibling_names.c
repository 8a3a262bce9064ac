/*
 * tail/sibling_names - rotated names of a file
 *
 * app.log.1, app.log-20261123, app-2026-11-23.log for app.log, each also with the suffix of a
 * compressed file. Which of two is the older: dates grow; numbers fall (logrotate: .1 is the
 * newest) or grow, which the caller finds out from the times of the files.
 */
#include <ctype.h>
#include <string.h>

#include "tail_internal.h"

/* digits that make a date rather than a number */
#define DATE_DIGITS 6

/* whether a string ends with a suffix */
static bool ends_with(const char *s, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);
    return len >= n && memcmp(s + len - n, suffix, n) == 0;
}

/* length of a name without the suffix of a compressed file */
static size_t plain_bytes(const char *name)
{
    static const char *const suffixes[] = {".gz", ".zst", ".xz", ".bz2"};
    size_t len = strlen(name);
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
        if (ends_with(name, len, suffixes[i]))
            return len - strlen(suffixes[i]);
    return len;
}

/* see tail_internal.h */
bool siblings_is_compressed(const char *name)
{
    return plain_bytes(name) < strlen(name);
}

/* digits and what stands between the parts of a date */
static bool is_date_text(const char *s, size_t n)
{
    bool digit = false;
    for (size_t i = 0; i < n; i++) {
        if (isdigit((unsigned char)s[i]))
            digit = true;
        else if (strchr("-_.T:", s[i]) == NULL)
            return false;
    }
    return digit;
}

/* see tail_internal.h */
bool siblings_is(const char *base, const char *name)
{
    size_t base_bytes = strlen(base);
    size_t name_bytes = strlen(name);
    if (name_bytes > base_bytes && memcmp(base, name, base_bytes) == 0 &&
        strchr(".-_", name[base_bytes]) != NULL)
        return true;
    name_bytes = plain_bytes(name);
    const char *dot = strrchr(base, '.');
    size_t stem = dot == NULL ? base_bytes : (size_t)(dot - base);
    size_t end = base_bytes - stem;
    return stem > 0 && name_bytes > base_bytes && memcmp(base, name, stem) == 0 &&
           ends_with(name, name_bytes, base + stem) &&
           is_date_text(name + stem, name_bytes - stem - end);
}

/* the last run of digits in a name: app.log.12.gz, app-20261123.log */
static const char *digits_of(const char *name, size_t *ret_bytes)
{
    size_t end = plain_bytes(name);
    while (end > 0 && !isdigit((unsigned char)name[end - 1]))
        end--;
    size_t begin = end;
    while (begin > 0 && isdigit((unsigned char)name[begin - 1]))
        begin--;
    *ret_bytes = end - begin;
    return name + begin;
}

/* compares two runs of digits as numbers of any size */
static int compare_digits(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    if (a_bytes != b_bytes)
        return a_bytes < b_bytes ? -1 : 1;
    return memcmp(a, b, a_bytes);
}

/* see tail_internal.h */
int siblings_compare_numbers(const char *a, const char *b)
{
    size_t a_bytes, b_bytes;
    const char *x = digits_of(a, &a_bytes);
    const char *y = digits_of(b, &b_bytes);
    if (a_bytes == 0 || b_bytes == 0 || a_bytes >= DATE_DIGITS || b_bytes >= DATE_DIGITS)
        return 0;
    return compare_digits(x, a_bytes, y, b_bytes);
}

/* see tail_internal.h */
int siblings_compare_names(const char *a, const char *b, bool numbers_grow)
{
    int r = siblings_compare_numbers(a, b);
    if (r != 0)
        return numbers_grow ? r : -r;
    return strcmp(a, b);
}
