#ifndef METRICS_NETWORK_H
#define METRICS_NETWORK_H

/*
 * Set network: the counters of each interface, and what the host sent and received since the last
 * sample. Which interfaces have documents, and which of those make up the host's sums, are two
 * questions: a PPPoE line on eth1 has a document, but its bytes are in eth1's already.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/json_write.h"
#include "base/slice.h"
#include "metrics/set.h"

#define NETWORK_NAME_BYTES     16 /* IFNAMSIZ: with the NUL */
#define NETWORK_INTERFACES_MAX 4096

struct network_counters {
    uint64_t bytes, packets, errors, dropped;
};

struct network_interface {
    char name[NETWORK_NAME_BYTES];
    uint32_t index;     /* the kernel's number, tells a new interface of an old name; 0 = unknown */
    bool is_underlying; /* its traffic is not part of another interface's: counts for the host */
    struct network_counters in, out;
};

struct network_sample {
    struct network_interface *interfaces; /* owned; room is kept from sample to sample */
    size_t count;
    size_t room;
};

/* Traffic of the host since the sample before. */
struct network_delta {
    uint64_t in_bytes, in_packets, out_bytes, out_packets;
};

/* Interfaces that get no document and count for no sum: lo and the many short-lived ends of
 * containers (veth*, docker0, br-<id>, cali*, cni*, flannel*, tap*, kube-*); br-lan is kept. */
bool network_is_excluded(struct slice name);

/* Whether the kernel takes an interface of that name (dev_valid_name of net/core/dev.c); it becomes
 * part of a path in /sys. */
bool network_is_name(struct slice name);

/* Text of /proc/net/dev into *s, in its order, without the excluded ones; at most
 * NETWORK_INTERFACES_MAX. index is 0, is_underlying guessed from the name. Rows that no kernel
 * writes are passed over. 0, or -EBADMSG (empty: not even a heading), *s being as before. */
int network_parse(struct slice dev, struct network_sample *s) MUST_CHECK;

/* Text of /sys/class/net/NAME/uevent: sets index, and is_underlying where the type is told. */
void network_describe(struct slice uevent, struct network_interface *one);

/* Adds up, over the underlying interfaces that are in both samples, what was added. An interface of
 * which a counter fell, or that changed its index, was set back and adds nothing this once. False
 * when `prev` is no sample (interfaces NULL). */
bool network_delta(const struct network_sample *prev, const struct network_sample *now,
                   struct network_delta *ret);

/* Frees the room. */
void network_sample_clear(struct network_sample *s);

/* host.network */
void network_write_host(const struct network_delta *d, struct json_writer *w);
/* system.network */
void network_write(const struct network_interface *one, struct json_writer *w);

extern const struct metric_set network_set;

#endif
