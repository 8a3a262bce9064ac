#ifndef OS_STAMP_H
#define OS_STAMP_H

/* Whether a file is still the one that was read. A zeroed stamp is that of no file. */
#include <stdbool.h>

#include "os/fs.h"

struct stamp {
    struct fs_identity id;
};

/* Whether the file at path (symbolic links followed) differs from the stamp, which is then that of
 * the file. A file that cannot be looked at has the zeroed stamp. */
bool stamp_renew(struct stamp *s, const char *path);

#endif
