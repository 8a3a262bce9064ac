#ifndef TAIL_GLOB_H
#define TAIL_GLOB_H

/*
 * Path patterns of option `paths`: glob(7) per component, never matching '/', a leading '.' only
 * literally, and `**` for any number of directories (also none) up to GLOB_DEPTH below its place.
 * Matching is one step a directory: a position says which component comes next.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/def.h"
#include "base/err.h"
#include "base/slice.h"

#define GLOB_DEPTH          8
#define GLOB_COMPONENTS_MAX 64

struct glob {
    char **components; /* owned; of the absolute pattern, without slashes */
    size_t count;
};

/* Parses a pattern; a relative one is taken below cwd. -EINVAL with e: empty, too many components,
 * a directory as last component ("/var/log/"), unbalanced bracket. */
int glob_init(struct glob *g, const char *pattern, const char *cwd, struct err *e) MUST_CHECK;
void glob_clear(struct glob *g);

/* Where in a pattern a directory stands: the component that its entries are matched against, and
 * how many directories a `**` there has taken. */
struct glob_at {
    unsigned component;
    unsigned depth;
};

/* What an entry of a directory at `at` is for the pattern. */
struct glob_match {
    bool is_file;        /* the whole pattern is matched, if the entry is a file */
    unsigned next_count; /* positions of the entry, if it is a directory */
    struct glob_at next[2];
};
void glob_step(const struct glob *g, struct glob_at at, const char *name, struct glob_match *ret);

/* The component at `at` when it has no wildcard, so that only this name can match; else NULL. */
const char *glob_literal(const struct glob *g, struct glob_at at);

/* Whether a whole path matches a pattern with fnmatch rules ('*' crosses no '/'); a pattern
 * without slash is matched against the last component. For exclude_files. */
bool glob_path_matches(const char *pattern, const char *path);

#endif
