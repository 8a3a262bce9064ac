#ifndef TAIL_FORMAT_H
#define TAIL_FORMAT_H

/* What the lines of a file are. */
enum tail_format {
    TAIL_FORMAT_AUTO, /* a file's path and its first line decide, once */
    TAIL_FORMAT_RAW,
    TAIL_FORMAT_CRI,
    TAIL_FORMAT_DOCKER,
};

/* Whether records that are JSON objects become documents of their members. */
enum tail_json {
    TAIL_JSON_OFF,
    TAIL_JSON_AUTO, /* those that begin with a brace */
    TAIL_JSON_ON,   /* all; others are told of */
};

#endif
