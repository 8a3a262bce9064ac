/*
 * decode/docker - lines of docker's json-file driver
 *
 * One JSON object a line; what else than log, stream and time it holds is passed over. A line that
 * was cut by a crash is no JSON and refused, whatever stands in it. What can fail: memory for the
 * text, which counts as a line that is none.
 */
#include <string.h>

#include "base/buf.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "decode/decode.h"

enum member { MEMBER_OTHER, MEMBER_LOG, MEMBER_STREAM, MEMBER_TIME };

struct decode_docker {
    struct json_scan *scan;
    size_t line_max;
    enum member member; /* whose value comes next */
    struct buf text;
    char time[DECODE_TIME_MAX];
    size_t time_len;
    enum decode_stream stream;
    bool has_stream;
};

/* the member that a name means */
static enum member member_of(struct slice name)
{
    if (slice_eq_str(name, "log"))
        return MEMBER_LOG;
    if (slice_eq_str(name, "stream"))
        return MEMBER_STREAM;
    return slice_eq_str(name, "time") ? MEMBER_TIME : MEMBER_OTHER;
}

/* takes a value; non-zero: it is none that docker writes */
static int take_value(struct decode_docker *d, struct slice text)
{
    switch (d->member) {
    case MEMBER_LOG:
        buf_reset(&d->text);
        return buf_add_slice(&d->text, text);
    case MEMBER_STREAM:
        d->stream = slice_eq_str(text, "stderr") ? DECODE_STDERR : DECODE_STDOUT;
        d->has_stream = slice_eq_str(text, decode_stream_name(d->stream));
        return d->has_stream ? 0 : -1;
    case MEMBER_TIME:
        if (text.len > sizeof(d->time) || decode_time(text) != text.len)
            return -1;
        memcpy(d->time, text.ptr, text.len);
        d->time_len = text.len;
        return 0;
    case MEMBER_OTHER:
        break;
    }
    return 0;
}

/* one piece of the line */
static int on_event(void *ctx, enum json_event event, unsigned depth, struct slice text, bool cut)
{
    struct decode_docker *d = ctx;
    if (depth == 0)
        return event == JSON_OBJECT || event == JSON_OBJECT_END ? 0 : -1;
    if (depth > 1)
        return 0;
    if (event == JSON_KEY) {
        d->member = member_of(text);
        return 0;
    }
    if (d->member == MEMBER_OTHER)
        return 0;
    return event == JSON_STRING && !cut ? take_value(d, text) : -1;
}

/* see header */
struct decode_docker *decode_docker_new(size_t line_max)
{
    struct decode_docker *d = mem_zalloc(sizeof(*d));
    d->line_max = line_max;
    d->scan = json_scan_new(line_max, on_event, d);
    buf_init(&d->text, line_max);
    return d;
}

/* see header */
void decode_docker_free(struct decode_docker **d)
{
    if (*d == NULL)
        return;
    json_scan_free(&(*d)->scan);
    buf_clear(&(*d)->text);
    mem_free(*d);
    *d = NULL;
}

/* see header */
const char *decode_docker(struct decode_docker *d, struct slice line, struct decode_line *ret)
{
    d->time_len = 0;
    d->has_stream = false;
    d->member = MEMBER_OTHER;
    buf_reset(&d->text);
    json_scan_reset(d->scan);
    if (line.len > d->line_max || json_scan_feed(d->scan, line) != 0 ||
        json_scan_finish(d->scan) != 0 || d->time_len == 0 || !d->has_stream)
        return "not a line of docker's json-file format";
    struct slice text = buf_slice(&d->text);
    ret->partial = text.len == 0 || text.ptr[text.len - 1] != '\n';
    ret->text = slice_sub(text, 0, ret->partial ? text.len : text.len - 1);
    ret->time = slice_of(d->time, d->time_len);
    ret->stream = d->stream;
    return NULL;
}

/* see header */
bool decode_is_docker(struct decode_docker *d, struct slice line)
{
    struct decode_line ignored;
    return slice_starts(line, SLICE_LIT("{\"log\":\"")) && decode_docker(d, line, &ignored) == NULL;
}
