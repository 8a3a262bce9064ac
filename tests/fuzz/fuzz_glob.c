/* rooms: base os config store bulk tail
 *
 * Fuzzes tail/glob: a pattern and a path from the input, cut at the first NUL. Oracles: an accepted
 * pattern has 1 to GLOB_COMPONENTS_MAX components without slashes, of which the last is not `**`
 * and no two `**` follow each other; a walk along the path stays within the pattern and within
 * GLOB_DEPTH; a pattern without wildcards matches only itself; a literal matches only its name.
 */
#include "tail/glob.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* aborts, so that the fuzzer keeps the input */
static void require(bool condition)
{
    if (!condition)
        abort();
}

/* what glob_init promises */
static void check_form(const struct glob *g)
{
    require(g->count >= 1 && g->count <= GLOB_COMPONENTS_MAX);
    for (size_t i = 0; i < g->count; i++) {
        const char *s = g->components[i];
        require(s[0] != '\0' && strchr(s, '/') == NULL && strcmp(s, ".") != 0);
        bool deep = strcmp(s, "**") == 0;
        require(!deep || (i + 1 < g->count && strcmp(g->components[i + 1], "**") != 0));
    }
}

/* a step along the path from a position; whether its end is matched as a file */
static bool walk(const struct glob *g, struct glob_at at, const char *rest, unsigned *budget)
{
    char name[256];
    struct glob_match m;
    const char *slash = strchr(rest, '/');
    size_t n = slash == NULL ? strlen(rest) : (size_t)(slash - rest);
    if (n >= sizeof(name) || *budget == 0)
        return false;
    (*budget)--;
    memcpy(name, rest, n);
    name[n] = '\0';
    glob_step(g, at, name, &m);
    require(m.next_count <= 2);
    const char *literal = glob_literal(g, at);
    if (literal != NULL)
        require((m.is_file || m.next_count > 0) == (strcmp(literal, name) == 0));
    bool matched = slash == NULL && m.is_file;
    for (unsigned i = 0; i < m.next_count; i++) {
        require(m.next[i].component < g->count && m.next[i].depth <= GLOB_DEPTH);
        require(m.next[i].component > at.component || m.next[i].depth == at.depth + 1);
        if (slash != NULL && walk(g, m.next[i], slash + 1, budget))
            matched = true;
    }
    return matched;
}

/* the components joined again */
static size_t join(const struct glob *g, char *dst)
{
    size_t at = 0;
    for (size_t i = 0; i < g->count; i++) {
        size_t n = strlen(g->components[i]);
        if (i > 0)
            dst[at++] = '/';
        memcpy(dst + at, g->components[i], n);
        at += n;
    }
    dst[at] = '\0';
    return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char own[8192];
    if (size == 0 || size > 4096)
        return 0;
    char *pattern = malloc(size + 1);
    require(pattern != NULL);
    memcpy(pattern, data, size);
    pattern[size] = '\0';
    size_t n = strlen(pattern);
    const char *path = n < size ? pattern + n + 1 : "";
    struct glob g;
    struct err e = {0};
    unsigned budget = 20000;
    if (glob_init(&g, pattern, "/work dir", &e) == 0) {
        check_form(&g);
        (void)walk(&g, (struct glob_at){0, 0}, path, &budget);
        (void)join(&g, own);
        bool plain = strpbrk(own, "*?[\\") == NULL;
        budget = 20000;
        if (plain)
            require(walk(&g, (struct glob_at){0, 0}, own, &budget) || strlen(own) > 255 ||
                    budget == 0);
        glob_clear(&g);
    } else {
        require(e.code < 0 && e.text[0] != '\0' && g.count == 0 && g.components == NULL);
    }
    (void)glob_path_matches(pattern, path);
    free(pattern);
    return 0;
}
