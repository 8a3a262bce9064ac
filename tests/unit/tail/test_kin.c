/* tail/kin: every path whose rotated form a name is, is among those that are told. */
#include "tail/tail_internal.h"
#include "tail_test.h"

struct search {
    const char *wanted;
    bool found;
    unsigned count;
};

static bool on_base(void *ctx, const char *base)
{
    struct search *s = ctx;
    s->count++;
    s->found |= strcmp(base, s->wanted) == 0;
    return s->found;
}

static void bases(void **state)
{
    (void)state;
    static const struct {
        const char *base, *name;
    } cases[] = {
        {"/v/app.log", "/v/app.log.1"},
        {"/v/app.log", "/v/app.log-20261123"},
        {"/v/app.log", "/v/app-2026-11-23.log"},
        {"/v/app.log", "/v/app-2026-11-23T10:00:00.log"},
        {"/v/app.log", "/v/app.20261123.log"},
        {"/v/app.log", "/v/app1.log"},
        {"/v/app.log", "/v/app.log.1.gz"},
        {"/v/app.log", "/v/app-20261123.log.zst"},
        {"/v/app", "/v/app.1"},
        {"/v/app", "/v/app_old"},
        {"/v/app", "/v/app-2026"},
        {"/v/a.b.log", "/v/a.b-2026.log"},
        {"/app.log", "/app.log.2"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct search s = {.wanted = cases[i].base};
        kin_bases(cases[i].name, on_base, &s);
        CHECK(cases[i].name, s.found);
    }
    struct search none = {.wanted = ""};
    kin_bases("/v/", on_base, &none);
    kin_bases("name", on_base, &none);
    assert_int_equal(none.count, 0);
    kin_bases("/v/plain", on_base, &none);
    assert_int_equal(none.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
