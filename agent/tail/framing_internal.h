#ifndef TAIL_FRAMING_INTERNAL_H
#define TAIL_FRAMING_INTERNAL_H

/*
 * How the bytes of one file become records: its character set, and the format of its lines. Found
 * out by the first read of a generation. A file of plain lines of UTF-8 has none of this.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "decode/decode.h"
#include "os/charset.h"
#include "tail/format.h"

struct file;
struct tail;

struct framing {
    enum charset_id charset;
    enum tail_format format; /* RAW, CRI or DOCKER */
    struct joins *joins;     /* owned; NULL = no record is open */
};

/* What all files share: converters, and room for one converted line. 0 or -errno with e filled. */
int framing_setup(struct tail *t, struct err *e);
void framing_teardown(struct tail *t);

/* Finds out what a file is, unless it is known. -errno: it cannot be read. */
int framing_begin(struct file *f) MUST_CHECK;
/* What a file has of it, made if there is none. */
struct framing *framing_of(struct file *f);
/* Whether its lines are those of a container runtime. */
bool framing_is_decoded(const struct file *f);
/* One line of such a file: NULL, or why it is none. */
const char *framing_decode(struct file *f, struct slice line, struct decode_line *ret);
/* Forgets it: the content is another one, or the file goes. */
void framing_end(struct file *f);

/* The text of a line that begins at a file offset, without a byte order mark, in UTF-8. It lies in
 * `bytes` or in the shared room. *bad grows by the number of replacements. */
struct slice framing_text(const struct file *f, uint64_t offset, struct slice bytes, uint64_t *bad);
/* Bytes of one code unit. */
size_t framing_unit(const struct file *f);
/* Where in `bytes` the first newline begins; bytes.len: there is none. */
size_t framing_find_end(const struct file *f, struct slice bytes);

#endif
