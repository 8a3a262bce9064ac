/* base/mem: zeroing, counting, and death when memory is exhausted. */
#include "base/mem.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void blocks_are_zeroed(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 7, 64, 4096, 100000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        unsigned char *p = mem_zalloc(sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xff, sizes[i]);
        mem_free(p);
    }
    uint64_t *array = mem_zalloc_array(1000, sizeof(*array));
    for (size_t k = 0; k < 1000; k++)
        assert_true(array[k] == 0);
    mem_free(array);
}

static void nothing_is_still_a_block(void **state)
{
    (void)state;
    void *a = mem_zalloc(0);
    void *b = mem_zalloc_array(0, 8);
    void *c = mem_zalloc_array(8, 0);
    void *d = mem_resize(NULL, 0);
    assert_true(a != NULL && b != NULL && c != NULL && d != NULL);
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(d);
    mem_free(NULL);
}

static void resizing_keeps_content(void **state)
{
    (void)state;
    char *p = mem_resize(NULL, 4);
    memcpy(p, "abc", 4);
    p = mem_resize(p, 100000);
    assert_string_equal(p, "abc");
    p = mem_resize(p, 4);
    assert_string_equal(p, "abc");
    /* a refused wish leaves the block alone */
    assert_null(mem_try_resize(p, SIZE_MAX));
    assert_null(mem_try_resize(p, (size_t)PTRDIFF_MAX + 1));
    assert_string_equal(p, "abc");
    char *same = mem_try_resize(p, 8);
    assert_non_null(same);
    assert_string_equal(same, "abc");
    mem_free(same);
}

static void copies(void **state)
{
    (void)state;
    char *a = mem_strdup("hello");
    char *b = mem_strndup("hello", 3);
    char *c = mem_strndup("a\0b", 3);
    char *d = mem_strndup(NULL, 0);
    assert_string_equal(a, "hello");
    assert_string_equal(b, "hel");
    assert_memory_equal(c, "a\0b", 4);
    assert_string_equal(d, "");
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(d);
}

static void every_block_counts_once(void **state)
{
    (void)state;
    uint64_t before = mem_calls();
    char *p = mem_zalloc(8);
    assert_true(mem_calls() == before + 1);
    p = mem_resize(p, 16);
    assert_true(mem_calls() == before + 2);
    char *copy = mem_strdup("x");
    assert_true(mem_calls() == before + 3);
    mem_free(p);
    mem_free(copy);
    assert_null(mem_try_resize(NULL, SIZE_MAX));
    assert_true(mem_calls() == before + 3);
}

static void mapped_memory_is_aligned_and_can_be_forgotten(void **state)
{
    (void)state;
    const size_t n = 64 * KIB;
    uint64_t before = mem_calls();
    char *p[20];
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        p[i] = mem_map_aligned(n);
        assert_true((uintptr_t)p[i] % n == 0 && p[i][0] == 0 && p[i][n - 1] == 0);
        memset(p[i], 'x', n);
    }
    assert_true(mem_calls() == before + ARRAY_LEN(p));
    /* only whole pages, and what lies beside them stays; of anonymous memory Linux clears them */
    mem_forget(p[0] + 1, n - 2);
    assert_true(p[0][0] == 'x' && p[0][n / 2] == 0 && p[0][n - 1] == 'x');
    mem_forget(p[0] + 1, 100);
    assert_true(p[0][0] == 'x');
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        mem_unmap(p[i], n);
}

static void ask_map(void)
{
    const size_t n = SIZE_MAX / 2 + 1;
    mem_unmap(mem_map_aligned(n), n);
}

static void ask_zalloc(void)
{
    mem_free(mem_zalloc(SIZE_MAX));
}

static void ask_product(void)
{
    mem_free(mem_zalloc_array(SIZE_MAX / 2 + 2, 2));
}

static void ask_resize(void)
{
    mem_free(mem_resize(NULL, SIZE_MAX - 1));
}

static void ask_strndup(void)
{
    mem_free(mem_strndup("x", SIZE_MAX));
}

/* runs ask in a child; the text of its stderr goes to `text`. Returns the wait status. */
static int run_child(void (*ask)(void), char *text, size_t size)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)signal(SIGABRT, SIG_DFL); /* cmocka's handler would write too */
        (void)dup2(fds[1], STDERR_FILENO);
        ask();
        _exit(0);
    }
    (void)close(fds[1]);
    size_t len = 0;
    ssize_t n;
    while (len + 1 < size && (n = read(fds[0], text + len, size - 1 - len)) > 0)
        len += (size_t)n;
    text[len] = '\0';
    (void)close(fds[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void exhaustion_aborts_with_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        void (*ask)(void);
    } cases[] = {
        {"zalloc", ask_zalloc}, {"overflowing product", ask_product},
        {"resize", ask_resize}, {"strndup", ask_strndup},
        {"map", ask_map},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        int status = run_child(cases[i].ask, text, sizeof(text));
        CHECK(cases[i].name, WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        CHECK(cases[i].name, strcmp(text, "wherry: out of memory, aborting\n") == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed),
        cmocka_unit_test(nothing_is_still_a_block),
        cmocka_unit_test(resizing_keeps_content),
        cmocka_unit_test(copies),
        cmocka_unit_test(every_block_counts_once),
        cmocka_unit_test(mapped_memory_is_aligned_and_can_be_forgotten),
        cmocka_unit_test(exhaustion_aborts_with_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
