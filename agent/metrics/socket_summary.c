/*
 * metrics/socket_summary - set socket_summary
 *
 * The kernel walks its table of connections and tells each in a few bytes; text of /proc/net/tcp
 * would cost ten times as much.
 */
#include "metrics/socket_summary.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "metrics/column.h"
#include "os/netlink.h"

#define SOCKSTAT "net/sockstat"

/* the counter of a name in a line of sockstat; NULL when it does not count */
static struct counter *counter_of(struct socket_summary_sample *s, struct slice group,
                                  struct slice name)
{
    const struct {
        const char *group, *name;
        struct counter *counter;
    } rows[] = {
        {"sockets:", "used", &s->used}, {"TCP:", "orphan", &s->tcp_orphan},
        {"TCP:", "mem", &s->tcp_pages}, {"UDP:", "inuse", &s->udp_count},
        {"UDP:", "mem", &s->udp_pages},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (slice_eq_str(group, rows[i].group) && slice_eq_str(name, rows[i].name))
            return rows[i].counter;
    return NULL;
}

/* see header */
void socket_summary_parse(struct slice text, struct socket_summary_sample *s)
{
    struct slice line, group, name;
    while (column_line(&text, &line)) {
        if (!slice_next_word(&line, &group))
            continue;
        while (slice_next_word(&line, &name)) {
            struct counter skipped = {0};
            struct counter *c = counter_of(s, group, name);
            counters_take(c == NULL ? &skipped : c, &line);
        }
    }
}

/* see header */
void socket_summary_count(struct slice message, struct socket_summary_sample *s)
{
    struct inet_diag_msg m;
    if (message.len < sizeof(m))
        return;
    memcpy(&m, message.ptr, sizeof(m));
    if (m.idiag_state > 0 && m.idiag_state < SOCKET_SUMMARY_STATES)
        s->states[m.idiag_state]++;
}

/* one message of the dump */
static void on_message(void *ctx, uint16_t type, struct slice payload)
{
    if (type == SOCK_DIAG_BY_FAMILY)
        socket_summary_count(payload, ctx);
}

/* the TCP sockets of one address family */
static int dump(uint8_t family, struct socket_summary_sample *s)
{
    struct inet_diag_req_v2 request = {
        .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = UINT32_MAX};
    return netlink_dump(NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY,
                        slice_of((const char *)&request, sizeof(request)), on_message, s);
}

/* one more sample; a host without IPv6 has no sockets of it */
static int sample(void *state, const struct set_source *source)
{
    struct socket_summary_sample s = {0};
    struct slice text;
    int r = dump(AF_INET, &s);
    if (r < 0)
        return r;
    r = dump(AF_INET6, &s);
    if (r < 0 && r != -ENOENT && r != -EAFNOSUPPORT)
        return r;
    if (procfs_read(source->procfs, PROCFS_PROC, SOCKSTAT, &text) == 0)
        socket_summary_parse(text, &s);
    *(struct socket_summary_sample *)state = s;
    return 0;
}

enum row {
    ALL_COUNT,
    CLOSE_WAIT,
    CLOSING,
    COUNT,
    ESTABLISHED,
    FIN_WAIT1,
    FIN_WAIT2,
    LAST_ACK,
    LISTENING,
    ORPHAN,
    SYN_RECV,
    SYN_SENT,
    TIME_WAIT,
    TCP_MEMORY,
    UDP_COUNT,
    UDP_MEMORY,
};

/* pages in bytes */
static struct value memory_of(const struct counter *pages)
{
    uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
    if (!pages->is_set || pages->n > INT64_MAX / size)
        return (struct value){0};
    return value_long(pages->n * size);
}

/* the only document */
static void values(const void *state, size_t i, struct value *v)
{
    static const struct {
        unsigned state;
        enum row row;
    } rows[] = {
        {TCP_CLOSE_WAIT, CLOSE_WAIT}, {TCP_CLOSING, CLOSING},     {TCP_ESTABLISHED, ESTABLISHED},
        {TCP_FIN_WAIT1, FIN_WAIT1},   {TCP_FIN_WAIT2, FIN_WAIT2}, {TCP_LAST_ACK, LAST_ACK},
        {TCP_LISTEN, LISTENING},      {TCP_SYN_RECV, SYN_RECV},   {TCP_SYN_SENT, SYN_SENT},
        {TCP_TIME_WAIT, TIME_WAIT},
    };
    const struct socket_summary_sample *s = state;
    uint64_t count = 0;
    (void)i;
    for (size_t k = 0; k < SOCKET_SUMMARY_STATES; k++)
        count += s->states[k];
    for (size_t k = 0; k < ARRAY_LEN(rows); k++)
        v[rows[k].row] = value_long(s->states[rows[k].state]);
    v[COUNT] = value_long(count);
    v[ALL_COUNT] = counters_value(&s->used);
    v[ORPHAN] = counters_value(&s->tcp_orphan);
    v[TCP_MEMORY] = memory_of(&s->tcp_pages);
    v[UDP_COUNT] = counters_value(&s->udp_count);
    v[UDP_MEMORY] = memory_of(&s->udp_pages);
}

/* clang-format off */
#define STATE(name, text)                                                                          \
    FIELD_ROW_LONG("system.socket.summary.tcp.all." name, FIELD_NO_UNIT, FIELD_GAUGE, false, text)
/* clang-format on */

static const struct field fields[] = {
    FIELD_ROW_LONG("system.socket.summary.all.count", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "Open sockets of all kinds."),
    STATE("close_wait", "TCP sockets whose other end has closed."),
    STATE("closing", "TCP sockets that both ends are closing."),
    STATE("count", "TCP sockets."),
    STATE("established", "TCP sockets with a connection."),
    STATE("fin_wait1", "TCP sockets that are closed here, not yet acknowledged."),
    STATE("fin_wait2", "TCP sockets that are closed here and wait for the other end."),
    STATE("last_ack", "TCP sockets closed at both ends that wait for the last acknowledgement."),
    STATE("listening", "TCP sockets that wait for connections."),
    FIELD_ROW_LONG("system.socket.summary.tcp.all.orphan", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "TCP sockets that no process has any more."),
    STATE("syn_recv", "TCP sockets that were asked for a connection."),
    STATE("syn_sent", "TCP sockets that asked for a connection."),
    STATE("time_wait", "TCP sockets that are closed and wait for late packets."),
    FIELD_ROW_LONG("system.socket.summary.tcp.memory", FIELD_BYTE, FIELD_GAUGE, true,
                   "Memory of TCP sockets."),
    FIELD_ROW_LONG("system.socket.summary.udp.all.count", FIELD_NO_UNIT, FIELD_GAUGE, true,
                   "UDP sockets."),
    FIELD_ROW_LONG("system.socket.summary.udp.memory", FIELD_BYTE, FIELD_GAUGE, true,
                   "Memory of UDP sockets."),
};

const struct metric_set socket_summary_set = {
    .name = "socket_summary",
    .which = CONFIG_SET_SOCKET_SUMMARY,
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .state_bytes = sizeof(struct socket_summary_sample),
    .sample = sample,
    .documents = counters_one_document,
    .values = values,
};
