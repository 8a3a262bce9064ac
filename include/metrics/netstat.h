#ifndef METRICS_NETSTAT_H
#define METRICS_NETSTAT_H

/*
 * Set netstat: what IP, TCP and UDP counted since boot, from /proc/net/snmp and /proc/net/netstat
 * (RFC 1213, RFC 4022, RFC 4113 and Linux's own). Names are the kernel's, as in Metricbeat's
 * network_summary.
 */
#include <stdbool.h>

#include "base/def.h"
#include "base/slice.h"
#include "metrics/counters.h"
#include "metrics/set.h"

/* In the order of the field names. */
enum netstat_counter {
    NETSTAT_ICMP_IN_ERRORS,
    NETSTAT_ICMP_IN_MSGS,
    NETSTAT_ICMP_OUT_MSGS,
    NETSTAT_IP_FORW_DATAGRAMS,
    NETSTAT_IP_IN_DISCARDS,
    NETSTAT_IP_IN_OCTETS,
    NETSTAT_IP_IN_RECEIVES,
    NETSTAT_IP_OUT_DISCARDS,
    NETSTAT_IP_OUT_OCTETS,
    NETSTAT_IP_OUT_REQUESTS,
    NETSTAT_IP_REASM_FAILS,
    NETSTAT_TCP_ACTIVE_OPENS,
    NETSTAT_TCP_ATTEMPT_FAILS,
    NETSTAT_TCP_CURR_ESTAB,
    NETSTAT_TCP_ESTAB_RESETS,
    NETSTAT_TCP_IN_ERRS,
    NETSTAT_TCP_IN_SEGS,
    NETSTAT_TCP_LISTEN_DROPS,
    NETSTAT_TCP_LISTEN_OVERFLOWS,
    NETSTAT_TCP_OUT_RSTS,
    NETSTAT_TCP_OUT_SEGS,
    NETSTAT_TCP_PASSIVE_OPENS,
    NETSTAT_TCP_RETRANS_SEGS,
    NETSTAT_TCP_SYNCOOKIES_FAILED,
    NETSTAT_TCP_SYNCOOKIES_RECV,
    NETSTAT_TCP_SYNCOOKIES_SENT,
    NETSTAT_TCP_OFO_QUEUE,
    NETSTAT_TCP_RCVQ_DROP,
    NETSTAT_TCP_SYN_RETRANS,
    NETSTAT_TCP_TIMEOUTS,
    NETSTAT_UDP_IN_DATAGRAMS,
    NETSTAT_UDP_IN_ERRORS,
    NETSTAT_UDP_NO_PORTS,
    NETSTAT_UDP_OUT_DATAGRAMS,
    NETSTAT_UDP_RCVBUF_ERRORS,
    NETSTAT_UDP_SNDBUF_ERRORS,
    NETSTAT_COUNTERS,
};

struct netstat_sample {
    struct counter counters[NETSTAT_COUNTERS];
};

/* Text of either file: pairs of lines "Group: names" and "Group: numbers". Negative numbers and
 * unknown names are passed over. 0, or -EBADMSG without a pair; what was set stays. */
int netstat_parse(struct slice text, struct netstat_sample *s) MUST_CHECK;

/* Segments sent again, as a fraction of those sent between two samples. False when none were sent,
 * or the counters were set back. */
bool netstat_retransmits(const struct netstat_sample *prev, const struct netstat_sample *now,
                         double *ret);

extern const struct metric_set netstat_set;

#endif
