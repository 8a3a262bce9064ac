#ifndef METRICS_WIRELESS_H
#define METRICS_WIRELESS_H

/* Set wireless: signal of each wireless interface, from /proc/net/wireless (wireless extensions,
 * net/wireless/wext-proc.c). */
#include <stddef.h>
#include <stdint.h>

#include "base/def.h"
#include "base/slice.h"
#include "metrics/counters.h"
#include "metrics/set.h"

#define WIRELESS_NAME_BYTES     16 /* IFNAMSIZ: with the NUL */
#define WIRELESS_INTERFACES_MAX 16

/* Packets that were dropped, in the order of the columns. */
enum wireless_drop {
    WIRELESS_NWID,
    WIRELESS_CRYPT,
    WIRELESS_FRAG,
    WIRELESS_RETRY,
    WIRELESS_MISC,
    WIRELESS_MISSED_BEACON,
    WIRELESS_DROPS,
};

struct wireless_interface {
    char name[WIRELESS_NAME_BYTES];
    double link, level_dbm, noise_dbm;
    uint64_t drops[WIRELESS_DROPS];
};

struct wireless_sample {
    struct wireless_interface interfaces[WIRELESS_INTERFACES_MAX];
    size_t count; /* 0 on a host without wireless interfaces */
};

/* 0, or -EBADMSG without the two headings. Rows that no kernel writes are passed over. */
int wireless_parse(struct slice text, struct wireless_sample *ret) MUST_CHECK;

extern const struct metric_set wireless_set;

#endif
