/* rooms: base os config store bulk
 *
 * Fuzzes bulk/encode: a path, a field, a tag and a message from the input. Oracles: the item fits
 * into encode_worst; action and document are one line each; the document is one JSON object whose
 * path and message scan back to the input when that was valid UTF-8; a run of lines gives the items
 * that its lines give one by one.
 */
#include "bulk/encode.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_scan.h"
#include "base/utf8.h"

#define BODY ((size_t)1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* aborts, so that the fuzzer keeps the input */
static void require(bool condition)
{
    if (!condition)
        abort();
}

/* takes path and message out of a document */
struct reader {
    struct buf path, message;
    struct buf *next; /* where the next string goes */
    bool in_log;      /* within the object log, not within the fields */
};

/* one event of the scan */
static int on_event(void *ctx, enum json_event event, unsigned depth, struct slice text, bool cut)
{
    struct reader *r = ctx;
    require(!cut);
    if (event == JSON_KEY) {
        if (depth == 1)
            r->in_log = slice_eq_str(text, "log");
        r->next = depth == 1 && slice_eq_str(text, "message")             ? &r->message
                  : r->in_log && depth == 3 && slice_eq_str(text, "path") ? &r->path
                                                                          : NULL;
        return 0;
    }
    if (event != JSON_STRING || r->next == NULL)
        return 0;
    struct buf *b = r->next;
    r->next = NULL;
    require(b->len == 0);
    return buf_add_slice(b, text);
}

/* spans of the fuzzer's owner have nowhere to go */
static void on_resolved(struct span_owner *owner, struct span *span)
{
    (void)owner;
    (void)span;
}

/* the next piece of the input, its length in its first byte */
static struct slice piece(struct slice *rest)
{
    size_t n = rest->len > 0 ? (unsigned char)rest->ptr[0] : 0;
    struct slice s = slice_sub(*rest, 1, n);
    *rest = slice_sub(*rest, 1 + s.len, SIZE_MAX);
    return s;
}

/* the document must be JSON, and say what went in */
static void check_document(struct slice document, struct slice path, struct slice message)
{
    struct reader r = {0};
    buf_init(&r.path, BODY);
    buf_init(&r.message, BODY);
    require(utf8_is_valid(document) && slice_find(document, '\n') == document.len);
    struct json_scan *scan = json_scan_new(BODY, on_event, &r);
    require(json_scan_feed(scan, document) == 0 && json_scan_finish(scan) == 0);
    json_scan_free(&scan);
    if (utf8_is_valid(path))
        require(slice_eq(buf_slice(&r.path), path));
    if (utf8_is_valid(message))
        require(slice_eq(buf_slice(&r.message), message));
    buf_clear(&r.path);
    buf_clear(&r.message);
}

/* the lines of a message, as a run and one by one */
static void encode_lines(struct batch *b, uint16_t span, const struct encode_file *f,
                         struct slice bytes, uint64_t offset)
{
    const struct encode_run run = {.bytes = bytes,
                                   .offset = offset,
                                   .time = SLICE_LIT("2026-11-23T01:02:03.456Z"),
                                   .max_bytes = 1024,
                                   .body_bytes = BODY / 2};
    uint64_t bad = 0, bad_alone = 0;
    const uint32_t first = b->item_count;
    const size_t taken = encode_run(b, f, &run, span, &bad);
    const uint32_t count = b->item_count - first;
    for (size_t at = 0, i = first; at < taken; i++) {
        struct slice rest = slice_sub(bytes, at, taken - at);
        struct slice text = slice_sub(rest, 0, slice_find(rest, '\n'));
        const struct encode_line line = {
            .text = slice_ends(text, SLICE_LIT("\r")) ? slice_sub(text, 0, text.len - 1) : text,
            .offset = offset + at,
            .source_bytes = (uint32_t)text.len + 1,
            .source_lines = 1,
            .time = run.time,
        };
        bad_alone += encode_line(b, f, &line, span);
        const struct batch_item *one = &b->items[b->item_count - 1], *of_run = &b->items[i];
        require(slice_eq(batch_action(b, one), batch_action(b, of_run)));
        require(slice_eq(batch_document(b, one), batch_document(b, of_run)));
        require(one->source_bytes == of_run->source_bytes);
        at += text.len + 1;
    }
    require(bad == bad_alone && b->item_count == first + 2 * count);
}

/* one line of one file */
static void encode_one(struct batch *b, uint16_t span, struct slice rest)
{
    unsigned bits = rest.len > 0 ? (unsigned char)rest.ptr[0] : 0;
    rest = slice_sub(rest, 1, SIZE_MAX);
    struct slice path = piece(&rest), name = piece(&rest), value = piece(&rest);
    char *field = strndup(name.ptr == NULL ? "" : name.ptr, name.len);
    char *text = strndup(value.ptr == NULL ? "" : value.ptr, value.len);
    require(field != NULL && text != NULL);
    struct config_pair pair = {field, text};
    struct encode_agent agent = {.host_name = text, .id = field, .version = "1"};
    struct encode_input input = {
        .parts = bits & PART_ALL,
        .dataset = text,
        .namespace = field,
        .target = "t",
        .input_type = "filestream",
        .fields = &pair,
        .field_count = bits >> 7,
        .tags = &pair.value,
        .tag_count = bits >> 6 & 1,
    };
    struct generation gen = {{1, 2, 3}};
    struct encode_file *f = encode_file_new(&agent, &input, path, &gen);
    struct encode_line line = {
        .text = rest,
        .offset = (uint64_t)bits << 44,
        .source_bytes = (uint32_t)rest.len,
        .source_lines = 1,
        .flags = bits & 7,
        .open_end = bits & 8,
        .time = SLICE_LIT("2026-11-23T01:02:03.456Z"),
        .stream = bits & 16 ? "stderr" : NULL,
        .error = bits & 32 ? "not a line of the format" : NULL,
        .generation = bits & 64 ? &gen : NULL,
    };
    (void)encode_line(b, f, &line, span);
    const struct batch_item *item = &b->items[b->item_count - 1];
    require(item->bytes <= encode_worst(f, rest.len));
    struct slice action = batch_action(b, item);
    require(slice_find(action, '\n') == action.len &&
            slice_starts(action, SLICE_LIT("{\"create\"")));
    check_document(batch_document(b, item), path, rest);
    encode_lines(b, span, f, rest, line.offset);
    encode_file_free(&f);
    free(field);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span_owner_ops ops = {.resolved = on_resolved};
    if (size > 4096)
        return 0;
    struct ledger ledger = {0};
    struct span_owner owner = {.ops = &ops, .ledger = &ledger, .source = ""};
    struct span_pool *pool = span_pool_new();
    struct batch *b = batch_new(BATCH_LOGS, 2 * BODY, 16384, 4);
    uint16_t span = 0;
    char *exact = malloc(size + 1);
    require(exact != NULL && batch_span_for(b, pool, &owner, 0, &span) == 0);
    memcpy(exact, data, size);
    encode_one(b, span, slice_of(exact, size));
    free(exact);
    span_put(pool, b->spans[0]);
    batch_free(&b);
    span_pool_free(&pool);
    return 0;
}
