/*
 * bulk/target - a pattern taken apart once, put together for each day
 *
 * Fields and literals become pieces of text, dates become pieces that count. A date gives digits
 * and nothing else, at most WIDTH_MAX of them, so the rules for names are checked on one day and on
 * the longest length.
 *
 * What can fail: the pattern, told with what is wrong in it.
 */
#include "bulk/target.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/mem.h"

#define PIECES_MAX 32
#define WIDTH_MAX  4
#define NS_PER_DAY INT64_C(86400000000000)
/* the last week that a time in ns can tell wholly */
#define DAY_MAX ((int32_t)(INT64_MAX / NS_PER_DAY - 7))

enum piece_kind {
    PIECE_TEXT,
    PIECE_YEAR,
    PIECE_SHORT_YEAR,
    PIECE_MONTH,
    PIECE_DAY,
    PIECE_DAY_OF_YEAR,
    PIECE_WEEK_YEAR,
    PIECE_WEEK,
};

struct piece {
    enum piece_kind kind;
    unsigned width;  /* digits at least */
    size_t from, to; /* PIECE_TEXT: in the text */
};

struct target {
    bool dated;
    unsigned count;
    struct piece pieces[PIECES_MAX];
    struct buf text;
};

/* What the parser knows. */
struct parse {
    struct target *t;
    struct slice pattern; /* whole, for messages */
    struct slice rest;
    target_field_fn field;
    void *ctx;
    struct err *e;
};

/* ---- days ---- */

/* days from the first of January */
static int32_t day_of_year(const struct date *d)
{
    static const int16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool is_leap = d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0);
    return before[d->month - 1] + (d->month > 2 && is_leap) + d->day - 1;
}

/* the date of a day number */
static struct date date_of(int32_t day)
{
    struct date d;
    date_from_ns(day * NS_PER_DAY, &d);
    return d;
}

/* the Thursday of an ISO week decides its year; 1970-01-01 was one */
static struct date thursday_of(int32_t day)
{
    int32_t weekday = (day + 3) % 7; /* Monday is 0 */
    return date_of(day - weekday + 3);
}

/* the number that a piece shows */
static unsigned value_of(enum piece_kind kind, int32_t day)
{
    day = day < 0 ? 0 : day > DAY_MAX ? DAY_MAX : day;
    struct date d = date_of(day);
    struct date thursday = thursday_of(day);
    switch (kind) {
    case PIECE_YEAR:
        return (unsigned)d.year;
    case PIECE_SHORT_YEAR:
        return (unsigned)d.year % 100;
    case PIECE_MONTH:
        return (unsigned)d.month;
    case PIECE_DAY:
        return (unsigned)d.day;
    case PIECE_DAY_OF_YEAR:
        return (unsigned)day_of_year(&d) + 1;
    case PIECE_WEEK_YEAR:
        return (unsigned)thursday.year;
    case PIECE_WEEK:
        return (unsigned)day_of_year(&thursday) / 7 + 1;
    case PIECE_TEXT:
        break;
    }
    return 0;
}

/* ---- the parser ---- */

/* what is wrong, with the pattern */
static int fail(struct parse *p, const char *what)
{
    return err_set(p->e, -EINVAL, "index \"%.*s\": %s",
                   (int)(p->pattern.len < 200 ? p->pattern.len : 200), p->pattern.ptr, what);
}

/* a new piece, NULL when there are too many */
static struct piece *add_piece(struct parse *p, enum piece_kind kind, unsigned width)
{
    if (p->t->count == PIECES_MAX)
        return NULL;
    struct piece *piece = &p->t->pieces[p->t->count++];
    *piece = (struct piece){.kind = kind, .width = width};
    return piece;
}

/* text goes on with the last piece, if that is text */
static int add_text(struct parse *p, struct slice text)
{
    struct target *t = p->t;
    struct piece *last = t->count > 0 ? &t->pieces[t->count - 1] : NULL;
    if (last == NULL || last->kind != PIECE_TEXT) {
        last = add_piece(p, PIECE_TEXT, 0);
        if (last == NULL)
            return fail(p, "it has too many parts");
        last->from = last->to = t->text.len;
    }
    if (buf_add_slice(&t->text, text) < 0)
        return fail(p, "it is too long");
    last->to = t->text.len;
    return 0;
}

/* a number of the day */
static int add_date(struct parse *p, enum piece_kind kind, unsigned width)
{
    p->t->dated = true;
    return add_piece(p, kind, width) == NULL ? fail(p, "it has too many parts") : 0;
}

/* a run of one Java letter */
static int add_letters(struct parse *p, char letter, unsigned n, bool has_week)
{
    if (letter == 'Y' && has_week && n != 2)
        return add_date(p, PIECE_WEEK_YEAR, 4);
    switch (letter) {
    case 'Y':
    case 'y':
    case 'u':
        return n == 2 ? add_date(p, PIECE_SHORT_YEAR, 2) : add_date(p, PIECE_YEAR, 4);
    case 'x':
        return add_date(p, PIECE_WEEK_YEAR, 4);
    case 'M':
        return n <= 2 ? add_date(p, PIECE_MONTH, n) : fail(p, "names of months are not made");
    case 'd':
        return n <= 2 ? add_date(p, PIECE_DAY, n) : fail(p, "a day has two digits");
    case 'D':
        return n <= 3 ? add_date(p, PIECE_DAY_OF_YEAR, n)
                      : fail(p, "a day of the year has three digits");
    case 'w':
        return n <= 2 ? add_date(p, PIECE_WEEK, n) : fail(p, "a week has two digits");
    default:
        return fail(p, "the date may hold y M d, D, x and w: an index takes whole days or weeks");
    }
}

/* 'text' at the front of a Java date; '' is a quote, which no index may have */
static int add_quoted(struct parse *p, struct slice *date)
{
    struct slice inner = slice_sub(*date, 1, SIZE_MAX);
    size_t end = slice_find(inner, '\'');
    if (end == inner.len)
        return fail(p, "a quote is not closed");
    *date = slice_sub(inner, end + 1, SIZE_MAX);
    return add_text(p, slice_sub(inner, 0, end));
}

/* what stands in %{+...} */
static int parse_java(struct parse *p, struct slice date)
{
    const unsigned before = p->t->count;
    const bool has_week = slice_find(date, 'w') < date.len;
    bool has_digits = false;
    int r = 0;
    while (r == 0 && date.len > 0) {
        size_t n = 1;
        if (date.ptr[0] == '\'') {
            r = add_quoted(p, &date);
            continue;
        }
        while (n < date.len && date.ptr[n] == date.ptr[0])
            n++;
        if (isalpha((unsigned char)date.ptr[0]))
            r = add_letters(p, date.ptr[0], (unsigned)(n < 9 ? n : 9), has_week);
        else
            r = add_text(p, slice_sub(date, 0, n));
        date = slice_sub(date, n, SIZE_MAX);
    }
    for (unsigned i = before; i < p->t->count; i++)
        has_digits = has_digits || p->t->pieces[i].kind != PIECE_TEXT;
    return r < 0 || has_digits ? r : fail(p, "a date without digits: %{+yyyy.MM.dd} is one");
}

/* "a.b" or "a][b" to a.b */
static int field_name(struct parse *p, struct slice text, struct buf *name)
{
    struct slice part;
    if (text.len == 0)
        return fail(p, "a field without a name");
    for (; text.len > 0; text = slice_sub(text, 1, SIZE_MAX)) {
        part = slice_sub(text, 0, 1);
        if (slice_starts(text, SLICE_LIT("]["))) {
            part = SLICE_LIT(".");
            text = slice_sub(text, 1, SIZE_MAX);
        }
        if (buf_add_slice(name, part) < 0)
            return fail(p, "the name of a field is too long");
    }
    return 0;
}

/* a field's value in lower case */
static int add_value(struct parse *p, struct slice name, struct slice fallback, bool has_fallback)
{
    struct slice value = {0};
    bool has_value = p->field != NULL && p->field(p->ctx, name, &value) && value.len > 0;
    if (!has_value && !has_fallback)
        return err_set(p->e, -EINVAL,
                       "index \"%.*s\": there is no field \"%.*s\"; %%{[%.*s]:other} names another "
                       "value",
                       (int)(p->pattern.len < 200 ? p->pattern.len : 200), p->pattern.ptr,
                       (int)name.len, name.ptr, (int)name.len, name.ptr);
    if (!has_value)
        return add_text(p, fallback);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        char lower = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        int r = add_text(p, slice_of(&lower, 1));
        if (r < 0)
            return r;
    }
    return 0;
}

/* what stands in %{[...]} or %{[...]:...} */
static int parse_field(struct parse *p, struct slice text)
{
    struct buf name;
    size_t close = slice_find(text, ':');
    struct slice reference = slice_sub(text, 0, close);
    if (p->t->count == 0 || p->t->pieces[0].kind != PIECE_TEXT)
        return fail(p, "it must begin with text, not with a field");
    if (!slice_ends(reference, SLICE_LIT("]")) || reference.len < 2)
        return fail(p, "a field is written %{[name]} or %{[name]:other}");
    buf_init(&name, 100);
    int r = field_name(p, slice_sub(reference, 1, reference.len - 2), &name);
    if (r == 0)
        r = add_value(p, buf_slice(&name), slice_sub(text, close + 1, SIZE_MAX), close < text.len);
    buf_clear(&name);
    return r;
}

/* %{...} */
static int parse_braces(struct parse *p)
{
    struct slice inner = slice_sub(p->rest, 2, SIZE_MAX);
    size_t end = slice_find(inner, '}');
    if (end == inner.len)
        return fail(p, "a brace is not closed");
    p->rest = slice_sub(inner, end + 1, SIZE_MAX);
    inner.len = end;
    if (slice_starts(inner, SLICE_LIT("+")))
        return parse_java(p, slice_sub(inner, 1, SIZE_MAX));
    if (slice_starts(inner, SLICE_LIT("[")))
        return parse_field(p, inner);
    return fail(p, "%{ begins a date, %{+yyyy.MM.dd}, or a field, %{[name]}");
}

/* year, month and day with dashes */
static int add_full_date(struct parse *p)
{
    int r = add_date(p, PIECE_YEAR, 4);
    if (r == 0)
        r = add_text(p, SLICE_LIT("-"));
    if (r == 0)
        r = add_date(p, PIECE_MONTH, 2);
    if (r == 0)
        r = add_text(p, SLICE_LIT("-"));
    return r == 0 ? add_date(p, PIECE_DAY, 2) : r;
}

/* % and a letter */
static int parse_strftime(struct parse *p)
{
    static const struct {
        char letter;
        enum piece_kind kind;
        unsigned width;
    } letters[] = {
        {'Y', PIECE_YEAR, 4}, {'y', PIECE_SHORT_YEAR, 2},  {'m', PIECE_MONTH, 2},
        {'d', PIECE_DAY, 2},  {'j', PIECE_DAY_OF_YEAR, 3}, {'G', PIECE_WEEK_YEAR, 4},
        {'V', PIECE_WEEK, 2},
    };
    char letter = p->rest.len > 1 ? p->rest.ptr[1] : '\0';
    p->rest = slice_sub(p->rest, 2, SIZE_MAX);
    for (size_t i = 0; i < ARRAY_LEN(letters); i++)
        if (letters[i].letter == letter)
            return add_date(p, letters[i].kind, letters[i].width);
    if (letter == 'F')
        return add_full_date(p);
    if (letter == '%')
        return add_text(p, SLICE_LIT("%"));
    return fail(p, "behind % may stand Y y m d j F G V, % or a brace");
}

/* all of it */
static int parse(struct parse *p)
{
    int r = 0;
    p->rest = p->pattern;
    while (r == 0 && p->rest.len > 0) {
        size_t n = slice_find(p->rest, '%');
        if (n > 0) {
            r = add_text(p, slice_sub(p->rest, 0, n));
            p->rest = slice_sub(p->rest, n, SIZE_MAX);
        } else if (p->rest.len > 1 && p->rest.ptr[1] == '{') {
            r = parse_braces(p);
        } else {
            r = parse_strftime(p);
        }
    }
    return r;
}

/* ---- names ---- */

/* see header */
int target_check_name(struct slice name, struct err *e)
{
    const char *what = NULL;
    if (name.len == 0)
        what = "is empty";
    else if (name.len > BATCH_TARGET_MAX)
        what = "is longer than 255 bytes";
    else if (strchr("-_+", name.ptr[0]) != NULL)
        what = "may not begin with - _ or +";
    else if (slice_eq_str(name, ".") || slice_eq_str(name, ".."))
        what = "may not be a dot or two";
    for (size_t i = 0; what == NULL && i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c >= 'A' && c <= 'Z')
            what = "must be in lower case";
        else if (c <= ' ' || c == 0x7f || strchr("\\/*?\"<>|,#:", c) != NULL)
            what = "may hold no blank, no control character and none of \\ / * ? \" < > | , # :";
    }
    if (what == NULL)
        return 0;
    return err_set(e, -EINVAL, "the name of an index %s: \"%.*s\"", what,
                   (int)(name.len < 200 ? name.len : 200), name.ptr);
}

/* digits of a number, leading zeros up to width; returns how many */
static size_t put_number(char *dst, unsigned v, unsigned width)
{
    char digits[10];
    size_t n = 0;
    for (; v > 0 || n < width; v /= 10)
        digits[n++] = (char)('0' + v % 10);
    for (size_t i = 0; i < n; i++)
        dst[i] = digits[n - 1 - i];
    return n;
}

/* see header; a star is no longer than the digits that it stands for */
void target_pattern(const struct target *t, char dst[BATCH_TARGET_MAX + 1])
{
    unsigned first = 0, last = t->count;
    size_t n = 0;
    while (first < t->count && t->pieces[first].kind == PIECE_TEXT)
        first++;
    while (last > first && t->pieces[last - 1].kind == PIECE_TEXT)
        last--;
    for (unsigned i = 0; i < t->count; i++) {
        const struct piece *piece = &t->pieces[i];
        if (i == first)
            dst[n++] = '*';
        if (i >= first && i < last)
            continue;
        memcpy(dst + n, t->text.ptr + piece->from, piece->to - piece->from);
        n += piece->to - piece->from;
    }
    dst[n] = '\0';
}

/* see header; the length was checked when it was made */
void target_name(const struct target *t, int32_t day, char dst[BATCH_TARGET_MAX + 1])
{
    size_t n = 0;
    for (unsigned i = 0; i < t->count; i++) {
        const struct piece *piece = &t->pieces[i];
        if (piece->kind == PIECE_TEXT) {
            memcpy(dst + n, t->text.ptr + piece->from, piece->to - piece->from);
            n += piece->to - piece->from;
        } else {
            n += put_number(dst + n, value_of(piece->kind, day), piece->width);
        }
    }
    dst[n] = '\0';
}

/* the longest name, and the rules on one day */
static int check(const struct target *t, struct err *e)
{
    char name[BATCH_TARGET_MAX + 1];
    size_t longest = t->text.len;
    for (unsigned i = 0; i < t->count; i++)
        longest += t->pieces[i].kind == PIECE_TEXT ? 0 : WIDTH_MAX;
    if (longest > BATCH_TARGET_MAX)
        return err_set(e, -EINVAL, "the name of an index is longer than 255 bytes");
    target_name(t, 0, name);
    return target_check_name(slice_str(name), e);
}

/* see header */
int target_new(struct slice pattern, target_field_fn field, void *ctx, struct target **ret_target,
               struct err *e)
{
    struct target *t = mem_zalloc(sizeof(*t));
    struct parse p = {.t = t, .pattern = pattern, .field = field, .ctx = ctx, .e = e};
    buf_init(&t->text, KIB);
    int r = slice_find(pattern, '\0') < pattern.len ? fail(&p, "it holds a NUL") : parse(&p);
    if (r == 0)
        r = check(t, e);
    if (r < 0)
        target_free(&t);
    else
        *ret_target = t;
    return r;
}

/* see header */
void target_free(struct target **t)
{
    if (*t == NULL)
        return;
    buf_clear(&(*t)->text);
    mem_free(*t);
    *t = NULL;
}

/* see header */
bool target_is_dated(const struct target *t)
{
    return t->dated;
}
