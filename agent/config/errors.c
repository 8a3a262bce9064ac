/*
 * config/errors - the list of what is wrong with a configuration
 *
 * Texts hold pieces of outside data (keys, values), so control characters are escaped when an
 * error is added. Memory is bounded: at most CONFIG_ERRORS_MAX errors are kept, the rest counted,
 * and one text is cut at TEXT_MAX bytes.
 */
#include "config/errors.h"

#include <string.h>

#include "base/mem.h"
#include "base/slice.h"

#define TEXT_MAX ((size_t)4096)

/* appends s with its control characters as \xNN */
static int add_escaped(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        int error = c < 0x20 || c == 0x7f ? buf_printf(out, "\\x%02x", (unsigned)c)
                                          : buf_add_byte(out, s.ptr[i]);
        if (error != 0)
            return error;
    }
    return 0;
}

/* formats into a string of its own; what does not fit is cut */
static char *PRINTF_LIKE(1, 0) format(const char *fmt, va_list ap)
{
    struct buf raw, text;
    buf_init(&raw, 4 * TEXT_MAX);
    buf_init(&text, TEXT_MAX);
    if (buf_vprintf(&raw, fmt, ap) != 0 && buf_add_str(&raw, "error too long to be shown") != 0)
        raw.len = 0;
    /* a text that does not fit is shown as far as it goes */
    (void)add_escaped(&text, buf_slice(&raw));
    char *copy = mem_strndup(buf_cstr(&text), text.len);
    buf_clear(&raw);
    buf_clear(&text);
    return copy;
}

/* keeps one more error, or counts it */
void config_errors_add(struct config_errors *e, const struct config_place *at, const char *fmt, ...)
{
    if (e->n == CONFIG_ERRORS_MAX) {
        e->more++;
        return;
    }
    if (e->v == NULL)
        e->v = mem_zalloc_array(CONFIG_ERRORS_MAX, sizeof(*e->v));
    va_list ap;
    va_start(ap, fmt);
    e->v[e->n++] = (struct config_error){
        .file = mem_strdup(at->file),
        .line = at->line,
        .column = at->column,
        .text = format(fmt, ap),
    };
    va_end(ap);
}

/* index of the first error of the same file: the file's rank */
static size_t rank_of(const struct config_errors *e, const struct config_error *one)
{
    size_t i = 0;
    while (strcmp(e->v[i].file, one->file) != 0)
        i++;
    return i;
}

/* whether a is to stand before b */
static bool is_before(const struct config_error *a, size_t a_rank, const struct config_error *b,
                      size_t b_rank)
{
    if (a_rank != b_rank)
        return a_rank < b_rank;
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* insertion sort, since it keeps the order of equals and the list is short */
void config_errors_sort(struct config_errors *e)
{
    size_t rank[CONFIG_ERRORS_MAX];
    for (size_t i = 0; i < e->n; i++)
        rank[i] = rank_of(e, &e->v[i]);
    for (size_t i = 1; i < e->n; i++) {
        struct config_error one = e->v[i];
        size_t one_rank = rank[i], to = i;
        for (; to > 0 && is_before(&one, one_rank, &e->v[to - 1], rank[to - 1]); to--) {
            e->v[to] = e->v[to - 1];
            rank[to] = rank[to - 1];
        }
        e->v[to] = one;
        rank[to] = one_rank;
    }
}

/* appends one error as a line */
static int write_one(const struct config_error *one, struct buf *out)
{
    int error = add_escaped(out, slice_str(one->file));
    if (error == 0 && one->line != 0)
        error = buf_printf(out, ":%u:%u", one->line, one->column);
    return error == 0 ? buf_printf(out, ": %s\n", one->text) : error;
}

/* writes the list, and how many it could not keep */
int config_errors_write(const struct config_errors *e, struct buf *out)
{
    for (size_t i = 0; i < e->n; i++) {
        int error = write_one(&e->v[i], out);
        if (error != 0)
            return error;
    }
    return e->more == 0 ? 0 : buf_printf(out, "... and %zu more errors\n", e->more);
}

/* frees the list */
void config_errors_clear(struct config_errors *e)
{
    for (size_t i = 0; i < e->n; i++) {
        mem_free(e->v[i].file);
        mem_free(e->v[i].text);
    }
    mem_free(e->v);
    *e = (struct config_errors){0};
}
