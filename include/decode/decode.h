#ifndef DECODE_DECODE_H
#define DECODE_DECODE_H

/*
 * Lines of container logs: what the runtime wrote around a program's text. And lines of JSON.
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

#include "base/json_scan.h"
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

/*
 * Lines that are one JSON object. Its members are given one by one, as text that any server takes:
 * strings are valid UTF-8 and escaped anew, no object has a name twice, no name is one that no
 * index takes (empty, with an empty part between dots, with control characters), no number is
 * beyond what a long or a float holds. A line that breaks this, or a limit, is none.
 *
 * What was given of a line before it turned out to be none does not count.
 */
#define DECODE_JSON_DEPTH    16  /* containers in one another */
#define DECODE_JSON_NAMES    512 /* names in a line */
#define DECODE_JSON_NAME_MAX 256 /* bytes of one */

struct decode_json_sink {
    /* A member of an object (0: the top) whose value is an object: the number, above 0, under which
     * its members are given one by one; 0: it is given whole. */
    int (*place)(void *ctx, int object, struct slice name);
    /* A value. kind: what it begins with; json: its text; text: of a string its characters, of a
     * number the same as json. All borrowed for the call. Non-zero: it is there already. */
    int (*member)(void *ctx, int object, struct slice name, enum json_event kind, struct slice json,
                  struct slice text);
    void *ctx;
};

struct decode_json;
/* line_max: bytes of the longest line; longer ones are refused. */
struct decode_json *decode_json_new(size_t line_max, const struct decode_json_sink *sink);
void decode_json_free(struct decode_json **d);
/* NULL, or why the line is none, as above. */
const char *decode_json(struct decode_json *d, struct slice line);

/* Whether a line can be an object. */
bool decode_is_json(struct slice line);

/* A time of ISO 8601 as applications write it, in the form of RFC 3339: a blank for the T, a comma
 * for the point, +0100, and no zone at all, which means UTC. Decimals beyond nine are cut. Returns
 * the length; 0: it is none. */
size_t decode_timestamp(struct slice text, char dst[DECODE_TIME_MAX]);

/* Whether a first line is of the format. */
bool decode_is_cri(struct slice line);
bool decode_is_docker(struct decode_docker *d, struct slice line);

#endif
