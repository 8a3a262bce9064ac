#ifndef TESTS_UNIT_METRICS_CHECK_H
#define TESTS_UNIT_METRICS_CHECK_H

/* What the tests of this room share: cmocka, captured hosts, JSON of one writer, leaves of a
 * document. Programs run in the root of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "metrics/counters.h"
#include "metrics/set.h"
#include "os/fsprobe.h"
#include "os/procfs.h"

#define CHECK(name, condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("case \"%s\": %s", (name), #condition);                                       \
    } while (0)

#define HOSTS "tests/data/proc/"

/* A file of a captured host; the text is the buffer's. */
static inline struct slice host_file(struct buf *b, const char *host, const char *path)
{
    char name[256];
    char piece[4096];
    buf_clear(b);
    buf_init(b, MIB);
    (void)snprintf(name, sizeof(name), HOSTS "%s/proc/%s", host, path);
    FILE *f = fopen(name, "re");
    if (f == NULL)
        fail_msg("no file %s", name);
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        assert_int_equal(buf_add(b, piece, n), 0);
    (void)fclose(f);
    return buf_slice(b);
}

/* Starts an object in an empty buffer. */
static inline void open_json(struct json_writer *w, struct buf *b)
{
    buf_clear(b);
    buf_init(b, MIB);
    json_begin(w, b);
    json_object(w);
}

/* Ends it and compares. */
static inline void close_json(struct json_writer *w, const char *expected)
{
    json_end_object(w);
    assert_int_equal(json_done(w), 0);
    assert_string_equal(buf_cstr(w->out), expected);
    buf_clear(w->out);
}

/* Compares a counter. */
static inline void check_counter(const char *name, const struct counter *got, struct counter want)
{
    CHECK(name, got->is_set == want.is_set && got->n == want.n);
}

/* What a set adds to a document: the object host and the other members. */
static inline void write_members(const struct metric_set *set, const void *state, size_t i,
                                 struct json_writer *w)
{
    struct value values[VALUES_MAX] = {0};
    if (set->values != NULL)
        set->values(state, i, values);
    json_object(w);
    json_key(w, "host");
    json_object(w);
    if (set->values != NULL)
        values_write_within(w, "host", set->fields, set->field_count, values);
    else if (set->write_host != NULL)
        set->write_host(state, i, w);
    json_end_object(w);
    if (set->values != NULL)
        values_write(w, set->fields, set->field_count, values);
    else
        set->write(state, i, w);
    json_end_object(w);
}

/* ---- mounts ---- */

/* A mount of a million blocks of 4 KiB; the longer its path, the more of it is used. */
static inline void fake_answer(struct slice path, struct fsprobe_answer *ret)
{
    ret->block_bytes = 4096;
    ret->blocks = 1000000;
    ret->free = 1000000 - 10000 * path.len;
    ret->available = ret->free - 50000;
    ret->files = 65536;
    ret->free_files = 65536 - path.len;
}

/* A probe that answers so, at once. */
static inline struct fsprobe *fake_probe(void)
{
    const struct fsprobe_opts opts = {.prefix = "", .answer = fake_answer};
    return fsprobe_new(NULL, &opts);
}

/* ---- leaves of a document ---- */

#define LEAF_NAME 128
#define LEAF_TEXT 160
#define LEAVES    80

struct leaf {
    char name[LEAF_NAME]; /* dotted */
    char text[LEAF_TEXT];
    enum json_event type;
};

struct leaves {
    struct leaf all[LEAVES];
    unsigned count;
    char path[LEAF_NAME];
    size_t ends[JSON_SCAN_DEPTH]; /* length of path at each depth */
    unsigned twice;               /* names that came twice */
    bool in_array;                /* each value is a leaf of the array's name */
};

/* takes one event of the scanner */
static inline int leaf_event(void *ctx, enum json_event event, unsigned depth, struct slice text,
                             bool cut)
{
    struct leaves *l = ctx;
    assert_false(cut);
    if (event == JSON_OBJECT || event == JSON_OBJECT_END)
        return 0;
    if (event == JSON_ARRAY || event == JSON_ARRAY_END) {
        l->in_array = event == JSON_ARRAY;
        return 0;
    }
    assert_true(depth >= 1);
    size_t at = depth == 1 ? 0 : l->ends[depth - 1];
    if (event == JSON_KEY) {
        assert_int_equal(slice_find(text, '.'), text.len); /* objects, never dotted names */
        int n = snprintf(l->path + at, sizeof(l->path) - at, "%s%.*s", at > 0 ? "." : "",
                         (int)text.len, text.ptr);
        l->ends[depth] = at + (size_t)n;
        assert_true(l->ends[depth] < LEAF_NAME);
        return 0;
    }
    assert_true(l->count < LEAVES && text.len < LEAF_TEXT);
    for (unsigned i = 0; i < l->count; i++)
        l->twice += !l->in_array && strcmp(l->all[i].name, l->path) == 0;
    struct leaf *one = &l->all[l->count++];
    memcpy(one->name, l->path, sizeof(one->name));
    if (text.len > 0)
        memcpy(one->text, text.ptr, text.len);
    one->text[text.len] = '\0';
    one->type = event;
    return 0;
}

/* Takes a document apart: one whole JSON object. */
static inline void scan_leaves(struct slice document, struct leaves *ret)
{
    memset(ret, 0, sizeof(*ret));
    struct json_scan *s = json_scan_new(LEAF_TEXT, leaf_event, ret);
    assert_int_equal(json_scan_feed(s, document), 0);
    assert_int_equal(json_scan_finish(s), 0);
    json_scan_free(&s);
    assert_int_equal(ret->twice, 0);
}

/* Text of a leaf, NULL when it is not there. */
static inline const char *leaf_text(const struct leaves *l, const char *name)
{
    for (unsigned i = 0; i < l->count; i++)
        if (strcmp(l->all[i].name, name) == 0)
            return l->all[i].text;
    return NULL;
}

#endif
