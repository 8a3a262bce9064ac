#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

/* Files of frames `PREFIX-NNNNNNNNNN.SUFFIX` in one directory; their numbers rise. */
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "os/fs.h"

#define SEGMENT_NAME_BYTES 24
#define SEGMENT_NUMBER_MAX UINT64_C(9999999999)

/* Together with the ten digits they fit SEGMENT_NAME_BYTES. */
struct segment_kind {
    const char *prefix; /* "dead-" */
    const char *suffix; /* ".wdl" */
};

/* Writes SEGMENT_NAME_BYTES to dst. */
void segment_name(char *dst, const struct segment_kind *kind, uint64_t number);
/* Closes *fd if it is one, sets it to -1. */
void segment_close(const struct fs *fs, int *fd);

struct segment_list {
    struct buf bytes_of_numbers;
    uint64_t *numbers; /* ascending; in the buffer */
    size_t count;
    uint64_t bytes; /* sizes, in sum */
};

/* Lists the segments of a directory. Clear the list after a failure as well. */
int segment_list_read(int dir, const struct segment_kind *kind,
                      struct segment_list *ret_list) MUST_CHECK;
void segment_list_clear(struct segment_list *list);

#endif
