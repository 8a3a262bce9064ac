/*
 * metrics/interface - set interface
 *
 * One dump for all links; the speed is read from /sys for links that are up (three system calls
 * each). A virtual link tells -1 or an error: then there is no speed.
 */
#include "metrics/interface.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "metrics/column.h"
#include "metrics/network.h"
#include "os/netlink.h"

#define BITS_PER_BYTE 8
#define MEGA          UINT64_C(1000000)
#define NS_PER_S      1e9

/* no link is faster, in Mbit/s: 100 Tbit/s */
#define SPEED_MAX UINT64_C(100000000)

struct links {
    struct interface_link *v; /* owned; room is kept from sample to sample */
    size_t count, room;
    int64_t mono_ns;
};

struct state {
    struct links last, before;
    bool has_before;
};

/* copies a fixed-size attribute; false when it is shorter */
static bool take(void *dst, size_t bytes, struct slice value)
{
    if (value.len < bytes)
        return false;
    memcpy(dst, value.ptr, bytes);
    return true;
}

/* the name of a link, which ends with a NUL */
static void take_name(struct slice value, struct interface_link *l)
{
    size_t n = slice_find(value, '\0');
    if (n > 0 && n < value.len && n < sizeof(l->name))
        memcpy(l->name, value.ptr, n);
}

/* one attribute */
static void take_attribute(unsigned short type, struct slice value, struct interface_link *l)
{
    struct rtnl_link_stats64 stats;
    uint8_t byte = 0;
    switch (type) {
    case IFLA_IFNAME:
        take_name(value, l);
        break;
    case IFLA_MTU:
        (void)take(&l->mtu, sizeof(l->mtu), value);
        break;
    case IFLA_CARRIER_CHANGES:
        (void)take(&l->carrier_changes, sizeof(l->carrier_changes), value);
        break;
    case IFLA_OPERSTATE:
        (void)take(&l->operstate, sizeof(l->operstate), value);
        break;
    case IFLA_CARRIER:
        l->has_carrier = take(&byte, sizeof(byte), value) && byte != 0;
        break;
    case IFLA_STATS64:
        /* older kernels tell fewer numbers; bytes are among the first */
        memset(&stats, 0, sizeof(stats));
        memcpy(&stats, value.ptr, value.len < sizeof(stats) ? value.len : sizeof(stats));
        l->has_bytes = value.len >= offsetof(struct rtnl_link_stats64, rx_errors);
        l->in_bytes = stats.rx_bytes;
        l->out_bytes = stats.tx_bytes;
        break;
    default:
        break;
    }
}

/* see header */
bool interface_parse(struct slice message, struct interface_link *ret)
{
    struct ifinfomsg head;
    if (!take(&head, sizeof(head), message) || head.ifi_index <= 0)
        return false;
    *ret = (struct interface_link){.index = (uint32_t)head.ifi_index};
    struct slice rest = slice_sub(message, NLMSG_ALIGN(sizeof(head)), message.len);
    while (rest.len >= sizeof(struct rtattr)) {
        struct rtattr a;
        memcpy(&a, rest.ptr, sizeof(a));
        if (a.rta_len < sizeof(a) || a.rta_len > rest.len)
            return false;
        take_attribute(a.rta_type, slice_sub(rest, sizeof(a), a.rta_len - sizeof(a)), ret);
        size_t step = RTA_ALIGN(a.rta_len);
        rest = slice_sub(rest, step < rest.len ? step : rest.len, rest.len);
    }
    return network_is_name(slice_str(ret->name));
}

/* see header */
const char *interface_state_name(uint8_t operstate)
{
    static const char *const names[] = {
        [IF_OPER_UNKNOWN] = "unknown", [IF_OPER_NOTPRESENT] = "notpresent",
        [IF_OPER_DOWN] = "down",       [IF_OPER_LOWERLAYERDOWN] = "lowerlayerdown",
        [IF_OPER_TESTING] = "testing", [IF_OPER_DORMANT] = "dormant",
        [IF_OPER_UP] = "up",
    };
    return operstate < ARRAY_LEN(names) ? names[operstate] : names[IF_OPER_UNKNOWN];
}

/* see header */
bool interface_utilisation(const struct interface_link *prev, const struct interface_link *now,
                           int64_t ns, double *ret_in, double *ret_out)
{
    if (ns <= 0 || now->speed_bits == 0 || prev->index != now->index || !prev->has_bytes ||
        !now->has_bytes || now->in_bytes < prev->in_bytes || now->out_bytes < prev->out_bytes)
        return false;
    double capacity = (double)now->speed_bits / BITS_PER_BYTE * ((double)ns / NS_PER_S);
    *ret_in = (double)(now->in_bytes - prev->in_bytes) / capacity;
    *ret_out = (double)(now->out_bytes - prev->out_bytes) / capacity;
    return true;
}

/* one message of the dump */
static void on_message(void *ctx, uint16_t type, struct slice payload)
{
    struct links *l = ctx;
    struct interface_link one;
    if (type != RTM_NEWLINK || l->count == INTERFACE_LINKS_MAX || !interface_parse(payload, &one) ||
        network_is_excluded(slice_str(one.name)))
        return;
    if (l->count == l->room) {
        l->room = l->room == 0 ? 8 : l->room * 2;
        l->v = mem_resize(l->v, l->room * sizeof(*l->v));
    }
    l->v[l->count++] = one;
}

/* the speed of a link that is up, in bits per second */
static void read_speed(const struct set_source *source, struct interface_link *l)
{
    char path[64];
    struct slice text, line;
    uint64_t mega;
    (void)snprintf(path, sizeof(path), "class/net/%s/speed", l->name); /* names are short */
    if (procfs_read_once(source->procfs, PROCFS_SYS, path, &text) == 0 &&
        column_line(&text, &line) && column_number(&line, &mega) == 0 && mega <= SPEED_MAX)
        l->speed_bits = mega * MEGA;
}

/* the sample before the last becomes the room of the new one */
static int sample(void *state, const struct set_source *source)
{
    struct state *s = state;
    struct ifinfomsg all = {0};
    struct links now = s->before;
    now.count = 0;
    int r = netlink_dump(NETLINK_ROUTE, RTM_GETLINK, slice_of((const char *)&all, sizeof(all)),
                         on_message, &now);
    s->before = now; /* its room may have grown */
    if (r < 0)
        return r;
    now.mono_ns = source->mono_ns;
    for (size_t i = 0; i < now.count; i++)
        if (now.v[i].has_carrier)
            read_speed(source, &now.v[i]);
    s->has_before = s->last.mono_ns > 0;
    s->before = s->last;
    s->last = now;
    return 0;
}

/* one for each link */
static size_t documents(const void *state)
{
    return ((const struct state *)state)->last.count;
}

/* the same link in the sample before, or NULL; mostly at the same place */
static const struct interface_link *find(const struct links *l, const struct interface_link *one,
                                         size_t at)
{
    if (at < l->count && l->v[at].index == one->index)
        return &l->v[at];
    for (size_t i = 0; i < l->count; i++)
        if (l->v[i].index == one->index)
            return &l->v[i];
    return NULL;
}

enum row { CARRIER, CARRIER_CHANGES, IN, MTU, NAME, OPERSTATE, OUT, SPEED };

/* document of one link */
static void values(const void *state, size_t i, struct value *v)
{
    const struct state *s = state;
    const struct interface_link *l = &s->last.v[i];
    const struct interface_link *prev = s->has_before ? find(&s->before, l, i) : NULL;
    double in, out;
    v[CARRIER] = value_boolean(l->has_carrier);
    v[CARRIER_CHANGES] = value_long(l->carrier_changes);
    v[MTU] = value_long(l->mtu);
    v[NAME] = value_text(slice_str(l->name));
    v[OPERSTATE] = value_text(slice_str(interface_state_name(l->operstate)));
    if (l->speed_bits > 0)
        v[SPEED] = value_long(l->speed_bits);
    if (prev != NULL &&
        interface_utilisation(prev, l, s->last.mono_ns - s->before.mono_ns, &in, &out)) {
        v[IN] = value_real(in);
        v[OUT] = value_real(out);
    }
}

/* both samples */
static void clear(void *state)
{
    struct state *s = state;
    mem_free(s->last.v);
    mem_free(s->before.v);
}

static const struct field fields[] = {
    FIELD_ROW_BOOLEAN("system.interface.carrier", false, "Whether the link has a carrier."),
    FIELD_ROW_LONG("system.interface.carrier_changes", FIELD_NO_UNIT, FIELD_COUNTER, false,
                   "How often the carrier came or went."),
    FIELD_ROW_PCT("system.interface.in.utilisation.pct", true,
                  "Bits received since the last sample, as a fraction of the speed."),
    FIELD_ROW_LONG("system.interface.mtu", FIELD_BYTE, FIELD_GAUGE, false,
                   "Largest packet that the link takes."),
    FIELD_ROW_KEYWORD("system.interface.name", false, "Name of the interface."),
    FIELD_ROW_KEYWORD("system.interface.operstate", false, "State of the link (RFC 2863)."),
    FIELD_ROW_PCT("system.interface.out.utilisation.pct", true,
                  "Bits sent since the last sample, as a fraction of the speed."),
    FIELD_ROW_LONG("system.interface.speed", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "Speed of the link in bits per second."),
};

const struct metric_set interface_set = {
    .name = "interface",
    .which = CONFIG_SET_INTERFACE,
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct state),
    .sample = sample,
    .documents = documents,
    .values = values,
    .clear = clear,
};
