/* tail/siblings: which names are rotated forms of a name. */
#include "tail/tail_internal.h"

#include "tail_test.h"

static void names(void **state)
{
    (void)state;
    static const struct {
        const char *base, *name;
        bool is;
    } cases[] = {
        {"app.log", "app.log", false},
        {"app.log", "app.log.1", true},
        {"app.log", "app.log.10", true},
        {"app.log", "app.log.1.gz", true},
        {"app.log", "app.log-20261123", true},
        {"app.log", "app.log-20261123.zst", true},
        {"app.log", "app.log_2026", true},
        {"app.log", "app.log.bak", true},
        {"app.log", "app.log.2026-11-23T00:00:00", true},
        {"app.log", "app-2026-11-23.log", true},
        {"app.log", "app.1.log", true},
        {"app.log", "app-20261123.log", true},
        {"app.log", "app_2026.11.23.log", true},
        {"app.log", "app-error.log", false}, /* another log of the same program */
        {"app.log", "app-2026-error.log", false},
        {"app.log", "app-.log", false}, /* no digit */
        {"app.log", "app.log2", false}, /* nothing between */
        {"app.log", "app.logs.1", false},
        {"app.log", "app.lo", false},
        {"app.log", "apple.log", false},
        {"app.log", "app2.log.1", false},
        {"app.log", "xapp.log.1", false},
        {"app.log", "App.log.1", false},
        {"app.log", "app.log\n.1", false},
        {"app.log", "", false},
        {"syslog", "syslog.1", true},
        {"syslog", "syslog-20261123", true},
        {"syslog", "syslog", false},
        {"syslog", "syslogger", false},
        {"0.log", "0.log.20261123-010203", true},
        {"0.log", "1.log", false},
        {".hidden", ".hidden.1", true},
        {".log", "2026.log", false}, /* no stem to recognise it by */
        {"a", "a.1", true},
        {"a.b.c", "a.b-2026.c", true},
        {"a.b.c", "a-2026.b.c", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "%s beside %s", cases[i].name, cases[i].base);
        CHECK(text, siblings_is(cases[i].base, cases[i].name) == cases[i].is);
    }
}

static void compressed(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is;
    } cases[] = {
        {"app.log.1.gz", true}, {"app.log.zst", true}, {"a.xz", true},  {"a.bz2", true},
        {"app.log.1", false},   {"gz", false},         {".gz", true},   {"a.gz.1", false},
        {"a.GZ", false},        {"", false},           {"a.zs", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(cases[i].name, siblings_is_compressed(cases[i].name) == cases[i].is);
}

/* older or younger, as far as names tell */
static void ages(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int falling, growing; /* signs */
    } cases[] = {
        {"/a.log.2", "/a.log.1", -1, 1},
        {"/a.log.10.gz", "/a.log.2", -1, 1},
        {"/a.log.2", "/a.log.2", 0, 0},
        {"/a.log-20261122", "/a.log-20261123.gz", -1, -1},
        {"/a-2026-11-22.log", "/a-2026-11-23.log", -1, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int falling = siblings_compare_names(cases[i].a, cases[i].b, false);
        int growing = siblings_compare_names(cases[i].a, cases[i].b, true);
        CHECK(cases[i].a, (falling > 0) - (falling < 0) == cases[i].falling);
        CHECK(cases[i].a, (growing > 0) - (growing < 0) == cases[i].growing);
    }
}

static void kin(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool are;
    } cases[] = {
        {"/d/a.log", "/d/a.log.1", true},
        {"/d/a.log.1", "/d/a.log.2.gz", true},
        {"/d/a.log.1", "/d/a-2026-11-23.log.zst", true},
        {"/d/a.log-20261122", "/d/a.log-20261123-2.gz", true},
        {"/d/a.log", "/d/b.log.1", false},
        {"/d/a.log", "/e/a.log.1", false},
        {"/d/a.log", "/d/e/a.log.1", false},
        {"/d/a1.log", "/d/a2.log.gz", false}, /* two logs */
        {"/d/a.log", "/d/a.log.bak", false},
        {"/a.log", "/a.log.1", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK(cases[i].b, siblings_are_kin(cases[i].a, cases[i].b) == cases[i].are);
        CHECK(cases[i].b, siblings_are_kin(cases[i].b, cases[i].a) == cases[i].are);
    }
}

/* what the names of one origin begin with */
static void stems(void **state)
{
    (void)state;
    static const struct {
        const char *name, *stem;
    } cases[] = {
        {"app.log", "app"},
        {"app.log.12", "app"},
        {"app.log.3.gz", "app"},
        {"app.log-20261123", "app"},
        {"app.log-20261123-02.zst", "app"},
        {"app-2026-11-23-02.log", "app"},
        {"app-2026-11-23.log.gz", "app"},
        {"app2.log", "app2"},
        {"app", "app"},
        {".log", ".log"},
        {"12", "12"},
        {"1.2", "1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(cases[i].name, siblings_stem(cases[i].name) == strlen(cases[i].stem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(compressed),
                                       cmocka_unit_test(ages), cmocka_unit_test(kin),
                                       cmocka_unit_test(stems)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
