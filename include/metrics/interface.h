#ifndef METRICS_INTERFACE_H
#define METRICS_INTERFACE_H

/*
 * Set interface: state of the links, how often their carrier changed, their speed and how much of
 * it was used, from a dump of links (rtnetlink(7)) and /sys/class/net/NAME/speed. The links are
 * those of this process's network namespace. The same interfaces as in set network.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"
#include "metrics/set.h"

#define INTERFACE_NAME_BYTES 16 /* IFNAMSIZ: with the NUL */
#define INTERFACE_LINKS_MAX  4096

struct interface_link {
    char name[INTERFACE_NAME_BYTES];
    uint32_t index;
    uint32_t mtu;
    uint32_t carrier_changes;
    uint8_t operstate; /* RFC 2863, as IF_OPER_* of <linux/if.h> */
    bool has_carrier;
    bool has_bytes;
    uint64_t in_bytes, out_bytes;
    uint64_t speed_bits; /* per second; 0 = not told */
};

/* What stands behind the header of an RTM_NEWLINK message. False when it is no such, or has no name
 * that a kernel takes. speed_bits is 0. */
bool interface_parse(struct slice message, struct interface_link *ret);

/* "up", "down"...; "unknown" for what RFC 2863 does not name. */
const char *interface_state_name(uint8_t operstate);

/* Bytes in ns as a fraction of the speed; false when the link is another one, was set back, or its
 * speed or the time is not known. */
bool interface_utilisation(const struct interface_link *prev, const struct interface_link *now,
                           int64_t ns, double *ret_in, double *ret_out);

extern const struct metric_set interface_set;

#endif
