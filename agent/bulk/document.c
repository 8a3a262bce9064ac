/*
 * bulk/document - members to one object
 *
 * The names of the table, both of each row, are a tree of places, made once. A place is an object,
 * or leads to a row. A row has one value; what is in no row is kept as text, with the object it
 * stands in. Writing walks the tree.
 *
 * Invariants: place 0 is the top; a row's place has no members; no two texts of `rest` that stand
 * in one object have the same name, and none has the name of a place in it.
 *
 * What can fail: more texts than a line may have names count as a name that is there already.
 */
#include "bulk/document.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/hash.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/num.h"

#define PLACES_MAX 96
#define NO_ROW     (-1)
#define REST_MAX   512
#define LINE_BYTES ((size_t)512 * MIB) /* lines have limits of their own */
#define KEEP_BYTES (256 * KIB)         /* memory that stays for the next line */
#define TERM_MAX   8191                /* bytes of a keyword: an index takes 32766 */
#define NAME_MAX_  512                 /* of a whole name: a line's is shorter, ours are short */

/* A name in the place above it, and what stands there. */
struct place {
    struct slice name;
    int row;      /* or NO_ROW: an object */
    bool written; /* the row stands here in documents of the profile */
    uint8_t above, first, next;
};

/* A part of the text that was kept. */
struct part {
    size_t from, to;
};

/* A member that is in no row: "name":value. */
struct rest {
    int place; /* the object it stands in */
    struct part part;
    uint64_t name_hash;
};

struct document {
    enum profile profile;
    document_time_fn time;
    struct place places[PLACES_MAX];
    int place_count;
    int clashes;        /* the place `json` */
    size_t place_bytes; /* what all names take */
    char *constants[LOG_FIELD_MAX];
    struct slice own[LOG_FIELD_MAX]; /* before those of the line */
    struct part line[LOG_FIELD_MAX]; /* to 0: none */
    struct rest rest[REST_MAX];
    unsigned rest_count;
    struct buf text;
    bool undated;
};

/* the place of a name in an object; 0: none */
static int find(const struct document *d, int object, struct slice name)
{
    int at = d->places[object].first;
    while (at != 0 && !slice_eq(d->places[at].name, name))
        at = d->places[at].next;
    return at;
}

/* the same, made behind the others where there is none */
static int add(struct document *d, int object, struct slice name)
{
    int at = find(d, object, name);
    uint8_t *link = &d->places[object].first;
    if (at != 0)
        return at;
    while (*link != 0)
        link = &d->places[*link].next;
    assert(d->place_count < PLACES_MAX); /* the unit test makes all of them */
    at = d->place_count++;
    d->places[at] = (struct place){.name = name, .row = NO_ROW, .above = (uint8_t)object};
    d->place_bytes += name.len + sizeof("\"\":{},");
    *link = (uint8_t)at;
    return at;
}

/* a name of a row; an object that takes any member is a place only */
static int add_row(struct document *d, int row, const char *name, bool written)
{
    const struct log_field *f = &log_fields[row];
    struct slice rest = slice_str(name), part;
    int at = 0;
    while (slice_next(&rest, '.', &part))
        at = add(d, at, part);
    if (f->type != FIELD_OBJECT || (f->flags & FIELD_OURS) != 0)
        d->places[at].row = row;
    d->places[at].written = written;
    return at;
}

/* see header */
struct document *document_new(enum profile profile, document_time_fn time)
{
    struct document *d = mem_zalloc(sizeof(*d));
    d->profile = profile;
    d->time = time;
    d->place_count = 1;
    d->places[0].row = NO_ROW;
    assert(log_field_count <= LOG_FIELD_MAX);
    for (int i = 0; i < (int)log_field_count; i++) {
        const struct log_field *f = &log_fields[i];
        bool both = f->platform == NULL || (f->flags & FIELD_BOTH_NAMES) != 0;
        int at = add_row(d, i, f->name, both || profile == PROFILE_DEFAULT);
        if (f->platform != NULL)
            (void)add_row(d, i, f->platform, profile == PROFILE_ISP); /* its place is in the tree */
        if ((f->flags & FIELD_NOT_INDEXED) != 0)
            d->clashes = at;
    }
    buf_init(&d->text, LINE_BYTES);
    return d;
}

/* see header */
void document_free(struct document **d)
{
    if (*d == NULL)
        return;
    for (size_t i = 0; i < LOG_FIELD_MAX; i++)
        mem_free((*d)->constants[i]);
    buf_clear(&(*d)->text);
    mem_free(*d);
    *d = NULL;
}

/* see header */
void document_constant(struct document *d, enum log_field_id id, struct slice json)
{
    mem_free(d->constants[id]);
    d->constants[id] = mem_strndup(json.ptr, json.len);
}

/* see header */
void document_reset(struct document *d)
{
    memset(d->own, 0, sizeof(d->own));
    memset(d->line, 0, sizeof(d->line));
    d->rest_count = 0;
    d->undated = false;
    if (d->text.cap > KEEP_BYTES)
        buf_clear(&d->text);
    buf_reset(&d->text);
}

/* see header */
void document_set(struct document *d, enum log_field_id id, struct slice json)
{
    d->own[id] = json;
}

/* the value of a row, empty: none */
static struct slice value_of(const struct document *d, int row)
{
    const struct part *line = &d->line[row];
    if (d->own[row].len > 0)
        return d->own[row];
    if (line->to > 0)
        return slice_of(d->text.ptr + line->from, line->to - line->from);
    return slice_str(d->constants[row]);
}

/* Where a name in an object leads: the place; *ret_rest is what of the name is in no place there,
 * so that the place is the object it stands in. A row with something behind it is a clash. */
static int resolve(const struct document *d, int object, struct slice name, struct slice *ret_rest)
{
    *ret_rest = name;
    while (ret_rest->len > 0 && d->places[object].row == NO_ROW) {
        int whole = find(d, object, *ret_rest);
        size_t dot = slice_find(*ret_rest, '.');
        int part = dot < ret_rest->len ? find(d, object, slice_sub(*ret_rest, 0, dot)) : 0;
        if (whole != 0)
            dot = ret_rest->len;
        else if (part == 0)
            break;
        object = whole != 0 ? whole : part;
        *ret_rest = slice_sub(*ret_rest, dot + 1, SIZE_MAX);
    }
    return object;
}

/* see header */
int document_place(void *ctx, int object, struct slice name)
{
    const struct document *d = ctx;
    struct slice rest;
    int at = resolve(d, object, name, &rest);
    return rest.len == 0 && d->places[at].row == NO_ROW ? at : 0;
}

/* keeps text; what cannot be kept is not there */
static struct part keep(struct document *d, struct slice a, struct slice b, struct slice c)
{
    struct part part = {d->text.len, 0};
    if (buf_add_slice(&d->text, a) < 0 || buf_add_slice(&d->text, b) < 0 ||
        buf_add_slice(&d->text, c) < 0)
        return part;
    part.to = d->text.len;
    return part;
}

/* keeps a member that is in no row; -1: its object has one of that name */
static int add_rest(struct document *d, int place, struct slice name, struct slice json)
{
    struct buf key;
    struct json_writer w;
    uint64_t hash = hash64(name.ptr, name.len);
    for (unsigned i = 0; i < d->rest_count; i++)
        if (d->rest[i].place == place && d->rest[i].name_hash == hash)
            return -1;
    if (d->rest_count == REST_MAX)
        return -1;
    buf_init(&key, 6 * NAME_MAX_ + 2);
    json_begin(&w, &key);
    json_string(&w, name);
    struct part part = {0};
    if (json_done(&w) == 0)
        part = keep(d, buf_slice(&key), SLICE_LIT(":"), json);
    buf_clear(&key);
    if (part.to == 0)
        return -1;
    d->rest[d->rest_count++] = (struct rest){place, part, hash};
    return 0;
}

/* the whole name of a member of a place, in its order */
static int add_whole_name(const struct document *d, int place, struct buf *out)
{
    if (place == 0)
        return 0;
    int r = add_whole_name(d, d->places[place].above, out);
    if (r == 0)
        r = buf_add_slice(out, d->places[place].name);
    return r < 0 ? r : buf_add_byte(out, '.');
}

/* a member that cannot stand where it would */
static int add_clash(struct document *d, int object, struct slice name, struct slice json)
{
    struct buf whole;
    buf_init(&whole, NAME_MAX_);
    int r = add_whole_name(d, object, &whole);
    if (r == 0)
        r = buf_add_slice(&whole, name);
    if (r == 0)
        r = add_rest(d, d->clashes, buf_slice(&whole), json);
    buf_clear(&whole);
    return r < 0 ? -1 : 0;
}

/* whether a text is an address */
static bool is_address(struct slice text)
{
    char copy[INET6_ADDRSTRLEN], address[16];
    if (text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET, copy, address) == 1 || inet_pton(AF_INET6, copy, address) == 1;
}

/* whether a list holds neither lists nor objects; a text with brackets counts as one */
static bool is_flat(struct slice json)
{
    struct slice within = slice_sub(json, 1, SIZE_MAX);
    return slice_find(within, '[') == within.len && slice_find(within, '{') == within.len;
}

/* whether a value is one of a type, other than a time */
static bool fits(enum field_type type, enum json_event kind, struct slice json, struct slice text)
{
    int64_t whole;
    double real;
    bool single = kind == JSON_STRING || kind == JSON_NUMBER;
    switch (type) {
    case FIELD_KEYWORD:
    case FIELD_CONSTANT_KEYWORD:
    case FIELD_BOOLEAN:
        if (json.len > TERM_MAX)
            break;
        return single || kind == JSON_TRUE || kind == JSON_FALSE ||
               (kind == JSON_ARRAY && is_flat(json));
    case FIELD_TEXT:
        return single || kind == JSON_TRUE || kind == JSON_FALSE;
    case FIELD_LONG:
        return single && num_i64(text, &whole) == 0;
    case FIELD_FLOAT:
    case FIELD_SCALED_FLOAT:
        return kind == JSON_NUMBER || (single && num_double(text, &real) == 0);
    case FIELD_IP:
        return kind == JSON_STRING && is_address(text);
    case FIELD_DATE:
    case FIELD_OBJECT:
        break;
    }
    return false;
}

/* the time of the line */
static bool take_time(struct document *d, int row, enum json_event kind, struct slice text)
{
    char time[DOCUMENT_TIME_MAX];
    size_t n = kind == JSON_STRING && d->time != NULL ? d->time(text, time) : 0;
    d->undated = n == 0;
    if (n > 0)
        d->line[row] = keep(d, SLICE_LIT("\""), slice_of(time, n), SLICE_LIT("\""));
    return n > 0;
}

/* a value for a row; false: it cannot stand there */
static bool take(struct document *d, int row, enum json_event kind, struct slice json,
                 struct slice text)
{
    const struct log_field *f = &log_fields[row];
    enum field_type type = log_field_type(f, d->profile);
    bool is_there = d->own[row].len > 0 || d->line[row].to > 0 ||
                    (d->constants[row] != NULL && !(f->flags & FIELD_LINE_FIRST));
    if (is_there || (f->flags & FIELD_OURS) != 0)
        return false;
    if (type == FIELD_DATE)
        return take_time(d, row, kind, text);
    if (fits(type, kind, json, text))
        d->line[row] = keep(d, json, slice_of(NULL, 0), slice_of(NULL, 0));
    return d->line[row].to > 0;
}

/* see header */
int document_member(void *ctx, int object, struct slice name, enum json_event kind,
                    struct slice json, struct slice text)
{
    struct document *d = ctx;
    struct slice rest;
    int at = resolve(d, object, name, &rest);
    int row = d->places[at].row;
    if (row == NO_ROW && rest.len > 0 && (at != 0 || rest.ptr[0] != '_'))
        return add_rest(d, at, rest, json);
    if (rest.len == 0 && (kind == JSON_NULL || (row != NO_ROW && take(d, row, kind, json, text))))
        return 0;
    return add_clash(d, object, name, json);
}

/* see header */
bool document_is_dated(const struct document *d)
{
    return d->line[LOG_FIELD_TIME].to > 0;
}

/* see header */
bool document_is_undated(const struct document *d)
{
    return d->undated && !document_is_dated(d);
}

/* see header */
size_t document_bytes(const struct document *d)
{
    size_t n = 2 + d->place_bytes + d->text.len + d->rest_count;
    for (int i = 0; i < (int)log_field_count; i++)
        n += value_of(d, i).len;
    return n + value_of(d, LOG_FIELD_TIME).len; /* stands there twice in the profile isp */
}

/* copies a slice */
static char *put(char *p, struct slice s)
{
    memcpy(p, s.ptr, s.len);
    return p + s.len;
}

/* "name": */
static char *put_name(char *p, struct slice name)
{
    *p++ = '"';
    p = put(p, name);
    *p++ = '"';
    *p++ = ':';
    return p;
}

/* The members of an object, each with a comma behind it. */
static char *put_members(const struct document *d, int object, char *p)
{
    for (int at = d->places[object].first; at != 0; at = d->places[at].next) {
        const struct place *place = &d->places[at];
        char *begin = p;
        if (place->row == NO_ROW) {
            p = put_name(p, place->name);
            *p++ = '{';
            char *members = p;
            p = put_members(d, at, p);
            if (p == members) {
                p = begin;
                continue;
            }
            p[-1] = '}';
            *p++ = ',';
        } else if (place->written && value_of(d, place->row).len > 0) {
            p = put(put_name(p, place->name), value_of(d, place->row));
            *p++ = ',';
        }
    }
    for (unsigned i = 0; i < d->rest_count; i++) {
        const struct rest *r = &d->rest[i];
        if (r->place != object)
            continue;
        p = put(p, slice_of(d->text.ptr + r->part.from, r->part.to - r->part.from));
        *p++ = ',';
    }
    return p;
}

/* see header */
char *document_write(const struct document *d, char *p)
{
    *p++ = '{';
    char *members = p;
    p = put_members(d, 0, p);
    if (p == members)
        p++;
    p[-1] = '}';
    return p;
}
