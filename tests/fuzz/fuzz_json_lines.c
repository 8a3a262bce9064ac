/* rooms: base os config store bulk decode
 *
 * Fuzzes a JSON line on its way into a document: decode/json and bulk/document. First byte:
 * profile, constants, whether the line is one byte too long. Oracles: what comes out is UTF-8, one
 * JSON object without a newline, no deeper than the line and what is added, no object of it has a
 * name twice; it is no longer than was said, and six times the line and the names hold it; a line
 * that is refused is none that is taken a second time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include "bulk/document.h"
#include "decode/decode.h"

#define NAMES_MAX 2048
#define ADDED     ((size_t)4096) /* names of the table and constants */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* aborts, so that the fuzzer keeps the input */
static void require(bool condition)
{
    if (!condition)
        abort();
}

/* the names of a document, by the object they stand in */
struct reader {
    uint64_t seen[NAMES_MAX];
    unsigned count, objects;
    unsigned object_at[JSON_SCAN_DEPTH + 1];
};

/* one event of the scan */
static int on_event(void *ctx, enum json_event event, unsigned depth, struct slice text, bool cut)
{
    struct reader *r = ctx;
    require(!cut && depth <= DECODE_JSON_DEPTH + 1);
    require(depth > 0 || event == JSON_OBJECT || event == JSON_OBJECT_END);
    if (event == JSON_OBJECT || event == JSON_ARRAY)
        r->object_at[depth] = ++r->objects;
    if (event != JSON_KEY)
        return 0;
    uint64_t hash = hash64(text.ptr, text.len) ^ hash64_u64(r->object_at[depth - 1]);
    for (unsigned i = 0; i < r->count; i++)
        require(r->seen[i] != hash);
    require(r->count < NAMES_MAX);
    r->seen[r->count++] = hash;
    return 0;
}

/* the document of a line that was taken */
static void check(const struct document *d, size_t line_bytes)
{
    static struct reader r;
    size_t most = document_bytes(d);
    require(most <= 6 * line_bytes + ADDED);
    char *text = malloc(most);
    require(text != NULL);
    size_t n = (size_t)(document_write(d, text) - text);
    require(n <= most && utf8_is_valid(slice_of(text, n)) && memchr(text, '\n', n) == NULL);
    r.count = r.objects = 0;
    struct json_scan *scan = json_scan_new(most, on_event, &r);
    require(json_scan_feed(scan, slice_of(text, n)) == 0 && json_scan_finish(scan) == 0);
    json_scan_free(&scan);
    free(text);
}

/* the way of tail/json_lines */
static void run(struct document *d, struct slice line, size_t line_max)
{
    struct decode_json_sink sink = {document_place, document_member, d};
    struct decode_json *j = decode_json_new(line_max, &sink);
    document_reset(d);
    const char *first = decode_json(j, line);
    if (first == NULL) {
        require(decode_is_json(line) && line.len <= line_max);
        check(d, line.len);
    }
    document_reset(d);
    const char *second = decode_json(j, line);
    require(first == second);
    decode_json_free(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 16384)
        return 0;
    struct document *d =
        document_new(data[0] & 1 ? PROFILE_ISP : PROFILE_DEFAULT, decode_timestamp);
    if (data[0] & 2) {
        document_constant(d, LOG_FIELD_HOST, SLICE_LIT("\"h1\""));
        document_constant(d, LOG_FIELD_TAGS, SLICE_LIT("[\"t\"]"));
        document_constant(d, LOG_FIELD_AGENT_ID, SLICE_LIT("\"5f\""));
    }
    char *exact = malloc(size);
    require(exact != NULL);
    memcpy(exact, data + 1, size - 1);
    run(d, slice_of(exact, size - 1), size - 1 - (data[0] & 4 && size > 1));
    free(exact);
    document_free(&d);
    return 0;
}
