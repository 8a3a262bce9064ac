/* config/yaml: which settings a text gives, with their places; every refusal; the limits. */
#include "config/yaml.h"

#include <errno.h>

#include "check.h"

static const char *const environment[] = {"HOST", "es1", "LIST", "[a, b]", "YAML", "x: y", NULL};

struct result {
    int error;
    struct buf settings; /* "KIND key=text @line:column-line:column >end" a line */
    struct buf errors;
};

/* reads a text into a result */
static struct result read_text(struct slice text, const char *root, const char *list_root)
{
    static const char kinds[] = {[SETTING_TEXT] = 'T',
                                 [SETTING_NULL] = 'N',
                                 [SETTING_LIST] = 'L',
                                 [SETTING_MAP] = 'M',
                                 [SETTING_BAD] = 'B'};
    union {
        const char *const *in;
        void *out;
    } ctx = {environment};
    const struct yaml_opts opts = {.file = "f",
                                   .root = root,
                                   .list_root = list_root,
                                   .getenv_fn = fake_getenv,
                                   .ctx = ctx.out};
    struct settings list = {0};
    struct config_errors errors = {0};
    struct result r;
    buf_init(&r.settings, 4 * MIB);
    buf_init(&r.errors, MIB);
    r.error = yaml_read(text, &opts, &list, &errors);
    for (size_t i = 0; i < list.n; i++) {
        const struct setting *s = &list.v[i];
        assert_true(s->span > 0 && i + s->span <= list.n);
        assert_int_equal(buf_printf(&r.settings, "%c %s%s%s%s %u:%u-%u:%u >%zu\n", kinds[s->kind],
                                    s->key, s->text == NULL ? "" : "=",
                                    s->text == NULL ? "" : s->text, s->variable ? " (var)" : "",
                                    s->key_at.line, s->key_at.column, s->value_at.line,
                                    s->value_at.column, i + s->span),
                         0);
    }
    assert_int_equal(config_errors_write(&errors, &r.errors), 0);
    settings_clear(&list);
    config_errors_clear(&errors);
    return r;
}

/* frees a result */
static void drop(struct result *r)
{
    buf_clear(&r->settings);
    buf_clear(&r->errors);
}

struct yaml_case {
    const char *name, *text, *settings, *errors;
    int error;
};

/* compares settings and errors of each case */
static void run(const struct yaml_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct result r = read_text(slice_str(cases[i].text), "", NULL);
        CHECK_TEXT(cases[i].name, buf_cstr(&r.settings), cases[i].settings);
        CHECK_TEXT(cases[i].name, buf_cstr(&r.errors), cases[i].errors);
        CHECK(cases[i].name, r.error == cases[i].error);
        drop(&r);
    }
}

static void structure(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"empty", "", "", "", 0},
        {"comment", "# x\n", "", "", 0},
        {"dotted", "path.data: x\n", "M  1:1-1:1 >2\nT path.data=x 1:1-1:12 >2\n", "", 0},
        {"nested", "path:\n  data: x\n",
         "M  1:1-1:1 >3\nM path 1:1-2:3 >3\nT path.data=x 2:3-2:9 >3\n", "", 0},
        {"list", "a:\n- x\n- \"y\"\n",
         "M  1:1-1:1 >4\nL a 1:1-2:1 >4\nT a[0]=x 2:3-2:3 >3\nT a[1]=y 3:3-3:3 >4\n", "", 0},
        {"list of maps", "a: [{b: 1}, {c.d: [2]}]\n",
         "M  1:1-1:1 >7\nL a 1:1-1:4 >7\nM a[0] 1:5-1:5 >4\nT a[0].b=1 1:6-1:9 >4\n"
         "M a[1] 1:13-1:13 >7\nL a[1].c.d 1:14-1:19 >7\nT a[1].c.d[0]=2 1:20-1:20 >7\n",
         "", 0},
        {"empty list and map", "a: []\nb: {}\n", "M  1:1-1:1 >3\nL a 1:1-1:4 >2\nM b 2:1-2:4 >3\n",
         "", 0},
        {"no value", "a:\nb: ~\nc: null\nd: \"\"\ne: ''\n",
         "M  1:1-1:1 >6\nN a 1:1-1:3 >2\nN b 2:1-2:4 >3\nN c 3:1-3:4 >4\nT d= 4:1-4:4 >5\n"
         "T e= 5:1-5:4 >6\n",
         "", 0},
        {"merged", "o: {e: {h: 1}}\no.e: {w: 2}\no.e.l: 3\n",
         "M  1:1-1:1 >7\nM o 1:1-1:4 >4\nM o.e 1:5-1:8 >4\nT o.e.h=1 1:9-1:12 >4\n"
         "M o.e 2:1-2:6 >6\nT o.e.w=2 2:7-2:10 >6\nT o.e.l=3 3:1-3:8 >7\n",
         "", 0},
        {"byte order mark",
         "\xef\xbb\xbf"
         "a: 1\n",
         "M  1:2-1:2 >2\nT a=1 1:2-1:5 >2\n", "", 0},
        {"top scalar", "hello", "T =hello 1:1-1:1 >1\n", "", 0},
        {"top list", "[x]", "L  1:1-1:1 >2\nT [0]=x 1:2-1:2 >2\n", "", 0},
    };
    run(cases, ARRAY_LEN(cases));
}

static void variables(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"in values", "a: x${HOST}\nb: \"${NONE:d}\"\nc: '$${HOST}'\n",
         "M  1:1-1:1 >4\nT a=xes1 (var) 1:1-1:4 >2\nT b=d (var) 2:1-2:4 >3\n"
         "T c=${HOST} 3:1-3:4 >4\n",
         "", 0},
        {"no injection", "a: ${LIST}\nb: ${YAML}\n",
         "M  1:1-1:1 >3\nT a=[a, b] (var) 1:1-1:4 >2\nT b=x: y (var) 2:1-2:4 >3\n", "", 0},
        {"not in keys", "${HOST}: 1\n", "M  1:1-1:1 >2\nT ${HOST}=1 1:1-1:10 >2\n", "", 0},
        {"missing", "a: ${NONE}\nb: 1\n", "M  1:1-1:1 >3\nB a 1:1-1:4 >2\nT b=1 2:1-2:4 >3\n",
         "f:1:4: a: variable NONE is not set; set it, or give a default: ${NONE:...}\n", 0},
    };
    run(cases, ARRAY_LEN(cases));
}

static void refused_but_read_on(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"twice", "a: 1\nb: 2\na: 3\n", "M  1:1-1:1 >3\nT a=1 1:1-1:4 >2\nT b=2 2:1-2:4 >3\n",
         "f:3:1: \"a\" is given twice, first at f:1:1\n", 0},
        {"twice by dots", "a.b: 1\na: {b: 2}\n",
         "M  1:1-1:1 >3\nT a.b=1 1:1-1:6 >2\nM a 2:1-2:4 >3\n",
         "f:2:5: \"a.b\" is given twice, first at f:1:1\n", 0},
        {"map twice", "a: {b: 1}\na: {c: {d: 2}}\n",
         "M  1:1-1:1 >3\nM a 1:1-1:4 >3\nT a.b=1 1:5-1:8 >3\n",
         "f:2:1: \"a\" is given twice, first at f:1:1\n", 0},
        {"list twice", "a: [1]\na: [2, 3]\n",
         "M  1:1-1:1 >3\nL a 1:1-1:4 >3\nT a[0]=1 1:5-1:5 >3\n",
         "f:2:1: \"a\" is given twice, first at f:1:1\n", 0},
        {"anchor and alias", "a: &x 1\nb: *x\nc: [*x, 2]\n*x : 3\n",
         "M  1:1-1:1 >6\nT a=1 1:1-1:4 >2\nB b 2:1-2:4 >3\nL c 3:1-3:4 >6\nB c[0] 3:5-3:5 >5\n"
         "T c[1]=2 3:9-3:9 >6\n",
         "f:1:4: anchors (&x) are not supported; write the value out\n"
         "f:2:4: aliases (*x) are not supported; write the value out\n"
         "f:3:5: aliases (*x) are not supported; write the value out\n"
         "f:4:1: aliases (*x) are not supported; write the value out\n",
         0},
        {"tag", "a: !!int 1\nb: !x [1]\nc: !y {}\n",
         "M  1:1-1:1 >5\nT a=1 1:1-1:4 >2\nL b 2:1-2:4 >4\nT b[0]=1 2:8-2:8 >4\nM c 3:1-3:4 >5\n",
         "f:1:4: tags (tag:yaml.org,2002:int) are not supported; leave it out\n"
         "f:2:4: tags (!x) are not supported; leave it out\n"
         "f:3:4: tags (!y) are not supported; leave it out\n",
         0},
        {"key is a list", "? [a, b: {c: 1}]\n: 2\nd: 3\n", "M  1:1-1:1 >2\nT d=3 3:1-3:4 >2\n",
         "f:1:3: a key must be a plain word\n", 0},
        {"keys", "\"\": 1\n.a: 1\na.: {x: 1}\na..b: 1\n\"a[0]\": 1\n\"a\\n\": 1\n",
         "M  1:1-1:1 >1\n",
         "f:1:1: a key may not be empty, nor begin or end with a dot\n"
         "f:2:1: a key may not be empty, nor begin or end with a dot\n"
         "f:3:1: a key may not be empty, nor begin or end with a dot\n"
         "f:4:1: a key may not hold two dots in a row\n"
         "f:5:1: a key may not hold control characters, \"[\" or \"]\"\n"
         "f:6:1: a key may not hold control characters, \"[\" or \"]\"\n",
         0},
    };
    run(cases, ARRAY_LEN(cases));
}

static void stops(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"second document", "a: 1\n---\nb: 2\n", "M  1:1-1:1 >2\nT a=1 1:1-1:4 >2\n",
         "f:2:1: a file holds one document; remove the \"---\"\n", -EBADMSG},
        {"depth", "a: [[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]\nb: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n",
         "M  1:1-1:1 >33\n"
         "L a 1:1-1:4 >18\nL a[0] 1:5-1:5 >18\nL a[0][0] 1:6-1:6 >18\nL a[0][0][0] 1:7-1:7 >18\n"
         "L a[0][0][0][0] 1:8-1:8 >18\nL a[0][0][0][0][0] 1:9-1:9 >18\n"
         "L a[0][0][0][0][0][0] 1:10-1:10 >18\nL a[0][0][0][0][0][0][0] 1:11-1:11 >18\n"
         "L a[0][0][0][0][0][0][0][0] 1:12-1:12 >18\nL a[0][0][0][0][0][0][0][0][0] 1:13-1:13 >18\n"
         "L a[0][0][0][0][0][0][0][0][0][0] 1:14-1:14 >18\n"
         "L a[0][0][0][0][0][0][0][0][0][0][0] 1:15-1:15 >18\n"
         "L a[0][0][0][0][0][0][0][0][0][0][0][0] 1:16-1:16 >18\n"
         "L a[0][0][0][0][0][0][0][0][0][0][0][0][0] 1:17-1:17 >18\n"
         "L a[0][0][0][0][0][0][0][0][0][0][0][0][0][0] 1:18-1:18 >18\n"
         "T a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]=1 1:19-1:19 >17\n",
         "f:2:19: more than 16 levels of nesting\n", -EBADMSG},
        {"syntax", "a: 1\nb: [1, 2\nc: 3\n", NULL, NULL, -EBADMSG},
        {"tab", "a:\n\tb: 1\n", NULL, NULL, -EBADMSG},
        {"unclosed quote", "a: \"x\n", NULL, NULL, -EBADMSG},
        {"bytes", "a: \xff\n", NULL, NULL, -EBADMSG},
        {"undefined", "a: 1\n: - :\n  - ]", NULL, NULL, -EBADMSG},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct result r = read_text(slice_str(cases[i].text), "", NULL);
        CHECK(cases[i].name, r.error == cases[i].error);
        CHECK(cases[i].name, slice_starts(buf_slice(&r.errors), SLICE_LIT("f:")));
        if (cases[i].errors != NULL)
            CHECK_TEXT(cases[i].name, buf_cstr(&r.errors), cases[i].errors);
        drop(&r);
    }
}

static void syntax_errors_have_places(void **state)
{
    (void)state;
    struct result r = read_text(SLICE_LIT("a: 1\nb: [1, 2\nc: 3\n"), "", NULL);
    assert_string_equal(buf_cstr(&r.errors),
                        "f:3:2: syntax error while parsing a flow sequence: did not find expected "
                        "',' or ']'\n");
    drop(&r);
    r = read_text(SLICE_LIT("a: 1\nb:\n\tc: 3\n"), "", NULL);
    assert_string_equal(buf_cstr(&r.errors),
                        "f:3:1: syntax error while scanning for the next token: found character "
                        "that cannot start any token\n");
    drop(&r);
}

static void roots(void **state)
{
    (void)state;
    struct result r = read_text(SLICE_LIT("- paths: [a]\n"), "", "inputs");
    assert_string_equal(buf_cstr(&r.settings),
                        "L inputs 1:1-1:1 >4\nM inputs[0] 1:3-1:3 >4\n"
                        "L inputs[0].paths 1:3-1:10 >4\nT inputs[0].paths[0]=a 1:11-1:11 >4\n");
    drop(&r);
    r = read_text(SLICE_LIT("inputs: []\n"), "", "inputs");
    assert_string_equal(buf_cstr(&r.settings), "M  1:1-1:1 >2\nL inputs 1:1-1:9 >2\n");
    drop(&r);
    r = read_text(SLICE_LIT("[a]"), "inputs[0].paths", NULL);
    assert_string_equal(buf_cstr(&r.settings),
                        "L inputs[0].paths 1:1-1:1 >2\nT inputs[0].paths[0]=a 1:2-1:2 >2\n");
    drop(&r);
}

/* a text of n copies of piece between head and tail */
static struct slice repeated(struct buf *b, const char *head, const char *piece, size_t n,
                             const char *tail)
{
    buf_init(b, 4 * MIB);
    assert_int_equal(buf_add_str(b, head), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_add_str(b, piece), 0);
    assert_int_equal(buf_add_str(b, tail), 0);
    return buf_slice(b);
}

static void limits(void **state)
{
    (void)state;
    static const struct {
        const char *name, *head, *piece;
        size_t n;
        const char *tail;
        int error;
        const char *errors;
    } cases[] = {
        {"longest value", "a: ", "x", YAML_READ_TEXT_MAX, "\nb: 1\n", 0, ""},
        {"value too long", "a: ", "x", YAML_READ_TEXT_MAX + 1, "\nb: 1\n", 0,
         "f:1:4: value is longer than 65536 bytes\n"},
        {"longest key", "? ", "x", YAML_READ_KEY_MAX, "\n: 1\n", 0, ""},
        {"key too long", "? ", "x", YAML_READ_KEY_MAX + 1, "\n: 1\n", 0,
         "f:1:3: the key with its sections is too long\n"},
        {"most values", "a: [", "1,", YAML_READ_VALUES_MAX - 3, "]\n", 0, ""},
        {"too many values", "a: [", "1,", YAML_READ_VALUES_MAX - 2, "]\n", -EBADMSG,
         "f:1:19999: more than 10000 keys and values in one file\n"},
        {"deep", "", "[", 100000, "", -EBADMSG, "f:1:17: more than 16 levels of nesting\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text;
        struct result r = read_text(
            repeated(&text, cases[i].head, cases[i].piece, cases[i].n, cases[i].tail), "", NULL);
        CHECK_TEXT(cases[i].name, buf_cstr(&r.errors), cases[i].errors);
        CHECK(cases[i].name, r.error == cases[i].error);
        drop(&r);
        buf_clear(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure),
        cmocka_unit_test(variables),
        cmocka_unit_test(refused_but_read_on),
        cmocka_unit_test(stops),
        cmocka_unit_test(syntax_errors_have_places),
        cmocka_unit_test(roots),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
