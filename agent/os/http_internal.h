#ifndef OS_HTTP_INTERNAL_H
#define OS_HTTP_INTERNAL_H

/* What the parts of os/http share. */
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "os/http.h"
#include "os/stamp.h"

#define HTTP_HEADER_BYTES_MAX (256 * KIB)
#define HTTP_LINE_BYTES_MAX   (4 * CREDENTIAL_MAX + 8 * KIB) /* of a request's header line */
#define HTTP_DIGEST_BYTES     32                             /* SHA-256 */

/* What the handshakes of one client need and find out. */
struct http_trust {
    const struct http_tls *tls;
    uint8_t digest[HTTP_DIGEST_BYTES]; /* of tls->ca_fingerprint */
    bool missed;                       /* no CA certificate of the last served chain had it */
};

struct http {
    struct http_opts opts;
    CURL *easy;
    CURLM *multi;
    pthread_mutex_t lock;    /* held where multi is replaced, and by others where it is used */
    atomic_bool interrupted; /* written by any thread, never cleared */
    struct credential *credential;
    struct http_trust trust;
    struct buf line;            /* a header line in the making; wiped after use */
    struct stamp *stamps;       /* of the files of certificates, in the order of http_tls_file */
    bool replied;               /* some exchange had a reply */
    char text[CURL_ERROR_SIZE]; /* libcurl writes the reason of a failure here */
    /* the exchange under way */
    const struct http_request *req;
    struct http_reply *reply;
    size_t header_bytes;
    bool sent;      /* the request may have left, at least in part */
    bool head_done; /* the reply's head came to its blank line */
    int body_error; /* what on_body returned */
};

/* libcurl's callbacks of an exchange (http.c); ctx is the struct http. */
int http_on_request(void *ctx, char *ip, char *local_ip, int port, int local_port);
size_t http_on_header(char *ptr, size_t size, size_t count, void *ctx);
size_t http_on_body(char *ptr, size_t size, size_t count, void *ctx);

/* New handles, and with them new connections, when a file of certificates has changed. */
void http_renew(struct http *h);

/* Fills outcome and, unless there is a reply, err from what libcurl said (http_judge.c). */
void http_judge(struct http *h, CURLcode rc);

/* Takes from one line of a reply's head (with its line end) what http_reply holds of it. A status
 * line forgets the head before it, which was an interim reply's. Retry-After is not looked at. */
void http_head_line(struct slice line, struct http_reply *reply);

/* The N-th file that TLS reads, NULL behind the last. */
const char *http_tls_file(const struct http_tls *tls, size_t n);

/* Whether tls needs http_tls_prepare to be called for each handshake. */
bool http_tls_needs_context(const struct http_tls *tls);

/* Adds to OpenSSL's SSL_CTX what libcurl has no option for: further CA files, the fingerprint. 0,
 * -ENOENT: a file cannot be used. */
int http_tls_prepare(void *ssl_ctx, struct http_trust *trust) MUST_CHECK;

/* Reads tls->ca_fingerprint; -EINVAL. */
int http_tls_digest(struct http_trust *trust) MUST_CHECK;

#endif
