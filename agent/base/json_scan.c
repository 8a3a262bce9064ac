/*
 * base/json_scan - streaming JSON scanner
 *
 * A state machine whose state between two bytes is all in struct json_scan, so the input may be
 * cut anywhere. What is long is passed over in tight loops: the inside of strings sixteen bytes a
 * step, numbers by a table (json_scan_number.c). A token that lies whole and without escapes in one
 * piece of input is given to the callback in place; otherwise it is put together in the token
 * buffer.
 *
 *   VALUE_OR_END ('[')  KEY_OR_END ('{')                                open_top
 *   VALUE -> STRING | NUMBER | LITERAL -> AFTER (or DONE at depth 0)    end_value
 *   KEY -> STRING -> COLON -> VALUE                                     structure, end_string
 *   AFTER -> KEY | VALUE (',')  AFTER | DONE (closing bracket)          after_value, close_top
 *   STRING <-> ESCAPE -> UNICODE -> STRING                              scan_*
 *
 * Invariants: depth <= JSON_SCAN_DEPTH; bit i of `objects` says whether container i is an object;
 * token.len <= token.max, and `cut` is set when more was there.
 *
 * What can fail: see the header. The error stays until reset.
 */
#include "base/json_scan.h"

#include <errno.h>
#include <stdint.h>

#include "base/json_scan_internal.h"
#include "base/mem.h"
#include "base/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum state {
    VALUE,
    VALUE_OR_END,
    KEY,
    KEY_OR_END,
    COLON,
    AFTER,
    DONE,
    STRING,
    ESCAPE,
    UNICODE,
    NUMBER,
    LITERAL,
};

struct json_scan {
    json_event_fn fn;
    void *ctx;
    struct buf token;
    int error;
    enum state state;
    unsigned depth;
    uint64_t objects;
    bool cut;    /* token is longer than its limit */
    bool is_key; /* the string is a name */
    enum json_number number;
    enum json_event literal_event;
    const char *literal; /* what is still to come of it */
    unsigned hex_left;   /* digits to come in UNICODE */
    uint32_t unit;       /* UTF-16 code unit of the digits so far */
    uint32_t high;       /* high surrogate that waits for its low one; 0 = none */
};

/* makes a scanner */
struct json_scan *json_scan_new(size_t token_max, json_event_fn fn, void *ctx)
{
    struct json_scan *s = mem_zalloc(sizeof(*s));
    s->fn = fn;
    s->ctx = ctx;
    buf_init(&s->token, token_max);
    json_scan_reset(s);
    return s;
}

/* frees a scanner */
void json_scan_free(struct json_scan **s)
{
    if (*s == NULL)
        return;
    buf_clear(&(*s)->token);
    mem_free(*s);
    *s = NULL;
}

/* ready for a document */
void json_scan_reset(struct json_scan *s)
{
    buf_reset(&s->token);
    s->error = 0;
    s->state = VALUE;
    s->depth = 0;
    s->objects = 0;
    s->cut = false;
    s->high = 0;
}

/* whether the top value is complete */
bool json_scan_is_done(const struct json_scan *s)
{
    return s->error == 0 && s->state == DONE;
}

/* tells the callback; its verdict sticks */
static void emit(struct json_scan *s, enum json_event event, struct slice text, bool cut)
{
    s->error = s->fn(s->ctx, event, s->depth, text, cut);
}

/* tells a token that lies in the input, or the one in the buffer when part of it is there */
static void emit_token(struct json_scan *s, enum json_event event, const char *p, size_t n)
{
    if (s->token.len > 0 || s->cut)
        emit(s, event, buf_slice(&s->token), s->cut);
    else if (n > s->token.max)
        emit(s, event, slice_of(p, s->token.max), true);
    else
        emit(s, event, slice_of(p, n), false);
}

/* appends to the token what its limit allows */
static void keep(struct json_scan *s, const char *p, size_t n)
{
    size_t room = s->token.max - s->token.len;
    if (n > room) {
        s->cut = true;
        n = room;
    }
    if (buf_add(&s->token, p, n) < 0)
        s->error = -ENOMEM;
}

/* appends a code point to the token */
static void keep_code_point(struct json_scan *s, uint32_t cp)
{
    char bytes[4];
    keep(s, bytes, utf8_encode(bytes, cp));
}

/* a high surrogate without its low one */
static void give_up_surrogate(struct json_scan *s)
{
    if (s->high != 0)
        keep_code_point(s, 0xfffd);
    s->high = 0;
}

/* whether the innermost container is an object */
static bool in_object(const struct json_scan *s)
{
    return (s->objects >> (s->depth - 1) & 1) != 0;
}

/* what may follow a value */
static void end_value(struct json_scan *s)
{
    s->state = s->depth == 0 ? DONE : AFTER;
}

/* opens a container */
static void open_top(struct json_scan *s, bool is_object)
{
    if (s->depth == JSON_SCAN_DEPTH) {
        s->error = -E2BIG;
        return;
    }
    emit(s, is_object ? JSON_OBJECT : JSON_ARRAY, slice_of(NULL, 0), false);
    uint64_t bit = UINT64_C(1) << s->depth;
    s->objects = is_object ? s->objects | bit : s->objects & ~bit;
    s->depth++;
    s->state = is_object ? KEY_OR_END : VALUE_OR_END;
}

/* closes the innermost container */
static void close_top(struct json_scan *s)
{
    bool is_object = in_object(s);
    s->depth--;
    emit(s, is_object ? JSON_OBJECT_END : JSON_ARRAY_END, slice_of(NULL, 0), false);
    end_value(s);
}

/* a string or name begins */
static void begin_string(struct json_scan *s, bool is_key)
{
    buf_reset(&s->token);
    s->cut = false;
    s->is_key = is_key;
    s->state = STRING;
}

/* true, false or null begins; the first letter is known to agree */
static void begin_literal(struct json_scan *s, enum json_event event, const char *rest)
{
    s->literal_event = event;
    s->literal = rest;
    s->state = LITERAL;
}

/* A value begins with c; returns how many bytes of it are done with. */
static size_t begin_value(struct json_scan *s, char c)
{
    switch (c) {
    case '"':
        begin_string(s, false);
        return 1;
    case '{':
    case '[':
        open_top(s, c == '{');
        return 1;
    case 't':
        begin_literal(s, JSON_TRUE, "rue");
        return 1;
    case 'f':
        begin_literal(s, JSON_FALSE, "alse");
        return 1;
    case 'n':
        begin_literal(s, JSON_NULL, "ull");
        return 1;
    default:
        buf_reset(&s->token);
        s->cut = false;
        s->number = JSON_NUMBER_START;
        s->state = NUMBER; /* which refuses what is no number */
        return 0;
    }
}

/* a comma or the end of the container */
static void after_value(struct json_scan *s, char c)
{
    bool is_object = in_object(s);
    if (c == ',')
        s->state = is_object ? KEY : VALUE;
    else if (c == (is_object ? '}' : ']'))
        close_top(s);
    else
        s->error = -EBADMSG;
}

/* A byte between tokens; returns how many bytes of it are done with. */
static size_t structure(struct json_scan *s, char c)
{
    enum state state = s->state;
    if (state == AFTER) {
        after_value(s, c);
    } else if (state == COLON && c == ':') {
        s->state = VALUE;
    } else if ((state == KEY || state == KEY_OR_END) && c == '"') {
        begin_string(s, true);
    } else if ((state == KEY_OR_END && c == '}') || (state == VALUE_OR_END && c == ']')) {
        close_top(s);
    } else if (state == VALUE || state == VALUE_OR_END) {
        return begin_value(s, c);
    } else {
        s->error = -EBADMSG;
    }
    return 1;
}

/* passes over blanks, then over one byte of structure */
static const char *scan_structure(struct json_scan *s, const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p == end ? p : p + structure(s, *p);
}

/* the first quote, backslash or control character */
static const char *find_special(const char *p, const char *end)
{
#if defined(__SSE2__)
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
        __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
        __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
        __m128i any = _mm_or_si128(control, _mm_or_si128(quote, backslash));
        unsigned mask = (unsigned)_mm_movemask_epi8(any);
        if (mask != 0)
            return p + __builtin_ctz(mask);
        p += 16;
    }
#endif
    while (p < end && (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* the closing quote was seen; n bytes at p are the last of the string */
static void end_string(struct json_scan *s, const char *p, size_t n)
{
    if (s->token.len > 0 || s->cut)
        keep(s, p, n);
    if (s->error != 0)
        return;
    emit_token(s, s->is_key ? JSON_KEY : JSON_STRING, p, n);
    if (s->is_key)
        s->state = COLON;
    else
        end_value(s);
}

/* the inside of a string up to its end, an escape, or the end of the piece */
static const char *scan_string(struct json_scan *s, const char *p, const char *end)
{
    const char *at = find_special(p, end);
    size_t n = (size_t)(at - p);
    if (n > 0 || (at < end && *at == '"'))
        give_up_surrogate(s);
    if (at == end) {
        keep(s, p, n);
        return at;
    }
    if (*at == '"') {
        end_string(s, p, n);
    } else if (*at == '\\') {
        keep(s, p, n);
        s->state = ESCAPE;
    } else {
        s->error = -EBADMSG;
    }
    return at + 1;
}

/* what the character behind a backslash stands for; 0 = nothing */
static char escaped(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* the character behind a backslash */
static void scan_escape(struct json_scan *s, char c)
{
    if (c == 'u') {
        s->hex_left = 4;
        s->unit = 0;
        s->state = UNICODE;
        return;
    }
    char plain = escaped(c);
    if (plain == 0) {
        s->error = -EBADMSG;
        return;
    }
    give_up_surrogate(s);
    keep(s, &plain, 1);
    if (s->error == 0)
        s->state = STRING;
}

/* a whole UTF-16 code unit */
static void end_unit(struct json_scan *s)
{
    bool is_low = (s->unit & 0xfc00) == 0xdc00;
    if (s->high != 0 && is_low) {
        keep_code_point(s, 0x10000 + ((s->high & 0x3ff) << 10) + (s->unit & 0x3ff));
        s->high = 0;
    } else {
        give_up_surrogate(s);
        if ((s->unit & 0xfc00) == 0xd800)
            s->high = s->unit;
        else
            keep_code_point(s, is_low ? 0xfffd : s->unit);
    }
    s->state = STRING;
}

/* one of the four digits of \u */
static void scan_unicode(struct json_scan *s, char c)
{
    unsigned digit;
    if (c >= '0' && c <= '9') {
        digit = (unsigned)(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        digit = (unsigned)((c | 0x20) - 'a') + 10;
    } else {
        s->error = -EBADMSG;
        return;
    }
    s->unit = s->unit << 4 | digit;
    if (--s->hex_left == 0)
        end_unit(s);
}

/* the number is over; n bytes at p are its last */
static void end_number(struct json_scan *s, const char *p, size_t n)
{
    if (!json_scan_number_is_whole(s->number)) {
        s->error = -EBADMSG;
        return;
    }
    if (s->token.len > 0 || s->cut)
        keep(s, p, n);
    if (s->error != 0)
        return;
    emit_token(s, JSON_NUMBER, p, n);
    end_value(s);
}

/* the bytes of a number up to the first other one */
static const char *scan_number(struct json_scan *s, const char *p, const char *end)
{
    const char *at = json_scan_number(&s->number, p, end);
    if (s->number == JSON_NUMBER_BAD)
        s->error = -EBADMSG;
    else if (at == end)
        keep(s, p, (size_t)(at - p));
    else
        end_number(s, p, (size_t)(at - p));
    return at;
}

/* the letters of true, false or null */
static const char *scan_literal(struct json_scan *s, const char *p, const char *end)
{
    while (p < end && *s->literal != '\0') {
        if (*p++ != *s->literal++) {
            s->error = -EBADMSG;
            return p;
        }
    }
    if (*s->literal == '\0') {
        emit(s, s->literal_event, slice_of(NULL, 0), false);
        end_value(s);
    }
    return p;
}

/* scans a piece of input */
int json_scan_feed(struct json_scan *s, struct slice bytes)
{
    const char *p = bytes.ptr;
    const char *end = bytes.len == 0 ? p : p + bytes.len;
    while (p < end && s->error == 0) {
        switch (s->state) {
        case STRING:
            p = scan_string(s, p, end);
            break;
        case ESCAPE:
            scan_escape(s, *p++);
            break;
        case UNICODE:
            scan_unicode(s, *p++);
            break;
        case NUMBER:
            p = scan_number(s, p, end);
            break;
        case LITERAL:
            p = scan_literal(s, p, end);
            break;
        case VALUE:
        case VALUE_OR_END:
        case KEY:
        case KEY_OR_END:
        case COLON:
        case AFTER:
        case DONE:
            p = scan_structure(s, p, end);
            break;
        }
    }
    return s->error;
}

/* ends the document */
int json_scan_finish(struct json_scan *s)
{
    if (s->error == 0 && s->state == NUMBER && s->depth == 0)
        end_number(s, NULL, 0);
    if (s->error == 0 && s->state != DONE)
        s->error = -EBADMSG;
    return s->error;
}
