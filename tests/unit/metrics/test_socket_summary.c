/* metrics/socket_summary: lines of sockstat, states of messages, the real kernel's sockets. */
#include "metrics/socket_summary.h"

#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct counter used, orphan, udp;
    } cases[] = {
        {"sockets: used 95\nTCP: inuse 5 orphan 1 tw 3 alloc 10 mem 2\nUDP: inuse 3 mem 1\n",
         {true, 95},
         {true, 1},
         {true, 3}},
        {"TCP: orphan 2\nRAW: inuse 9\n", {false, 0}, {true, 2}, {false, 0}},
        {"sockets: used x\nTCP: orphan\nUDP: inuse -1\n", {false, 0}, {false, 0}, {false, 0}},
        {"sockets: used 95", {false, 0}, {false, 0}, {false, 0}},
        {"", {false, 0}, {false, 0}, {false, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct socket_summary_sample s = {0};
        socket_summary_parse(slice_str(cases[i].text), &s);
        check_counter(cases[i].text, &s.used, cases[i].used);
        check_counter(cases[i].text, &s.tcp_orphan, cases[i].orphan);
        check_counter(cases[i].text, &s.udp_count, cases[i].udp);
    }
}

static void test_messages(void **state)
{
    (void)state;
    static const uint8_t states[] = {TCP_ESTABLISHED, TCP_LISTEN, TCP_LISTEN, 0, 200};
    struct socket_summary_sample s = {0};
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        struct inet_diag_msg m = {.idiag_state = states[i]};
        socket_summary_count(slice_of((const char *)&m, sizeof(m)), &s);
        socket_summary_count(slice_of((const char *)&m, sizeof(m) - 1), &s);
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < SOCKET_SUMMARY_STATES; i++)
        sum += s.states[i];
    assert_int_equal(s.states[TCP_ESTABLISHED], 1);
    assert_int_equal(s.states[TCP_LISTEN], 2);
    assert_int_equal(sum, 3);
}

/* listening sockets of this host */
static uint64_t listening(struct procfs *procfs)
{
    struct socket_summary_sample s = {0};
    const struct set_source source = {.procfs = procfs};
    assert_int_equal(socket_summary_set.sample(&s, &source), 0);
    assert_true(s.used.is_set);
    return s.states[TCP_LISTEN];
}

static void test_the_kernel(void **state)
{
    (void)state;
    struct procfs *procfs = procfs_new("", NULL, NULL, MIB);
    int fds[64];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = socket(i % 2 == 0 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
        if (fds[i] < 0) /* no IPv6 here */
            fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(listen(fds[i], 1), 0);
    }
    assert_true(listening(procfs) >= ARRAY_LEN(fds));
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        (void)close(fds[i]);
    procfs_free(&procfs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
