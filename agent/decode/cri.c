/*
 * decode/cri - the format of the Kubernetes container runtime interface
 *
 * Everything before the text stands at places that the time's length fixes, so a line costs a few
 * comparisons and its text stays where it was read. Nothing can fail.
 */
#include <string.h>

#include "decode/decode.h"

#define STREAM_BYTES 8 /* " stdout " */

/* the stream that is named between two blanks */
static bool stream_of(const char *p, enum decode_stream *ret)
{
    if (memcmp(p, " stdout ", STREAM_BYTES) == 0)
        *ret = DECODE_STDOUT;
    else if (memcmp(p, " stderr ", STREAM_BYTES) == 0)
        *ret = DECODE_STDERR;
    else
        return false;
    return true;
}

/* see header */
const char *decode_cri(struct slice line, struct decode_line *ret)
{
    static const char no_line[] = "not a line of the CRI format";
    size_t at = decode_time(line);
    if (at == 0 || line.len < at + STREAM_BYTES + 1 || !stream_of(line.ptr + at, &ret->stream))
        return no_line;
    ret->time = slice_of(line.ptr, at);
    at += STREAM_BYTES;
    char tag = line.ptr[at++];
    if (tag != 'F' && tag != 'P')
        return no_line;
    ret->partial = tag == 'P';
    if (at < line.len && line.ptr[at] == ':')
        at += slice_find(slice_sub(line, at, SIZE_MAX), ' ');
    if (at < line.len && line.ptr[at] != ' ')
        return no_line;
    ret->text = slice_sub(line, at + 1, SIZE_MAX);
    return NULL;
}

/* see header */
bool decode_is_cri(struct slice line)
{
    struct decode_line ignored;
    return decode_cri(line, &ignored) == NULL;
}
