/*
 * tail/olddir - the directory to which rotation moves files
 *
 * As for logrotate: an absolute path, or one that begins at the directory of the file.
 */
#include <limits.h>
#include <string.h>

#include "tail_internal.h"

/* see tail_internal.h */
bool olddir_of(const struct tail *t, const char *path, char *ret)
{
    int input = discover_input_of(t, path);
    const char *olddir = input < 0 ? NULL : t->opts.inputs[input].olddir;
    int n;
    if (olddir == NULL || olddir[0] == '\0')
        return false;
    if (olddir[0] == '/')
        n = snprintf(ret, PATH_MAX, "%s", olddir);
    else
        n = snprintf(ret, PATH_MAX, "%.*s/%s", (int)(strrchr(path, '/') - path), path, olddir);
    while (n > 1 && n < PATH_MAX && ret[n - 1] == '/')
        ret[--n] = '\0';
    return n > 0 && n < PATH_MAX;
}

/* see tail_internal.h */
bool olddir_is_beside(const struct tail *t, const char *path, const char *name)
{
    char dir[PATH_MAX];
    const char *base = strrchr(path, '/'), *other = strrchr(name, '/');
    if (base == NULL || other == NULL || !siblings_is(base + 1, other + 1))
        return false;
    size_t n = (size_t)(other - name);
    if ((size_t)(base - path) == n && memcmp(path, name, n) == 0)
        return true;
    return olddir_of(t, path, dir) && strlen(dir) == n && memcmp(dir, name, n) == 0;
}
