/* tail/glob: parsing, refusals, matching of whole paths step by step, literals, exclusion. */
#include "tail/glob.h"

#include <errno.h>

#include "tail_test.h"

/* the components joined by spaces */
static const char *components(const struct glob *g)
{
    static char text[4096];
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < g->count; i++)
        at +=
            (size_t)snprintf(text + at, sizeof(text) - at, i == 0 ? "%s" : " %s", g->components[i]);
    return text;
}

static void parsing(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *components;
    } cases[] = {
        {"/var/log/*.log", "var log *.log"},
        {"//var///log/./a", "var log a"},
        {"*.log", "work dir *.log"},
        {"./x/*.log", "work dir x *.log"},
        {"../x.log", "work dir .. x.log"},
        {"/a/**/b", "a ** b"},
        {"/a/**/**/./**/b", "a ** b"},
        {"/**/x", "** x"},
        {"/a/b**/c", "a b** c"},
        {"/x[a-z]/[]]", "x[a-z] []]"},
        {"/x\\[", "x\\["},
        {"/a b\tc", "a b\tc"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct glob g;
        struct err e = {0};
        int r = glob_init(&g, cases[i].pattern, "/work/dir", &e);
        CHECK(cases[i].pattern, r == 0 && e.code == 0);
        CHECK(cases[i].pattern, strcmp(components(&g), cases[i].components) == 0);
        glob_clear(&g);
        CHECK(cases[i].pattern, g.count == 0 && g.components == NULL);
    }
}

static void refusals(void **state)
{
    (void)state;
    static char many[3 * (GLOB_COMPONENTS_MAX + 1) + 1];
    for (size_t i = 0; i + 1 < sizeof(many); i += 3)
        memcpy(many + i, "/ab", 3);
    static const struct {
        const char *pattern, *text;
    } cases[] = {
        {"", "empty"},
        {"/var/log/", "names a directory"},
        {"/", "directory"},
        {"/var/log/**", "names no file"},
        {"/**", "names no file"},
        {"/var/**/**", "names no file"},
        {"/x[a", "without ']'"},
        {many, "components"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct glob g;
        struct err e = {0};
        CHECK(cases[i].pattern, glob_init(&g, cases[i].pattern, "/", &e) == -EINVAL);
        CHECK(cases[i].pattern, strstr(e.text, cases[i].text) != NULL);
        CHECK(cases[i].pattern, g.count == 0 && g.components == NULL);
        CHECK(cases[i].pattern, glob_init(&g, cases[i].pattern, "/", NULL) == -EINVAL);
    }
    /* one component fewer is accepted */
    struct glob g;
    many[sizeof(many) - 4] = '\0';
    assert_int_equal(glob_init(&g, many, "/", NULL), 0);
    assert_int_equal(g.count, GLOB_COMPONENTS_MAX);
    glob_clear(&g);
}

/* whether the rest of a path is matched as a file from a position on */
static bool walk(const struct glob *g, struct glob_at at, const char *rest)
{
    char name[64];
    struct glob_match m;
    const char *slash = strchr(rest, '/');
    size_t n = slash == NULL ? strlen(rest) : (size_t)(slash - rest);
    memcpy(name, rest, n);
    name[n] = '\0';
    glob_step(g, at, name, &m);
    if (slash == NULL)
        return m.is_file;
    for (unsigned i = 0; i < m.next_count; i++)
        if (walk(g, m.next[i], slash + 1))
            return true;
    return false;
}

static void matching(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"/var/log/*.log", "var/log/a.log", true},
        {"/var/log/*.log", "var/log/.log", false}, /* a leading dot only literally */
        {"/var/log/*.log", "var/log/.a.log", false},
        {"/var/log/.*.log", "var/log/.a.log", true},
        {"/var/log/?a", "var/log/.a", false},
        {"/var/log/[.]a", "var/log/.a", false},
        {"/var/log/*.log", "var/log/a.log.1", false},
        {"/var/log/*.log", "var/log/x/a.log", false}, /* a star crosses no slash */
        {"/var/log/*.log", "var/lib/a.log", false},
        {"/var/*/a.log", "var/x/a.log", true},
        {"/var/*/a.log", "var/.x/a.log", false},
        {"/var/*/a.log", "var/a.log", false},
        {"/var/log/a[0-9].log", "var/log/a7.log", true},
        {"/var/log/a[!0-9].log", "var/log/a7.log", false},
        {"/var/log/a?b",
         "var/log/a\xff"
         "b",
         true},
        {"/var/log/a\\*b", "var/log/a*b", true},
        {"/var/log/a\\*b", "var/log/axb", false},
        {"/var/log/app.log", "var/log/app.log", true},
        {"/var/log/app.log", "var/log/App.log", false},
        /* ** takes any number of directories, also none */
        {"/var/**/*.log", "var/a.log", true},
        {"/var/**/*.log", "var/x/a.log", true},
        {"/var/**/*.log", "var/x/y/z/a.log", true},
        {"/var/**/*.log", "var/1/2/3/4/5/6/7/8/a.log", true},
        {"/var/**/*.log", "var/1/2/3/4/5/6/7/8/9/a.log", false}, /* GLOB_DEPTH */
        {"/var/**/*.log", "var/.x/a.log", false},
        {"/var/**/*.log", "var/x/.y/a.log", false},
        {"/var/**/*.log", "var/x/.a.log", false},
        {"/var/**/*.log", "lib/a.log", false},
        {"/**/a.log", "a.log", true},
        {"/**/a.log", "x/y/a.log", true},
        {"/var/**/log/a", "var/log/a", true},
        {"/var/**/log/a", "var/x/log/a", true},
        {"/var/**/log/a", "var/log/log/a", true},
        {"/var/**/log/a", "var/log/x/a", false},
        {"/a/**/b/**/c", "a/b/c", true},
        {"/a/**/b/**/c", "a/1/b/2/3/c", true},
        {"/a/**/b/**/c", "a/1/2/c", false},
        {"/a/**/.h/c", "a/1/.h/c", true}, /* spelled out, a dot is found below a ** too */
        {"/a/**b/c", "a/xb/c", true},     /* no ** of its own */
        {"/a/**b/c", "a/x/b/c", false},
        {"/a/***/c", "a/x/c", true},
        {"/a/***/c", "a/x/y/c", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[200];
        struct glob g;
        (void)snprintf(name, sizeof(name), "%s of %s", cases[i].path, cases[i].pattern);
        CHECK(name, glob_init(&g, cases[i].pattern, "/", NULL) == 0);
        CHECK(name, walk(&g, (struct glob_at){0, 0}, cases[i].path) == cases[i].matches);
        glob_clear(&g);
    }
}

static void one_step(void **state)
{
    (void)state;
    struct glob g;
    struct glob_match m;
    assert_int_equal(glob_init(&g, "/a/**/b", "/", NULL), 0);
    glob_step(&g, (struct glob_at){0, 0}, "a", &m);
    assert_true(!m.is_file && m.next_count == 1 && m.next[0].component == 1);
    glob_step(&g, (struct glob_at){0, 0}, "x", &m);
    assert_true(!m.is_file && m.next_count == 0);
    /* "b" is the file, and as a directory also one more for the ** */
    glob_step(&g, (struct glob_at){1, 0}, "b", &m);
    assert_true(m.is_file && m.next_count == 1);
    assert_true(m.next[0].component == 1 && m.next[0].depth == 1);
    glob_step(&g, (struct glob_at){1, GLOB_DEPTH}, "b", &m);
    assert_true(m.is_file && m.next_count == 0);
    glob_step(&g, (struct glob_at){1, GLOB_DEPTH}, "x", &m);
    assert_true(!m.is_file && m.next_count == 0);
    glob_clear(&g);
    assert_int_equal(glob_init(&g, "/**/x*/y", "/", NULL), 0);
    glob_step(&g, (struct glob_at){0, 2}, "x1", &m);
    assert_true(!m.is_file && m.next_count == 2);
    assert_true(m.next[0].component == 2 && m.next[0].depth == 0);
    assert_true(m.next[1].component == 0 && m.next[1].depth == 3);
    glob_clear(&g);
}

static void literals(void **state)
{
    (void)state;
    struct glob g;
    static const char *const expected[] = {"a.b", NULL, NULL, NULL, NULL, "..", "f{g}"};
    assert_int_equal(glob_init(&g, "/a.b/c*/d?/[e]/**/../f{g}", "/", NULL), 0);
    assert_int_equal(g.count, ARRAY_LEN(expected));
    for (unsigned i = 0; i < g.count; i++) {
        const char *s = glob_literal(&g, (struct glob_at){i, 0});
        if (expected[i] == NULL)
            assert_null(s);
        else
            assert_string_equal(s, expected[i]);
    }
    glob_clear(&g);
}

static void exclusion(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *path;
        bool matches;
    } cases[] = {
        {"*.gz", "/var/log/a.gz", true}, /* without a slash: the last component */
        {"*.gz", "/var/log.gz/a", false},
        {"a*", "/var/log/abc", true},
        {"*", "/var/log/.hidden", false},
        {".*", "/var/log/.hidden", true},
        {"/var/log/*.gz", "/var/log/a.gz", true},
        {"/var/*/a.gz", "/var/log/a.gz", true},
        {"/var/*", "/var/log/a.gz", false},   /* a star crosses no slash */
        {"log/*.gz", "/var/log/a.gz", false}, /* with a slash: the whole path */
        {"/var/log/a", "/var/log/a", true},
        {"/var/log/a", "/var/log/ab", false},
        {"", "/var/log/a", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(cases[i].pattern,
              glob_path_matches(cases[i].pattern, cases[i].path) == cases[i].matches);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parsing),  cmocka_unit_test(refusals), cmocka_unit_test(matching),
        cmocka_unit_test(one_step), cmocka_unit_test(literals), cmocka_unit_test(exclusion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
