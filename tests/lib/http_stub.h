#ifndef TESTS_HTTP_STUB_H
#define TESTS_HTTP_STUB_H

/*
 * A small HTTP/1.1 server on 127.0.0.1 in threads of its own, whose answers a test scripts: the
 * handler runs for each request, one at a time (so its state needs no lock of its own while it
 * runs; from outside take http_stub_lock). Failures of its own abort the test program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct http_stub;

struct stub_request {
    char method[16];
    char path[2048];   /* with the query */
    char encoding[16]; /* Content-Encoding */
    char content_type[64];
    char authorization[256];
    const char *body; /* unpacked, with a NUL behind it */
    size_t body_bytes;
    size_t wire_bytes;
    unsigned number; /* of the request, from 1 */
};

struct stub_reply {
    int status;          /* 200 */
    const char *headers; /* whole lines with CRLF, "" */
    struct buf body;
    bool close;      /* close the connection instead of answering */
    bool hang;       /* never answer */
    size_t cut_body; /* send only so many bytes of the announced body, then close; SIZE_MAX */
};

typedef void (*stub_fn)(void *ctx, const struct stub_request *request, struct stub_reply *reply);

/* port 0: any. */
struct http_stub *http_stub_start(uint16_t port, stub_fn fn, void *ctx);
/* Ends every connection and thread. */
void http_stub_stop(struct http_stub **s);
uint16_t http_stub_port(const struct http_stub *s);
/* "http://127.0.0.1:PORT" */
const char *http_stub_url(const struct http_stub *s);
/* Keeps the handler from running. */
void http_stub_lock(struct http_stub *s);
void http_stub_unlock(struct http_stub *s);

#endif
