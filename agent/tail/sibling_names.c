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

/* what stands before a number or a date */
static bool is_separator(char c)
{
    return c == '.' || c == '-' || c == '_';
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

/* length of the first n bytes of a name without the numbers and dates that they end with */
static size_t without_numbers(const char *name, size_t n)
{
    size_t end = n;
    while (end > 0 && (isdigit((unsigned char)name[end - 1]) || is_separator(name[end - 1]))) {
        end--;
        if (is_separator(name[end]))
            n = end;
    }
    return n > 0 ? n : strlen(name);
}

/* see tail_internal.h */
size_t siblings_stem(const char *name)
{
    size_t n = without_numbers(name, plain_bytes(name));
    size_t dot = n;
    while (dot > 1 && name[dot - 1] != '.')
        dot--;
    return dot > 1 ? without_numbers(name, dot - 1) : n;
}

/* one byte of a name without what rotation puts into it: numbers and dates behind a separator, and
 * the suffix of a compressed file; NUL = the end */
static char next_of_root(const char *name, size_t len, size_t *at)
{
    while (*at < len && is_separator(name[*at]) && *at + 1 < len &&
           isdigit((unsigned char)name[*at + 1]))
        for ((*at)++; *at < len && isdigit((unsigned char)name[*at]);)
            (*at)++;
    return *at < len ? name[(*at)++] : '\0';
}

/* see tail_internal.h */
bool siblings_are_kin(const char *a, const char *b)
{
    size_t dir = (size_t)(strrchr(a, '/') - a);
    if (strncmp(a, b, dir + 1) != 0 || strchr(b + dir + 1, '/') != NULL)
        return false;
    a += dir + 1;
    b += dir + 1;
    size_t m = plain_bytes(a), n = plain_bytes(b), i = 0, j = 0;
    char x, y;
    do {
        x = next_of_root(a, m, &i);
        y = next_of_root(b, n, &j);
    } while (x == y && x != '\0');
    return x == y;
}

/* The number in a name, its last run of digits: app.log.12.gz. Of a date, which is long or has
 * digits before its last part, there is none. */
static const char *number_of(const char *name, size_t *ret_bytes)
{
    size_t end = plain_bytes(name);
    while (end > 0 && !isdigit((unsigned char)name[end - 1]))
        end--;
    size_t begin = end;
    while (begin > 0 && isdigit((unsigned char)name[begin - 1]))
        begin--;
    bool date =
        end - begin >= DATE_DIGITS || (begin >= 2 && strchr("-_.T:", name[begin - 1]) != NULL &&
                                       isdigit((unsigned char)name[begin - 2]));
    *ret_bytes = date ? 0 : end - begin;
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
    const char *x = number_of(a, &a_bytes);
    const char *y = number_of(b, &b_bytes);
    if (a_bytes == 0 || b_bytes == 0)
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
