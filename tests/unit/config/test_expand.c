/* config/expand: what a variable becomes, and which texts are refused. */
#include "config/expand.h"

#include <errno.h>

#include "check.h"

static const char *const environment[] = {"HOST",   "es1",        "EMPTY", "",     "_x9", "under",
                                          "BRACES", "${HOST} a}", "BAD",   "\xff", NULL};

/* runs the text; *used as expand_text gives it */
static int run(const char *text, struct buf *out, bool *used, struct err *why)
{
    union {
        const char *const *in;
        void *out;
    } ctx = {environment};
    return expand_text(slice_str(text), fake_getenv, ctx.out, out, used, why);
}

static void values(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *want;
        bool used;
    } cases[] = {
        {"empty", "", "", false},
        {"plain", "abc", "abc", false},
        {"whole", "${HOST}", "es1", true},
        {"inside", "http://${HOST}:9200", "http://es1:9200", true},
        {"two", "${HOST}${_x9}", "es1under", true},
        {"default not needed", "${HOST:other}", "es1", true},
        {"default", "${NONE:other}", "other", true},
        {"default of empty", "${EMPTY:other}", "other", true},
        {"empty default", "a${NONE:}b", "ab", true},
        {"default with colon", "${NONE:http://a:1}", "http://a:1", true},
        {"empty without default", "a${EMPTY}b", "ab", true},
        {"not again", "${BRACES}", "${HOST} a}", true},
        {"literal", "$${HOST}", "${HOST}", false},
        {"literal after dollar", "$$${HOST}", "$${HOST}", false},
        {"literal and variable", "$${a} ${HOST}", "${a} es1", true},
        {"lone dollar", "$ $HOST a$", "$ $HOST a$", false},
        {"lone brace", "{a} }", "{a} }", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        bool used = false;
        struct err why = {0};
        buf_init(&out, 100);
        CHECK(cases[i].name, run(cases[i].text, &out, &used, &why) == 0);
        CHECK_TEXT(cases[i].name, buf_cstr(&out), cases[i].want);
        CHECK(cases[i].name, used == cases[i].used);
        buf_clear(&out);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
        int error;
        const char *why;
    } cases[] = {
        {"unset", "a ${NONE}", -EINVAL,
         "variable NONE is not set; set it, or give a default: ${NONE:...}"},
        {"open", "${HOST", -EINVAL, "\"${\" without \"}\"; a literal \"${\" is \"$${\""},
        {"no name", "${}", -EINVAL, "a variable is written ${NAME} or ${NAME:default}"},
        {"no name but default", "${:x}", -EINVAL,
         "a variable is written ${NAME} or ${NAME:default}"},
        {"digit first", "${9a}", -EINVAL, "a variable is written ${NAME} or ${NAME:default}"},
        {"blank", "${HO ST}", -EINVAL, "a variable is written ${NAME} or ${NAME:default}"},
        {"bytes", "${BAD}", -EINVAL, "variable BAD is not valid UTF-8"},
        {"too long", "0123456789${HOST}", -ENOBUFS, "value is longer than 12 bytes"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out;
        bool used = false;
        struct err why = {0};
        buf_init(&out, 12);
        CHECK(cases[i].name, run(cases[i].text, &out, &used, &why) == cases[i].error);
        CHECK_TEXT(cases[i].name, why.text, cases[i].why);
        CHECK(cases[i].name, !used);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
