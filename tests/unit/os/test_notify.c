/* os/notify: the datagram, addresses of both kinds, the watchdog's half. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/notify.h"
#include "tmp_dir.h"

static struct tmp_dir dir;

static int setup(void **state)
{
    (void)state;
    tmp_dir_make(&dir);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tmp_dir_remove(&dir);
    return 0;
}

/* the manager's end at a path or, with '@', in the abstract space; NOTIFY_SOCKET names it */
static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    assert_true(length < sizeof(address.sun_path));
    memcpy(address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)(const void *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                     0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

static void assert_received(int fd, const char *wanted)
{
    char text[256];
    ssize_t n = recv(fd, text, sizeof(text), 0);
    assert_int_equal(n, strlen(wanted));
    assert_memory_equal(text, wanted, strlen(wanted));
}

static void test_without_a_manager(void **state)
{
    (void)state;
    assert_int_equal(notify_send("READY=1"), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
    assert_int_equal(notify_send("READY=1"), 0);
}

static void test_path(void **state)
{
    (void)state;
    int fd = listen_at(tmp_dir_path(&dir, "notify"));
    assert_int_equal(notify_send("READY=1\nSTATUS=tailing 3 files"), 1);
    assert_int_equal(notify_send("WATCHDOG=1"), 1);
    assert_received(fd, "READY=1\nSTATUS=tailing 3 files");
    assert_received(fd, "WATCHDOG=1");
    close(fd);
    assert_int_equal(notify_send("STOPPING=1"), -ECONNREFUSED);
    assert_int_equal(unlinkat(dir.fd, "notify", 0), 0);
    assert_int_equal(notify_send("STOPPING=1"), -ENOENT);
}

static void test_abstract(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof(name), "@wherry-test-notify-%d", (int)getpid());
    int fd = listen_at(name);
    assert_int_equal(notify_send("STOPPING=1"), 1);
    assert_received(fd, "STOPPING=1");
    close(fd);
}

static void test_a_deaf_manager_does_not_block_us(void **state)
{
    (void)state;
    int fd = listen_at(tmp_dir_path(&dir, "notify"));
    int r = 1;
    for (int i = 0; i < 100000 && r == 1; i++)
        r = notify_send("WATCHDOG=1");
    assert_int_equal(r, -EAGAIN);
    close(fd);
}

static void test_addresses_that_are_none(void **state)
{
    (void)state;
    char longest[200];
    memset(longest, 'x', sizeof(longest) - 1);
    longest[0] = '/';
    longest[sizeof(longest) - 1] = '\0';
    const struct {
        const char *text;
        int wanted;
    } cases[] = {{"relative", -EINVAL},
                 {"/", -EINVAL},
                 {"@", -EINVAL},
                 {"vsock:2:1234", -EINVAL},
                 {longest, -ENAMETOOLONG}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(setenv("NOTIFY_SOCKET", cases[i].text, 1), 0);
        assert_int_equal(notify_send("READY=1"), cases[i].wanted);
    }
}

static void test_watchdog(void **state)
{
    (void)state;
    char self[32];
    char other[32];
    snprintf(self, sizeof(self), "%d", (int)getpid());
    snprintf(other, sizeof(other), "%d", (int)getppid());
    const struct {
        const char *usec;
        const char *pid;
        int64_t wanted;
    } cases[] = {
        {NULL, NULL, 0},
        {"30000000", NULL, 15000},
        {"30000000", self, 15000},
        {"30000000", other, 0},
        {"30000000", "x", 0},
        {"30000000", "", 0},
        {"0", NULL, 0},
        {"1", NULL, 1},
        {"3999", NULL, 1},
        {"4000", NULL, 2},
        {"-1", NULL, 0},
        {"30s", NULL, 0},
        {"", NULL, 0},
        {"99999999999999999999999", NULL, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        if (cases[i].usec != NULL)
            setenv("WATCHDOG_USEC", cases[i].usec, 1);
        if (cases[i].pid != NULL)
            setenv("WATCHDOG_PID", cases[i].pid, 1);
        assert_int_equal(notify_watchdog_ms(), cases[i].wanted);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_without_a_manager),
        TEST(test_path),
        TEST(test_abstract),
        TEST(test_a_deaf_manager_does_not_block_us),
        TEST(test_addresses_that_are_none),
        TEST(test_watchdog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
