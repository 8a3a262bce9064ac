#ifndef RUN_OWN_FILES_H
#define RUN_OWN_FILES_H

/* Files that the agent writes itself: an input that reads them would never end. */
#include "config/config.h"

/* A pattern for exclude_files that matches the files of output.file; returned to caller, NULL where
 * another output is active. */
char *own_files_pattern(const struct config *c);

#endif
