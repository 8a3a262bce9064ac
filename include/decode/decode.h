#ifndef DECODE_DECODE_H
#define DECODE_DECODE_H

/*
 * Lines of container logs: what the runtime wrote around a program's text.
 *
 *   cri     <time> stdout|stderr P|F[:more tags] <text>      containerd, CRI-O
 *   docker  {"log":"<text>\n","stream":"stdout","time":"<time>"}      docker's json-file
 *
 * A program's line that was too long for the runtime stands in several such lines, of which all but
 * the last are partial; lines of the other stream may stand between them. Decoders keep nothing
 * between lines.
 *
 * The time is RFC 3339 with up to nine decimals, checked: it may be copied into a document.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

enum decode_stream { DECODE_STDOUT, DECODE_STDERR };
#define DECODE_STREAMS 2

#define DECODE_TIME_MAX 35 /* 2026-11-23T01:02:03.123456789+01:00 */

struct decode_line {
    struct slice text; /* with the CR that may stand before its newline, without the newline */
    struct slice time;
    enum decode_stream stream;
    bool partial; /* it goes on in a later line of the stream */
};

const char *decode_stream_name(enum decode_stream s);

/* Length of the time that a text begins with; 0: none. */
size_t decode_time(struct slice text);

/* Both return NULL, or why the line is none of the format: a text that needs no escapes in JSON. */
const char *decode_cri(struct slice line, struct decode_line *ret);

struct decode_docker;
/* line_max: bytes of the longest line; longer ones are refused. */
struct decode_docker *decode_docker_new(size_t line_max);
void decode_docker_free(struct decode_docker **d);
/* Text and time are borrowed until the next call. */
const char *decode_docker(struct decode_docker *d, struct slice line, struct decode_line *ret);

/* Whether a first line is of the format. */
bool decode_is_cri(struct slice line);
bool decode_is_docker(struct decode_docker *d, struct slice line);

#endif
