/*
 * metrics/network - set network
 *
 * Two samples change places from period to period, so their rooms are allocated once. Interfaces
 * are matched by name and index; they keep their order from sample to sample, so each search
 * starts behind the last hit and a steady state compares each name once.
 *
 * The host's sums take the lowest layer only: what a bridge, bond, VLAN, tunnel or PPP line carries
 * passes through an interface below it, and would be counted twice. The kernel tells the type of
 * most such interfaces in /sys; the others are known by their usual names.
 *
 * Limits: a PPP line on a serial modem has nothing below it and is missing in the sums.
 */
#include "metrics/network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "metrics/column.h"
#include "metrics/member.h"

#define FIRST_ROOM ((size_t)16)

/* numbers of a row up to the last one used: sent packets dropped */
#define COLUMNS 12

/* "class/net/" NAME "/uevent" */
#define UEVENT_PATH_BYTES (10 + NETWORK_NAME_BYTES + 7)

/* A name pattern: this beginning, then anything, digits only, or nothing. */
enum rest { REST_ANY, REST_DIGITS, REST_NONE };
struct pattern {
    struct slice begin;
    enum rest rest;
};

struct state {
    struct network_sample samples[2];
    unsigned now; /* index of the last sample */
    bool has_delta;
    struct network_delta delta;
};

/* whether s is digits, at least one */
static bool is_digits(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

/* whether what follows the beginning is as the pattern wants it */
static bool fits_rest(enum rest wanted, struct slice rest)
{
    switch (wanted) {
    case REST_ANY:
        return true;
    case REST_DIGITS:
        return is_digits(rest);
    case REST_NONE:
        return rest.len == 0;
    }
    return false;
}

/* whether a name fits one of the patterns */
static bool fits_one(struct slice name, const struct pattern *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct pattern *p = &patterns[i];
        if (slice_starts(name, p->begin) &&
            fits_rest(p->rest, slice_sub(name, p->begin.len, name.len)))
            return true;
    }
    return false;
}

/* see header */
bool network_is_excluded(struct slice name)
{
    static const struct pattern excluded[] = {
        {SLICE_LIT("lo"), REST_NONE},       {SLICE_LIT("veth"), REST_ANY},
        {SLICE_LIT("docker"), REST_DIGITS}, {SLICE_LIT("br-"), REST_ANY},
        {SLICE_LIT("cali"), REST_ANY},      {SLICE_LIT("cni"), REST_ANY},
        {SLICE_LIT("flannel"), REST_ANY},   {SLICE_LIT("tap"), REST_ANY},
        {SLICE_LIT("kube-"), REST_ANY},
    };
    return fits_one(name, excluded, ARRAY_LEN(excluded)) && !slice_eq_str(name, "br-lan");
}

/* whether an interface of that name usually rests on another one */
static bool is_stacked_name(struct slice name)
{
    static const struct pattern stacked[] = {
        {SLICE_LIT("br-"), REST_ANY},      {SLICE_LIT("br"), REST_DIGITS},
        {SLICE_LIT("virbr"), REST_DIGITS}, {SLICE_LIT("vmbr"), REST_ANY},
        {SLICE_LIT("bond"), REST_DIGITS},  {SLICE_LIT("team"), REST_DIGITS},
        {SLICE_LIT("vlan"), REST_DIGITS},  {SLICE_LIT("macvlan"), REST_ANY},
        {SLICE_LIT("ipvlan"), REST_ANY},   {SLICE_LIT("vxlan"), REST_ANY},
        {SLICE_LIT("vnet"), REST_DIGITS},  {SLICE_LIT("ppp"), REST_ANY},
        {SLICE_LIT("wg"), REST_ANY},       {SLICE_LIT("tun"), REST_ANY},
        {SLICE_LIT("gre"), REST_ANY},      {SLICE_LIT("erspan"), REST_ANY},
        {SLICE_LIT("sit"), REST_DIGITS},   {SLICE_LIT("ip6tnl"), REST_ANY},
        {SLICE_LIT("ip6gre"), REST_ANY},   {SLICE_LIT("ip_vti"), REST_ANY},
        {SLICE_LIT("ip6_vti"), REST_ANY},  {SLICE_LIT("l2tp"), REST_ANY},
        {SLICE_LIT("ifb"), REST_ANY},      {SLICE_LIT("dummy"), REST_DIGITS},
    };
    /* eth0.10: a VLAN */
    return fits_one(name, stacked, ARRAY_LEN(stacked)) || slice_find(name, '.') < name.len;
}

/* whether a DEVTYPE of the kernel rests on another interface */
static bool is_stacked_type(struct slice type)
{
    static const char *const stacked[] = {
        "bridge", "bond",   "vlan", "ppp", "vxlan",   "geneve", "wireguard", "dsa",
        "hsr",    "macsec", "gre",  "gtp", "l2tpeth", "batadv", "bareudp",   "ovpn",
    };
    for (size_t i = 0; i < ARRAY_LEN(stacked); i++)
        if (slice_eq_str(type, stacked[i]))
            return true;
    return false;
}

/* see header */
bool network_is_name(struct slice name)
{
    if (name.len == 0 || name.len >= NETWORK_NAME_BYTES || slice_eq_str(name, ".") ||
        slice_eq_str(name, ".."))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c <= ' ' || c == '/' || c == ':')
            return false;
    }
    return true;
}

/* "  eth0: 1 2 3": the name may touch the first number. False for headings and broken rows. */
static bool take_row(struct slice line, struct network_interface *ret)
{
    size_t colon = slice_rfind(line, ':');
    struct slice name = slice_trim(slice_sub(line, 0, colon));
    struct slice numbers = slice_sub(line, colon + 1, line.len);
    uint64_t v[COLUMNS];
    if (colon == line.len || !network_is_name(name) || network_is_excluded(name))
        return false;
    for (size_t i = 0; i < COLUMNS; i++)
        if (column_number(&numbers, &v[i]) < 0)
            return false;
    *ret = (struct network_interface){
        .is_underlying = !is_stacked_name(name),
        .in = {.bytes = v[0], .packets = v[1], .errors = v[2], .dropped = v[3]},
        .out = {.bytes = v[8], .packets = v[9], .errors = v[10], .dropped = v[11]},
    };
    memcpy(ret->name, name.ptr, name.len);
    return true;
}

/* doubles the room */
static void grow(struct network_sample *s)
{
    s->room = s->room == 0 ? FIRST_ROOM : s->room * 2;
    s->interfaces = mem_resize(s->interfaces, s->room * sizeof(*s->interfaces));
}

/* A host without interfaces has a sample too, so room is made before the first row. */
int network_parse(struct slice dev, struct network_sample *s)
{
    struct slice line;
    struct network_interface one;
    if (!column_line(&dev, &line))
        return -EBADMSG;
    s->count = 0;
    if (s->room == 0)
        grow(s);
    do {
        if (!take_row(line, &one))
            continue;
        if (s->count == s->room)
            grow(s);
        s->interfaces[s->count++] = one;
    } while (s->count < NETWORK_INTERFACES_MAX && column_line(&dev, &line));
    return 0;
}

/* lines NAME=value */
void network_describe(struct slice uevent, struct network_interface *one)
{
    struct slice line;
    while (column_line(&uevent, &line)) {
        size_t equals = slice_find(line, '=');
        struct slice name = slice_sub(line, 0, equals);
        struct slice value = slice_sub(line, equals + 1, line.len);
        uint64_t index;
        if (slice_eq_str(name, "DEVTYPE"))
            one->is_underlying = !is_stacked_type(value);
        else if (slice_eq_str(name, "IFINDEX") && num_u64(value, &index) == 0 &&
                 index <= UINT32_MAX)
            one->index = (uint32_t)index;
    }
}

/* the same interface in another sample, NULL if it is not there; *at is where to look first, and
 * becomes the place behind the hit */
static const struct network_interface *find(const struct network_sample *s,
                                            const struct network_interface *one, size_t *at)
{
    for (size_t n = 0; n < s->count; n++) {
        size_t i = (*at + n) % s->count;
        const struct network_interface *other = &s->interfaces[i];
        if (other->index != one->index || strcmp(other->name, one->name) != 0)
            continue;
        *at = i + 1;
        return other;
    }
    return NULL;
}

/* whether no counter went back */
static bool has_grown(const struct network_counters *from, const struct network_counters *to)
{
    return to->bytes >= from->bytes && to->packets >= from->packets;
}

/* sum += to - from, at most what Elasticsearch's long can hold */
static void add_growth(uint64_t *sum, uint64_t from, uint64_t to)
{
    *sum += to - from;
    if (*sum > INT64_MAX)
        *sum = INT64_MAX;
}

/* see header */
bool network_delta(const struct network_sample *prev, const struct network_sample *now,
                   struct network_delta *ret)
{
    if (prev->interfaces == NULL)
        return false;
    struct network_delta d = {0};
    size_t at = 0;
    for (size_t i = 0; i < now->count; i++) {
        const struct network_interface *to = &now->interfaces[i];
        if (!to->is_underlying)
            continue;
        const struct network_interface *from = find(prev, to, &at);
        if (from == NULL || !has_grown(&from->in, &to->in) || !has_grown(&from->out, &to->out))
            continue;
        add_growth(&d.in_bytes, from->in.bytes, to->in.bytes);
        add_growth(&d.in_packets, from->in.packets, to->in.packets);
        add_growth(&d.out_bytes, from->out.bytes, to->out.bytes);
        add_growth(&d.out_packets, from->out.packets, to->out.packets);
    }
    *ret = d;
    return true;
}

/* see header */
void network_sample_clear(struct network_sample *s)
{
    mem_free(s->interfaces);
    *s = (struct network_sample){0};
}

/* "ingress":{"bytes":..,"packets":..} */
static void write_traffic(struct json_writer *w, const char *key, uint64_t bytes, uint64_t packets)
{
    member_object(w, key);
    member_long(w, "bytes", bytes);
    member_long(w, "packets", packets);
    json_end_object(w);
}

/* see header */
void network_write_host(const struct network_delta *d, struct json_writer *w)
{
    member_object(w, "network");
    write_traffic(w, "ingress", d->in_bytes, d->in_packets);
    write_traffic(w, "egress", d->out_bytes, d->out_packets);
    json_end_object(w);
}

/* one direction */
static void write_counters(struct json_writer *w, const char *key, const struct network_counters *c)
{
    member_object(w, key);
    member_long(w, "bytes", c->bytes);
    member_long(w, "packets", c->packets);
    member_long(w, "errors", c->errors);
    member_long(w, "dropped", c->dropped);
    json_end_object(w);
}

/* see header */
void network_write(const struct network_interface *one, struct json_writer *w)
{
    member_object(w, "system");
    member_object(w, "network");
    member_text(w, "name", one->name);
    write_counters(w, "in", &one->in);
    write_counters(w, "out", &one->out);
    json_end_object(w);
    json_end_object(w);
}

/* index and type of one interface; what cannot be read stays guessed */
static void describe(struct network_interface *one, struct procfs *procfs)
{
    char path[UEVENT_PATH_BYTES];
    struct slice text;
    (void)snprintf(path, sizeof(path), "class/net/%s/uevent", one->name); /* made to fit */
    if (procfs_read(procfs, PROCFS_SYS, path, &text) == 0)
        network_describe(text, one);
}

/* one more sample, into the older one */
static int sample(void *state, const struct set_source *source)
{
    struct state *s = state;
    const struct network_sample *prev = &s->samples[s->now];
    struct network_sample *now = &s->samples[1 - s->now];
    struct slice text;
    int r = procfs_read(source->procfs, PROCFS_PROC, network_set.path, &text);
    if (r == 0)
        r = network_parse(text, now);
    if (r < 0)
        return r;
    for (size_t i = 0; i < now->count; i++)
        describe(&now->interfaces[i], source->procfs);
    s->has_delta = network_delta(prev, now, &s->delta);
    s->now = 1 - s->now;
    return 0;
}

/* one for each interface, one for the host */
static size_t documents(const void *state)
{
    const struct state *s = state;
    return s->samples[s->now].count + (s->has_delta ? 1 : 0);
}

/* the host's own document is the last one */
static void write_host(const void *state, size_t i, struct json_writer *w)
{
    const struct state *s = state;
    if (i == s->samples[s->now].count)
        network_write_host(&s->delta, w);
}

/* the others are the interfaces' */
static void write_body(const void *state, size_t i, struct json_writer *w)
{
    const struct state *s = state;
    if (i < s->samples[s->now].count)
        network_write(&s->samples[s->now].interfaces[i], w);
}

/* both samples */
static void clear(void *state)
{
    struct state *s = state;
    network_sample_clear(&s->samples[0]);
    network_sample_clear(&s->samples[1]);
}

static const struct field fields[] = {
    {"host.network.egress.bytes", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Bytes that the host sent since the last sample, on its lowest network layer."},
    {"host.network.egress.packets", FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Packets that the host sent since the last sample, on its lowest network layer."},
    {"host.network.ingress.bytes", FIELD_LONG, 0, FIELD_BYTE, FIELD_GAUGE, false,
     "Bytes that the host received since the last sample, on its lowest network layer."},
    {"host.network.ingress.packets", FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_GAUGE, false,
     "Packets that the host received since the last sample, on its lowest network layer."},
    {"system.network.in.bytes", FIELD_LONG, 0, FIELD_BYTE, FIELD_COUNTER, false,
     "Bytes received since the interface came up."},
    {"system.network.in.dropped", FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Packets that came in and were dropped."},
    {"system.network.in.errors", FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Errors while packets were received."},
    {"system.network.in.packets", FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Packets received since the interface came up."},
    {"system.network.name", FIELD_KEYWORD, 0, FIELD_NO_UNIT, FIELD_NO_METRIC, false,
     "Name of the interface."},
    {"system.network.out.bytes", FIELD_LONG, 0, FIELD_BYTE, FIELD_COUNTER, false,
     "Bytes sent since the interface came up."},
    {"system.network.out.dropped", FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Packets to be sent that were dropped."},
    {"system.network.out.errors", FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Errors while packets were sent."},
    {"system.network.out.packets", FIELD_LONG, 0, FIELD_NO_UNIT, FIELD_COUNTER, false,
     "Packets sent since the interface came up."},
};

const struct metric_set network_set = {
    .name = "network",
    .which = CONFIG_SET_NETWORK,
    .root = PROCFS_PROC,
    .path = "net/dev",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct state),
    .sample = sample,
    .documents = documents,
    .write_host = write_host,
    .write = write_body,
    .clear = clear,
};
