#ifndef TOOLS_SINK_TLS_H
#define TOOLS_SINK_TLS_H

/*
 * The sink's connections over TLS: recv and send that do the same with or without it. -1 with
 * errno, EAGAIN when the connection has to be waited for.
 */
#include <errno.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "sink_http.h"

/* A context with that certificate and key, NULL when they cannot be used */
static inline SSL_CTX *tls_context(const char *certificate, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    (void)SSL_CTX_set_mode(ctx,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return ctx;
}

/* Makes a new connection one of TLS; ctx NULL: it stays plain */
static inline bool tls_begin(struct conn *c, SSL_CTX *ctx)
{
    if (ctx == NULL)
        return true;
    c->tls = SSL_new(ctx);
    if (c->tls == NULL || SSL_set_fd(c->tls, c->fd) != 1)
        return false;
    SSL_set_accept_state(c->tls);
    return true;
}

/* What SSL_read and SSL_write said, in the words of recv and send. The few bytes that a handshake
 * writes always fit, so that only reading is ever waited for there. */
static inline ssize_t tls_result(struct conn *c, int n)
{
    if (n > 0)
        return n;
    const int why = SSL_get_error(c->tls, n);
    if (why == SSL_ERROR_ZERO_RETURN)
        return 0;
    errno = why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? EAGAIN : EIO;
    return -1;
}

static inline ssize_t conn_recv(struct conn *c, char *to, size_t room)
{
    if (c->tls == NULL)
        return recv(c->fd, to, room, 0);
    return tls_result(c, SSL_read(c->tls, to, room > INT32_MAX ? INT32_MAX : (int)room));
}

static inline ssize_t conn_send(struct conn *c, const char *from, size_t n)
{
    if (c->tls == NULL)
        return send(c->fd, from, n, MSG_NOSIGNAL);
    return tls_result(c, SSL_write(c->tls, from, n > INT32_MAX ? INT32_MAX : (int)n));
}

/* Whether bytes were received that epoll knows nothing of */
static inline bool conn_holds(const struct conn *c)
{
    return c->tls != NULL && SSL_pending(c->tls) > 0;
}

#endif
