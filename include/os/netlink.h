#ifndef OS_NETLINK_H
#define OS_NETLINK_H

/*
 * Dumps of netlink(7): one request, all messages of the answer. The kernel answers from memory, so
 * a dump does not wait for any device. What it tells is of this process's network namespace.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"

/* One message of the answer: its type and what stands behind its header. */
typedef void (*netlink_message_fn)(void *ctx, uint16_t type, struct slice payload);

/* protocol: NETLINK_ROUTE, NETLINK_SOCK_DIAG; type and payload are the request's. 0, or negative
 * errno, also what the kernel answered: -ENOENT where it has no such module. */
int netlink_dump(int protocol, uint16_t type, struct slice payload, netlink_message_fn each,
                 void *ctx) MUST_CHECK;

/* Splits the messages in a received text; true when the dump is over, with *ret the kernel's error
 * or 0. Messages that claim more than there is end it with -EBADMSG. */
bool netlink_split(struct slice text, netlink_message_fn each, void *ctx, int *ret);

#endif
