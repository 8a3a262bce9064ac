#ifndef OS_HTTP_H
#define OS_HTTP_H

/*
 * HTTP/1.1 client over libcurl (the only file that includes curl.h is its source). A client
 * belongs to one thread and keeps its connection; http_perform blocks that thread in
 * curl_multi_poll, never the event loop. http_interrupt may be called from any thread.
 *
 * Set for every request: Content-Length where there is a body and for POST and PUT, never chunked;
 * no `Expect:`, `Accept: application/json`, TCP keepalive and TCP_USER_TIMEOUT 60 s, no redirects,
 * http and https (TLS 1.2 or later) only, no user information in the URL, no proxy from the
 * environment, no netrc, no signal. A connection serves for at most 300 s and then gives way to a
 * new one. Neither an interruption nor http_free waits for a name look-up under way.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/err.h"
#include "base/slice.h"

struct http;

/* Once, before the first thread starts. Also makes the process ignore SIGPIPE, since a TLS
 * connection that the peer has closed would raise it. 0, -ENOMEM. */
int http_global_init(void) MUST_CHECK;

struct http_opts {
    const char *username; /* NULL: none; all strings copied */
    const char *password;
    const char *authorization;  /* whole header value (ApiKey ..., Bearer ...); NULL: none. With a
                                 * control character in it every exchange is HTTP_REFUSED, -EINVAL */
    const char *ca_file;        /* NULL: the system's */
    bool verify_certs;          /* false: neither chain nor name */
    int64_t connect_timeout_ms; /* name, TCP and TLS together; 0: 10 s */
    const char *user_agent;
};

/* NULL when libcurl cannot make a handle or lacks what the above needs. */
struct http *http_new(const struct http_opts *opts);
/* NULL is allowed. No http_interrupt may be under way. */
void http_free(struct http **h);

/* Called for each piece of the reply's body, in the thread of http_perform. A non-zero return
 * ends the transfer with that error. */
typedef int (*http_body_fn)(void *ctx, struct slice piece);

struct http_request {
    const char *method;           /* "GET", "POST", "PUT", "HEAD", "DELETE" */
    const char *url;              /* whole URL */
    struct slice body;            /* borrowed; empty: no body */
    const char *content_type;     /* NULL without body */
    const char *content_encoding; /* "gzip" or NULL */
    int64_t timeout_ms;           /* 0: no total time-out */
    http_body_fn on_body;         /* NULL: the body is dropped */
    void *ctx;
};

enum http_outcome {
    HTTP_REPLIED,     /* a status line and the whole body arrived; an error status may have come
                       * before all of the request was sent (see sent_bytes) */
    HTTP_REFUSED,     /* no connection: nothing was sent (refused, DNS, TLS, connect time-out) */
    HTTP_BROKEN,      /* the connection ended during the exchange: outcome unknown */
    HTTP_INTERRUPTED, /* http_interrupt, or on_body returned an error: outcome unknown */
};

struct http_reply {
    enum http_outcome outcome;
    long status;                 /* HTTP_REPLIED; also when known before a break, else 0 */
    int64_t retry_after_ms;      /* Retry-After, clamped to 0..300000; 0 = none */
    bool elastic_product;        /* X-Elastic-Product was sent */
    char opensearch_version[32]; /* "3.6.0" of X-OpenSearch-Version, "" = none */
    uint64_t sent_bytes;         /* of the request's body, on the wire */
    struct err err;              /* why, unless HTTP_REPLIED */
};

/* Fills *ret whatever happens. */
void http_perform(struct http *h, const struct http_request *req, struct http_reply *ret);

/* Ends the exchange under way, and every later one, at once. Any thread. */
void http_interrupt(struct http *h);

/* For small control requests: ret_body's content becomes the reply's body. A body beyond its limit
 * is HTTP_INTERRUPTED with -ENOBUFS. */
struct buf;
void http_fetch(struct http *h, const char *method, const char *url, struct slice body,
                const char *content_type, int64_t timeout_ms, struct buf *ret_body,
                struct http_reply *ret);

/* Version of the library in use, for `wherry version`. Static. */
const char *http_library(void);

#endif
