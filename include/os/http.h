#ifndef OS_HTTP_H
#define OS_HTTP_H

/*
 * HTTP/1.1 client over libcurl (the only files that include curl.h are its sources). A client
 * belongs to one thread and keeps its connection; http_perform blocks that thread in
 * curl_multi_poll, never the event loop. http_interrupt may be called from any thread.
 *
 * Set for every request: Content-Length where there is a body and for POST and PUT, never chunked;
 * no `Expect:`, `Accept: application/json`, gzip replies are decoded, and asked for where the
 * request is in gzip; TCP keepalive and TCP_USER_TIMEOUT 60 s, no redirects, http and https
 * (TLS 1.2 or later, no session resumption) only, no user information in the URL, no proxy from the
 * environment, no netrc, no signal. Neither an interruption nor http_free waits for a name look-up
 * under way.
 *
 * Files of credentials and certificates are looked at before each request; what changed takes
 * effect with it, on a new connection where certificates are concerned.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/def.h"
#include "base/err.h"
#include "base/slice.h"
#include "os/credential.h"

struct http;

/* Once, before the first thread starts. Also makes the process ignore SIGPIPE, since a TLS
 * connection that the peer has closed would raise it. 0, -ENOMEM. */
int http_global_init(void) MUST_CHECK;

enum http_verify {
    HTTP_VERIFY_FULL,  /* chain and name */
    HTTP_VERIFY_CHAIN, /* not the name */
    HTTP_VERIFY_NONE,
};

struct http_tls {
    char *const *ca_files; /* PEM; none: the system's, or only what ca_fingerprint allows */
    size_t ca_count;
    const char *ca_fingerprint; /* SHA-256 of a CA certificate in the served chain, 64 hex digits in
                                 * lower case: what it signed is trusted, too; NULL: none */
    const char *certificate;    /* the client's, PEM with its chain; NULL: none */
    const char *key;            /* PEM */
    const char *key_passphrase; /* NULL: none */
    enum http_verify verify;
    bool no_tls_1_2, no_tls_1_3; /* at most one */
};

struct http_header {
    const char *name, *value;
};

/* Strings and arrays are borrowed until http_free. */
struct http_opts {
    struct credential_opts credential;
    struct http_tls tls;
    struct http_header *headers; /* of each request, beside its own */
    size_t header_count;
    const char *proxy_url; /* http://, https:// (trusted by tls, too) or socks5://; NULL: none */
    const char *proxy_username, *proxy_password;
    int64_t connect_timeout_ms; /* name, TCP and TLS together; 0: 10 s */
    int64_t timeout_ms;         /* of each exchange; 0: no limit */
    int64_t max_age_ms;         /* of a connection, whole seconds; 0: no limit */
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
    int64_t timeout_ms;           /* 0: that of the client, which is never exceeded */
    http_body_fn on_body;         /* NULL: the body is dropped */
    void *ctx;
};

enum http_outcome {
    HTTP_REPLIED,     /* a status line and the whole body arrived; an error status may have come
                       * before all of the request was sent (see sent_bytes) */
    HTTP_REFUSED,     /* no connection: nothing was sent (refused, DNS, TLS, connect time-out, a
                       * credential file that cannot be read) or reached the proxy only */
    HTTP_BROKEN,      /* the connection ended during the exchange: outcome unknown */
    HTTP_INTERRUPTED, /* http_interrupt, or on_body returned an error: outcome unknown */
};

struct http_reply {
    enum http_outcome outcome;
    long status;                 /* HTTP_REPLIED; also when known before a break, else 0 */
    int64_t retry_after_ms;      /* Retry-After, clamped to 0..300000; 0 = none */
    bool elastic_product;        /* X-Elastic-Product was sent */
    bool repeated;               /* the request was sent once more, since a kept connection had
                                  * ended: the server may have seen it twice */
    bool new_credentials;        /* status 401, and the files of credentials say something else by
                                  * now: worth another try at once */
    char opensearch_version[32]; /* "3.6.0" of X-OpenSearch-Version, "" = none */
    uint64_t sent_bytes;         /* of the request's body, on the wire */
    struct err err;              /* why, unless HTTP_REPLIED */
    bool lasting;                /* not HTTP_REPLIED, for a reason that people have to mend:
                                  * certificates, credentials, the wrong protocol */
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
