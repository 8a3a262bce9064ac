/* metrics/network: which interfaces have documents, which count for the host, and that nothing that
 * comes, goes or starts anew makes a spike. */
#include "metrics/network.h"

#include <errno.h>

#include "check.h"

static struct buf text;

static int clear_text(void **state)
{
    (void)state;
    buf_clear(&text);
    return 0;
}

/* names of a sample, separated by blanks; those that count for the host with a + */
static const char *names_of(const struct network_sample *s)
{
    static char names[1024];
    size_t n = 0;
    names[0] = '\0';
    for (size_t i = 0; i < s->count; i++)
        n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s%s", i > 0 ? " " : "",
                              s->interfaces[i].name, s->interfaces[i].is_underlying ? "+" : "");
    return names;
}

static void test_exclusion(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool excluded;
    } cases[] = {
        {"lo", true},         {"veth12ab", true},   {"docker0", true},    {"docker12", true},
        {"br-1a2b3c", true},  {"cali9f", true},     {"cni0", true},       {"flannel.1", true},
        {"tap0", true},       {"kube-ipvs0", true}, {"br-lan", false},    {"ppp0", false},
        {"pppoe-wan", false}, {"wg0", false},       {"eth0", false},      {"lo0", false},
        {"docker", false},    {"docker0x", false},  {"br0", false},       {"br-lan2", true},
        {"enp3s0", false},    {"tun0", false},      {"docker_gw", false}, {"local", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(cases[i].name, network_is_excluded(slice_str(cases[i].name)) == cases[i].excluded);
}

static void test_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        int error;
        const char *names; /* + as guessed from the name */
    } cases[] = {
        {"vm-1", 0, "ifb0 ifb1 eth0+"},
        {"linux-2.4", 0, "eth0+"},
        {"router-1", 0,
         "eth0+ eth1+ lan1+ lan2+ eth1.7 br-lan pppoe-wan wg0 wlan0+ ifb4eth1 docker_gwbridge+ "
         "bond0"},
        {"truncated", 0, "eth0+"},
        {"empty", -EBADMSG, ""},
        {"hostile", 0, "fifteen-bytes-x+ \"q\\%s\xff+ max0+"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct network_sample s = {0};
        CHECK(cases[i].host,
              network_parse(host_file(&text, cases[i].host, "net/dev"), &s) == cases[i].error);
        assert_string_equal(names_of(&s), cases[i].names);
        network_sample_clear(&s);
    }
}

static void test_columns(void **state)
{
    (void)state;
    struct network_sample s = {0};
    assert_int_equal(network_parse(host_file(&text, "linux-2.4", "net/dev"), &s), 0);
    const struct network_interface *one = &s.interfaces[0];
    assert_int_equal(one->in.bytes, 4294967295);
    assert_int_equal(one->in.packets, 3000000);
    assert_int_equal(one->in.errors, 4);
    assert_int_equal(one->in.dropped, 5);
    assert_int_equal(one->out.bytes, 123456789);
    assert_int_equal(one->out.packets, 200000);
    assert_int_equal(one->out.errors, 6);
    assert_int_equal(one->out.dropped, 7);
    struct json_writer w;
    open_json(&w, &text);
    network_write(one, &w);
    close_json(&w, "{\"system\":{\"network\":{\"name\":\"eth0\","
                   "\"in\":{\"bytes\":4294967295,\"packets\":3000000,\"errors\":4,\"dropped\":5},"
                   "\"out\":{\"bytes\":123456789,\"packets\":200000,\"errors\":6,"
                   "\"dropped\":7}}}}");
    network_sample_clear(&s);
}

/* names that are no text become text; the JSON stays valid */
static void test_hostile_name(void **state)
{
    (void)state;
    struct network_sample s = {0};
    struct leaves leaves;
    struct buf out;
    buf_init(&out, MIB);
    assert_int_equal(network_parse(host_file(&text, "hostile", "net/dev"), &s), 0);
    struct json_writer w;
    json_begin(&w, &out);
    json_object(&w);
    network_write(&s.interfaces[1], &w);
    json_end_object(&w);
    assert_int_equal(json_done(&w), 0);
    scan_leaves(buf_slice(&out), &leaves);
    assert_string_equal(leaf_text(&leaves, "system.network.name"), "\"q\\%s\xef\xbf\xbd");
    assert_int_equal(s.interfaces[2].in.bytes, INT64_MAX);
    buf_clear(&out);
    network_sample_clear(&s);
}

static void test_describe(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *text;
        bool guess, underlying;
        uint32_t index;
    } cases[] = {
        {"ethernet", "INTERFACE=eth0\nIFINDEX=4\n", true, true, 4},
        {"bridge", "DEVTYPE=bridge\nINTERFACE=lan\nIFINDEX=12\n", true, false, 12},
        {"vlan", "DEVTYPE=vlan\nIFINDEX=5\n", true, false, 5},
        {"dsa", "DEVTYPE=dsa\nIFINDEX=5\n", true, false, 5},
        {"wlan with a dot in its name", "DEVTYPE=wlan\nIFINDEX=5\n", false, true, 5},
        {"no type: the guess stays", "IFINDEX=7\n", false, false, 7},
        {"empty", "", true, true, 0},
        {"hostile", "IFINDEX=4294967296\nDEVTYPE\n=\nIFINDEX=-1\nIFINDEX=", true, true, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct network_interface one = {.is_underlying = cases[i].guess};
        network_describe(slice_str(cases[i].text), &one);
        CHECK(cases[i].name, one.is_underlying == cases[i].underlying);
        CHECK(cases[i].name, one.index == cases[i].index);
    }
}

/* ---- deltas ---- */

struct one {
    const char *name;
    uint32_t index;
    uint64_t in_bytes, in_packets, out_bytes, out_packets;
};

#define ONES 4

/* a sample of what is listed up to the first without a name */
static void make(struct network_sample *s, const struct one *ones)
{
    static struct network_interface room[2][ONES];
    static unsigned turn;
    *s = (struct network_sample){.interfaces = room[turn++ % 2]};
    for (; s->count < ONES && ones[s->count].name != NULL; s->count++) {
        const struct one *o = &ones[s->count];
        struct network_interface *to = &s->interfaces[s->count];
        *to = (struct network_interface){
            .index = o->index,
            .is_underlying = true,
            .in = {.bytes = o->in_bytes, .packets = o->in_packets},
            .out = {.bytes = o->out_bytes, .packets = o->out_packets},
        };
        memcpy(to->name, o->name, strlen(o->name));
    }
}

static void test_deltas(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct one before[ONES], after[ONES];
        struct network_delta expected;
    } cases[] = {
        {"one", {{"a", 1, 10, 1, 20, 2}}, {{"a", 1, 15, 3, 27, 6}}, {5, 2, 7, 4}},
        {"two, in another order",
         {{"a", 1, 10, 1, 20, 2}, {"b", 2, 100, 10, 200, 20}},
         {{"b", 2, 101, 11, 203, 24}, {"a", 1, 15, 3, 27, 6}},
         {6, 3, 10, 8}},
        {"one vanishes",
         {{"a", 1, 10, 1, 20, 2}, {"b", 2, 900, 90, 800, 80}, {"c", 3, 1, 1, 1, 1}},
         {{"a", 1, 11, 2, 21, 3}, {"c", 3, 3, 2, 3, 2}},
         {3, 2, 3, 2}},
        {"one comes with a past",
         {{"a", 1, 10, 1, 20, 2}},
         {{"b", 2, 1000000000, 1, 1, 1}, {"a", 1, 10, 1, 20, 2}},
         {0, 0, 0, 0}},
        {"one was set back",
         {{"a", 1, 1000, 10, 1000, 10}, {"b", 2, 5, 1, 5, 1}},
         {{"a", 1, 3, 1, 2000, 20}, {"b", 2, 6, 2, 6, 2}},
         {1, 1, 1, 1}},
        {"one wrapped at 32 bits",
         {{"a", 1, 4294967290, 10, 5, 1}},
         {{"a", 1, 10, 20, 9, 2}},
         {0, 0, 0, 0}},
        {"a packet counter was set back",
         {{"a", 1, 1, 10, 5, 1}},
         {{"a", 1, 10, 20, 9, 0}},
         {0, 0, 0, 0}},
        {"a new one of the old name, already larger",
         {{"a", 1, 10, 1, 20, 2}},
         {{"a", 9, 5000, 50, 6000, 60}},
         {0, 0, 0, 0}},
        {"none before", {{NULL}}, {{"a", 1, 5, 5, 5, 5}}, {0, 0, 0, 0}},
        {"none after", {{"a", 1, 5, 5, 5, 5}}, {{NULL}}, {0, 0, 0, 0}},
        {"sums stay a long",
         {{"a", 1, 0, 0, 0, 0}, {"b", 2, 0, 0, 0, 0}, {"c", 3, 0, 0, 0, 0}},
         {{"a", 1, INT64_MAX, 1, 1, 1}, {"b", 2, INT64_MAX, 1, 1, 1}, {"c", 3, INT64_MAX, 1, 1, 1}},
         {INT64_MAX, 3, 3, 3}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct network_sample before;
        struct network_sample after;
        struct network_delta d = {99, 99, 99, 99};
        make(&before, cases[i].before);
        make(&after, cases[i].after);
        CHECK(cases[i].name, network_delta(&before, &after, &d));
        CHECK(cases[i].name, memcmp(&d, &cases[i].expected, sizeof(d)) == 0);
    }
    const struct network_sample none = {0};
    struct network_delta d;
    assert_false(network_delta(&none, &none, &d));
}

/* what rests on another interface adds nothing */
static void test_stacked_adds_nothing(void **state)
{
    (void)state;
    struct network_sample before;
    struct network_sample after;
    struct network_delta d;
    const struct one first[ONES] = {{"a", 1, 10, 1, 20, 2}, {"b", 2, 10, 1, 20, 2}};
    const struct one second[ONES] = {{"a", 1, 11, 2, 21, 3}, {"b", 2, 90, 9, 90, 9}};
    make(&before, first);
    make(&after, second);
    after.interfaces[1].is_underlying = false;
    assert_true(network_delta(&before, &after, &d));
    assert_int_equal(d.in_bytes, 1);
    struct json_writer w;
    open_json(&w, &text);
    network_write_host(&d, &w);
    close_json(&w, "{\"network\":{\"ingress\":{\"bytes\":1,\"packets\":1},"
                   "\"egress\":{\"bytes\":1,\"packets\":1}}}");
}

/* more rows than are kept */
static void test_many(void **state)
{
    (void)state;
    struct network_sample s = {0};
    struct buf dev;
    buf_init(&dev, MIB);
    for (unsigned i = 0; i < NETWORK_INTERFACES_MAX + 100; i++)
        assert_int_equal(buf_printf(&dev, "ppp%u: %u 2 3 4 5 6 7 8 9 10 11 12\n", i, i), 0);
    assert_int_equal(network_parse(buf_slice(&dev), &s), 0);
    assert_int_equal(s.count, NETWORK_INTERFACES_MAX);
    assert_string_equal(s.interfaces[NETWORK_INTERFACES_MAX - 1].name, "ppp4095");
    assert_int_equal(s.interfaces[NETWORK_INTERFACES_MAX - 1].in.bytes, 4095);
    assert_int_equal(network_parse(slice_str("ppp1: 1 2\n"), &s), 0);
    assert_int_equal(s.count, 0);
    buf_clear(&dev);
    network_sample_clear(&s);
}

/* ---- the set on captured trees ---- */

/* Interfaces k = 1.. were given k times 7 bytes and packets in, 11 out, and came in the reverse
 * order. eth0 = 2, eth1 = 3, wlan0 = 11 are at the bottom: 16 times. */
static void test_router(void **state)
{
    (void)state;
    _Alignas(max_align_t) unsigned char bytes[4096] = {0};
    void *set_state = bytes;
    assert_true(network_set.state_bytes <= sizeof(bytes));
    struct procfs *first = procfs_new(HOSTS "router-1", NULL, NULL, MIB);
    struct procfs *second = procfs_new(HOSTS "router-2", NULL, NULL, MIB);
    struct set_source source = {.procfs = first};
    assert_int_equal(network_set.sample(set_state, &source), 0);
    assert_int_equal(network_set.documents(set_state), 12);
    source.procfs = second;
    assert_int_equal(network_set.sample(set_state, &source), 0);
    assert_int_equal(network_set.documents(set_state), 13);

    struct json_writer w;
    open_json(&w, &text);
    network_set.write_host(set_state, 12, &w);
    network_set.write(set_state, 12, &w);
    close_json(&w, "{\"network\":{\"ingress\":{\"bytes\":112,\"packets\":112},"
                   "\"egress\":{\"bytes\":176,\"packets\":176}}}");
    open_json(&w, &text);
    network_set.write_host(set_state, 0, &w);
    network_set.write(set_state, 0, &w);
    close_json(&w, "{\"system\":{\"network\":{\"name\":\"bond0\","
                   "\"in\":{\"bytes\":17000119,\"packets\":17119,\"errors\":16,\"dropped\":32},"
                   "\"out\":{\"bytes\":34000187,\"packets\":51187,\"errors\":48,"
                   "\"dropped\":64}}}}");
    network_set.clear(set_state);
    procfs_free(&first);
    procfs_free(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exclusion),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_hostile_name),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_deltas),
        cmocka_unit_test(test_stacked_adds_nothing),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_router),
    };
    return cmocka_run_group_tests(tests, NULL, clear_text);
}
