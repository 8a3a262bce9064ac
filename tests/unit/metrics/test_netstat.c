/* metrics/netstat: pairs of lines, columns by name; the share of what is sent again. */
#include "metrics/netstat.h"

#include <errno.h>

#include "check.h"

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
        struct counter sent, opens, drops;
    } cases[] = {
        {"Tcp: MaxConn OutSegs New ActiveOpens\nTcp: -1 5 6 7\nTcpExt: ListenDrops\nTcpExt: 8\n",
         0,
         {true, 5},
         {true, 7},
         {true, 8}},
        {"Tcp: OutSegs ActiveOpens\nTcp: 5\n", 0, {true, 5}, {false, 0}, {false, 0}},
        {"Udp: OutSegs\nUdp: 5\n", 0, {false, 0}, {false, 0}, {false, 0}},
        {"Tcp: OutSegs\nUdp: 5\n", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"Tcp: OutSegs\n", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"Tcp: OutSegs\nTcp: 5", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"\n\n", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
        {"", -EBADMSG, {false, 0}, {false, 0}, {false, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct netstat_sample s = {0};
        CHECK(cases[i].text, netstat_parse(slice_str(cases[i].text), &s) == cases[i].error);
        check_counter(cases[i].text, &s.counters[NETSTAT_TCP_OUT_SEGS], cases[i].sent);
        check_counter(cases[i].text, &s.counters[NETSTAT_TCP_ACTIVE_OPENS], cases[i].opens);
        check_counter(cases[i].text, &s.counters[NETSTAT_TCP_LISTEN_DROPS], cases[i].drops);
    }
}

static void test_retransmits(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct counter sent[2], again[2];
        bool told;
        double share;
    } cases[] = {
        {"one in a hundred", {{true, 1000}, {true, 1100}}, {{true, 5}, {true, 6}}, true, 0.01},
        {"none", {{true, 1000}, {true, 1100}}, {{true, 5}, {true, 5}}, true, 0},
        {"nothing sent", {{true, 1000}, {true, 1000}}, {{true, 5}, {true, 5}}, false, 0},
        {"set back", {{true, 1000}, {true, 10}}, {{true, 5}, {true, 0}}, false, 0},
        {"only one set back", {{true, 1000}, {true, 1100}}, {{true, 5}, {true, 4}}, false, 0},
        {"not told", {{true, 1000}, {true, 1100}}, {{true, 5}, {false, 0}}, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct netstat_sample s[2] = {0};
        double share = 0;
        for (size_t k = 0; k < 2; k++) {
            s[k].counters[NETSTAT_TCP_OUT_SEGS] = cases[i].sent[k];
            s[k].counters[NETSTAT_TCP_RETRANS_SEGS] = cases[i].again[k];
        }
        CHECK(cases[i].name, netstat_retransmits(&s[0], &s[1], &share) == cases[i].told);
        CHECK(cases[i].name, share == cases[i].share);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_retransmits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
