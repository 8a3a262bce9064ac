#ifndef BULK_ENCODE_INTERNAL_H
#define BULK_ENCODE_INTERNAL_H

/* The prebuilt parts of one file, for the two ways in which lines are encoded. */
#include "bulk/encode.h"

struct encode_file {
    unsigned parts;
    bool auto_ids;
    bool both_times;           /* profile isp */
    struct slice action;       /* {"create":{"_id":"<generation>, or the whole line without id */
    struct slice before_flags; /* ","log":{"file":{"path":"..."} */
    struct slice before_text;  /* },"message":" */
    struct slice after_text;   /* " and the constants } */
    struct slice path;         /* ".." in before_flags */
    char text[];
};

/* between id and time */
#define ENCODE_ACTION_END "\"}}\n"
#define ENCODE_TIME       "{\"@timestamp\":\""
#define ENCODE_OFFSET     ",\"offset\":"
#define ENCODE_STREAM     ",\"stream\":\""

#endif
