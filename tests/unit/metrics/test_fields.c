/* metrics/fields: the table against what the sets emit, in both directions. */
#include "metrics/fields.h"

#include <stdlib.h>

#include "base/mem.h"
#include "check.h"
#include "config/config.h"
#include "metrics/addresses.h"
#include "metrics/envelope.h"
#include "metrics/sets.h"

#define ROWS_MAX VALUES_MAX

static void check_table(const struct field *table, size_t count)
{
    assert_true(count > 0 && count <= ROWS_MAX);
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &table[i];
        CHECK(f->name, i == 0 || strcmp(table[i - 1].name, f->name) < 0);
        CHECK(f->name, field_find(table, count, slice_str(f->name)) == f);
        CHECK(f->name, f->description[0] != '\0');
        CHECK(f->name, f->description[strlen(f->description) - 1] == '.');
        CHECK(f->name, (f->type == FIELD_SCALED_FLOAT) == (f->scale != 0));
        bool is_number = f->type == FIELD_LONG || f->type == FIELD_SCALED_FLOAT;
        CHECK(f->name, is_number || (f->unit == FIELD_NO_UNIT && f->kind == FIELD_NO_METRIC));
        CHECK(f->name, f->kind != FIELD_COUNTER || f->type == FIELD_LONG);
        const char *end = strrchr(f->name, '.');
        bool is_pct = end != NULL && strcmp(end, ".pct") == 0;
        CHECK(f->name, !is_pct || (f->unit == FIELD_PERCENT && f->scale == 1000));
        bool is_bytes = end != NULL && strcmp(end, ".bytes") == 0;
        CHECK(f->name, !is_bytes || f->unit == FIELD_BYTE);
    }
    const char *const absent[] = {"", "system", "system.cpu", "system.cpu.cores.x", "zzz", "@"};
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        assert_null(field_find(table, count, slice_str(absent[i])));
}

/* no field is an object of another, and one field of two sets is the same in both */
static void check_pair(const struct field *a, const struct field *b)
{
    size_t n = strlen(a->name);
    CHECK(a->name, strncmp(a->name, b->name, n) != 0 || b->name[n] != '.');
    if (strcmp(a->name, b->name) == 0)
        CHECK(a->name, a->type == b->type && a->scale == b->scale && a->unit == b->unit);
}

static void check_pairs(const struct field *a, size_t a_count, const struct field *b,
                        size_t b_count)
{
    for (size_t i = 0; i < a_count; i++)
        for (size_t k = 0; k < b_count; k++)
            if (&a[i] != &b[k])
                check_pair(&a[i], &b[k]);
}

static void test_tables(void **state)
{
    (void)state;
    size_t count, sets;
    const struct field *envelope = envelope_fields(&count);
    const struct metric_set *const *table = sets_table(&sets);
    check_table(envelope, count);
    for (size_t i = 0; i < sets; i++) {
        check_table(table[i]->fields, table[i]->field_count);
        check_pairs(envelope, count, table[i]->fields, table[i]->field_count);
        for (size_t k = 0; k < sets; k++)
            check_pairs(table[i]->fields, table[i]->field_count, table[k]->fields,
                        table[k]->field_count);
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(field_unit_name(FIELD_MICROS), "micros");
    assert_string_equal(field_unit_name(FIELD_NO_UNIT), "");
    assert_string_equal(field_unit_name(FIELD_PERCENT), "percent");
    assert_string_equal(field_unit_name(FIELD_BYTE), "byte");
    assert_string_equal(field_unit_name(FIELD_MS), "ms");
    assert_string_equal(field_unit_name(FIELD_NANOS), "nanos");
    assert_string_equal(field_kind_name(FIELD_NO_METRIC), "");
    assert_string_equal(field_kind_name(FIELD_GAUGE), "gauge");
    assert_string_equal(field_kind_name(FIELD_COUNTER), "counter");
}

/* ---- emitted documents ---- */

static char text[] = "text";
static const struct sysinfo host = {text, text, text, text, text, text, text, text, text, text, 2};

/* whether a leaf is what a field of that type looks like in JSON */
static bool fits(const struct leaf *l, const struct field *f)
{
    switch (f->type) {
    case FIELD_DATE:
    case FIELD_KEYWORD:
    case FIELD_IP:
    case FIELD_TEXT:
    case FIELD_CONSTANT_KEYWORD:
        return l->type == JSON_STRING;
    case FIELD_BOOLEAN:
        return l->type == JSON_TRUE || l->type == JSON_FALSE;
    case FIELD_LONG:
        return l->type == JSON_NUMBER && strspn(l->text, "-0123456789") == strlen(l->text);
    case FIELD_SCALED_FLOAT:
    case FIELD_FLOAT:
        return l->type == JSON_NUMBER && strchr(l->text, '.') != NULL;
    case FIELD_OBJECT: /* no set has one */
        break;
    }
    return false;
}

/* rows that were seen: those of the envelope, those of the set */
struct seen_rows {
    bool envelope[ROWS_MAX];
    bool set[ROWS_MAX];
};

/* the row of a leaf, noted as seen */
static const struct field *row_of(const struct leaf *l, const struct metric_set *set,
                                  struct seen_rows *seen)
{
    size_t count;
    const struct field *envelope = envelope_fields(&count);
    const struct field *f = field_find(envelope, count, slice_str(l->name));
    if (f != NULL) {
        seen->envelope[f - envelope] = true;
        return f;
    }
    f = field_find(set->fields, set->field_count, slice_str(l->name));
    CHECK(l->name, f != NULL);
    seen->set[f - set->fields] = true;
    return f;
}

/* every leaf is in a table; notes which rows were seen */
static void check_document(struct slice document, const struct metric_set *set,
                           struct seen_rows *seen)
{
    static struct leaves leaves;
    scan_leaves(document, &leaves);
    for (unsigned i = 0; i < leaves.count; i++) {
        const struct leaf *l = &leaves.all[i];
        const struct field *f = row_of(l, set, seen);
        CHECK(l->name, fits(l, f));
        if (f->unit == FIELD_PERCENT && strstr(l->name, "norm") != NULL)
            CHECK(l->name, strtod(l->text, NULL) >= 0 && strtod(l->text, NULL) <= 1);
    }
}

/* what this host's kernel may not tell; of the captured hosts every field is there */
static bool is_left_out(const struct metric_set *set, const struct field *f)
{
    return set->path == NULL && f->optional;
}

/* documents of the second sample of one set */
static void check_set(const struct metric_set *set)
{
    const struct encode_agent agent = {.host_name = "h1", .id = "uuid", .version = "1"};
    struct buf members;
    struct envelope_opts opts = {.host = &host,
                                 .agent = &agent,
                                 .namespace = "x",
                                 .set = set->name,
                                 .period_ms = 1000,
                                 .host_members = &members};
    struct envelope *envelope = envelope_new(&opts);
    buf_init(&members, ADDRESSES_BYTES);
    assert_int_equal(buf_add_str(&members, "\"ip\":[\"::1\",\"10.0.0.1\"],\"mac\":[\"00-01\"]"), 0);
    struct fsprobe *probe = fake_probe();
    struct procfs *first = procfs_new(HOSTS "vm-1", NULL, NULL, MIB);
    struct procfs *second = procfs_new(HOSTS "vm-2", NULL, NULL, MIB);
    struct set_source sources[] = {{first, &host, 1000000000, probe, NULL, NULL},
                                   {second, &host, 11000000000, probe, NULL, NULL}};
    void *state = mem_zalloc(set->state_bytes);
    struct seen_rows seen = {0};
    struct buf out;
    size_t count;
    buf_init(&out, MIB);
    assert_int_equal(set->sample(state, &sources[0]), 0);
    assert_int_equal(set->sample(state, &sources[1]), 0);
    assert_true(set->documents(state) > 0);
    for (size_t i = 0; i < set->documents(state); i++) {
        struct json_writer w;
        buf_reset(&out);
        json_begin(&w, &out);
        envelope_open(envelope, &w, 0, 1);
        sets_write(set, state, i, envelope, &w);
        assert_int_equal(json_done(&w), 0);
        check_document(buf_slice(&out), set, &seen);
    }
    const struct field *rows = envelope_fields(&count);
    for (size_t i = 0; i < count; i++)
        CHECK(rows[i].name, seen.envelope[i]);
    for (size_t i = 0; i < set->field_count; i++)
        CHECK(set->fields[i].name, seen.set[i] || is_left_out(set, &set->fields[i]));
    if (set->clear != NULL)
        set->clear(state);
    mem_free(state);
    buf_clear(&out);
    envelope_free(&envelope);
    buf_clear(&members);
    procfs_free(&first);
    procfs_free(&second);
    fsprobe_free(&probe);
}

static void test_emitted(void **state)
{
    (void)state;
    size_t count;
    const struct metric_set *const *table = sets_table(&count);
    for (size_t i = 0; i < count; i++)
        check_set(table[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_emitted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
