#ifndef METRICS_ADDRESSES_H
#define METRICS_ADDRESSES_H

/*
 * host.ip and host.mac: the addresses of the interfaces that the set network has documents of,
 * each once, in the kernel's order. MAC addresses in ECS' form: 02-FC-00-00-00-05.
 */
#include <ifaddrs.h>
#include <stdint.h>

#include "base/buf.h"

/* Of each kind; more are left out. */
#define ADDRESSES_MAX 32

/* At most so many bytes are written. */
#define ADDRESSES_BYTES ((size_t)4096)

struct addresses;

struct addresses *addresses_new(void);
void addresses_free(struct addresses **a);

/* Reads them, unless it has done so within the last five minutes. Where they cannot be read the
 * earlier ones stay. */
void addresses_refresh(struct addresses *a, int64_t now_ms);

/* The members of `host` as JSON text; empty when there are none. Owned by a, changed by
 * addresses_refresh. */
const struct buf *addresses_members(const struct addresses *a);

/* The members of a list of getifaddrs(3) into an empty buffer that takes ADDRESSES_BYTES. */
void addresses_write(const struct ifaddrs *list, struct buf *out);

#endif
