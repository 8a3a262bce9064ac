#ifndef CONFIG_HOST_H
#define CONFIG_HOST_H

/* The address of a server, as people write it: "es1", "es1:9200", "[::1]:9200",
 * "https://es1:9243/prefix". */
#include <stdbool.h>

#include "base/buf.h"
#include "base/def.h"
#include "base/err.h"
#include "base/slice.h"

/*
 * Appends the address as scheme://host:port[/path] to *out: scheme and host in lower case, http and
 * port 9200 where the text has none, no slash at the end. -EINVAL with why filled: not such an
 * address, or it holds a user name (why does not quote it then).
 */
int host_normalise(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* Appends a proxy's address as scheme://host:port: scheme http (the default, port 80), https
 * (443) or socks5 (1080; names are looked up by the proxy). Empty stays empty. -EINVAL: as above,
 * or it has a path. */
int host_normalise_proxy(struct slice text, struct buf *out, struct err *why) MUST_CHECK;

/* Whether a URL path holds only characters that stand for themselves in it. */
bool host_is_path(struct slice path);

/* Whether a normalised address is on this machine: localhost, *.localhost, 127.0.0.0/8, [::1]. */
bool host_is_loopback(struct slice url);

#endif
