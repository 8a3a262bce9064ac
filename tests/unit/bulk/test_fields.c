/* bulk/fields: the rows keep what the header promises, in both profiles. */
#include "bulk/fields.h"

#include "bulk_test.h"

static void check_pair(const char *a, const char *b)
{
    size_t n = strlen(a);
    CHECK(a, strcmp(a, b) != 0);
    CHECK(a, strncmp(a, b, n) != 0 || b[n] != '.');
}

static void names_do_not_clash(void **state)
{
    (void)state;
    assert_true(log_field_count > 0);
    for (size_t i = 0; i < log_field_count; i++) {
        const struct log_field *f = &log_fields[i];
        for (size_t k = 0; k < log_field_count; k++) {
            if (i == k)
                continue;
            for (int p = PROFILE_DEFAULT; p <= PROFILE_ISP; p++)
                check_pair(log_field_name(f, (enum profile)p),
                           log_field_name(&log_fields[k], (enum profile)p));
            if (f->platform != NULL)
                check_pair(f->platform, log_fields[k].name);
        }
    }
    for (size_t i = 0; i < isp_metric_field_count; i++)
        for (size_t k = 0; k < isp_metric_field_count; k++)
            if (i != k)
                check_pair(isp_metric_fields[i].name, isp_metric_fields[k].name);
}

static void check_row(const struct log_field *f)
{
    size_t n = strlen(f->description);
    CHECK(f->name, n > 0 && f->description[n - 1] == '.');
    CHECK(f->name, f->platform != NULL || f->type == f->platform_type);
    CHECK(f->name, !(f->flags & FIELD_NO_CASE) || f->type == FIELD_KEYWORD);
    CHECK(f->name, !(f->flags & FIELD_NOT_INDEXED) || f->type == FIELD_OBJECT);
    CHECK(f->name, !(f->flags & FIELD_BOTH_NAMES) || f->platform != NULL);
    CHECK(f->name, field_type_name(f->type)[0] != '\0');
}

static void rows_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < log_field_count; i++)
        check_row(&log_fields[i]);
    for (size_t i = 0; i < isp_metric_field_count; i++) {
        check_row(&isp_metric_fields[i]);
        CHECK(isp_metric_fields[i].name, isp_metric_fields[i].platform == NULL);
    }
}

static void types_are_elasticsearchs(void **state)
{
    (void)state;
    static const char *const names[] = {
        "date", "keyword", "long",  "scaled_float", "boolean",
        "ip",   "text",    "float", "object",       "constant_keyword"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(field_type_name((enum field_type)i), names[i]);
}

static void profiles_have_their_names(void **state)
{
    (void)state;
    const struct log_field *user = NULL;
    for (size_t i = 0; i < log_field_count; i++)
        if (strcmp(log_fields[i].name, "user.id") == 0)
            user = &log_fields[i];
    assert_non_null(user);
    assert_string_equal(log_field_name(user, PROFILE_DEFAULT), "user.id");
    assert_string_equal(log_field_name(user, PROFILE_ISP), "user_id");
    assert_int_equal(log_field_type(user, PROFILE_DEFAULT), FIELD_KEYWORD);
    assert_int_equal(log_field_type(user, PROFILE_ISP), FIELD_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_do_not_clash),
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(types_are_elasticsearchs),
        cmocka_unit_test(profiles_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
