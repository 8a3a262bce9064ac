/* config/config_write: etc/wherry.yml and docs/options.md in the tree are what the option table
 * gives, and the sample loads, as it is and with every option set. Runs at the root of the tree. */
#include <errno.h>

#include "check.h"
#include "config/config.h"
#include "config/options.h"

/* the content of a file */
static const char *file_text(const char *path)
{
    static char text[200000];
    FILE *f = fopen(path, "r");
    CHECK(path, f != NULL);
    size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);
    text[n] = '\0';
    if (f != NULL)
        fclose(f);
    return text;
}

/* loads a text that must be right */
static struct config *load_good(const char *text)
{
    struct config_errors errors = {0};
    struct config *cfg = NULL;
    const struct config_source src = {.path = "wherry.yml", .bytes = slice_str(text)};
    int error = config_load(&src, &cfg, &errors);
    CHECK_TEXT("load", errors.n == 0 ? "" : errors.v[0].text, "");
    assert_int_equal(error, 0);
    config_errors_clear(&errors);
    return cfg;
}

/* a configuration as text */
static void dump(const char *text, struct buf *out)
{
    struct config *cfg = load_good(text);
    buf_init(out, 20000);
    assert_int_equal(config_dump(cfg, out), 0);
    config_free(&cfg);
}

static void files_are_up_to_date(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 100000);
    assert_int_equal(config_write_sample(&out), 0);
    CHECK_TEXT("etc/wherry.yml (make docs)", file_text("etc/wherry.yml"), buf_cstr(&out));
    buf_reset(&out);
    assert_int_equal(config_write_reference(&out), 0);
    CHECK_TEXT("docs/options.md (make docs)", file_text("docs/options.md"), buf_cstr(&out));
    buf_clear(&out);
}

static void the_sample_loads(void **state)
{
    (void)state;
    struct buf sample, minimal;
    dump(file_text("etc/wherry.yml"), &sample);
    dump("inputs: [{paths: /var/log/*.log}]", &minimal);
    CHECK_TEXT("defaults", buf_cstr(&sample), buf_cstr(&minimal));
    buf_clear(&sample);
    buf_clear(&minimal);
}

/* removes the "#" before options (those that no blank follows) */
static size_t uncomment(char *text)
{
    size_t count = 0;
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '#' && from[1] != ' ' && from[1] != '\n' &&
            (from == text || from[-1] == ' ' || from[-1] == '\n'))
            count++;
        else
            *to++ = *from;
    }
    *to = '\0';
    return count;
}

static void the_sample_loads_with_every_option(void **state)
{
    (void)state;
    static char text[200000];
    snprintf(text, sizeof(text), "%s", file_text("etc/wherry.yml"));
    assert_int_equal(uncomment(text), options_count - 1);
    struct buf sample, minimal;
    dump(text, &sample);
    dump("inputs: [{paths: /var/log/*.log}]", &minimal);
    CHECK_TEXT("defaults", buf_cstr(&sample), buf_cstr(&minimal));
    buf_clear(&sample);
    buf_clear(&minimal);
}

static void lines_are_short(void **state)
{
    (void)state;
    struct slice rest = slice_str(file_text("etc/wherry.yml")), line;
    while (slice_next(&rest, '\n', &line))
        CHECK("line", line.len <= 96);
}

static void writing_stops_at_the_limit(void **state)
{
    (void)state;
    static int (*const writers[])(struct buf *) = {config_write_sample, config_write_reference};
    for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
        for (size_t max = 0; max < 3000; max += 7) {
            struct buf out;
            buf_init(&out, max);
            assert_int_equal(writers[i](&out), -ENOBUFS);
            buf_clear(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_up_to_date),
        cmocka_unit_test(the_sample_loads),
        cmocka_unit_test(the_sample_loads_with_every_option),
        cmocka_unit_test(lines_are_short),
        cmocka_unit_test(writing_stops_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
