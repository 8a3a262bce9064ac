/* os/credential: what the header becomes, from texts and files, and when files are read again */
#include "os/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tmp_dir.h"

struct text_case {
    const char *name;
    struct credential_opts opts;
    const char *want; /* NULL: -EINVAL */
};

static const struct text_case texts[] = {
    {"none", {.kind = CREDENTIAL_NONE}, ""},
    {"basic", {CREDENTIAL_BASIC, "user", NULL, "pa:ss", NULL}, "Basic dXNlcjpwYTpzcw=="},
    {"basic, not ASCII",
     {CREDENTIAL_BASIC, "\xc3\xa4", NULL, "\xc3\xb6 x", NULL},
     "Basic w6Q6w7YgeA=="},
    {"basic, colon", {CREDENTIAL_BASIC, "a:b", NULL, "c", NULL}, NULL},
    {"basic, no password", {CREDENTIAL_BASIC, "a", NULL, "", NULL}, NULL},
    {"key, two parts", {CREDENTIAL_API_KEY, NULL, NULL, "id:key", NULL}, "ApiKey aWQ6a2V5"},
    {"key, encoded", {CREDENTIAL_API_KEY, NULL, NULL, "aWQ6a2V5", NULL}, "ApiKey aWQ6a2V5"},
    {"token", {CREDENTIAL_BEARER, NULL, NULL, "a.b-c_d~e+f/==", NULL}, "Bearer a.b-c_d~e+f/=="},
    {"token, blank", {CREDENTIAL_BEARER, NULL, NULL, "a b", NULL}, NULL},
    {"token, line end", {CREDENTIAL_BEARER, NULL, NULL, "a\r\nX: y", NULL}, NULL},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct credential *c = credential_new(&texts[i].opts);
        struct err why = {0};
        struct buf out;
        buf_init(&out, 1000);
        int error = credential_header(c, &out, &why);
        if (error != (texts[i].want == NULL ? -EINVAL : 0))
            fail_msg("%s: %d %s", texts[i].name, error, why.text);
        if (texts[i].want != NULL && strcmp(buf_cstr(&out), texts[i].want) != 0)
            fail_msg("%s: \"%s\"", texts[i].name, buf_cstr(&out));
        assert_false(credential_refused(c));
        buf_clear(&out);
        credential_free(&c);
        assert_null(c);
    }
}

/* asserts what the header is now; NULL: this error */
static void expect(struct credential *c, const char *want, int code)
{
    struct err why = {0};
    struct buf out;
    buf_init(&out, 100000);
    assert_int_equal(credential_header(c, &out, &why), want == NULL ? code : 0);
    if (want != NULL)
        assert_string_equal(buf_cstr(&out), want);
    else
        assert_non_null(strstr(why.text, "/token"));
    assert_null(strstr(why.text, "secret"));
    buf_clear(&out);
}

static void test_files(void **state)
{
    (void)state;
    struct tmp_dir t;
    char user[512], token[512];
    tmp_dir_make(&t);
    snprintf(user, sizeof(user), "%s", tmp_dir_path(&t, "user"));
    snprintf(token, sizeof(token), "%s", tmp_dir_path(&t, "token"));
    tmp_dir_write_str(&t, "user", "ship\n");
    tmp_dir_write_str(&t, "token", "  id:key \r\n");
    const struct credential_opts opts[] = {
        {CREDENTIAL_BASIC, NULL, user, NULL, token},
        {CREDENTIAL_BASIC, "u", NULL, NULL, token},
        {CREDENTIAL_API_KEY, NULL, NULL, NULL, token},
        {CREDENTIAL_BEARER, NULL, NULL, NULL, token},
    };
    const char *const want[] = {"Basic c2hpcDppZDprZXk=", "Basic dTppZDprZXk=", "ApiKey aWQ6a2V5",
                                "Bearer id:key"};
    for (size_t i = 0; i < ARRAY_LEN(opts); i++) {
        struct credential *c = credential_new(&opts[i]);
        expect(c, want[i], 0);
        credential_free(&c);
    }
    tmp_dir_remove(&t);
}

static void test_changes(void **state)
{
    (void)state;
    struct tmp_dir t;
    char token[512];
    tmp_dir_make(&t);
    snprintf(token, sizeof(token), "%s", tmp_dir_path(&t, "token"));
    struct credential *c =
        credential_new(&(struct credential_opts){.kind = CREDENTIAL_BEARER, .secret_file = token});
    expect(c, NULL, -ENOENT);
    tmp_dir_write_str(&t, "token", "");
    expect(c, NULL, -EINVAL);
    tmp_dir_write_str(&t, "token", "secret one");
    expect(c, NULL, -EINVAL);
    tmp_dir_write_str(&t, "token", "one");
    expect(c, "Bearer one", 0);
    tmp_dir_write_str(&t, "token", "three");
    expect(c, "Bearer three", 0);
    assert_int_equal(unlink(token), 0); /* about to be replaced, perhaps */
    expect(c, "Bearer three", 0);
    tmp_dir_write_str(&t, "token", "four");
    expect(c, "Bearer four", 0);
    assert_false(credential_refused(c)); /* still the same */
    expect(c, "Bearer four", 0);
    assert_int_equal(unlink(token), 0);
    assert_false(credential_refused(c));
    expect(c, NULL, -ENOENT); /* refused and gone: it does not count any more */
    credential_free(&c);
    tmp_dir_remove(&t);
}

/* rewritten in place, same size, same times: the stamp sees nothing, the refusal does */
static void test_refusal_reads_again(void **state)
{
    (void)state;
    struct tmp_dir t;
    char token[512];
    struct stat st;
    tmp_dir_make(&t);
    snprintf(token, sizeof(token), "%s", tmp_dir_path(&t, "token"));
    tmp_dir_write_str(&t, "token", "old");
    struct credential *c =
        credential_new(&(struct credential_opts){.kind = CREDENTIAL_BEARER, .secret_file = token});
    expect(c, "Bearer old", 0);
    assert_int_equal(stat(token, &st), 0);
    FILE *f = fopen(token, "r+");
    assert_non_null(f);
    assert_int_equal(fputs("new", f) < 0, 0);
    assert_int_equal(fclose(f), 0);
    const struct timespec times[] = {st.st_atim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, token, times, 0), 0);
    expect(c, "Bearer old", 0);
    assert_true(credential_refused(c));
    expect(c, "Bearer new", 0);
    assert_false(credential_refused(c));
    credential_free(&c);
    tmp_dir_remove(&t);
}

static void test_limits(void **state)
{
    (void)state;
    struct tmp_dir t;
    static char text[CREDENTIAL_MAX + 2];
    char token[512];
    tmp_dir_make(&t);
    snprintf(token, sizeof(token), "%s", tmp_dir_path(&t, "token"));
    struct credential *c =
        credential_new(&(struct credential_opts){.kind = CREDENTIAL_BEARER, .secret_file = token});
    memset(text, 'a', CREDENTIAL_MAX + 1);
    tmp_dir_write_str(&t, "token", text);
    expect(c, NULL, -EFBIG);
    text[CREDENTIAL_MAX] = '\0';
    tmp_dir_write_str(&t, "token", text);
    struct buf out;
    struct err why = {0};
    buf_init(&out, 2 * CREDENTIAL_MAX);
    assert_int_equal(credential_header(c, &out, &why), 0);
    assert_int_equal(out.len, CREDENTIAL_MAX + strlen("Bearer "));
    buf_clear(&out);
    credential_free(&c);
    assert_int_equal(unlink(token), 0);
    assert_int_equal(mkdir(token, 0700), 0);
    c = credential_new(&(struct credential_opts){.kind = CREDENTIAL_BEARER, .secret_file = token});
    expect(c, NULL, -EISDIR);
    credential_free(&c);
    assert_int_equal(rmdir(token), 0);
    assert_int_equal(mkfifo(token, 0600), 0); /* does not block */
    c = credential_new(&(struct credential_opts){.kind = CREDENTIAL_BEARER, .secret_file = token});
    expect(c, NULL, -ENXIO);
    credential_free(&c);
    tmp_dir_remove(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),   cmocka_unit_test(test_files),
        cmocka_unit_test(test_changes), cmocka_unit_test(test_refusal_reads_again),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("os/credential", tests, NULL, NULL);
}
