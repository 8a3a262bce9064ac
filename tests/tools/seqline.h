#ifndef TOOLS_SEQLINE_H
#define TOOLS_SEQLINE_H

/*
 * Log lines that anyone can check: the whole text follows from (format, writer, sequence number,
 * length), so whoever holds a line can build it again and compare. tests/lib/seqline.py is the
 * same function in Python.
 *
 *   plain  W SSSSSSSSSSSS HHHHHHHHHHHHHHHH filler    (one line in eight also holds "\<TAB>)
 *   nginx  an access log line with /W/S/H in the request path
 *   json   {"time":..,"level":"info","logger":"W","seq":"S","check":"H","msg":"filler"}
 *   cri    TIME stdout F <the plain line>
 *
 * W is the writer (1 to 32 of A-Za-z0-9_-), S twelve decimal digits, H sixteen hex digits of a
 * hash of both. The filler is cut from a fixed pool at a place that H names.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum seq_format { SEQ_PLAIN, SEQ_NGINX, SEQ_JSON, SEQ_CRI };

#define SEQ_POOL       4096u
#define SEQ_WRITER_MAX 32u
#define SEQ_DIGITS     12u
#define SEQ_FIXED_MAX  320u /* what a line can need besides its filler */
#define SEQ_BASE_DAY   "2026-01-"

struct seq_writer {
    char name[SEQ_WRITER_MAX + 1];
    size_t len;
    uint64_t hash;
};

/* The text that fillers are cut from; repeats itself for the ease of cutting. */
static inline const char *seq_pool(void)
{
    static char pool[2 * SEQ_POOL];
    static const char alphabet[] = "etaoinshrdlucmfwypvbgkqjxz    0123456789=/.:";

    if (pool[0] == 0) {
        uint64_t x = 1;
        for (size_t i = 0; i < SEQ_POOL; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            pool[i] = pool[i + SEQ_POOL] = alphabet[(x >> 33) % (sizeof(alphabet) - 1)];
        }
    }
    return pool;
}

/* Whether the name can stand in a line. */
static inline bool seq_writer_init(struct seq_writer *w, const char *name, size_t len)
{
    if (len == 0 || len > SEQ_WRITER_MAX)
        return false;
    w->hash = 14695981039346656037u;
    for (size_t i = 0; i < len; i++) {
        const char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
        w->hash = (w->hash ^ (unsigned char)c) * 1099511628211u;
    }
    memcpy(w->name, name, len);
    w->name[len] = 0;
    w->len = len;
    return true;
}

/* The check value of one line. */
static inline uint64_t seq_check(const struct seq_writer *w, uint64_t seq)
{
    uint64_t z = w->hash + seq * 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline char *seq_put(char *p, const char *s, size_t n)
{
    memcpy(p, s, n);
    return p + n;
}

#define SEQ_PUT(p, literal) seq_put((p), (literal), sizeof(literal) - 1)

/* `digits` decimal digits with leading zeros */
static inline char *seq_put_dec(char *p, uint64_t v, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + digits;
}

static inline char *seq_put_hex(char *p, uint64_t v)
{
    for (unsigned i = 0; i < 16; i++)
        p[i] = "0123456789abcdef"[(v >> (60 - 4 * i)) & 15];
    return p + 16;
}

/* A time of January 2026, one millisecond per line, as RFC 3339 without its zone */
static inline char *seq_put_time(char *p, uint64_t seq)
{
    p = SEQ_PUT(p, SEQ_BASE_DAY);
    p = seq_put_dec(p, 1 + seq / 86400000 % 28, 2);
    *p++ = 'T';
    p = seq_put_dec(p, seq / 3600000 % 24, 2);
    *p++ = ':';
    p = seq_put_dec(p, seq / 60000 % 60, 2);
    *p++ = ':';
    p = seq_put_dec(p, seq / 1000 % 60, 2);
    *p++ = '.';
    return seq_put_dec(p, seq % 1000, 3);
}

/* Filler up to `end`, from the place in the pool that the check value names */
static inline char *seq_put_filler(char *p, const char *end, uint64_t check)
{
    size_t from = check % SEQ_POOL;

    while (p < end) {
        size_t n = (size_t)(end - p);
        if (n > SEQ_POOL)
            n = SEQ_POOL;
        p = seq_put(p, seq_pool() + from, n);
        from = (from + n) % SEQ_POOL;
    }
    return p;
}

static inline char *seq_put_plain(char *p, const char *end, const struct seq_writer *w,
                                  uint64_t seq)
{
    const uint64_t check = seq_check(w, seq);

    p = seq_put(p, w->name, w->len);
    *p++ = ' ';
    p = seq_put_dec(p, seq, SEQ_DIGITS);
    *p++ = ' ';
    p = seq_put_hex(p, check);
    *p++ = ' ';
    if (check % 8 == 0)
        p = SEQ_PUT(p, "\"\\\t ");
    return seq_put_filler(p, end, check);
}

static inline char *seq_put_nginx(char *p, const char *end, const struct seq_writer *w,
                                  uint64_t seq)
{
    const uint64_t check = seq_check(w, seq);

    p = SEQ_PUT(p, "10.");
    p = seq_put_dec(p, 100 + check % 100, 3);
    p = SEQ_PUT(p, ".17.23 - - [");
    p = seq_put_time(p, seq);
    p = SEQ_PUT(p, "] \"GET /");
    p = seq_put(p, w->name, w->len);
    *p++ = '/';
    p = seq_put_dec(p, seq, SEQ_DIGITS);
    *p++ = '/';
    p = seq_put_hex(p, check);
    p = SEQ_PUT(p, " HTTP/1.1\" 200 ");
    p = seq_put_dec(p, 1000 + check % 9000, 4);
    p = SEQ_PUT(p, " \"-\" \"Mozilla/5.0 (X11; Linux x86_64) ");
    p = seq_put_filler(p, end - 1, check);
    *p++ = '"';
    return p;
}

static inline char *seq_put_json(char *p, const char *end, const struct seq_writer *w, uint64_t seq)
{
    const uint64_t check = seq_check(w, seq);

    p = SEQ_PUT(p, "{\"time\":\"");
    p = seq_put_time(p, seq);
    p = SEQ_PUT(p, "Z\",\"level\":\"info\",\"logger\":\"");
    p = seq_put(p, w->name, w->len);
    p = SEQ_PUT(p, "\",\"seq\":\"");
    p = seq_put_dec(p, seq, SEQ_DIGITS);
    p = SEQ_PUT(p, "\",\"check\":\"");
    p = seq_put_hex(p, check);
    p = SEQ_PUT(p, "\",\"msg\":\"");
    p = seq_put_filler(p, end - 2, check);
    return SEQ_PUT(p, "\"}");
}

/* Writes the line, without line end, of `len` bytes or of its shortest form if that is longer.
 * dst has room for len + SEQ_FIXED_MAX. Returns its length. */
static inline size_t seq_write(char *dst, enum seq_format format, const struct seq_writer *w,
                               uint64_t seq, size_t len)
{
    const char *end = dst + len;
    char *p = dst;

    switch (format) {
    case SEQ_PLAIN:
        return (size_t)(seq_put_plain(p, end, w, seq) - dst);
    case SEQ_NGINX:
        return (size_t)(seq_put_nginx(p, end, w, seq) - dst);
    case SEQ_JSON:
        return (size_t)(seq_put_json(p, end, w, seq) - dst);
    case SEQ_CRI:
        p = seq_put_time(p, seq);
        p = SEQ_PUT(p, "000000Z stdout F ");
        return (size_t)(seq_put_plain(p, end, w, seq) - dst);
    }
    return 0;
}

/* Finds writer and number in a line of that format. Returns false when it is none. */
static inline bool seq_parse(enum seq_format format, const char *text, size_t len,
                             const char **ret_writer, size_t *ret_writer_len, uint64_t *ret_seq)
{
    static const char *const before[] = {"", "\"GET /", "\"logger\":\"", " stdout F "};
    static const char *const between[] = {" ", "/", "\",\"seq\":\"", " "};
    const size_t before_len = strlen(before[format]);
    const size_t between_len = strlen(between[format]);
    const char *end = text + len;
    const char *p = before_len ? memmem(text, len, before[format], before_len) : text;

    if (p == NULL)
        return false;
    p += before_len;
    *ret_writer = p;
    p = memmem(p, (size_t)(end - p), between[format], between_len);
    if (p == NULL || (size_t)(end - p) < between_len + SEQ_DIGITS)
        return false;
    *ret_writer_len = (size_t)(p - *ret_writer);
    p += between_len;
    *ret_seq = 0;
    for (unsigned i = 0; i < SEQ_DIGITS; i++) {
        if (p[i] < '0' || p[i] > '9')
            return false;
        *ret_seq = *ret_seq * 10 + (uint64_t)(p[i] - '0');
    }
    return true;
}

/* The format of that name; false when there is none. */
static inline bool seq_format_parse(const char *name, enum seq_format *ret)
{
    static const char *const names[] = {"seq", "nginx", "json", "cri"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum seq_format)i;
            return true;
        }
    }
    return false;
}

#endif
