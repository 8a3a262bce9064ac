/*
 * metrics/addresses - host.ip and host.mac
 *
 * They are written once and copied into each document as they are. Read again every five minutes:
 * a host keeps its addresses longer than that, and asking is a round trip to the kernel for each
 * family.
 */
#include "metrics/addresses.h"

#include <arpa/inet.h>
#include <assert.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/mem.h"
#include "metrics/network.h"

#define REFRESH_MS 300000
#define MAC_BYTES  6

/* room for any of them with its NUL */
#define TEXT_BYTES INET6_ADDRSTRLEN

struct addresses {
    struct buf members;
    int64_t next_ms;
};

/* texts, each once */
struct texts {
    char all[ADDRESSES_MAX][TEXT_BYTES];
    size_t count;
};

/* one more, unless it is there or there is no room */
static void add(struct texts *t, const char *text)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->all[i], text) == 0)
            return;
    if (t->count < ADDRESSES_MAX)
        (void)snprintf(t->all[t->count++], TEXT_BYTES, "%s", text); /* fits */
}

/* an address of the internet protocols; false when it is none */
static bool ip_text(const struct sockaddr *address, char dst[TEXT_BYTES])
{
    const void *bytes = NULL;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
    if (address->sa_family == AF_INET) {
        memcpy(&in4, address, sizeof(in4));
        bytes = &in4.sin_addr;
    } else if (address->sa_family == AF_INET6) {
        memcpy(&in6, address, sizeof(in6));
        bytes = &in6.sin6_addr;
    }
    return bytes != NULL && inet_ntop(address->sa_family, bytes, dst, TEXT_BYTES) != NULL;
}

/* a hardware address as Ethernet has it; false when it is none */
static bool mac_text(const struct sockaddr *address, char dst[TEXT_BYTES])
{
    static const uint8_t none[MAC_BYTES];
    struct sockaddr_ll ll;
    if (address->sa_family != AF_PACKET)
        return false;
    memcpy(&ll, address, sizeof(ll));
    const uint8_t *b = ll.sll_addr;
    if (ll.sll_halen != MAC_BYTES || memcmp(b, none, MAC_BYTES) == 0)
        return false;
    (void)snprintf(dst, TEXT_BYTES, "%02X-%02X-%02X-%02X-%02X-%02X", b[0], b[1], b[2], b[3], b[4],
                   b[5]); /* fits */
    return true;
}

/* one list; nothing when it is empty */
static void write_texts(struct json_writer *w, const char *key, const struct texts *t)
{
    if (t->count == 0)
        return;
    json_key(w, key);
    json_array(w);
    for (size_t i = 0; i < t->count; i++)
        json_cstring(w, t->all[i]);
    json_end_array(w);
}

/* see header */
void addresses_write(const struct ifaddrs *list, struct buf *out)
{
    struct texts ips = {.count = 0};
    struct texts macs = {.count = 0};
    struct json_writer w;
    char text[TEXT_BYTES];
    for (const struct ifaddrs *one = list; one != NULL; one = one->ifa_next) {
        if (one->ifa_addr == NULL || (one->ifa_flags & IFF_LOOPBACK) != 0 ||
            network_is_excluded(slice_str(one->ifa_name)))
            continue;
        if (ip_text(one->ifa_addr, text))
            add(&ips, text);
        else if (mac_text(one->ifa_addr, text))
            add(&macs, text);
    }
    json_begin(&w, out);
    write_texts(&w, "ip", &ips);
    write_texts(&w, "mac", &macs);
    int r = json_done(&w);
    assert(r == 0); /* the buffer has room for all that there may be */
    (void)r;
}

/* see header */
struct addresses *addresses_new(void)
{
    struct addresses *a = mem_zalloc(sizeof(*a));
    buf_init(&a->members, ADDRESSES_BYTES);
    a->next_ms = INT64_MIN;
    return a;
}

/* see header */
void addresses_free(struct addresses **a)
{
    if (*a == NULL)
        return;
    buf_clear(&(*a)->members);
    mem_free(*a);
    *a = NULL;
}

/* see header */
void addresses_refresh(struct addresses *a, int64_t now_ms)
{
    struct ifaddrs *list;
    if (now_ms < a->next_ms)
        return;
    a->next_ms = now_ms + REFRESH_MS;
    if (getifaddrs(&list) < 0)
        return; /* short of something: the next time */
    buf_reset(&a->members);
    addresses_write(list, &a->members);
    freeifaddrs(list);
}

/* see header */
const struct buf *addresses_members(const struct addresses *a)
{
    return &a->members;
}
