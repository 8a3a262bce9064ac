/* metrics/addresses: which addresses of which interfaces, and their form. */
#include "metrics/addresses.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netpacket/packet.h>

#include "check.h"

#define LIST 100

static struct ifaddrs list[LIST];
static struct sockaddr_storage storage[LIST];
static char names[LIST][16];
static size_t count;

/* one more entry of the list; the text is an address of the family, NULL = none */
static void put(const char *name, int family, const char *text)
{
    struct sockaddr_storage *s = &storage[count];
    assert_true(count < LIST);
    memset(s, 0, sizeof(*s));
    s->ss_family = (sa_family_t)family;
    if (family == AF_INET)
        assert_int_equal(inet_pton(family, text, &((struct sockaddr_in *)s)->sin_addr), 1);
    if (family == AF_INET6)
        assert_int_equal(inet_pton(family, text, &((struct sockaddr_in6 *)s)->sin6_addr), 1);
    if (family == AF_PACKET) {
        struct sockaddr_ll *ll = (struct sockaddr_ll *)s;
        ll->sll_halen = (unsigned char)strlen(text);
        memcpy(ll->sll_addr, text, strlen(text));
    }
    (void)snprintf(names[count], sizeof(names[0]), "%s", name);
    list[count] = (struct ifaddrs){
        .ifa_name = names[count],
        .ifa_flags = strcmp(name, "dummy9") == 0 ? IFF_LOOPBACK : 0,
        .ifa_addr = text == NULL ? NULL : (struct sockaddr *)s,
    };
    if (count > 0)
        list[count - 1].ifa_next = &list[count];
    count++;
}

static void check(const char *expected)
{
    struct buf out;
    buf_init(&out, ADDRESSES_BYTES);
    addresses_write(count == 0 ? NULL : list, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_clear(&out);
    count = 0;
}

static void test_lists(void **state)
{
    (void)state;
    check("");
    put("lo", AF_INET, "127.0.0.1");
    put("dummy9", AF_INET, "127.0.0.2");
    put("docker0", AF_INET, "172.17.0.1");
    put("tun0", AF_UNSPEC, NULL);
    put("tun1", AF_UNIX, "");
    put("lo", AF_PACKET, "\0\0\0\0\0\0");
    check("");
    put("eth0", AF_PACKET, "\x02\xfc\x03\x04\x0a\x05");
    put("eth0.7", AF_PACKET, "\x02\xfc\x03\x04\x0a\x05");
    put("ib0", AF_PACKET, "12345678");
    put("eth0", AF_INET, "192.0.2.7");
    put("ppp0", AF_INET, "192.0.2.7");
    put("eth0", AF_INET6, "2001:db8::1");
    put("eth0", AF_INET6, "fe80::fc:3ff:fe04:a05");
    check("\"ip\":[\"192.0.2.7\",\"2001:db8::1\",\"fe80::fc:3ff:fe04:a05\"],"
          "\"mac\":[\"02-FC-03-04-0A-05\"]");
    put("ppp0", AF_INET, "198.51.100.1");
    check("\"ip\":[\"198.51.100.1\"]");
}

/* as many as there may be fit, in their longest form */
static void test_many(void **state)
{
    (void)state;
    static char expected[ADDRESSES_BYTES];
    int n = snprintf(expected, sizeof(expected), "\"ip\":[");
    for (unsigned i = 0; i < LIST; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "2001:1db8:1111:2222:3333:4444:5555:%x", 0x6000 + i);
        put("eth0", AF_INET6, text);
        if (i < ADDRESSES_MAX)
            n += snprintf(expected + n, sizeof(expected) - (size_t)n, "%s\"%s\"", i > 0 ? "," : "",
                          text);
    }
    (void)snprintf(expected + n, sizeof(expected) - (size_t)n, "]");
    check(expected);
}

/* this host's, read once in five minutes */
static void test_refresh(void **state)
{
    (void)state;
    struct addresses *a = addresses_new();
    assert_int_equal(addresses_members(a)->len, 0);
    addresses_refresh(a, 1000);
    size_t first = addresses_members(a)->len;
    addresses_refresh(a, 1000 + 299999);
    assert_int_equal(addresses_members(a)->len, first);
    addresses_refresh(a, 1000 + 300000);
    assert_int_equal(addresses_members(a)->len, first);
    addresses_free(&a);
    assert_null(a);
    addresses_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_refresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
