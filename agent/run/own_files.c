/*
 * run/own_files - the files of output.file as a pattern
 */
#include "run/own_files.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

/* appends a path with what patterns read as wildcards escaped */
static int add_escaped(struct buf *out, const char *path)
{
    int r = 0;
    for (; *path != '\0' && r == 0; path++) {
        if (strchr("*?[]\\", *path) != NULL)
            r = buf_add_byte(out, '\\');
        if (r == 0)
            r = buf_add_byte(out, *path);
    }
    return r;
}

/* see header */
char *own_files_pattern(const struct config *c)
{
    char cwd[PATH_MAX] = "";
    struct buf pattern;
    const char *path = c->file.path;
    if (c->output != CONFIG_OUTPUT_FILE)
        return NULL;
    buf_init(&pattern, 2 * PATH_MAX);
    int r = 0;
    if (path[0] != '/' && getcwd(cwd, sizeof(cwd)) != NULL)
        r = add_escaped(&pattern, cwd);
    while (strncmp(path, "./", 2) == 0)
        path += 2;
    if (r == 0 && path[0] != '/')
        r = buf_add_byte(&pattern, '/');
    if (r == 0)
        r = add_escaped(&pattern, path);
    while (pattern.len > 0 && slice_ends(buf_slice(&pattern), SLICE_LIT("/")))
        buf_cut(&pattern, pattern.len - 1);
    if (r == 0)
        r = buf_add_byte(&pattern, '/');
    if (r == 0)
        r = add_escaped(&pattern, c->file.filename);
    if (r == 0)
        r = buf_add_byte(&pattern, '*');
    char *result = r == 0 ? mem_strdup(buf_cstr(&pattern)) : NULL;
    buf_clear(&pattern);
    return result;
}
