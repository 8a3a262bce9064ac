/* os/lock: one holder, across processes and within one, whatever the file holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/lock.h"
#include "tmp_dir.h"

static struct tmp_dir dir;

static int setup(void **state)
{
    (void)state;
    tmp_dir_make(&dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tmp_dir_remove(&dir);
    return 0;
}

static void assert_holds_pid(pid_t pid)
{
    char text[64];
    char wanted[64];
    assert_true(tmp_dir_read(&dir, "lock", text, sizeof(text)) > 0);
    snprintf(wanted, sizeof(wanted), "%d\n", (int)pid);
    assert_string_equal(text, wanted);
}

static void test_take_and_release(void **state)
{
    (void)state;
    struct err e = {0};
    int fd = lock_take(dir.fd, "lock", &e);
    assert_true(fd >= 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(e.code, 0);
    assert_holds_pid(getpid());
    assert_int_equal(lock_take(dir.fd, "lock", &e), -EBUSY); /* the same process too */
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "(pid %d)", (int)getpid());
    assert_int_equal(e.code, -EBUSY);
    assert_non_null(strstr(e.text, wanted));
    assert_int_equal(lock_take(dir.fd, "lock", NULL), -EBUSY);
    assert_holds_pid(getpid());
    close(fd);
    fd = lock_take(dir.fd, "lock", &e);
    assert_true(fd >= 0);
    close(fd);
}

static void test_a_stale_file_does_not_refuse(void **state)
{
    (void)state;
    tmp_dir_write_str(&dir, "lock", "99999999999999999999999999 and much more text than a pid");
    int fd = lock_take(dir.fd, "lock", NULL);
    assert_true(fd >= 0);
    assert_holds_pid(getpid());
    close(fd);
}

static void test_hostile_text_is_not_shown(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "abc", "-1", "1 2", "\x1b[31m", "0"};
    int fd = lock_take(dir.fd, "lock", NULL);
    assert_true(fd >= 0);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        tmp_dir_write_str(&dir, "lock", texts[i]);
        struct err e = {0};
        assert_int_equal(lock_take(dir.fd, "lock", &e), -EBUSY);
        assert_string_equal(e.text, "another instance holds \"lock\"");
    }
    close(fd);
}

/* a child holds the lock, dies without a word, and the lock is free */
static void test_the_lock_dies_with_its_process(void **state)
{
    (void)state;
    int ready[2];
    int go[2];
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(go[1]);
        int fd = lock_take(dir.fd, "lock", NULL);
        if (fd < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        (void)!read(go[0], &c, 1); /* until the parent closes its end */
        abort();
    }
    close(go[0]);
    char c;
    assert_int_equal(read(ready[0], &c, 1), 1);
    struct err e = {0};
    assert_int_equal(lock_take(dir.fd, "lock", &e), -EBUSY);
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "(pid %d)", (int)child);
    assert_non_null(strstr(e.text, wanted));
    close(go[1]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    int fd = lock_take(dir.fd, "lock", &e);
    assert_true(fd >= 0);
    assert_holds_pid(getpid());
    close(fd);
    close(ready[0]);
    close(ready[1]);
}

static void test_what_cannot_be_locked(void **state)
{
    (void)state;
    struct err e = {0};
    tmp_dir_mkdir(&dir, "d");
    assert_int_equal(symlinkat("victim", dir.fd, "link"), 0);
    assert_int_equal(lock_take(dir.fd, "d", &e), -EISDIR);
    assert_int_equal(lock_take(dir.fd, "link", &e), -ELOOP);
    assert_int_equal(lock_take(dir.fd, "none/lock", &e), -ENOENT);
    assert_non_null(strstr(e.text, "open lock file \"none/lock\": "));
    assert_int_equal(e.code, -ENOENT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_take_and_release),          TEST(test_a_stale_file_does_not_refuse),
        TEST(test_hostile_text_is_not_shown), TEST(test_the_lock_dies_with_its_process),
        TEST(test_what_cannot_be_locked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
