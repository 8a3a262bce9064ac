/* output/reply: real answers, any split, cut at every byte, and everything that is none */
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/mem.h"
#include "output/decisions.h"
#include "output/reply.h"

/* four items: 201, 400 with a quoted document, 409, 429, in the words of ES 8 */
#define ES_REPLY                                                                                   \
    "{\"errors\":true,\"took\":200,\"items\":["                                                    \
    "{\"create\":{\"_index\":\".ds-logs-a-default-2026.11.23-000001\",\"_id\":\"a\",\"status\":"   \
    "201}},"                                                                                       \
    "{\"create\":{\"_index\":\".ds-logs-a-default-2026.11.23-000001\",\"_id\":\"oz7j\","           \
    "\"status\":400,"                                                                              \
    "\"error\":{\"type\":\"document_parsing_exception\",\"reason\":\"[1:42] failed to parse "      \
    "field [n]"                                                                                    \
    " of type [long]. Preview of field's value: 'abc'\",\"caused_by\":{\"type\":"                  \
    "\"illegal_argument_exception\",\"reason\":\"For input string: \\\"abc\\\"\"}}}},"             \
    "{\"create\":{\"_index\":\"logs\",\"_id\":\"b\",\"status\":409,\"error\":{\"type\":"           \
    "\"version_conflict_engine_exception\",\"reason\":\"[1]: version conflict\"}}},"               \
    "{\"create\":{\"_index\":\"logs-blk-default\",\"_id\":null,\"status\":429,\"error\":{"         \
    "\"type\":"                                                                                    \
    "\"cluster_block_exception\",\"reason\":\"index [x] blocked by: "                              \
    "[TOO_MANY_REQUESTS/12/..];\"}}}]}"

/* the same with filter_path, and fields in another order */
#define FILTERED                                                                                   \
    "{ \"items\" : [ {\"create\":{\"status\":201}},\n{\"create\":{\"error\":{\"reason\":\"[1:42]"  \
    " failed\",\"type\":\"document_parsing_exception\"},\"status\":400}},"                         \
    "{\"create\":{\"status\":409,\"error\":{\"type\":\"version_conflict_engine_exception\","       \
    "\"reason\":\"[1]\"}}},\t{\"create\":{\"error\":{\"type\":\"cluster_block_exception\","        \
    "\"reason\":\"blocked\"},\"status\":429}}],\"errors\":true }\r\n"

static const unsigned four[] = {201, 400, 409, 429};

/* scans text in pieces of step bytes */
static int scan(struct reply *r, const char *text, size_t bytes, uint32_t items, size_t step)
{
    reply_begin(r, items);
    for (size_t at = 0; at < bytes; at += step) {
        int err = reply_feed(r, slice_of(text + at, bytes - at < step ? bytes - at : step));
        if (err != 0)
            return err;
    }
    return reply_finish(r);
}

static int scan_str(struct reply *r, const char *text, uint32_t items)
{
    return scan(r, text, strlen(text), items, SIZE_MAX / 2);
}

static void check_four(const struct reply *r)
{
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(reply_items(r)[i].status, four[i]);
    assert_int_equal(decide_item_row(reply_items(r)[1].row)->action, DECIDE_REJECT);
    assert_int_equal(decide_item_row(reply_items(r)[3].row)->action, DECIDE_PAUSE_TARGET);
}

static void test_every_split(void **state)
{
    (void)state;
    static const char *const texts[] = {ES_REPLY, FILTERED};
    struct reply *r = reply_new();
    for (size_t t = 0; t < 2; t++) {
        for (size_t step = 1; step <= strlen(texts[t]); step++) {
            assert_int_equal(scan(r, texts[t], strlen(texts[t]), 4, step), 0);
            check_four(r);
        }
    }
    reply_free(&r);
    assert_null(r);
    reply_free(&r);
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    struct reply *r = reply_new();
    for (size_t n = 0; n < strlen(ES_REPLY); n++)
        assert_int_equal(scan(r, ES_REPLY, n, 4, 7), -EBADMSG);
    reply_free(&r);
}

static void test_texts(void **state)
{
    (void)state;
    struct reply *r = reply_new();
    assert_int_equal(scan_str(r, ES_REPLY, 4), 0);
    size_t cursor = 0;
    struct reply_text text;
    assert_true(reply_next_text(r, &cursor, &text));
    assert_int_equal(text.item, 1);
    assert_true(slice_eq_str(text.type, "document_parsing_exception"));
    assert_true(slice_starts(text.reason, SLICE_LIT("[1:42] failed to parse field [n]")));
    assert_false(reply_next_text(r, &cursor, &text));
    reply_free(&r);
}

struct bad_case {
    const char *name, *text;
    uint32_t items;
};

static const struct bad_case bad_cases[] = {
    {"empty", "", 1},
    {"blanks", " \n", 1},
    {"HTML", "<html><body>502 Bad Gateway</body></html>", 1},
    {"plain text", "Unauthorized", 1},
    {"null", "null", 0},
    {"array", "[]", 0},
    {"no items", "{\"errors\":false}", 0},
    {"no items, some sent", "{\"errors\":false}", 1},
    {"too few", "{\"items\":[{\"create\":{\"status\":201}}]}", 2},
    {"too many", "{\"items\":[{\"create\":{\"status\":201}},{\"create\":{\"status\":201}}]}", 1},
    {"prefix junk", "OK {\"items\":[{\"create\":{\"status\":201}}]}", 1},
    {"junk behind", "{\"items\":[{\"create\":{\"status\":201}}]}x", 1},
    {"second reply behind", "{\"items\":[]}{\"items\":[]}", 0},
    {"items twice", "{\"items\":[{\"create\":{\"status\":201}}],\"items\":[]}", 1},
    {"items is an object", "{\"items\":{\"create\":{\"status\":201}}}", 1},
    {"items is null", "{\"items\":null}", 0},
    {"item without status", "{\"items\":[{\"create\":{\"_id\":\"a\"}}]}", 1},
    {"empty item", "{\"items\":[{}]}", 1},
    {"item is a number", "{\"items\":[201]}", 1},
    {"item is an array", "{\"items\":[[]]}", 1},
    {"operation is a number", "{\"items\":[{\"create\":201}]}", 1},
    {"operation is an array", "{\"items\":[{\"create\":[201]}]}", 1},
    {"two operations", "{\"items\":[{\"create\":{\"status\":201},\"index\":{\"status\":201}}]}", 1},
    {"status as text", "{\"items\":[{\"create\":{\"status\":\"201\"}}]}", 1},
    {"status null", "{\"items\":[{\"create\":{\"status\":null}}]}", 1},
    {"status 0", "{\"items\":[{\"create\":{\"status\":0}}]}", 1},
    {"status negative", "{\"items\":[{\"create\":{\"status\":-201}}]}", 1},
    {"status with a fraction", "{\"items\":[{\"create\":{\"status\":201.0}}]}", 1},
    {"status too large", "{\"items\":[{\"create\":{\"status\":1000}}]}", 1},
    {"status beyond 64 bits", "{\"items\":[{\"create\":{\"status\":99999999999999999999}}]}", 1},
    {"whole error", "{\"error\":{\"type\":\"x\"},\"status\":400}", 1},
};

static void test_bad(void **state)
{
    (void)state;
    struct reply *r = reply_new();
    for (size_t i = 0; i < ARRAY_LEN(bad_cases); i++) {
        CHECK(bad_cases[i].name, scan_str(r, bad_cases[i].text, bad_cases[i].items) == -EBADMSG);
        /* errors stick until the next reply begins */
        reply_begin(r, 1);
        CHECK(bad_cases[i].name,
              scan_str(r, "{\"items\":[{\"create\":{\"status\":201}}]}", 1) == 0);
    }
    reply_free(&r);
}

struct good_case {
    const char *name, *text;
    unsigned status;
    bool stored;
};

static const struct good_case good_cases[] = {
    {"ES 7 with _type and took first",
     "{\"took\":3,\"errors\":false,\"items\":[{\"create\":{\"_index\":\"i\",\"_type\":\"_doc\",\"_"
     "id\":"
     "\"a\",\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":2,\"successful\":1,"
     "\"failed\":0},\"_seq_no\":0,\"_primary_term\":1,\"status\":201}}]}",
     201, false},
    {"index operation", "{\"items\":[{\"index\":{\"status\":200}}]}", 200, false},
    {"failure store", "{\"items\":[{\"create\":{\"status\":201,\"failure_store\":\"used\"}}]}", 201,
     true},
    {"failure store not enabled",
     "{\"items\":[{\"create\":{\"failure_store\":\"not_enabled\",\"status\":400,\"error\":{}}}]}",
     400, false},
    {"error as text", "{\"items\":[{\"create\":{\"status\":400,\"error\":\"old form\"}}]}", 400,
     false},
    {"unknown fields of every kind",
     "{\"x\":[{\"items\":[1]},[],null],\"items\":[{\"create\":{\"y\":{\"status\":500,\"error\":{}},"
     "\"z\":[[{\"status\":1}]],\"status\":201,\"t\":true}}],\"items2\":[{}]}",
     201, false},
    {"type is no string",
     "{\"items\":[{\"create\":{\"status\":400,\"error\":{\"type\":[\"x\"]}}}]}", 400, false},
    {"reason null", "{\"items\":[{\"create\":{\"status\":503,\"error\":{\"reason\":null}}}]}", 503,
     false},
};

static void test_good(void **state)
{
    (void)state;
    struct reply *r = reply_new();
    for (size_t i = 0; i < ARRAY_LEN(good_cases); i++) {
        CHECK(good_cases[i].name, scan_str(r, good_cases[i].text, 1) == 0);
        CHECK(good_cases[i].name, reply_items(r)[0].status == good_cases[i].status);
        CHECK(good_cases[i].name, reply_items(r)[0].failure_store == good_cases[i].stored);
    }
    assert_int_equal(scan_str(r, "{\"items\":[]}", 0), 0);
    reply_free(&r);
}

/* an error of one item is not taken for the next one's */
static void test_no_carry_over(void **state)
{
    (void)state;
    struct reply *r = reply_new();
    const char *text = "{\"items\":[{\"create\":{\"status\":400,\"error\":{\"type\":"
                       "\"index_closed_exception\"}}},{\"create\":{\"status\":400}}]}";
    assert_int_equal(scan_str(r, text, 2), 0);
    assert_int_equal(decide_item_row(reply_items(r)[0].row)->action, DECIDE_PAUSE_TARGET);
    assert_int_equal(decide_item_row(reply_items(r)[1].row)->action, DECIDE_REJECT);
    reply_free(&r);
}

static void test_long_texts_are_cut(void **state)
{
    (void)state;
    struct reply *r = reply_new();
    const uint32_t items = 100;
    struct buf b;
    buf_init(&b, 4 * MIB);
    char *reason = mem_zalloc(20001);
    memset(reason, 'r', 20000);
    assert_int_equal(buf_add_str(&b, "{\"items\":["), 0);
    for (uint32_t i = 0; i < items; i++)
        assert_int_equal(buf_printf(&b,
                                    "%s{\"create\":{\"status\":400,\"error\":{\"type\":\"t%u\","
                                    "\"reason\":\"%s\"}}}",
                                    i > 0 ? "," : "", i, reason),
                         0);
    assert_int_equal(buf_add_str(&b, "]}"), 0);
    assert_int_equal(scan(r, b.ptr, b.len, items, 1000), 0);
    size_t cursor = 0, count = 0, bytes = 0;
    struct reply_text text;
    while (reply_next_text(r, &cursor, &text)) {
        char type[16];
        snprintf(type, sizeof(type), "t%u", text.item);
        assert_true(slice_eq_str(text.type, type));
        assert_int_equal(text.reason.len, REPLY_TOKEN_MAX);
        bytes += text.reason.len;
        count++;
    }
    assert_in_range(count, 60, 64);
    assert_in_range(bytes, 60 * KIB, REPLY_TEXTS_MAX);
    mem_free(reason);
    buf_clear(&b);
    reply_free(&r);
}

/* 50 MB of fields nobody knows: memory stays what it was */
static void test_large_reply(void **state)
{
    (void)state;
    struct reply *r = reply_new();
    reply_begin(r, 1);
    uint64_t before = mem_calls();
    assert_int_equal(reply_feed(r, SLICE_LIT("{\"x\":\"")), 0);
    static char piece[64 * 1024];
    memset(piece, 'x', sizeof(piece));
    for (int i = 0; i < 800; i++)
        assert_int_equal(reply_feed(r, slice_of(piece, sizeof(piece))), 0);
    assert_int_equal(reply_feed(r, SLICE_LIT("\",\"items\":[{\"create\":{\"status\":201}}]}")), 0);
    assert_int_equal(reply_finish(r), 0);
    assert_in_range(mem_calls() - before, 0, 16);
    reply_free(&r);
}

/* the usual reply to n documents */
static void usual(struct buf *b, unsigned n)
{
    buf_reset(b);
    assert_int_equal(buf_add_str(b, "{\"errors\":false,\"items\":["), 0);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(buf_printf(b, "%s{\"create\":{\"status\":201}}", i > 0 ? "," : ""), 0);
    assert_int_equal(buf_add_str(b, "]}"), 0);
}

/* in any pieces, and with any byte of it changed or the end cut off */
static void test_usual_reply(void **state)
{
    (void)state;
    struct buf b;
    struct reply *r = reply_new();
    buf_init(&b, 64 * KIB);
    usual(&b, 3);
    for (size_t step = 1; step <= b.len; step++) {
        assert_int_equal(scan(r, b.ptr, b.len, 3, step), 0);
        for (int i = 0; i < 3; i++)
            assert_int_equal(reply_items(r)[i].status, 201);
        assert_int_equal(decide_item_row(reply_items(r)[2].row)->action, DECIDE_ACK);
        assert_true(reply_all_created(r));
        assert_int_equal(scan(r, b.ptr, b.len, 2, step), -EBADMSG);
        assert_int_equal(scan(r, b.ptr, b.len, 4, step), -EBADMSG);
    }
    for (size_t at = 0; at < b.len; at++) {
        char was = b.ptr[at];
        assert_int_not_equal(scan(r, b.ptr, at, 3, 7), 0);
        b.ptr[at] = '#';
        int err = scan(r, b.ptr, b.len, 3, 7);
        /* only inside a name that is not looked at */
        bool name = was >= 'a' && was <= 'z' && err == 0;
        assert_true(name || err != 0);
        b.ptr[at] = was;
    }
    buf_clear(&b);
    reply_free(&r);
}

/* one item other than the usual, anywhere, in any pieces */
static void test_nearly_usual_reply(void **state)
{
    (void)state;
    static const char *const others[] = {"{\"create\":{\"status\":429}}",
                                         "{\"create\":{\"status\":200}}",
                                         "{\"create\":{\"status\":201,\"failure_store\":\"used\"}}",
                                         " {\"create\":{\"status\":201}}"};
    static const unsigned statuses[] = {429, 200, 201, 201};
    struct reply *r = reply_new();
    struct buf b;
    buf_init(&b, 64 * KIB);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        for (unsigned place = 0; place < 5; place++) {
            buf_reset(&b);
            assert_int_equal(buf_add_str(&b, "{\"errors\":false,\"items\":["), 0);
            for (unsigned n = 0; n < 5; n++)
                assert_int_equal(
                    buf_printf(&b, "%s%s", n > 0 ? "," : "",
                               n == place ? others[i] : "{\"create\":{\"status\":201}}"),
                    0);
            assert_int_equal(buf_add_str(&b, "]}\n"), 0);
            for (size_t step = 1; step < 40; step++) {
                assert_int_equal(scan(r, b.ptr, b.len, 5, step), 0);
                assert_false(reply_all_created(r));
                for (unsigned n = 0; n < 5; n++)
                    assert_int_equal(reply_items(r)[n].status, n == place ? statuses[i] : 201);
                assert_int_equal(reply_items(r)[place].failure_store, i == 2);
            }
        }
    }
    buf_clear(&b);
    reply_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual_reply),
        cmocka_unit_test(test_nearly_usual_reply),
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_no_carry_over),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_large_reply),
    };
    return cmocka_run_group_tests_name("output/reply", tests, NULL, NULL);
}
