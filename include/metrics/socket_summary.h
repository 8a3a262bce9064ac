#ifndef METRICS_SOCKET_SUMMARY_H
#define METRICS_SOCKET_SUMMARY_H

/*
 * Set socket_summary: TCP sockets by state, from sock_diag(7), and what /proc/net/sockstat tells.
 * The sockets are those of this process's network namespace.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"
#include "metrics/counters.h"
#include "metrics/set.h"

/* States as the kernel numbers them (enum tcp_state of <linux/tcp.h>), from 1 on. */
#define SOCKET_SUMMARY_STATES 13

struct socket_summary_sample {
    uint64_t states[SOCKET_SUMMARY_STATES];
    struct counter used, tcp_orphan, tcp_pages, udp_count, udp_pages;
};

/* Text of /proc/net/sockstat: lines "TCP: name number ...". Unknown names are passed over. */
void socket_summary_parse(struct slice text, struct socket_summary_sample *s);

/* What stands behind the header of a SOCK_DIAG_BY_FAMILY message: counts its state. */
void socket_summary_count(struct slice message, struct socket_summary_sample *s);

extern const struct metric_set socket_summary_set;

#endif
