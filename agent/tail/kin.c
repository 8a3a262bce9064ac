/*
 * tail/kin - whose rotated form may a name be?
 *
 * Every name that a rotated name can come from is a beginning of it that stops before one of ".-_",
 * or what is left when a date is taken out before its last suffix; each also without the suffix of
 * a compressed file. There are few, so they are looked up, where asking all files whether the name
 * is theirs would take as many steps as there are files.
 */
#include <limits.h>
#include <string.h>

#include "tail_internal.h"

/* One path that is taken apart. */
struct kin {
    const char *path;
    size_t dir_bytes; /* with its slash */
    kin_fn fn;
    void *ctx;
};

/* tells of one possible base: the beginning of the name and an ending; true = enough */
static bool tell(const struct kin *k, const char *name, size_t bytes, const char *ending,
                 size_t ending_bytes)
{
    char base[PATH_MAX];
    int n = snprintf(base, sizeof(base), "%.*s%.*s%.*s", (int)k->dir_bytes, k->path, (int)bytes,
                     name, (int)ending_bytes, ending);
    return n > 0 && n < PATH_MAX && k->fn(k->ctx, base);
}

/* bases of the first n bytes of a name */
static bool take_apart(const struct kin *k, const char *name, size_t n)
{
    size_t dot = n;
    for (size_t i = n - 1; i > 0; i--) {
        if (strchr(".-_", name[i]) != NULL && tell(k, name, i, "", 0))
            return true;
        if (name[i] == '.' && dot == n)
            dot = i;
    }
    for (int suffix = dot < n; suffix >= 0; suffix--) {
        size_t end = suffix ? dot : n;
        for (size_t i = end; i > 1 && strchr("0123456789-_.T:", name[i - 1]) != NULL; i--)
            if (tell(k, name, i - 1, name + end, n - end))
                return true;
    }
    return false;
}

/* see tail_internal.h */
void kin_bases(const char *path, kin_fn fn, void *ctx)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash[1] == '\0')
        return;
    const char *name = slash + 1;
    size_t n = strlen(name);
    struct kin k = {.path = path, .dir_bytes = (size_t)(name - path), .fn = fn, .ctx = ctx};
    if (take_apart(&k, name, n) || !siblings_is_compressed(name))
        return;
    (void)take_apart(&k, name, (size_t)(strrchr(name, '.') - name));
}
