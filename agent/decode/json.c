/*
 * decode/json - lines that are one JSON object
 *
 * A value is put together anew from the scanner's events, so that whatever stands in the line, what
 * is given is text that is written here. Objects that the sink has a place for are open: their
 * members are given one by one. Everything else is one value.
 *
 *   open objects: path[0 .. placed]   a value that is put together: it begins at depth `begin`
 *
 * Invariants: a name is in `seen` by a hash of its object's number and its bytes; text.max is
 * enough for a line of line_max bytes in which each byte is replaced.
 */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"
#include "decode/decode.h"

/* what a byte of the line becomes at worst: U+FFFD */
#define GROWTH 3

/* memory that stays for the next line */
#define KEEP_BYTES (256 * KIB)

/* magnitude below 10^38: a float holds 3.4 * 10^38 */
#define EXPONENT_MAX 37
#define NUMBER_MAX   64

struct decode_json {
    struct decode_json_sink sink;
    struct json_scan *scan;
    size_t line_max;
    const char *why;
    int path[DECODE_JSON_DEPTH]; /* numbers of the open objects, by depth */
    unsigned placed;             /* depth of the innermost */
    bool in_value;
    unsigned begin;           /* depth of the value that is put together, */
    enum json_event kind;     /* what it begins with, */
    struct json_writer value; /* and its writer */
    struct buf text;
    struct buf name;
    uint32_t objects;                      /* how many began */
    uint32_t object_at[DECODE_JSON_DEPTH]; /* number of the one that is open at a depth */
    unsigned names;
    uint64_t seen[DECODE_JSON_NAMES];
};

/* stops the scan */
static int refuse(struct decode_json *d, const char *why)
{
    d->why = why;
    return -1;
}

/* whether an index takes a field of that name */
static bool is_name(struct slice name)
{
    bool blank = true;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c < ' ' || (c == '.' && blank))
            return false;
        blank = c == '.' || (blank && c == ' ');
    }
    return !blank && utf8_is_valid(name);
}

/* whether a number's text is one that a long or a float holds */
static bool is_number(struct slice text)
{
    int64_t whole, exponent = 0;
    size_t digits = 0, at = text.ptr[0] == '-';
    if (text.len > NUMBER_MAX)
        return false;
    while (at + digits < text.len && text.ptr[at + digits] >= '0' && text.ptr[at + digits] <= '9')
        digits++;
    if (at + digits == text.len)
        return num_i64(text, &whole) == 0;
    size_t e = slice_find(text, 'e');
    if (e == text.len)
        e = slice_find(text, 'E');
    struct slice power = slice_sub(text, e + 1, SIZE_MAX);
    if (power.len > 0 && power.ptr[0] == '+')
        power = slice_sub(power, 1, SIZE_MAX);
    if (e < text.len && (num_i64(power, &exponent) < 0 || exponent > EXPONENT_MAX))
        return false;
    return exponent + (int64_t)digits - 1 <= EXPONENT_MAX;
}

/* takes a name; non-zero: there is one of the kind in its object already, or it is none */
static int take_name(struct decode_json *d, unsigned depth, struct slice name, bool cut)
{
    if (cut || name.len > DECODE_JSON_NAME_MAX || d->names == DECODE_JSON_NAMES)
        return refuse(d, "more or longer names than are taken");
    if (!is_name(name))
        return refuse(d, "a name that no index takes");
    uint64_t hash = hash64(name.ptr, name.len) ^ hash64_u64(d->object_at[depth - 1]);
    for (unsigned i = 0; i < d->names; i++)
        if (d->seen[i] == hash)
            return refuse(d, "a name stands there twice");
    d->seen[d->names++] = hash;
    if (d->in_value) {
        json_key_slice(&d->value, name);
        return 0;
    }
    buf_reset(&d->name);
    return buf_add_slice(&d->name, name);
}

/* one event of a value to its text */
static int write_value(struct decode_json *d, enum json_event event, struct slice text)
{
    switch (event) {
    case JSON_OBJECT:
        json_object(&d->value);
        break;
    case JSON_OBJECT_END:
        json_end_object(&d->value);
        break;
    case JSON_ARRAY:
        json_array(&d->value);
        break;
    case JSON_ARRAY_END:
        json_end_array(&d->value);
        break;
    case JSON_STRING:
        json_string(&d->value, text);
        break;
    case JSON_NUMBER:
        if (!is_number(text))
            return refuse(d, "a number beyond what an index takes");
        json_raw(&d->value, text);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_bool(&d->value, event == JSON_TRUE);
        break;
    case JSON_NULL:
        json_null(&d->value);
        break;
    case JSON_KEY: /* not a value */
        break;
    }
    return d->value.error;
}

/* gives a value that is whole */
static int give(struct decode_json *d, struct slice text)
{
    d->in_value = false;
    int r = json_done(&d->value);
    if (r == 0 && d->sink.member(d->sink.ctx, d->path[d->placed], buf_slice(&d->name), d->kind,
                                 buf_slice(&d->text), text) != 0)
        return refuse(d, "a field stands there twice");
    return r;
}

/* opens an object of which the members are given, if it is one */
static bool open_placed(struct decode_json *d, unsigned depth)
{
    int object = 0;
    if (depth > 0)
        object = d->sink.place(d->sink.ctx, d->path[d->placed], buf_slice(&d->name));
    if (depth > 0 && object <= 0)
        return false;
    d->placed = depth;
    d->path[depth] = object;
    return true;
}

/* an event outside of a value */
static int begin_value(struct decode_json *d, enum json_event event, unsigned depth,
                       struct slice text)
{
    if (event == JSON_OBJECT && open_placed(d, depth))
        return 0;
    if (depth == 0 && event != JSON_OBJECT_END)
        return refuse(d, "not a JSON object");
    if (event == JSON_OBJECT_END) {
        d->placed = depth > 0 ? depth - 1 : 0;
        return 0;
    }
    buf_reset(&d->text);
    json_begin(&d->value, &d->text);
    d->in_value = true;
    d->begin = depth;
    d->kind = event;
    int r = write_value(d, event, text);
    return r != 0 || event == JSON_OBJECT || event == JSON_ARRAY ? r : give(d, text);
}

/* one piece of the line */
static int on_event(void *ctx, enum json_event event, unsigned depth, struct slice text, bool cut)
{
    struct decode_json *d = ctx;
    if (event == JSON_KEY)
        return take_name(d, depth, text, cut);
    if (event == JSON_OBJECT || event == JSON_ARRAY) {
        if (depth == DECODE_JSON_DEPTH)
            return refuse(d, "deeper than is taken");
        d->object_at[depth] = d->objects++;
    }
    if (!d->in_value)
        return begin_value(d, event, depth, text);
    int r = write_value(d, event, text);
    bool ends = (event == JSON_OBJECT_END || event == JSON_ARRAY_END) && depth == d->begin;
    return r == 0 && ends ? give(d, slice_of(NULL, 0)) : r;
}

/* see header */
struct decode_json *decode_json_new(size_t line_max, const struct decode_json_sink *sink)
{
    struct decode_json *d = mem_zalloc(sizeof(*d));
    d->sink = *sink;
    d->line_max = line_max;
    d->scan = json_scan_new(line_max, on_event, d);
    buf_init(&d->text, GROWTH * line_max + 2);
    buf_init(&d->name, DECODE_JSON_NAME_MAX);
    return d;
}

/* see header */
void decode_json_free(struct decode_json **d)
{
    if (*d == NULL)
        return;
    json_scan_free(&(*d)->scan);
    buf_clear(&(*d)->text);
    buf_clear(&(*d)->name);
    mem_free(*d);
    *d = NULL;
}

/* see header */
const char *decode_json(struct decode_json *d, struct slice line)
{
    d->why = "not JSON";
    d->in_value = false;
    d->placed = 0;
    d->names = 0;
    d->objects = 0;
    if (d->text.cap > KEEP_BYTES)
        buf_clear(&d->text);
    json_scan_reset(d->scan);
    if (line.len <= d->line_max && json_scan_feed(d->scan, line) == 0 &&
        json_scan_finish(d->scan) == 0)
        return NULL;
    return d->why;
}

/* see header */
bool decode_is_json(struct slice line)
{
    line = slice_trim(line);
    return line.len > 0 && line.ptr[0] == '{';
}
