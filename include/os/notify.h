#ifndef OS_NOTIFY_H
#define OS_NOTIFY_H

/* The service manager's protocol, sd_notify(3): one datagram to $NOTIFY_SOCKET. Without the
 * variable every call does nothing. */
#include <stdint.h>

#include "base/def.h"

/* state: "READY=1", "STATUS=...", "STOPPING=1", "WATCHDOG=1", newline-separated.
 * 1 = sent, 0 = no manager, negative errno. */
int notify_send(const char *state);

/* Half of WATCHDOG_USEC in ms when it is set for this process (sd_watchdog_enabled(3)), else 0. */
int64_t notify_watchdog_ms(void);

#endif
