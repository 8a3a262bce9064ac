/*
 * bulk/encode: documents to the last byte, for every part, flag and field; hostile paths and
 * messages stay one line of valid JSON; the promised worst case is never passed.
 */
#include "bulk/encode.h"

#include <errno.h>

#include "base/date.h"
#include "base/escape.h"
#include "base/prng.h"
#include "bulk_test.h"

#define BODY ((size_t)16 * MIB)

static const struct generation gen = {{0, 1, 2, 3, 4, 5, 6, 7, 8}}; /* AAECAwQFBgcI */
static const struct encode_agent agent = {.host_name = "h1", .id = "5f1e", .version = "0.1"};
static const char time_text[] = "2026-11-23T01:02:03.456Z";

/* what every case below shares */
static struct encode_input plain_input(unsigned parts)
{
    return (struct encode_input){
        .parts = parts,
        .dataset = "nginx",
        .namespace = "prod",
        .target = "logs-nginx-prod",
        .input_type = "filestream",
    };
}

struct bench {
    struct span_pool *pool;
    struct batch *batch;
    struct recorder owner;
    uint16_t span;
};

static struct bench bench;

static int setup(void **state)
{
    (void)state;
    bench.pool = span_pool_new();
    bench.batch = batch_new(BATCH_LOGS, BODY, 4096, 4);
    recorder_init(&bench.owner, bench.pool);
    return batch_span_for(bench.batch, bench.pool, &bench.owner.owner, 0, &bench.span);
}

static int teardown(void **state)
{
    (void)state;
    span_put(bench.pool, bench.batch->spans[0]);
    batch_free(&bench.batch);
    span_pool_free(&bench.pool);
    return 0;
}

/* forgets the items, keeps the span */
static void start_over(void)
{
    bench.batch->item_count = 0;
    bench.batch->body_bytes = 0;
}

/* an ordinary line */
static struct encode_line line_of(struct slice text, uint64_t offset)
{
    return (struct encode_line){
        .text = text,
        .offset = offset,
        .source_bytes = (uint32_t)text.len + 1,
        .source_lines = 1,
        .time = SLICE_LIT(time_text),
    };
}

/* encodes one line; the item's document */
static struct slice encode(const struct encode_input *input, const char *path,
                           const struct encode_line *line, uint64_t *ret_bad)
{
    struct encode_file *f = encode_file_new(&agent, input, slice_str(path), &gen);
    size_t worst = encode_worst(f, line->text.len);
    start_over();
    uint64_t bad = encode_line(bench.batch, f, line, bench.span);
    if (ret_bad != NULL)
        *ret_bad = bad;
    assert_int_equal(bench.batch->item_count, 1);
    assert_true(bench.batch->body_bytes <= worst);
    assert_true(is_sound_body(bench.batch));
    encode_file_free(&f);
    assert_null(f);
    return batch_document(bench.batch, &bench.batch->items[0]);
}

#define HEAD                                                                                       \
    "{\"@timestamp\":\"2026-11-23T01:02:03.456Z\",\"log\":{\"file\":{\"path\":\"/var/log/a\"}"
#define DATASET                                                                                    \
    ",\"data_stream\":{\"type\":\"logs\",\"dataset\":\"nginx\",\"namespace\":\"prod\"},"           \
    "\"event\":{\"dataset\":\"nginx\"}"
#define HOST  ",\"host\":{\"name\":\"h1\"}"
#define AGENT ",\"agent\":{\"type\":\"wherry\",\"version\":\"0.1\",\"id\":\"5f1e\",\"name\":\"h1\"}"
#define ECS   ",\"ecs\":{\"version\":\"8.11.0\"}"
#define INPUT ",\"input\":{\"type\":\"filestream\"}"

static void parts_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned parts;
        const char *document;
    } cases[] = {
        {"none", 0, HEAD "},\"message\":\"hello\"}"},
        {"dataset", PART_DATASET, HEAD "},\"message\":\"hello\"" DATASET "}"},
        {"host", PART_HOST, HEAD "},\"message\":\"hello\"" HOST "}"},
        {"agent", PART_AGENT, HEAD "},\"message\":\"hello\"" AGENT "}"},
        {"ecs", PART_ECS, HEAD "},\"message\":\"hello\"" ECS "}"},
        {"offset", PART_OFFSET, HEAD ",\"offset\":128162},\"message\":\"hello\"}"},
        {"input", PART_INPUT, HEAD "},\"message\":\"hello\"" INPUT "}"},
        {"host and input", PART_HOST | PART_INPUT, HEAD "},\"message\":\"hello\"" HOST INPUT "}"},
        {"all", PART_ALL,
         HEAD ",\"offset\":128162},\"message\":\"hello\"" DATASET HOST AGENT ECS INPUT "}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct encode_input input = plain_input(cases[i].parts);
        struct encode_line line = line_of(SLICE_LIT("hello"), 128162);
        struct slice got = encode(&input, "/var/log/a", &line, NULL);
        if (!slice_eq_str(got, cases[i].document))
            fail_msg("case \"%s\":\n%.*s\n%s", cases[i].name, (int)got.len, got.ptr,
                     cases[i].document);
    }
}

static void lines_of_containers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *time, *stream, *error;
        unsigned flags;
        const char *document;
    } cases[] = {
        {"stream", "2026-11-23T01:02:03.123456789+01:00", "stderr", NULL, 0,
         "{\"@timestamp\":\"2026-11-23T01:02:03.123456789+01:00\",\"log\":{\"file\":{\"path\":\"/"
         "a\"}}"
         ",\"stream\":\"stderr\",\"message\":\"hello\"}"},
        {"error", time_text, NULL, "not so", 0,
         "{\"@timestamp\":\"2026-11-23T01:02:03.456Z\",\"log\":{\"file\":{\"path\":\"/a\"}}"
         ",\"error\":{\"message\":\"not so\"},\"message\":\"hello\"}"},
        {"all", "2026-11-23T01:02:03Z", "stdout", "no", ENCODE_PARTIAL | ENCODE_TRUNCATED,
         "{\"@timestamp\":\"2026-11-23T01:02:03Z\",\"log\":{\"file\":{\"path\":\"/a\"}"
         ",\"flags\":[\"truncated\",\"partial\"]},\"stream\":\"stdout\""
         ",\"error\":{\"message\":\"no\"},\"message\":\"hello\"}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct encode_input input = plain_input(0);
        struct encode_line line = line_of(SLICE_LIT("hello"), 1);
        line.time = slice_str(cases[i].time);
        line.stream = cases[i].stream;
        line.error = cases[i].error;
        line.flags = cases[i].flags;
        struct slice got = encode(&input, "/a", &line, NULL);
        if (!slice_eq_str(got, cases[i].document))
            fail_msg("case \"%s\":\n%.*s\n%s", cases[i].name, (int)got.len, got.ptr,
                     cases[i].document);
    }
}

/* a record that begins in another generation has that one's id */
static void id_of_another_generation(void **state)
{
    (void)state;
    static const struct generation other = {{0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0}};
    struct encode_input input = plain_input(0);
    struct encode_line line = line_of(SLICE_LIT("hello"), 16);
    line.generation = &other;
    (void)encode(&input, "/a", &line, NULL);
    struct slice id = batch_action_value(bench.batch, &bench.batch->items[0], "_id");
    assert_true(slice_eq_str(id, "____AAAAAAAA0000000000010"));
    line.generation = NULL;
    (void)encode(&input, "/a", &line, NULL);
    id = batch_action_value(bench.batch, &bench.batch->items[0], "_id");
    assert_true(slice_eq_str(id, "AAECAwQFBgcI0000000000010"));
}

static void ids_of_the_server(void **state)
{
    (void)state;
    struct encode_input input = plain_input(PART_OFFSET);
    struct encode_line line = line_of(SLICE_LIT("hello"), 128162);
    input.auto_ids = true;
    line.open_end = true;
    struct slice got = encode(&input, "/var/log/a", &line, NULL);
    assert_true(slice_eq_str(got, HEAD ",\"offset\":128162},\"message\":\"hello\"}"));
    assert_true(slice_eq_str(batch_action(bench.batch, &bench.batch->items[0]), "{\"create\":{}}"));
}

/* every combination of parts is one JSON object */
static void all_combinations_are_json(void **state)
{
    (void)state;
    for (unsigned parts = 0; parts <= PART_ALL; parts++) {
        for (unsigned flags = 0; flags < 8; flags++) {
            struct encode_input input = plain_input(parts);
            struct encode_line line = line_of(SLICE_LIT(""), flags);
            line.flags = flags;
            (void)encode(&input, "/", &line, NULL); /* checks */
        }
    }
}

static void actions_are_exact(void **state)
{
    (void)state;
    static const struct {
        uint64_t offset;
        bool open_end;
        uint32_t source_bytes;
        const char *action;
    } cases[] = {
        {0, false, 6, "{\"create\":{\"_id\":\"AAECAwQFBgcI0000000000000\"}}"},
        {128162, false, 6, "{\"create\":{\"_id\":\"AAECAwQFBgcI000000001f4a2\"}}"},
        {0xfffffffffffff, false, 6, "{\"create\":{\"_id\":\"AAECAwQFBgcIfffffffffffff\"}}"},
        {0x1f4a2, true, 6, "{\"create\":{\"_id\":\"AAECAwQFBgcI000000001f4a2-6\"}}"},
        {1, true, UINT32_MAX, "{\"create\":{\"_id\":\"AAECAwQFBgcI0000000000001-4294967295\"}}"},
    };
    struct encode_input input = plain_input(PART_ALL);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct encode_line line = line_of(SLICE_LIT("hello"), cases[i].offset);
        line.open_end = cases[i].open_end;
        line.source_bytes = cases[i].source_bytes;
        (void)encode(&input, "/var/log/a", &line, NULL);
        const struct batch_item *item = &bench.batch->items[0];
        CHECK(cases[i].action, slice_eq_str(batch_action(bench.batch, item), cases[i].action));
        struct slice id = batch_action_value(bench.batch, item, "_id");
        CHECK(cases[i].action, id.len <= DOCID_MAX && id.len >= DOCID_CHARS);
        CHECK(cases[i].action, item->source_bytes == cases[i].source_bytes);
        CHECK(cases[i].action, item->source_lines == 1 && item->spans == 1);
    }
}

static void flags_are_exact(void **state)
{
    (void)state;
    static const struct {
        unsigned parts, flags;
        const char *log;
    } cases[] = {
        {0, 0, "}"},
        {0, ENCODE_TRUNCATED, ",\"flags\":[\"truncated\"]}"},
        {0, ENCODE_PARTIAL, ",\"flags\":[\"partial\"]}"},
        {0, ENCODE_MULTILINE, ",\"flags\":[\"multiline\"]}"},
        {0, ENCODE_TRUNCATED | ENCODE_MULTILINE, ",\"flags\":[\"truncated\",\"multiline\"]}"},
        {PART_OFFSET, ENCODE_TRUNCATED | ENCODE_PARTIAL | ENCODE_MULTILINE,
         ",\"offset\":9,\"flags\":[\"truncated\",\"partial\",\"multiline\"]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char expected[512];
        struct encode_input input = plain_input(cases[i].parts);
        struct encode_line line = line_of(SLICE_LIT("x"), 9);
        line.flags = cases[i].flags;
        (void)snprintf(expected, sizeof(expected), HEAD "%s,\"message\":\"x\"}", cases[i].log);
        CHECK(cases[i].log, slice_eq_str(encode(&input, "/var/log/a", &line, NULL), expected));
    }
}

/* splits "name=value;name=value" into pairs, or "tag;tag" into names without values */
static size_t pairs_of(const char *text, struct config_pair *pairs)
{
    size_t n = 0;
    struct slice rest = slice_str(text), piece;
    while (slice_next(&rest, ';', &piece)) {
        size_t equals = slice_find(piece, '=');
        struct slice value = slice_sub(piece, equals + 1, SIZE_MAX);
        pairs[n].name = mem_strndup(piece.ptr, equals);
        pairs[n++].value = mem_strndup(value.ptr, value.len);
    }
    return n;
}

/* dotted names become objects, wherever their parts stand in the list */
static void fields_and_tags_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *name, *fields, *tags, *members;
    } cases[] = {
        {"none", "", "", ""},
        {"plain", "team=web", "", ",\"fields\":{\"team\":\"web\"}"},
        {"one dot", "site.name=north", "", ",\"fields\":{\"site\":{\"name\":\"north\"}}"},
        {"two in one object", "a.b=1;a.c=2", "", ",\"fields\":{\"a\":{\"b\":\"1\",\"c\":\"2\"}}"},
        {"not side by side", "a.b=1;x=2;a.c=3", "",
         ",\"fields\":{\"a\":{\"b\":\"1\",\"c\":\"3\"},\"x\":\"2\"}"},
        {"deep", "a.b.c=1;a.d=2;a.b.e=3;f=4;a.b.g.h=5", "",
         ",\"fields\":{\"a\":{\"b\":{\"c\":\"1\",\"e\":\"3\",\"g\":{\"h\":\"5\"}},\"d\":\"2\"},"
         "\"f\":\"4\"}"},
        {"a name that begins another", "ab=1;a.b=2;abc.d=3", "",
         ",\"fields\":{\"ab\":\"1\",\"a\":{\"b\":\"2\"},\"abc\":{\"d\":\"3\"}}"},
        {"quotes", "q\"\\=v\"\n\x01", "", ",\"fields\":{\"q\\\"\\\\\":\"v\\\"\\n\\u0001\"}"},
        {"empty value", "e=", "", ",\"fields\":{\"e\":\"\"}"},
        {"tags", "", "edge;a\"b;;last", ",\"tags\":[\"edge\",\"a\\\"b\",\"\",\"last\"]"},
        {"both", "x=1", "t", ",\"fields\":{\"x\":\"1\"},\"tags\":[\"t\"]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct config_pair fields[8], tag_pairs[8];
        char *tags[8] = {0};
        char expected[1024];
        struct encode_input input = plain_input(i % 2 == 0 ? PART_INPUT : 0);
        input.fields = fields;
        input.field_count = pairs_of(cases[i].fields, fields);
        input.tags = tags;
        input.tag_count = pairs_of(cases[i].tags, tag_pairs);
        for (size_t k = 0; k < input.tag_count; k++)
            tags[k] = tag_pairs[k].name;
        struct encode_line line = line_of(SLICE_LIT("x"), 0);
        (void)snprintf(expected, sizeof(expected), HEAD "},\"message\":\"x\"%s%s}",
                       input.parts != 0 ? INPUT : "", cases[i].members);
        struct slice got = encode(&input, "/var/log/a", &line, NULL);
        if (!slice_eq_str(got, expected))
            fail_msg("case \"%s\":\n%.*s\n%s", cases[i].name, (int)got.len, got.ptr, expected);
        for (size_t k = 0; k < input.field_count; k++) {
            mem_free(fields[k].name);
            mem_free(fields[k].value);
        }
        for (size_t k = 0; k < input.tag_count; k++) {
            mem_free(tag_pairs[k].name);
            mem_free(tag_pairs[k].value);
        }
    }
}

/* a name may have as many dots as it has room for: what lies too deep stays dotted */
static void deep_fields_are_json(void **state)
{
    (void)state;
    static char dots[256], twin[256];
    for (size_t i = 0; i + 1 < sizeof(dots); i++)
        twin[i] = dots[i] = i % 2 == 0 ? 'a' : '.';
    dots[254] = 'y';
    twin[254] = 'z';
    struct config_pair fields[] = {{dots, dots}, {twin, twin}};
    struct encode_input input = plain_input(0);
    struct encode_line line = line_of(SLICE_LIT("x"), 0);
    input.fields = fields;
    input.field_count = ARRAY_LEN(fields);
    struct slice got = encode(&input, "/var/log/a", &line, NULL); /* checks that it is JSON */
    assert_true(slice_find(got, 'y') < got.len && slice_find(got, 'z') < got.len);
}

/* many fields with long values */
static void many_fields_are_json(void **state)
{
    (void)state;
    enum { NAMES = 200 };
    static char names[NAMES][8], value[128];
    static struct config_pair fields[NAMES];
    memset(value, '\n', sizeof(value) - 1);
    for (size_t i = 0; i < NAMES; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "n%zu.a", i);
        fields[i] = (struct config_pair){names[i], value};
    }
    struct encode_input input = plain_input(PART_ALL);
    struct encode_line line = line_of(SLICE_LIT("x"), 0);
    input.fields = fields;
    input.field_count = NAMES;
    struct slice got = encode(&input, "/var/log/a", &line, NULL); /* checks */
    assert_true(got.len > NAMES * 2 * (sizeof(value) - 1));
}

static void hostile_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path, *escaped;
    } cases[] = {
        {"/var/log/quote\".log", "/var/log/quote\\\".log"},
        {"/var/log/back\\slash", "/var/log/back\\\\slash"},
        {"/var/log/\"}}\n{\"delete\":{}}", "/var/log/\\\"}}\\n{\\\"delete\\\":{}}"},
        {"/\x01\x1f\x7f", "/\\u0001\\u001f\x7f"},
        {"/bad\xff\xfe", "/bad\xef\xbf\xbd\xef\xbf\xbd"},
        {"/cut\xe2\x82", "/cut\xef\xbf\xbd"},
        {"/gr\xc3\xbc\xc3\x9f\xf0\x9f\x98\x80", "/gr\xc3\xbc\xc3\x9f\xf0\x9f\x98\x80"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char expected[512];
        struct encode_input input = plain_input(0);
        struct encode_line line = line_of(SLICE_LIT("x"), 0);
        (void)snprintf(expected, sizeof(expected),
                       "{\"@timestamp\":\"%s\",\"log\":{\"file\":{\"path\":\"%s\"}},"
                       "\"message\":\"x\"}",
                       time_text, cases[i].escaped);
        uint64_t bad;
        CHECK(cases[i].path, slice_eq_str(encode(&input, cases[i].path, &line, &bad), expected));
        CHECK(cases[i].path, bad == 0); /* only the text's are counted */
    }
}

static void hostile_messages(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        const char *escaped;
        uint64_t bad;
    } cases[] = {
        {SLICE_LIT("say \"hi\" \\o/"), "say \\\"hi\\\" \\\\o/", 0},
        {SLICE_LIT("\",\"x\":\""), "\\\",\\\"x\\\":\\\"", 0},
        {SLICE_LIT("tab\there\rcr\bb\ff"), "tab\\there\\rcr\\bb\\ff", 0},
        {SLICE_LIT("nul\0in"), "nul\\u0000in", 0},
        {SLICE_LIT("\xff"), "\xef\xbf\xbd", 1},
        {SLICE_LIT("a\xc3"), "a\xef\xbf\xbd", 1},
        {SLICE_LIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3},
        {SLICE_LIT("\xe2\x80\xa8"), "\xe2\x80\xa8", 0},
        {SLICE_LIT("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n"),
         "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\\n", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char expected[512];
        uint64_t bad;
        struct encode_input input = plain_input(0);
        struct encode_line line = line_of(cases[i].text, 0);
        (void)snprintf(expected, sizeof(expected), HEAD "},\"message\":\"%s\"}", cases[i].escaped);
        CHECK(cases[i].escaped, slice_eq_str(encode(&input, "/var/log/a", &line, &bad), expected));
        CHECK(cases[i].escaped, bad == cases[i].bad);
    }
}

/* Whatever the text, it fits into encode_worst, and what lies behind that is not touched. Lengths
 * around the width of a vector come often. */
static void worst_case_is_never_passed(void **state)
{
    (void)state;
    static char text[5000];
    struct prng random;
    struct batch *b = bench.batch;
    struct encode_input input = plain_input(PART_ALL);
    struct encode_file *f = encode_file_new(&agent, &input, SLICE_LIT("/p"), &gen);
    prng_init(&random, 21);
    for (int round = 0; round < 4000; round++) {
        size_t n = (size_t)prng_upto(&random, round % 4 == 0 ? (int64_t)sizeof(text) : 80);
        int64_t kind = prng_upto(&random, 3);
        for (size_t i = 0; i < n; i++) {
            uint64_t r = prng_next(&random);
            text[i] = kind == 0 ? (char)r : kind == 1 ? (char)(r % 0x20) : kind == 2 ? '\xff' : 'a';
        }
        struct encode_line line = line_of(slice_of(text, n), prng_next(&random) >> 12);
        line.flags = (unsigned)round % 8;
        line.open_end = round % 3 == 0;
        line.source_bytes = (uint32_t)prng_next(&random);
        start_over();
        size_t worst = encode_worst(f, n);
        b->body[worst] = '#';
        (void)encode_line(b, f, &line, bench.span);
        assert_true(b->body_bytes <= worst);
        assert_int_equal(b->body[worst], '#');
        if (round % 16 == 0)
            assert_true(is_sound_body(b));
        /* an ordinary line is what encode_likely is made for */
        if (kind == 3 && line.flags == 0 && !line.open_end)
            assert_true(b->body_bytes <= encode_likely(f, n));
    }
    encode_file_free(&f);
}

/* the longest of everything that varies */
static void worst_case_of_the_rest(void **state)
{
    (void)state;
    struct encode_input input = plain_input(PART_ALL);
    struct encode_file *f = encode_file_new(&agent, &input, SLICE_LIT("/p"), &gen);
    struct encode_line line = line_of(SLICE_LIT(""), 0xfffffffffffff);
    line.flags = ENCODE_TRUNCATED | ENCODE_PARTIAL | ENCODE_MULTILINE;
    line.open_end = true;
    line.source_bytes = UINT32_MAX;
    (void)encode_line(bench.batch, f, &line, bench.span);
    assert_true(bench.batch->body_bytes + 64 <= encode_worst(f, 0));
    assert_true(is_sound_body(bench.batch));
    encode_file_free(&f);
}

static void lines_follow_each_other(void **state)
{
    (void)state;
    static const char *const lines[] = {"one", "two \"2\"", "", "three\x01", "f\xfcnf"};
    struct encode_input input = plain_input(PART_OFFSET);
    struct encode_file *f = encode_file_new(&agent, &input, SLICE_LIT("/p"), &gen);
    uint64_t offset = 0;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct encode_line line = line_of(slice_str(lines[i]), offset);
        (void)encode_line(bench.batch, f, &line, bench.span);
        offset += line.source_bytes;
    }
    assert_int_equal(bench.batch->item_count, ARRAY_LEN(lines));
    assert_true(is_sound_body(bench.batch));
    assert_true(count_is(bench.owner.ledger.read, offset, ARRAY_LEN(lines)));
    assert_int_equal(bench.batch->spans[0]->open_items, ARRAY_LEN(lines));
    encode_file_free(&f);
}

static void a_line_allocates_nothing(void **state)
{
    (void)state;
    static char text[3000];
    memset(text, '\x02', sizeof(text));
    struct encode_input input = plain_input(PART_ALL);
    struct encode_file *f = encode_file_new(&agent, &input, SLICE_LIT("/p"), &gen);
    uint64_t before = mem_calls();
    for (int i = 0; i < 500; i++) {
        struct encode_line line = line_of(slice_of(text, (size_t)i * 6), (uint64_t)i);
        (void)encode_line(bench.batch, f, &line, bench.span);
    }
    assert_true(mem_calls() == before);
    encode_file_free(&f);
    encode_file_free(&f);
}

/* what it was built from may go */
static void a_file_keeps_its_own_text(void **state)
{
    (void)state;
    char name[] = "a.b", value[] = "1", tag[] = "t", path[] = "/p";
    struct config_pair fields[] = {{name, value}};
    char *tags[] = {tag};
    struct encode_input input = plain_input(0);
    input.fields = fields;
    input.field_count = 1;
    input.tags = tags;
    input.tag_count = 1;
    struct encode_file *f = encode_file_new(&agent, &input, slice_str(path), &gen);
    memset(name, '#', sizeof(name));
    memset(value, '#', sizeof(value));
    memset(tag, '#', sizeof(tag));
    memset(path, '#', sizeof(path));
    struct encode_line line = line_of(SLICE_LIT("x"), 0);
    (void)encode_line(bench.batch, f, &line, bench.span);
    assert_true(slice_eq_str(batch_document(bench.batch, &bench.batch->items[0]),
                             "{\"@timestamp\":\"2026-11-23T01:02:03.456Z\",\"log\":{\"file\":{"
                             "\"path\":\"/p\"}},\"message\":\"x\",\"fields\":{\"a\":{\"b\":\"1\"}},"
                             "\"tags\":[\"t\"]}"));
    encode_file_free(&f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* "o<text>" and "e<text>" are lines of a container with times of their own */
static bool cut_by_letter(void *ctx, struct slice line, struct encode_cut *ret)
{
    assert_ptr_equal(ctx, &gen);
    if (!slice_starts(line, SLICE_LIT("o")) && !slice_starts(line, SLICE_LIT("e")))
        return false;
    const bool out = line.ptr[0] == 'o';
    ret->text = slice_sub(line, 1, SIZE_MAX);
    ret->time =
        out ? SLICE_LIT("2026-11-23T01:02:03.123456789Z") : SLICE_LIT("2026-11-23T01:02:03Z");
    ret->stream = out ? "stdout" : "stderr";
    return true;
}

/* the line at the beginning of bytes as the tail gives it; its source bytes; *ret_plain: a run has
 * to take it */
static size_t next_line(struct slice bytes, uint64_t offset, encode_cut_fn cut,
                        struct encode_line *ret, bool *ret_plain)
{
    size_t length = slice_find(bytes, '\n');
    struct encode_cut c = {.text = slice_sub(bytes, 0, length), .time = SLICE_LIT(time_text)};
    *ret_plain = length <= 300 && (cut == NULL || cut((void *)(uintptr_t)&gen, c.text, &c));
    if (slice_ends(c.text, SLICE_LIT("\r")))
        c.text.len--;
    *ret = line_of(c.text, offset);
    ret->time = c.time;
    ret->stream = c.stream;
    ret->source_bytes = (uint32_t)length + 1;
    *ret_plain &= c.text.len > 0;
    return length + 1;
}

/* Takes all lines by runs, and by itself what ends a run; the same items as line by line. */
static void check_runs(const char *name, const struct encode_input *input, struct slice bytes,
                       uint64_t offset, encode_cut_fn cut)
{
    static char expected[BODY];
    static struct batch_item items[4096];
    struct encode_file *f = encode_file_new(&agent, input, slice_str("/var/log/a"), &gen);
    struct encode_line line;
    struct batch *b = bench.batch;
    uint64_t bad[2] = {0, 0};
    bool plain;
    start_over();
    for (size_t at = 0; at < bytes.len;) {
        at += next_line(slice_sub(bytes, at, SIZE_MAX), offset + at, cut, &line, &plain);
        if (line.text.len > 0)
            bad[0] += encode_line(b, f, &line, bench.span);
    }
    const size_t body = b->body_bytes;
    const uint32_t count = b->item_count;
    memcpy(expected, b->body, body);
    memcpy(items, b->items, count * sizeof(items[0]));
    start_over();
    for (size_t at = 0; at < bytes.len;) {
        const struct encode_run run = {.bytes = slice_sub(bytes, at, SIZE_MAX),
                                       .offset = offset + at,
                                       .time = SLICE_LIT(time_text),
                                       .max_bytes = 300,
                                       .body_bytes = BODY / 2,
                                       .cut = cut,
                                       .ctx = (void *)(uintptr_t)&gen};
        size_t taken = encode_run(b, f, &run, bench.span, &bad[1]);
        at += taken;
        if (taken > 0 || at == bytes.len)
            continue;
        at += next_line(slice_sub(bytes, at, SIZE_MAX), offset + at, cut, &line, &plain);
        CHECK(name, !plain || (offset + at) >> 32 != offset >> 32);
        if (line.text.len > 0)
            bad[1] += encode_line(b, f, &line, bench.span);
    }
    CHECK(name, b->item_count == count && b->body_bytes == body && bad[0] == bad[1]);
    CHECK(name, memcmp(b->body, expected, body) == 0);
    for (uint32_t i = 0; i < count; i++)
        CHECK(name, memcmp(&b->items[i], &items[i], sizeof(items[i])) == 0);
    encode_file_free(&f);
}

static void runs_are_as_lines(void **state)
{
    (void)state;
    static const char *const pieces[] = {
        "plain",
        "\"",
        "\\",
        "\r",
        "\n",
        "\n",
        "\r\n",
        "\t",
        "\x01",
        "",
        "\xc3\xa4",
        "\xff",
        "{\"a\":1}",
        "\no",
        "\ne",
        "\no",
        "a longer text without anything that would need an escape, of 80 bytes or so"};
    struct prng random;
    prng_init(&random, 7);
    for (unsigned round = 0; round < 400; round++) {
        struct encode_input input = plain_input(round % 2 ? PART_ALL : round % 3 ? 0 : PART_HOST);
        struct buf text;
        buf_init(&text, MIB);
        input.auto_ids = round % 5 == 0;
        for (int64_t n = prng_upto(&random, 300); n > 0; n--)
            assert_int_equal(buf_add_str(&text, pieces[prng_upto(&random, ARRAY_LEN(pieces) - 1)]),
                             0);
        assert_int_equal(buf_add_byte(&text, '\n'), 0);
        check_runs("random", &input, buf_slice(&text),
                   round % 7 == 0 ? UINT32_MAX - 500 : (uint64_t)prng_next(&random) >> 13,
                   round % 4 < 2 ? cut_by_letter : NULL);
        buf_clear(&text);
    }
}

/* where a run ends */
static void runs_end_where_they_must(void **state)
{
    (void)state;
    struct encode_input input = plain_input(0);
    struct encode_file *f = encode_file_new(&agent, &input, slice_str("/a"), &gen);
    struct batch *b = bench.batch;
    struct ledger *ledger = &bench.owner.ledger;
    uint64_t bad = 0;
    struct encode_run run = {.bytes = SLICE_LIT("one\ntwo\nthree"),
                             .time = SLICE_LIT(time_text),
                             .max_bytes = 10,
                             .body_bytes = BODY};
    start_over();
    const struct ledger_count before = ledger->read;
    const uint64_t encoded = ledger->documents[DOCUMENT_ENCODED];
    assert_int_equal(encode_run(b, f, &run, bench.span, &bad), 8); /* no end */
    assert_int_equal(b->item_count, 2);
    assert_int_equal(b->spans[bench.span]->open_items, 2);
    assert_true(ledger->read.bytes == before.bytes + 8 && ledger->read.lines == before.lines + 2);
    assert_int_equal(ledger->documents[DOCUMENT_ENCODED], encoded + 2);
    static const struct {
        const char *name, *text;
        size_t taken;
    } cases[] = {
        {"empty", "ab\n\ncd\n", 3},
        {"only CR", "ab\n\r\ncd\n", 3},
        {"too long", "ab\n0123456789a\n", 3},
        {"just short enough", "0123456789\n", 11},
        {"first", "\nab\n", 0},
        {"nothing", "", 0},
        {"no end", "ab", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        run.bytes = slice_str(cases[i].text);
        CHECK(cases[i].name, encode_run(b, f, &run, bench.span, &bad) == cases[i].taken);
    }
    run.bytes = SLICE_LIT("ab\ncd\n");
    run.body_bytes = b->body_bytes + encode_likely(f, 2);
    assert_int_equal(encode_run(b, f, &run, bench.span, &bad), 3); /* the body is full */
    run.body_bytes = BODY;
    run.offset = UINT32_MAX;
    assert_int_equal(encode_run(b, f, &run, bench.span, &bad), 3); /* other digits from 4 GiB on */
    b->item_count = b->item_cap - 1;
    assert_int_equal(encode_run(b, f, &run, bench.span, &bad), 3); /* no further item */
    b->item_count = 0;
    encode_file_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_are_exact),
        TEST(lines_of_containers),
        TEST(id_of_another_generation),
        TEST(ids_of_the_server),
        TEST(all_combinations_are_json),
        TEST(actions_are_exact),
        TEST(flags_are_exact),
        TEST(fields_and_tags_are_exact),
        TEST(deep_fields_are_json),
        TEST(many_fields_are_json),
        TEST(hostile_paths),
        TEST(hostile_messages),
        TEST(worst_case_is_never_passed),
        TEST(worst_case_of_the_rest),
        TEST(lines_follow_each_other),
        TEST(runs_are_as_lines),
        TEST(runs_end_where_they_must),
        TEST(a_line_allocates_nothing),
        TEST(a_file_keeps_its_own_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
