/*
 * Fuzzes base/json_scan. The first two bytes choose a token limit and how the rest is cut into
 * pieces. Oracles: the events and the result are the same for the whole, the cut and the
 * byte-by-byte input; events nest; no text passes the limit; blanks around a good document change
 * nothing.
 */
#include "base/json_scan.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was heard: each event as a fixed head and its text. */
struct record {
    struct buf events;
    unsigned depth;
    size_t token_max;
};

/* aborts, so that the fuzzer keeps the input */
static void require(bool condition)
{
    if (!condition)
        abort();
}

/* checks nesting and limit, and writes the event down */
static int on_event(void *ctx, enum json_event event, unsigned depth, struct slice text, bool cut)
{
    struct record *record = ctx;
    if (event == JSON_OBJECT_END || event == JSON_ARRAY_END)
        record->depth--;
    require(depth == record->depth && depth <= JSON_SCAN_DEPTH);
    if (event == JSON_OBJECT || event == JSON_ARRAY)
        record->depth++;
    require(text.len <= record->token_max && (!cut || text.len == record->token_max));
    int r = buf_printf(&record->events, "%d/%u/%d/%zu:", (int)event, depth, cut ? 1 : 0, text.len);
    require(r == 0);
    r = buf_add_slice(&record->events, text);
    require(r == 0);
    return 0;
}

/* feeds pieces of `step` bytes and finishes; returns the result */
static int scan(struct slice s, size_t step, size_t token_max, struct record *record)
{
    *record = (struct record){.token_max = token_max};
    buf_init(&record->events, SIZE_MAX);
    struct json_scan *js = json_scan_new(token_max, on_event, record);
    int r = 0;
    while (s.len > 0 && r == 0) {
        struct slice piece = slice_sub(s, 0, step);
        char *exact = malloc(piece.len);
        require(exact != NULL);
        memcpy(exact, piece.ptr, piece.len);
        r = json_scan_feed(js, slice_of(exact, piece.len));
        free(exact);
        s = slice_sub(s, piece.len, s.len);
    }
    int end = json_scan_finish(js);
    require(r == 0 || end == r);
    require(end == 0 || end == -EBADMSG || end == -E2BIG);
    require(json_scan_is_done(js) == (end == 0));
    require(end != 0 || record->depth == 0);
    json_scan_free(&js);
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 4096)
        return 0;
    size_t token_max = data[0] < 128 ? data[0] : 4096;
    size_t step = (size_t)data[1] + 1;
    struct slice s = slice_of((const char *)data + 2, size - 2);
    struct record whole, cut, single, spaced;

    int r = scan(s, s.len + 1, token_max, &whole);
    require(scan(s, step, token_max, &cut) == r);
    require(scan(s, 1, token_max, &single) == r);
    require(slice_eq(buf_slice(&whole.events), buf_slice(&cut.events)));
    require(slice_eq(buf_slice(&whole.events), buf_slice(&single.events)));

    /* blanks around a document change nothing */
    struct buf text;
    buf_init(&text, SIZE_MAX);
    int add = buf_add_str(&text, " \n");
    require(add == 0);
    add = buf_add_slice(&text, s);
    require(add == 0);
    add = buf_add_str(&text, "\t\r");
    require(add == 0);
    int spaced_r = scan(buf_slice(&text), step, token_max, &spaced);
    if (r == 0) {
        require(spaced_r == 0);
        require(slice_eq(buf_slice(&whole.events), buf_slice(&spaced.events)));
    }
    buf_clear(&text);
    buf_clear(&whole.events);
    buf_clear(&cut.events);
    buf_clear(&single.events);
    buf_clear(&spaced.events);
    return 0;
}
