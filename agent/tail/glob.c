/*
 * tail/glob - path patterns, one directory a step
 *
 * `**` at component i stands for zero or more directories: an entry is matched against component
 * i + 1 as if the `**` were not there, and a directory may also stay at i, one level deeper.
 */
#include "tail/glob.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/mem.h"

/* whether a component holds any wildcard */
static bool has_wildcard(const char *s)
{
    return strpbrk(s, "*?[\\") != NULL;
}

/* whether a component is `**` */
static bool is_deep(const char *s)
{
    return strcmp(s, "**") == 0;
}

/* appends the components of a path; "." and empty ones vanish */
static int add_components(struct glob *g, const char *path)
{
    struct slice rest = slice_str(path);
    struct slice piece;
    while (slice_next(&rest, '/', &piece)) {
        if (piece.len == 0 || slice_eq_str(piece, "."))
            continue;
        if (g->count == GLOB_COMPONENTS_MAX)
            return -E2BIG;
        bool again = g->count > 0 && is_deep(g->components[g->count - 1]);
        if (again && slice_eq_str(piece, "**"))
            continue;
        g->components[g->count++] = mem_strndup(piece.ptr, piece.len);
    }
    return 0;
}

/* a '[' without its ']' matches nothing in fnmatch(3): tell instead */
static bool brackets_are_closed(const char *s)
{
    for (const char *p = s; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (*p == '[' && strchr(p + 1, ']') == NULL)
            return false;
    }
    return true;
}

/* see header */
int glob_init(struct glob *g, const char *pattern, const char *cwd, struct err *e)
{
    *g = (struct glob){0};
    size_t len = strlen(pattern);
    if (len == 0)
        return err_set(e, -EINVAL, "empty path pattern");
    if (pattern[len - 1] == '/')
        return err_set(e, -EINVAL, "path pattern \"%s\" names a directory; add \"*.log\"", pattern);
    if (!brackets_are_closed(pattern))
        return err_set(e, -EINVAL, "path pattern \"%s\" has a '[' without ']'", pattern);
    g->components = mem_zalloc_array(GLOB_COMPONENTS_MAX, sizeof(char *));
    int r = pattern[0] == '/' ? 0 : add_components(g, cwd);
    if (r == 0)
        r = add_components(g, pattern);
    if (r == 0 && (g->count == 0 || is_deep(g->components[g->count - 1])))
        r = err_set(e, -EINVAL, "path pattern \"%s\" names no file", pattern);
    else if (r < 0)
        r = err_set(e, -EINVAL, "path pattern \"%s\" has more than %d components", pattern,
                    GLOB_COMPONENTS_MAX);
    if (r < 0)
        glob_clear(g);
    return r;
}

/* frees the components */
void glob_clear(struct glob *g)
{
    for (size_t i = 0; i < g->count; i++)
        mem_free(g->components[i]);
    mem_free(g->components);
    *g = (struct glob){0};
}

/* adds what a plain component at i makes of an entry */
static void step_plain(const struct glob *g, unsigned i, const char *name, struct glob_match *m)
{
    if (fnmatch(g->components[i], name, FNM_PERIOD) != 0)
        return;
    if (i + 1 == g->count)
        m->is_file = true;
    else
        m->next[m->next_count++] = (struct glob_at){i + 1, 0};
}

/* see header */
void glob_step(const struct glob *g, struct glob_at at, const char *name, struct glob_match *ret)
{
    *ret = (struct glob_match){0};
    if (!is_deep(g->components[at.component])) {
        step_plain(g, at.component, name, ret);
        return;
    }
    step_plain(g, at.component + 1, name, ret);
    if (at.depth < GLOB_DEPTH && name[0] != '.')
        ret->next[ret->next_count++] = (struct glob_at){at.component, at.depth + 1};
}

/* see header */
const char *glob_literal(const struct glob *g, struct glob_at at)
{
    const char *s = g->components[at.component];
    return has_wildcard(s) ? NULL : s;
}

/* see header */
bool glob_path_matches(const char *pattern, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (strchr(pattern, '/') == NULL && slash != NULL)
        path = slash + 1;
    return fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}
