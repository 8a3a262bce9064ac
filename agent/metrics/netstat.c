/*
 * metrics/netstat - set netstat
 *
 * Columns are found by name, so that what a kernel adds or lacks does not matter.
 */
#include "metrics/netstat.h"

#include <errno.h>

#include "metrics/column.h"

/* where a counter stands: group and column */
struct place {
    const char *group;
    const char *name;
};

static const struct place places[NETSTAT_COUNTERS] = {
    [NETSTAT_ICMP_IN_ERRORS] = {"Icmp:", "InErrors"},
    [NETSTAT_ICMP_IN_MSGS] = {"Icmp:", "InMsgs"},
    [NETSTAT_ICMP_OUT_MSGS] = {"Icmp:", "OutMsgs"},
    [NETSTAT_IP_FORW_DATAGRAMS] = {"Ip:", "ForwDatagrams"},
    [NETSTAT_IP_IN_DISCARDS] = {"Ip:", "InDiscards"},
    [NETSTAT_IP_IN_OCTETS] = {"IpExt:", "InOctets"},
    [NETSTAT_IP_IN_RECEIVES] = {"Ip:", "InReceives"},
    [NETSTAT_IP_OUT_DISCARDS] = {"Ip:", "OutDiscards"},
    [NETSTAT_IP_OUT_OCTETS] = {"IpExt:", "OutOctets"},
    [NETSTAT_IP_OUT_REQUESTS] = {"Ip:", "OutRequests"},
    [NETSTAT_IP_REASM_FAILS] = {"Ip:", "ReasmFails"},
    [NETSTAT_TCP_ACTIVE_OPENS] = {"Tcp:", "ActiveOpens"},
    [NETSTAT_TCP_ATTEMPT_FAILS] = {"Tcp:", "AttemptFails"},
    [NETSTAT_TCP_CURR_ESTAB] = {"Tcp:", "CurrEstab"},
    [NETSTAT_TCP_ESTAB_RESETS] = {"Tcp:", "EstabResets"},
    [NETSTAT_TCP_IN_ERRS] = {"Tcp:", "InErrs"},
    [NETSTAT_TCP_IN_SEGS] = {"Tcp:", "InSegs"},
    [NETSTAT_TCP_LISTEN_DROPS] = {"TcpExt:", "ListenDrops"},
    [NETSTAT_TCP_LISTEN_OVERFLOWS] = {"TcpExt:", "ListenOverflows"},
    [NETSTAT_TCP_OUT_RSTS] = {"Tcp:", "OutRsts"},
    [NETSTAT_TCP_OUT_SEGS] = {"Tcp:", "OutSegs"},
    [NETSTAT_TCP_PASSIVE_OPENS] = {"Tcp:", "PassiveOpens"},
    [NETSTAT_TCP_RETRANS_SEGS] = {"Tcp:", "RetransSegs"},
    [NETSTAT_TCP_SYNCOOKIES_FAILED] = {"TcpExt:", "SyncookiesFailed"},
    [NETSTAT_TCP_SYNCOOKIES_RECV] = {"TcpExt:", "SyncookiesRecv"},
    [NETSTAT_TCP_SYNCOOKIES_SENT] = {"TcpExt:", "SyncookiesSent"},
    [NETSTAT_TCP_OFO_QUEUE] = {"TcpExt:", "TCPOFOQueue"},
    [NETSTAT_TCP_RCVQ_DROP] = {"TcpExt:", "TCPRcvQDrop"},
    [NETSTAT_TCP_SYN_RETRANS] = {"TcpExt:", "TCPSynRetrans"},
    [NETSTAT_TCP_TIMEOUTS] = {"TcpExt:", "TCPTimeouts"},
    [NETSTAT_UDP_IN_DATAGRAMS] = {"Udp:", "InDatagrams"},
    [NETSTAT_UDP_IN_ERRORS] = {"Udp:", "InErrors"},
    [NETSTAT_UDP_NO_PORTS] = {"Udp:", "NoPorts"},
    [NETSTAT_UDP_OUT_DATAGRAMS] = {"Udp:", "OutDatagrams"},
    [NETSTAT_UDP_RCVBUF_ERRORS] = {"Udp:", "RcvbufErrors"},
    [NETSTAT_UDP_SNDBUF_ERRORS] = {"Udp:", "SndbufErrors"},
};

struct state {
    struct netstat_sample last;
    bool has_last;
    bool has_share;
    double share;
};

/* the counter of a column; NULL when it is none that counts */
static struct counter *counter_of(struct netstat_sample *s, struct slice group, struct slice name)
{
    for (size_t i = 0; i < NETSTAT_COUNTERS; i++)
        if (slice_eq_str(group, places[i].group) && slice_eq_str(name, places[i].name))
            return &s->counters[i];
    return NULL;
}

/* one pair of lines; false when they are none */
static bool take_pair(struct slice names, struct slice numbers, struct netstat_sample *s)
{
    struct slice group, again, name, number;
    if (!slice_next_word(&names, &group) || !slice_next_word(&numbers, &again) ||
        !slice_eq(group, again))
        return false;
    while (slice_next_word(&names, &name) && slice_next_word(&numbers, &number)) {
        struct counter *c = counter_of(s, group, name);
        if (c != NULL)
            counters_take(c, &number);
    }
    return true;
}

/* see header */
int netstat_parse(struct slice text, struct netstat_sample *s)
{
    struct slice names, numbers;
    size_t pairs = 0;
    while (column_line(&text, &names) && column_line(&text, &numbers))
        pairs += take_pair(names, numbers, s);
    return pairs > 0 ? 0 : -EBADMSG;
}

/* see header */
bool netstat_retransmits(const struct netstat_sample *prev, const struct netstat_sample *now,
                         double *ret)
{
    const struct counter *again[] = {&prev->counters[NETSTAT_TCP_RETRANS_SEGS],
                                     &now->counters[NETSTAT_TCP_RETRANS_SEGS]};
    const struct counter *sent[] = {&prev->counters[NETSTAT_TCP_OUT_SEGS],
                                    &now->counters[NETSTAT_TCP_OUT_SEGS]};
    if (!again[0]->is_set || !again[1]->is_set || !sent[0]->is_set || !sent[1]->is_set ||
        again[1]->n < again[0]->n || sent[1]->n <= sent[0]->n)
        return false;
    *ret = (double)(again[1]->n - again[0]->n) / (double)(sent[1]->n - sent[0]->n);
    return true;
}

/* one more sample; the second file is Linux's own and may be missing */
static int sample(void *state, const struct set_source *source)
{
    struct state *s = state;
    struct netstat_sample now = {0};
    struct slice text;
    int r = procfs_read(source->procfs, PROCFS_PROC, netstat_set.path, &text);
    if (r == 0)
        r = netstat_parse(text, &now);
    if (r < 0)
        return r;
    r = procfs_read(source->procfs, PROCFS_PROC, "net/netstat", &text);
    if (r == 0)
        r = netstat_parse(text, &now);
    (void)r; /* what it tells is left out */
    s->has_share = s->has_last && netstat_retransmits(&s->last, &now, &s->share);
    s->has_last = true;
    s->last = now;
    return 0;
}

/* the only document; rows and enum have the same order, the share comes first */
static void values(const void *state, size_t i, struct value *v)
{
    const struct state *s = state;
    (void)i;
    if (s->has_share)
        v[0] = value_real(s->share);
    for (size_t k = 0; k < NETSTAT_COUNTERS; k++)
        v[k + 1] = counters_value(&s->last.counters[k]);
}

/* clang-format off */
#define COUNTER(name, text)                                                                        \
    FIELD_ROW_LONG("system.network_summary." name, FIELD_NO_UNIT, FIELD_COUNTER, true, text)
#define OCTETS(name, text)                                                                         \
    FIELD_ROW_LONG("system.network_summary." name, FIELD_BYTE, FIELD_COUNTER, true, text)
/* clang-format on */

static const struct field fields[] = {
    FIELD_ROW_PCT("system.netstat.tcp.retransmits.pct", true,
                  "TCP segments sent again since the last sample, as a fraction of those sent."),
    COUNTER("icmp.InErrors", "ICMP messages received with errors."),
    COUNTER("icmp.InMsgs", "ICMP messages received."),
    COUNTER("icmp.OutMsgs", "ICMP messages sent."),
    COUNTER("ip.ForwDatagrams", "IP packets passed on to other hosts."),
    COUNTER("ip.InDiscards", "IP packets received and dropped for want of room."),
    OCTETS("ip.InOctets", "Bytes of IP packets received."),
    COUNTER("ip.InReceives", "IP packets received."),
    COUNTER("ip.OutDiscards", "IP packets to be sent that were dropped for want of room."),
    OCTETS("ip.OutOctets", "Bytes of IP packets sent."),
    COUNTER("ip.OutRequests", "IP packets that this host sent."),
    COUNTER("ip.ReasmFails", "IP packets that could not be put together from fragments."),
    COUNTER("tcp.ActiveOpens", "TCP connections that this host opened."),
    COUNTER("tcp.AttemptFails", "TCP connections that failed before they were established."),
    FIELD_ROW_LONG("system.network_summary.tcp.CurrEstab", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "TCP connections that are established now."),
    COUNTER("tcp.EstabResets", "Established TCP connections that were reset."),
    COUNTER("tcp.InErrs", "TCP segments received with errors."),
    COUNTER("tcp.InSegs", "TCP segments received."),
    COUNTER("tcp.ListenDrops", "TCP connections dropped before a program took them."),
    COUNTER("tcp.ListenOverflows", "TCP connections that found a program's queue full."),
    COUNTER("tcp.OutRsts", "TCP resets sent."),
    COUNTER("tcp.OutSegs", "TCP segments sent, without those sent again."),
    COUNTER("tcp.PassiveOpens", "TCP connections that others opened."),
    COUNTER("tcp.RetransSegs", "TCP segments sent again."),
    COUNTER("tcp.SyncookiesFailed", "SYN cookies that were wrong."),
    COUNTER("tcp.SyncookiesRecv", "SYN cookies received."),
    COUNTER("tcp.SyncookiesSent", "SYN cookies sent."),
    COUNTER("tcp.TCPOFOQueue", "TCP segments that came out of order."),
    COUNTER("tcp.TCPRcvQDrop", "TCP segments dropped because a receive queue was full."),
    COUNTER("tcp.TCPSynRetrans", "TCP SYN segments sent again."),
    COUNTER("tcp.TCPTimeouts", "TCP time-outs."),
    COUNTER("udp.InDatagrams", "UDP datagrams received."),
    COUNTER("udp.InErrors", "UDP datagrams that could not be delivered."),
    COUNTER("udp.NoPorts", "UDP datagrams for ports that nobody listened on."),
    COUNTER("udp.OutDatagrams", "UDP datagrams sent."),
    COUNTER("udp.RcvbufErrors", "UDP datagrams dropped because a receive buffer was full."),
    COUNTER("udp.SndbufErrors", "UDP datagrams dropped because a send buffer was full."),
};

const struct metric_set netstat_set = {
    .name = "netstat",
    .which = CONFIG_SET_NETSTAT,
    .root = PROCFS_PROC,
    .path = "net/snmp",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct state),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
