/* metrics/interface: messages of a dump, whole and broken; how much of a link is used. */
#include "metrics/interface.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include "check.h"

struct message {
    char bytes[512];
    size_t n;
};

/* a message of a link */
static void begin(struct message *m, int index)
{
    struct ifinfomsg head = {.ifi_index = index};
    memset(m, 0, sizeof(*m));
    memcpy(m->bytes, &head, sizeof(head));
    m->n = NLMSG_ALIGN(sizeof(head));
}

/* one attribute; claimed: its length, 0 = the right one */
static void add(struct message *m, unsigned short type, const void *value, size_t bytes,
                unsigned short claimed)
{
    struct rtattr a = {.rta_type = type,
                       .rta_len = claimed != 0 ? claimed : (unsigned short)RTA_LENGTH(bytes)};
    memcpy(m->bytes + m->n, &a, sizeof(a));
    memcpy(m->bytes + m->n + sizeof(a), value, bytes);
    m->n += RTA_SPACE(bytes);
}

static bool parse(const struct message *m, struct interface_link *ret)
{
    return interface_parse(slice_of(m->bytes, m->n), ret);
}

static void test_whole(void **state)
{
    (void)state;
    struct message m;
    struct interface_link l;
    struct rtnl_link_stats64 stats = {.rx_bytes = 11, .tx_bytes = 22};
    begin(&m, 7);
    add(&m, IFLA_IFNAME, "pppoe-wan", 10, 0);
    add(&m, IFLA_MTU, &(uint32_t){1492}, 4, 0);
    add(&m, IFLA_OPERSTATE, &(uint8_t){IF_OPER_UP}, 1, 0);
    add(&m, IFLA_CARRIER, &(uint8_t){1}, 1, 0);
    add(&m, IFLA_CARRIER_CHANGES, &(uint32_t){3}, 4, 0);
    add(&m, 999, "unknown", 7, 0);
    add(&m, IFLA_STATS64, &stats, sizeof(stats), 0);
    assert_true(parse(&m, &l));
    assert_string_equal(l.name, "pppoe-wan");
    assert_int_equal(l.index, 7);
    assert_int_equal(l.mtu, 1492);
    assert_int_equal(l.carrier_changes, 3);
    assert_true(l.has_carrier && l.has_bytes);
    assert_int_equal(l.in_bytes, 11);
    assert_int_equal(l.out_bytes, 22);
    assert_string_equal(interface_state_name(l.operstate), "up");
    assert_string_equal(interface_state_name(77), "unknown");
}

static void test_broken(void **state)
{
    (void)state;
    struct message m;
    struct interface_link l;
    begin(&m, 7);
    assert_false(parse(&m, &l)); /* no name */
    add(&m, IFLA_IFNAME, "0123456789abcdef", 16, 0);
    assert_false(parse(&m, &l)); /* no end of the name */
    begin(&m, 0);
    add(&m, IFLA_IFNAME, "eth0", 5, 0);
    assert_false(parse(&m, &l)); /* no index */
    static const unsigned short claims[] = {1, 3, 100, 65535};
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        begin(&m, 7);
        add(&m, IFLA_IFNAME, "eth0", 5, claims[i]);
        assert_false(parse(&m, &l));
    }
    begin(&m, 7);
    add(&m, IFLA_IFNAME, "a/b", 4, 0);
    assert_false(parse(&m, &l));
    begin(&m, 7);
    add(&m, IFLA_IFNAME, "eth0", 5, 0);
    add(&m, IFLA_MTU, "x", 1, 0);
    add(&m, IFLA_STATS64, "x", 1, 0);
    assert_true(parse(&m, &l)); /* what is too short is left out */
    assert_int_equal(l.mtu, 0);
    assert_false(l.has_bytes);
    for (size_t n = 0; n < m.n; n++)
        (void)interface_parse(slice_of(m.bytes, n), &l);
}

static void test_utilisation(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct interface_link prev, now;
        int64_t ns;
        bool told;
        double in, out;
    } cases[] = {
        {"half and a tenth",
         {.index = 1, .has_bytes = true},
         {.index = 1,
          .has_bytes = true,
          .in_bytes = 500000,
          .out_bytes = 100000,
          .speed_bits = 8000000},
         1000000000,
         true,
         0.5,
         0.1},
        {"no speed",
         {.index = 1, .has_bytes = true},
         {.index = 1, .has_bytes = true, .in_bytes = 1},
         1000000000,
         false,
         0,
         0},
        {"set back",
         {.index = 1, .has_bytes = true, .in_bytes = 9},
         {.index = 1, .has_bytes = true, .in_bytes = 1, .speed_bits = 8},
         1000000000,
         false,
         0,
         0},
        {"a new link of that name",
         {.index = 1, .has_bytes = true},
         {.index = 2, .has_bytes = true, .in_bytes = 1, .speed_bits = 8},
         1000000000,
         false,
         0,
         0},
        {"no time passed",
         {.index = 1, .has_bytes = true},
         {.index = 1, .has_bytes = true, .speed_bits = 8},
         0,
         false,
         0,
         0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        double in = 0;
        double out = 0;
        CHECK(cases[i].name, interface_utilisation(&cases[i].prev, &cases[i].now, cases[i].ns, &in,
                                                   &out) == cases[i].told);
        CHECK(cases[i].name, in == cases[i].in && out == cases[i].out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_utilisation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
