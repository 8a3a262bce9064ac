#ifndef TESTS_TMP_DIR_H
#define TESTS_TMP_DIR_H

/* A directory of its own for one test, under $TMPDIR or /tmp. Failures abort the test program. */
#include <stddef.h>

#include "base/def.h"

struct tmp_dir {
    char path[256]; /* absolute, no trailing slash */
    int fd;         /* the directory, opened for reading */
};

void tmp_dir_make(struct tmp_dir *t);
/* Removes the directory with all that is in it and closes the fd. */
void tmp_dir_remove(struct tmp_dir *t);

/* path/name in a buffer of t that lasts until the eighth call from now. */
const char *tmp_dir_path(const struct tmp_dir *t, const char *name);
/* Writes a file (created or truncated), makes a directory. */
void tmp_dir_write(const struct tmp_dir *t, const char *name, const void *p, size_t n);
void tmp_dir_write_str(const struct tmp_dir *t, const char *name, const char *text);
void tmp_dir_mkdir(const struct tmp_dir *t, const char *name);
/* Reads a file of at most max - 1 bytes into dst, with a NUL behind it; returns its length,
 * -1 when there is none. */
long tmp_dir_read(const struct tmp_dir *t, const char *name, char *dst, size_t max);
/* Entries besides . and .. */
unsigned tmp_dir_count(const struct tmp_dir *t);

#endif
