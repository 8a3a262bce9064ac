/*
 * os/http_judge - the outcome of an exchange, and its reason in words
 *
 * The texts hold no credentials: user information and query are cut out of URLs.
 */
#include <errno.h>
#include <string.h>

#include "os/http_internal.h"

#define URL_SHOWN_MAX 200
#define PROXY_REFUSES 407

/* the errno nearest to libcurl's code */
static int code_of(CURLcode rc)
{
    static const struct {
        CURLcode rc;
        int code;
    } table[] = {
        {CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH},
        {CURLE_COULDNT_CONNECT, -ECONNREFUSED},
        {CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT},
        {CURLE_OUT_OF_MEMORY, -ENOMEM},
        {CURLE_URL_MALFORMAT, -EINVAL},
        {CURLE_UNSUPPORTED_PROTOCOL, -EINVAL},
        {CURLE_LOGIN_DENIED, -EINVAL},
        {CURLE_BAD_FUNCTION_ARGUMENT, -EINVAL},
        {CURLE_GOT_NOTHING, -ECONNRESET},
        {CURLE_SEND_ERROR, -ECONNRESET},
        {CURLE_RECV_ERROR, -ECONNRESET},
        {CURLE_PARTIAL_FILE, -ECONNRESET},
        {CURLE_PEER_FAILED_VERIFICATION, -EKEYREJECTED},
        {CURLE_SSL_CACERT_BADFILE, -ENOENT},
        {CURLE_SSL_CERTPROBLEM, -ENOENT},
        {CURLE_WEIRD_SERVER_REPLY, -EPROTO},
        {CURLE_SSL_CONNECT_ERROR, -EPROTO},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].rc == rc)
            return table[i].code;
    }
    return -EIO;
}

/* "METHOD scheme://host/path: why", without user information and query */
static void describe(struct err *err, const struct http_request *req, int code, const char *why)
{
    struct slice url = slice_str(req->url);
    url.len = strcspn(req->url, "?#");
    const char *mark = strstr(req->url, "://");
    size_t scheme = mark != NULL ? (size_t)(mark - req->url) + 3 : 0;
    if (scheme > url.len)
        scheme = 0;
    struct slice rest = slice_sub(url, scheme, url.len);
    struct slice authority = slice_sub(rest, 0, slice_find(rest, '/'));
    size_t at = slice_rfind(authority, '@');
    if (at < authority.len)
        rest = slice_sub(rest, at + 1, rest.len);
    if (rest.len > URL_SHOWN_MAX)
        rest.len = URL_SHOWN_MAX;
    err_set(err, code, "%s %.*s%.*s: %s", req->method, (int)scheme, req->url, (int)rest.len,
            rest.ptr, why);
}

/* what a reason comes to, where libcurl's own words leave people to guess */
static const char *plainer(const struct http *h, CURLcode rc, const char *why, int *code)
{
    bool tls = strncmp(h->req->url, "https:", 6) == 0;
    if (tls && h->trust.missed && rc == CURLE_PEER_FAILED_VERIFICATION)
        return "no CA certificate that the server sent has the fingerprint of "
               "ca_trusted_fingerprint";
    if (tls && strstr(why, "wrong version number") != NULL)
        return "the server does not speak TLS here; is it http://?";
    if (strstr(why, "getpeername() failed") != NULL)
        return "the server closed the connection";
    if (tls && strstr(why, "SSL connection timeout") != NULL)
        return "no answer to the TLS handshake in time; is it http://?";
    if (!tls && rc == CURLE_UNSUPPORTED_PROTOCOL && h->sent) {
        *code = -EPROTO;
        return "the server does not speak HTTP here; is it https://?";
    }
    if (!tls && !h->replied && (rc == CURLE_GOT_NOTHING || rc == CURLE_RECV_ERROR))
        return "the server closed the connection without an answer; is it https://?";
    return why;
}

/* whether a reason stays until somebody mends it; a handshake can also end because a server went
 * away, which OpenSSL's word for the system's errors tells */
static bool is_lasting(int code, const char *why)
{
    if (code == -EPROTO)
        return strstr(why, "SSL_connect: ") == NULL;
    return code == -EKEYREJECTED || code == -ENOENT || code == -EACCES || code == -EINVAL ||
           (code == -ECONNRESET && strstr(why, " alert ") != NULL);
}

/* takes " after 3 ms" out: who is told of each new reason would be told of each connection */
static void drop_duration(char *text)
{
    static const char before[] = " after ", unit[] = " ms";
    char *at = strstr(text, before);
    if (at == NULL)
        return;
    const char *digits = at + strlen(before);
    const char *rest = digits + strspn(digits, "0123456789");
    if (rest > digits && strncmp(rest, unit, strlen(unit)) == 0)
        memmove(at, rest + strlen(unit), strlen(rest + strlen(unit)) + 1);
}

/* names the outcome and, unless there is a reply, the reason */
void http_judge(struct http *h, CURLcode rc)
{
    struct http_reply *reply = h->reply;
    drop_duration(h->text);
    const char *why = h->text[0] != '\0' ? h->text : curl_easy_strerror(rc);
    int code = code_of(rc);
    if (rc == CURLE_OK && reply->status == PROXY_REFUSES && h->opts.proxy_url != NULL) {
        reply->lasting = true;
        describe(&reply->err, h->req, -EACCES,
                 "the proxy refuses proxy_username and proxy_password (407)");
        return;
    }
    if (rc == CURLE_OK) {
        reply->outcome = HTTP_REPLIED;
        h->replied = true;
        return;
    }
    if (h->body_error != 0) {
        reply->outcome = HTTP_INTERRUPTED;
        code = h->body_error;
        why = "the reply's body was refused";
    } else if (rc == CURLE_ABORTED_BY_CALLBACK) {
        reply->outcome = HTTP_INTERRUPTED;
        code = -EINTR;
        why = "interrupted";
    } else {
        reply->outcome = h->sent ? HTTP_BROKEN : HTTP_REFUSED;
        if (h->header_bytes > HTTP_HEADER_BYTES_MAX) {
            code = -EMSGSIZE;
            why = "the reply's head is too long";
        }
    }
    why = plainer(h, rc, why, &code);
    reply->lasting = reply->outcome != HTTP_INTERRUPTED && is_lasting(code, why);
    describe(&reply->err, h->req, code, why);
}
