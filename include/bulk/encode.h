#ifndef BULK_ENCODE_H
#define BULK_ENCODE_H

/*
 * Log lines to `_bulk` items. A line is copied once: escaped straight from the read buffer into
 * the batch's body. What is constant for a file is prebuilt (encode_file); what varies is written
 * between: id, time, offset, flags, message.
 *
 *   {"create":{"_id":"<id>"}}
 *   {"@timestamp":"<time>","log":{"file":{"path":"<path>"},"offset":<n>,"flags":["truncated"]},
 *    "stream":"stdout","error":{"message":"<why>"},"message":"<text>"<constant fields>}
 *
 * In the profile isp "timestamp":"<time>" follows the time, and the host is "host_name":"<name>".
 * What a JSON line says is put together in a document first (bulk/document.h) and copied then.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/slice.h"
#include "bulk/batch.h"
#include "bulk/docid.h"
#include "bulk/document.h"
#include "config/config.h"

enum encode_flag {
    ENCODE_TRUNCATED = 1 << 0,
    ENCODE_PARTIAL = 1 << 1,
    ENCODE_MULTILINE = 1 << 2,
    ENCODE_UNDATED = 1 << 3,
};

/* Which constant parts a document carries: option `metadata`. */
enum encode_part {
    PART_DATASET = 1 << 0, /* data_stream.*, event.dataset */
    PART_HOST = 1 << 1,    /* host.name */
    PART_AGENT = 1 << 2,   /* agent.* */
    PART_ECS = 1 << 3,     /* ecs.version */
    PART_OFFSET = 1 << 4,  /* log.offset */
    PART_INPUT = 1 << 5,   /* input.type */
};
#define PART_ALL 0x3f

#define ENCODE_TIME_MAX  40
#define ENCODE_ERROR_MAX 80

#define ENCODE_ECS_VERSION "8.11.0"

/* Who sends: one per process. Strings borrowed. */
struct encode_agent {
    const char *host_name;
    const char *id; /* UUID, kept in path.data */
    const char *version;
};

/* What an input's documents share. Strings borrowed. */
struct encode_input {
    enum profile profile;
    unsigned parts; /* enum encode_part */
    const char *dataset;
    const char *namespace;
    const char *target;               /* logs-<dataset>-<namespace>: the batch it goes to */
    bool plain_index;                 /* that is an index: no data_stream.* */
    bool auto_ids;                    /* the server makes the ids: none in the action line */
    const char *input_type;           /* filestream */
    const struct config_pair *fields; /* option fields, under "fields"; "a.b" is b in object a */
    size_t field_count;
    char *const *tags;
    size_t tag_count;
};

/* The prebuilt parts of one file: one allocation. */
struct encode_file;
struct encode_file *encode_file_new(const struct encode_agent *agent,
                                    const struct encode_input *input, struct slice path,
                                    const struct generation *gen);
void encode_file_free(struct encode_file **f);

struct encode_line {
    struct slice text;     /* without its line end */
    uint64_t offset;       /* of its first byte in the source */
    uint32_t source_bytes; /* with its line end */
    uint32_t source_lines;
    unsigned flags;     /* enum encode_flag */
    bool open_end;      /* ended by a timer or limit: the id gets its length */
    struct slice time;  /* RFC 3339, at most ENCODE_TIME_MAX characters; borrowed */
    const char *stream; /* stdout or stderr, NULL = none */
    const char *error;  /* why it is raw text: needs no escapes, ENCODE_ERROR_MAX; NULL */
    const struct generation *generation; /* in the id; NULL = that of the file */
};

/* Bytes that the line will probably and can at most take in a body. */
size_t encode_likely(const struct encode_file *f, size_t text_bytes);
size_t encode_worst(const struct encode_file *f, size_t text_bytes);

/* Encodes and commits one item; the batch has room for encode_worst. Returns the number of invalid
 * UTF-8 sequences replaced. */
uint64_t encode_line(struct batch *b, const struct encode_file *f, const struct encode_line *line,
                     uint16_t span);

/* A document with the constants of an input, for its JSON lines; freed by document_free. */
struct document *encode_document_new(const struct encode_agent *agent,
                                     const struct encode_input *input, document_time_fn time);
/* Empties it for a line, before the line's members are added. */
void encode_document_begin(struct document *d, const struct encode_line *line);
/* Bytes that encode_document takes at most. */
size_t encode_document_bytes(const struct encode_file *f, const struct document *d);
/* Encodes and commits one item; the batch has room for encode_document_bytes. Of the line's text
 * nothing is used, its time where the document has none. */
void encode_document(struct batch *b, const struct encode_file *f, const struct encode_line *line,
                     struct document *d, uint16_t span);

/* What a line holds. */
struct encode_cut {
    struct slice text, time; /* as in encode_line */
    const char *stream;      /* stdout or stderr */
};

/* Finds text, time and stream in a line; false: it is no such line, or needs a closer look. */
typedef bool (*encode_cut_fn)(void *ctx, struct slice line, struct encode_cut *ret);

/* Lines that stand one after the other in one file. */
struct encode_run {
    struct slice bytes;
    uint64_t offset;   /* of the first byte in the source */
    struct slice time; /* of raw lines, as in encode_line */
    size_t max_bytes;  /* of a line without its line end, below 4 GiB */
    size_t body_bytes; /* no item is begun that would probably end beyond this */
    encode_cut_fn cut; /* NULL: a line is its text */
    void *ctx;         /* of cut */
};

/* Encodes and commits lines as encode_line would, one after the other, up to the first that has no
 * end in `bytes`, holds nothing, is too long or not cut, or that the batch may have no room for.
 * Returns the bytes taken, with line ends; 0: the first line is such a one. *bad is increased by
 * the number of invalid UTF-8 sequences replaced. */
size_t encode_run(struct batch *b, const struct encode_file *f, const struct encode_run *run,
                  uint16_t span, uint64_t *bad);

#endif
