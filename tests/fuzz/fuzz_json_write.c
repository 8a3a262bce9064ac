/*
 * Fuzzes base/json_write and base/escape. Oracles: json_escape and all forms of escape.h give the
 * same bytes; they are valid UTF-8; as a string they scan back to the input when that was valid
 * UTF-8, and to the input with its bad parts replaced otherwise; a document steered by the input
 * scans without error, whatever the limit of the buffer cut off.
 */
#include "base/json_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/json_scan.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* aborts, so that the fuzzer keeps the input */
static void require(bool condition)
{
    if (!condition)
        abort();
}

/* takes the text of a string; other events only count */
static int on_event(void *ctx, enum json_event event, unsigned depth, struct slice text, bool cut)
{
    (void)depth;
    require(!cut);
    return event == JSON_STRING ? buf_add_slice(ctx, text) : 0;
}

/* the texts of all strings in a document that must be good */
static void scan(struct buf *json, struct buf *texts)
{
    struct json_scan *js = json_scan_new(SIZE_MAX, on_event, texts);
    require(json_scan_feed(js, buf_slice(json)) == 0);
    require(json_scan_finish(js) == 0);
    json_scan_free(&js);
}

/* s with U+FFFD for each bad part; returns their number */
static uint64_t repair(struct buf *out, struct slice s)
{
    uint64_t bad = 0;
    while (s.len > 0) {
        size_t n = utf8_sequence(s.ptr, s.len);
        int r = n > 0 ? buf_add(out, s.ptr, n) : buf_add_str(out, "\xef\xbf\xbd");
        require(r == 0);
        if (n == 0) {
            n = utf8_bad_length(s.ptr, s.len);
            bad++;
        }
        s = slice_sub(s, n, s.len);
    }
    return bad;
}

/* one string, by all ways */
static void check_string(struct slice s)
{
    struct buf json, back, expected;
    uint64_t bad = 0;
    buf_init(&json, SIZE_MAX);
    buf_init(&back, SIZE_MAX);
    buf_init(&expected, SIZE_MAX);
    int r = json_escape(&json, s, &bad);
    require(r == 0 && utf8_is_valid(buf_slice(&json)));

    const struct escape_form *forms;
    const size_t count = escape_forms(&forms);
    char *text = malloc(ESCAPE_WORST(s.len));
    require(text != NULL);
    for (size_t i = 0; i < count; i++) {
        uint64_t form_bad = 0;
        size_t len = forms[i].escape(text, s.ptr, s.len, &form_bad);
        require(slice_eq(buf_slice(&json), slice_of(text, len)) && form_bad == bad);
    }
    free(text);
    require(repair(&expected, s) == bad);
    require(utf8_is_valid(s) == (bad == 0));

    struct json_writer w;
    buf_reset(&json);
    json_begin(&w, &json);
    json_string(&w, s);
    require(json_done(&w) == 0);
    scan(&json, &back);
    require(slice_eq(buf_slice(&back), buf_slice(&expected)));
    buf_clear(&json);
    buf_clear(&back);
    buf_clear(&expected);
}

/* a value chosen by the first byte of *s; containers are filled with the following ones */
static void write_value(struct json_writer *w, struct slice *s)
{
    unsigned char kind = s->len > 0 ? (unsigned char)s->ptr[0] : 0;
    *s = slice_sub(*s, 1, s->len);
    double number = 0;
    struct slice text = slice_sub(*s, 0, kind / 8);
    memcpy(&number, text.ptr, text.len < sizeof(number) ? text.len : sizeof(number));
    switch (w->depth < 40 ? kind % 8 : kind % 6) {
    case 0:
        json_null(w);
        break;
    case 1:
        json_bool(w, kind > 127);
        break;
    case 2:
        json_i64(w, kind > 127 ? INT64_MIN : -kind);
        break;
    case 3:
        json_u64(w, kind > 127 ? UINT64_MAX : kind);
        break;
    case 4:
        json_double4(w, number);
        break;
    case 5:
        json_string(w, text);
        *s = slice_sub(*s, text.len, s->len);
        break;
    case 6:
        json_array(w);
        for (int i = 0; i < kind / 32 && s->len > 0; i++)
            write_value(w, s);
        json_end_array(w);
        break;
    default:
        json_object(w);
        for (int i = 0; i < kind / 32 && s->len > 0; i++) {
            json_key_slice(w, slice_sub(*s, 0, 3));
            write_value(w, s);
        }
        json_end_object(w);
        break;
    }
}

/* one document; with a limit it is cut off where the limit is, with an error */
static void check_document(struct slice s, size_t limit)
{
    struct buf json, limited, texts;
    struct json_writer w;
    struct slice rest = s;
    buf_init(&json, SIZE_MAX);
    buf_init(&limited, limit);
    buf_init(&texts, SIZE_MAX);
    json_begin(&w, &json);
    write_value(&w, &rest);
    int r = json_done(&w);
    require(r == 0 || r == -EOVERFLOW);
    require(utf8_is_valid(buf_slice(&json)));
    if (r == 0)
        scan(&json, &texts);

    rest = s;
    json_begin(&w, &limited);
    write_value(&w, &rest);
    int limited_r = json_done(&w);
    require(limited.len <= limit && slice_starts(buf_slice(&json), buf_slice(&limited)));
    require(json.len <= limit ? limited_r == r : limited_r == -ENOBUFS);
    buf_clear(&json);
    buf_clear(&limited);
    buf_clear(&texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 4096)
        return 0;
    size_t n = size - 1;
    char *exact = malloc(n > 0 ? n : 1);
    require(exact != NULL);
    memcpy(exact, data + 1, n);
    check_string(slice_of(exact, n));
    check_document(slice_of(exact, n), data[0]);
    free(exact);
    return 0;
}
