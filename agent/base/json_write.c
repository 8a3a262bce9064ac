/*
 * base/json_write - JSON text into a buf
 *
 * One flag says whether the next value or name needs a comma before it: set behind every value,
 * cleared behind every opening and every name. Once an error sticks, only the depth is kept up.
 *
 * json_escape works through an array on the stack, piece by piece: pieces are cut between UTF-8
 * sequences, so that the parts of one sequence are never seen apart.
 *
 * What can fail: limit and memory of the buffer, depth; the buffer then ends in the middle of the
 * document.
 */
#include "base/json_write.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/num.h"
#include "base/utf8.h"

enum {
    PIECE = 512,
    SEQUENCE_MAX = 4,    /* longest UTF-8 sequence */
    DOUBLE_LENGTH = 336, /* "-", 309 digits, ".", four decimals, and NUL */
};

/* appends unless an error sticks */
static void add(struct json_writer *w, const char *p, size_t n)
{
    if (w->error == 0)
        w->error = buf_add(w->out, p, n);
}

/* what every value and name begins with */
static void add_comma(struct json_writer *w)
{
    if (w->need_comma)
        add(w, ",", 1);
    w->need_comma = true;
}

/* a whole value of known text */
static void add_value(struct json_writer *w, const char *p, size_t n)
{
    add_comma(w);
    add(w, p, n);
}

/* text in quotes */
static void add_quoted(struct json_writer *w, struct slice s)
{
    add(w, "\"", 1);
    if (w->error == 0)
        w->error = json_escape(w->out, s, NULL);
    add(w, "\"", 1);
}

/* opens an object or array */
static void open_container(struct json_writer *w, const char *bracket)
{
    add_value(w, bracket, 1);
    w->need_comma = false;
    if (++w->depth > JSON_WRITE_DEPTH && w->error == 0)
        w->error = -EOVERFLOW;
}

/* closes it */
static void close_container(struct json_writer *w, const char *bracket)
{
    assert(w->depth > 0);
    w->depth--;
    add(w, bracket, 1);
    w->need_comma = true;
}

/* starts a document */
void json_begin(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

/* ends it */
int json_done(struct json_writer *w)
{
    assert(w->depth == 0);
    return w->error;
}

/* { */
void json_object(struct json_writer *w)
{
    open_container(w, "{");
}

/* } */
void json_end_object(struct json_writer *w)
{
    close_container(w, "}");
}

/* [ */
void json_array(struct json_writer *w)
{
    open_container(w, "[");
}

/* ] */
void json_end_array(struct json_writer *w)
{
    close_container(w, "]");
}

/* member name */
void json_key(struct json_writer *w, const char *name)
{
    json_key_slice(w, slice_str(name));
}

/* member name */
void json_key_slice(struct json_writer *w, struct slice name)
{
    add_comma(w);
    add_quoted(w, name);
    add(w, ":", 1);
    w->need_comma = false;
}

/* string */
void json_string(struct json_writer *w, struct slice s)
{
    add_comma(w);
    add_quoted(w, s);
}

/* string */
void json_cstring(struct json_writer *w, const char *s)
{
    json_string(w, slice_str(s));
}

/* unsigned number */
void json_u64(struct json_writer *w, uint64_t v)
{
    char text[20];
    add_value(w, text, num_write_u64(text, v));
}

/* signed number */
void json_i64(struct json_writer *w, int64_t v)
{
    char text[21] = "-";
    size_t sign = v < 0 ? 1 : 0;
    /* negated as unsigned, for INT64_MIN */
    uint64_t amount = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    add_value(w, text, sign + num_write_u64(text + sign, amount));
}

/* number with few decimals */
void json_double4(struct json_writer *w, double v)
{
    if (!isfinite(v)) {
        json_null(w);
        return;
    }
    char text[DOUBLE_LENGTH];
    int printed = snprintf(text, sizeof(text), "%.4f", v);
    size_t n = printed > 0 ? (size_t)printed : 0;
    while (n > 0 && text[n - 1] == '0')
        n--;
    if (n > 0 && text[n - 1] == '.')
        n--;
    if (slice_eq_str(slice_of(text, n), "-0")) /* a value, not the sign of nothing */
        add_value(w, "0", 1);
    else
        add_value(w, text, n);
}

/* true or false */
void json_bool(struct json_writer *w, bool v)
{
    add_value(w, v ? "true" : "false", v ? 4 : 5);
}

/* null */
void json_null(struct json_writer *w)
{
    add_value(w, "null", 4);
}

/* ready text */
void json_raw(struct json_writer *w, struct slice json)
{
    add_value(w, json.ptr, json.len);
}

/* length of the next piece of s: at most PIECE, ending between sequences */
static size_t piece_length(struct slice s)
{
    if (s.len <= PIECE)
        return s.len;
    for (size_t back = 1; back < SEQUENCE_MAX; back++) {
        const char *at = s.ptr + PIECE - back;
        if ((*at & 0xc0) == 0x80)
            continue;
        /* the last byte that can begin a sequence: does that sequence, good or bad, go on? */
        size_t n = utf8_sequence(at, s.len - (PIECE - back));
        if (n == 0)
            n = utf8_bad_length(at, s.len - (PIECE - back));
        return n > back ? PIECE - back : PIECE;
    }
    return PIECE;
}

/* text of a string */
int json_escape(struct buf *out, struct slice s, uint64_t *ret_bad)
{
    size_t before = out->len;
    uint64_t bad = 0;
    while (s.len > 0) {
        char text[ESCAPE_WORST(PIECE)];
        size_t n = piece_length(s);
        int r = buf_add(out, text, escape_json(text, s.ptr, n, &bad));
        if (r < 0) {
            buf_cut(out, before);
            return r;
        }
        s = slice_sub(s, n, s.len);
    }
    if (ret_bad != NULL)
        *ret_bad += bad;
    return 0;
}
