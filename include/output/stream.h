#ifndef OUTPUT_STREAM_H
#define OUTPUT_STREAM_H

/*
 * Outputs that write the documents of batches, one JSON text a line, in a thread of their own: one
 * batch at a time, in order. A batch that cannot be written is tried again with growing pauses
 * until it can; nothing is dropped. Ops: stream_ops.
 */
#include <stdint.h>

#include "base/def.h"
#include "os/fs.h"
#include "os/loop.h"
#include "output/output.h"

/* Where the lines go. Both functions run in the stream's thread. */
struct stream_sink {
    /* Writes whole documents so that they are there for good. 0, or a negative errno: none of them
     * counts, all come again. documents: lines with their newlines. */
    int (*write)(struct stream_sink *sink, struct slice documents);
    void (*close)(struct stream_sink *sink); /* and frees it */
    const char *name;                        /* for messages: "console", a path */
};

struct stream_opts {
    int64_t backoff_init_ms;
    int64_t backoff_max_ms;
};

struct stream;

/* The sink is the stream's from now on. */
struct stream *stream_new(struct loop *loop, const struct stream_opts *opts,
                          const struct output_hooks *hooks, struct stream_sink *sink);

/* File NAME in a directory; NAME.1 is the one before, up to `files` of them in sum. Durable
 * (fdatasync) before write returns. */
struct stream_file_opts {
    const struct fs *fs; /* borrowed */
    int dir;             /* taken */
    const char *name;    /* copied */
    uint64_t rotate_bytes;
    unsigned files; /* >= 2 */
};
struct stream_sink *stream_file(const struct stream_file_opts *opts);

/* An open descriptor that stays open, such as standard output. */
struct stream_sink *stream_console(int fd);

#endif
